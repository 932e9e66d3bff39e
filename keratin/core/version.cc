#include "keratin/core/version.h"

#define KERATIN_TEXT_OF(x) #x
#define KERATIN_TEXT(x) KERATIN_TEXT_OF(x)

namespace keratin::inline v0 {

const char* version() noexcept {
  return KERATIN_TEXT(KERATIN_VERSION_MAJOR) "." KERATIN_TEXT(KERATIN_VERSION_MINOR) "." KERATIN_TEXT(
      KERATIN_VERSION_PATCH);
}

}  // namespace keratin::inline v0
