// The tables of the fast f32 kernels with one number of tanh's one unit larger: what spoiled_test.cc sweeps.
// It comes before the library's own in that test's include path; KERATIN_REAL_TABLES names those.
#pragma once

#define kTanh kRealTanh
#include KERATIN_REAL_TABLES
#undef kTanh

#include <bit>
#include <cstdint>

namespace keratin::inline v0::activations::tables {

inline constexpr auto kTanh = [] {
  auto table = kRealTanh;
  table.base[7] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(table.base[7]) + 1);
  return table;
}();

}  // namespace keratin::inline v0::activations::tables
