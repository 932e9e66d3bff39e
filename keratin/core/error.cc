#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

std::string join(std::string_view operation, std::string_view expected, std::string_view received,
                 std::string_view advice) {
  std::string text(operation);
  text += ": ";
  text += expected;
  if (!received.empty()) {
    if (!expected.empty()) text += ", ";
    text += received;
  }
  if (text.back() != '.' && text.back() != '?') text += '.';
  if (!advice.empty()) {
    text += "\n  ";
    text += advice;
  }
  return text;
}

}  // namespace

Error::Error(std::string_view operation, std::string_view expected, std::string_view received,
             std::string_view advice)
    : std::runtime_error(join(operation, expected, received, advice)),
      operation_(operation),
      expected_(expected),
      received_(received),
      advice_(advice) {}

// The destructors stand here so that one copy of each type's information serves the program and the library.
Error::~Error() = default;
ValueError::~ValueError() = default;
ShapeError::~ShapeError() = default;
TypeError::~TypeError() = default;
IoError::~IoError() = default;
NumericError::~NumericError() = default;
StateError::~StateError() = default;

}  // namespace keratin::inline v0
