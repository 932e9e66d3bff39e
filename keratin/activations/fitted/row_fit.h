// One row of a fitted table: a model of the function on it, and the numbers of the row. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "keratin/activations/fitted/fitted_table.h"

namespace keratin::inline v0::detail {

inline constexpr std::size_t kFitNodes = 24;
using FitNodes = std::array<double, kFitNodes>;

/// The spacing of floats at v; infinite where v is not finite.
double float_spacing(double v);

/// A row's stretch [low, high] and its function as a Chebyshev series.
struct RowModel {
  double low, high;
  FitNodes values;  ///< at the nodes
  FitNodes series;

  double middle() const { return 0.5 * (low + high); }
  double half() const { return 0.5 * (high - low); }
  double node(std::size_t i) const;
  /// From the values.
  void make_series();
  std::pair<double, double> value_and_slope(double x) const;
  /// The series of a smooth function dies out; that of a kink does not.
  bool is_smooth() const;
  /// Where f is 0 inside the row, if it is.
  std::optional<double> root() const;
};

struct FittedRow {
  float centre = 0, base = 0;
  std::array<float, FittedTable::kMaxDegree> q{};
  /// The largest in ULP at some points, in float arithmetic against the model.
  double error = std::numeric_limits<double>::infinity();
};

/// q so that d·q(d) is f - base - slope·d, relative to f, or to d where f is 0 at the centre.
void fit_coefficients(const RowModel& model, std::size_t degree, double slope, bool relative_to_d,
                      FittedRow* row);
/// With the centre that gives the least error. Far beyond `most` it is not looked for.
FittedRow fit_row(const RowModel& model, std::size_t degree, double most);

}  // namespace keratin::inline v0::detail
