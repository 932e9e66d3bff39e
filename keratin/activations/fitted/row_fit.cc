#include "keratin/activations/fitted/row_fit.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace keratin::inline v0::detail {
namespace {

double off_float(double v) { return std::fabs(v - static_cast<double>(static_cast<float>(v))); }

// cos of the nodes' angles, from the lowest to the highest.
const FitNodes& chebyshev_nodes() {
  static const FitNodes nodes = [] {
    FitNodes made;
    for (std::size_t i = 0; i < kFitNodes; ++i) {
      made[kFitNodes - 1 - i] =
          std::cos((2.0 * static_cast<double>(i) + 1) * std::numbers::pi / (2 * kFitNodes));
    }
    return made;
  }();
  return nodes;
}

// T_k at the nodes, times 2/n (1/n for k = 0): what takes values to their series.
const std::array<FitNodes, kFitNodes>& series_weights() {
  static const std::array<FitNodes, kFitNodes> weights = [] {
    std::array<FitNodes, kFitNodes> made;
    for (std::size_t k = 0; k < kFitNodes; ++k) {
      for (std::size_t i = 0; i < kFitNodes; ++i) {
        made[k][i] = std::cos(static_cast<double>(k) * std::acos(chebyshev_nodes()[i])) *
                     (k == 0 ? 1.0 : 2.0) / static_cast<double>(kFitNodes);
      }
    }
    return made;
  }();
  return weights;
}

// Solves the normal equations of `columns` against `wanted`; the first coefficient alone is needed.
using Columns = std::array<FitNodes, FittedTable::kMaxDegree>;
using Matrix = std::array<std::array<double, FittedTable::kMaxDegree + 1>, FittedTable::kMaxDegree>;
double first_of_least_squares(const Columns& columns, std::size_t first, std::size_t degree,
                              const FitNodes& wanted) {
  const std::size_t n = degree - first;
  Matrix a{};
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < kFitNodes; ++i) {
      for (std::size_t c = r; c < n; ++c) a[r][c] += columns[first + r][i] * columns[first + c][i];
      a[r][n] += columns[first + r][i] * wanted[i];
    }
    for (std::size_t c = 0; c < r; ++c) a[r][c] = a[c][r];
  }
  // Eliminated from the last unknown upwards, so that the first is left.
  for (std::size_t pivot = n; pivot-- > 1;) {
    for (std::size_t r = 0; r < pivot; ++r) {
      const double factor = a[r][pivot] / a[pivot][pivot];
      for (std::size_t c = 0; c < pivot; ++c) a[r][c] -= factor * a[pivot][c];
      a[r][n] -= factor * a[pivot][n];
    }
  }
  return a[0][n] / a[0][0];
}

// The largest error of a row in float arithmetic, against the model.
double simulate(const RowModel& model, const FittedRow& row, std::size_t degree) {
  constexpr int kPoints = 96;
  double worst = 0;
  for (int i = 0; i < kPoints; ++i) {
    const auto x = static_cast<float>(model.low + (model.high - model.low) * (i + 0.37) / kPoints);
    const float d = x - row.centre;
    float q = row.q[degree - 1];
    for (std::size_t k = degree - 1; k-- > 0;) q = std::fma(q, d, row.q[k]);
    const double f = model.value_and_slope(x).first;
    worst = std::max(worst, std::fabs(static_cast<double>(std::fma(d, q, row.base)) - f) / float_spacing(f));
  }
  return worst;
}

// Centres in the middle of the row, best first.
std::vector<float> good_centres(const RowModel& model, std::size_t count) {
  constexpr int kCandidates = 300;
  constexpr double kSpan = 0.02;  // of the row, to either side
  const double spacing = std::max(float_spacing(model.middle()), 2 * model.half() * 0x1p-24);
  const double step = std::max(1.0, std::floor(kSpan * 2 * model.half() / spacing / (kCandidates / 2)));
  std::vector<std::pair<double, float>> scored;
  for (int k = -kCandidates / 2; k <= kCandidates / 2; ++k) {
    const auto centre = static_cast<float>(static_cast<float>(model.middle()) + k * step * spacing);
    const auto [f, slope] = model.value_and_slope(centre);
    scored.emplace_back((1.5 * off_float(f) + model.half() * off_float(slope)) / float_spacing(f), centre);
  }
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end());
  std::vector<float> centres;
  for (std::size_t i = 0; i < count; ++i) centres.push_back(scored[i].second);
  return centres;
}

}  // namespace

