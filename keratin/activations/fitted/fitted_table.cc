#include "keratin/activations/fitted/fitted_table.h"

#include <cmath>

namespace keratin::inline v0::detail {

double FittedTable::edge(double k) const noexcept {
  const double a = square, b = scale;
  return a == 0 ? k / b : (std::sqrt(b * b + 4 * a * k) - b) / (2 * a);
}

void FittedTable::set_near() noexcept {
  near = reach;
  near_degree = degree;
  if (rows == kNearRows) return;
  // Rows -8 to 7; a little less than the edge, whose place is rounded.
  const double end = edge(7.5) * (1 - 0x1p-20);
  near = std::isnan(end) ? 0 : static_cast<float>(std::fmin(end, reach));
  const auto is_zero = [&](std::size_t k) {
    for (std::size_t row = 0; row < kNearRows; ++row)
      if (q[k][row] != 0) return false;
    return true;
  };
  while (near_degree > kMinDegree && is_zero(near_degree - 1)) --near_degree;
}

}  // namespace keratin::inline v0::detail
