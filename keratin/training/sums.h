// Sums that are fast, accurate and the same however the work is split. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::detail {

/// f(0) + … + f(count − 1) in double, in eight sums that do not wait for each other; the order is fixed.
template <class F>
double sum_of(std::int64_t count, F f) {
  double part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int k = 0; k < 8; ++k) part[k] += static_cast<double>(f(i + k));
  for (int k = 0; i < count; ++i, ++k) part[k] += static_cast<double>(f(i));
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

}  // namespace keratin::inline v0::detail
