#include "keratin/core/float_env.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace keratin::inline v0::detail {

void set_float_control([[maybe_unused]] unsigned long long value) noexcept {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(value));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" ::"r"(value));
#endif
}

}  // namespace keratin::inline v0::detail
