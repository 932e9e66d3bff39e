// Fitting a table to a smooth function. Internal.
#pragma once

#include <optional>

#include "keratin/activations/fitted/fitted_table.h"

namespace keratin::inline v0::detail {

/// Beyond this many ULP, on the points that check_fit tries, a table is refused. The largest error of all
/// floats is up to 0.6 larger.
inline constexpr double kMaxFitUlp = 1.9;

/// The cheapest table that holds f over a range of ±4 to ±8; nothing for kinks, poles, jumps, fast
/// oscillation, values that are not finite. Deterministic. 1 to 60 ms.
std::optional<FittedTable> fit_table(const DoubleFunction& f);

/// The largest error in ULP of the table on 256 points a row, the floats next to its edges and centres among
/// them; infinite where f is not finite.
double check_fit(const FittedTable& table, const DoubleFunction& f);

}  // namespace keratin::inline v0::detail