double float_spacing(double v) {
  const double magnitude = std::fabs(v);
  if (magnitude < 0x1p-126) return 0x1p-149;
  if (!std::isfinite(magnitude)) return std::numeric_limits<double>::infinity();
  return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

double RowModel::node(std::size_t i) const { return middle() + half() * chebyshev_nodes()[i]; }

void RowModel::make_series() {
  for (std::size_t k = 0; k < kFitNodes; ++k) {
    series[k] = 0;
    for (std::size_t i = 0; i < kFitNodes; ++i) series[k] += series_weights()[k][i] * values[i];
  }
}

// Clenshaw's recurrence, for the value and the slope at once.
std::pair<double, double> RowModel::value_and_slope(double x) const {
  const double t = (x - middle()) / half();
  double b1 = 0, b2 = 0, c1 = 0, c2 = 0;
  for (std::size_t k = kFitNodes - 1; k > 0; --k) {
    const double c = 2 * b1 + 2 * t * c1 - c2;
    const double b = series[k] + 2 * t * b1 - b2;
    c2 = c1, c1 = c, b2 = b1, b1 = b;
  }
  return {series[0] + t * b1 - b2, (b1 + t * c1 - c2) / half()};
}

bool RowModel::is_smooth() const {
  double tail = 0, largest = 0;
  for (std::size_t k = kFitNodes - 6; k < kFitNodes; ++k) tail = std::max(tail, std::fabs(series[k]));
  for (const double v : values) largest = std::max(largest, std::fabs(v));
  return std::isfinite(tail) && tail <= 0x1p-36 * largest;
}

std::optional<double> RowModel::root() const {
  for (std::size_t i = 0; i + 1 < kFitNodes; ++i) {
    if ((values[i] < 0) == (values[i + 1] < 0)) continue;
    double left = node(i), right = node(i + 1);
    for (int step = 0; step < 60; ++step) {
      const double centre = 0.5 * (left + right);
      ((value_and_slope(centre).first < 0) == (values[i] < 0) ? left : right) = centre;
    }
    return 0.5 * (left + right);
  }
  return std::nullopt;
}

void fit_coefficients(const RowModel& model, std::size_t degree, double slope, bool relative_to_d,
                      FittedRow* row) {
  const double reach = std::max(std::fabs(model.low - row->centre), std::fabs(model.high - row->centre));
  Columns columns{};
  FitNodes wanted{};
  for (std::size_t i = 0; i < kFitNodes; ++i) {
    const double d = model.node(i) - row->centre, f = model.values[i];
    const double weight = 1 / std::max(std::fabs(relative_to_d ? d : f), 1e-30);
    wanted[i] = (f - row->base - slope * d) * weight;
    double power = d * weight;
    for (std::size_t k = 0; k < degree; ++k, power *= d / reach) columns[k][i] = power;
  }
  double scale = 1;
  for (std::size_t k = 0; k < degree; ++k, scale *= reach) {
    row->q[k] = static_cast<float>(first_of_least_squares(columns, k, degree, wanted) / scale);
    for (std::size_t i = 0; i < kFitNodes; ++i)
      wanted[i] -= static_cast<double>(row->q[k]) * scale * columns[k][i];
  }
}

FittedRow fit_row(const RowModel& model, std::size_t degree, double most) {
  FittedRow best;
  for (const float centre : good_centres(model, 4)) {
    FittedRow row;
    row.centre = centre;
    row.base = static_cast<float>(model.value_and_slope(centre).first);
    fit_coefficients(model, degree, 0, false, &row);
    row.error = simulate(model, row, degree);
    if (row.error < best.error) best = row;
    // The first centre says whether the row can be had at all.
    if (!(best.error <= 4 * most)) break;
  }
  return best;
}

}  // namespace keratin::inline v0::detail
