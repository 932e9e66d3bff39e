// For tests: what a mistake is told.
#pragma once

#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0 {

/// The message of the error of that type that `body` throws; "accepted" if none.
template <class Expected = Error, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Expected& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace keratin::inline v0
