// What every fuzzer does: errors of the library are answers, anything else is a bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "keratin/core/error.h"

namespace keratin::fuzz {

template <class F>
int accept_errors(const F& read) {
  try {
    read();
  } catch (const Error&) {}
  return 0;
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace keratin::fuzz
