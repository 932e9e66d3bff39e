// The table of a function, row by row: a model of the function through Chebyshev nodes, a centre where both f
// and f' are nearly floats, and coefficients by least squares of the relative error, rounded one at a time.
#include "keratin/activations/fitted/fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

namespace keratin::inline v0::detail {
namespace {

constexpr std::size_t kNodes = 24;
using Nodes = std::array<double, kNodes>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The spacing of floats at v.
double ulp(double v) {
  const double magnitude = std::fabs(v);
  if (magnitude < 0x1p-126) return 0x1p-149;
  if (!std::isfinite(magnitude)) return kInfinity;
  return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}
double off_float(double v) { return std::fabs(v - static_cast<double>(static_cast<float>(v))); }

// cos of the nodes' angles, from the lowest to the highest.
const Nodes& chebyshev_nodes() {
  static const Nodes nodes = [] {
    Nodes made;
    for (std::size_t i = 0; i < kNodes; ++i)
      made[kNodes - 1 - i] = std::cos((2.0 * static_cast<double>(i) + 1) * std::numbers::pi / (2 * kNodes));
    return made;
  }();
  return nodes;
}

// T_k at the nodes, times 2/n (1/n for k = 0): what takes values to their series.
const std::array<Nodes, kNodes>& series_weights() {
  static const std::array<Nodes, kNodes> weights = [] {
    std::array<Nodes, kNodes> made;
    for (std::size_t k = 0; k < kNodes; ++k) {
      for (std::size_t i = 0; i < kNodes; ++i) {
        made[k][i] = std::cos(static_cast<double>(k) * std::acos(chebyshev_nodes()[i])) *
                     (k == 0 ? 1.0 : 2.0) / static_cast<double>(kNodes);
      }
    }
    return made;
  }();
  return weights;
}

// A row's stretch [low, high] and its function as a Chebyshev series.
struct Model {
  double low, high;
  Nodes values;  // at the nodes
  Nodes series;

  double middle() const { return 0.5 * (low + high); }
  double half() const { return 0.5 * (high - low); }
  double node(std::size_t i) const { return middle() + half() * chebyshev_nodes()[i]; }

  void make_series() {
    for (std::size_t k = 0; k < kNodes; ++k) {
      series[k] = 0;
      for (std::size_t i = 0; i < kNodes; ++i) series[k] += series_weights()[k][i] * values[i];
    }
  }
  // Clenshaw's recurrence, for the value and the slope at once.
  std::pair<double, double> value_and_slope(double x) const {
    const double t = (x - middle()) / half();
    double b1 = 0, b2 = 0, c1 = 0, c2 = 0;
    for (std::size_t k = kNodes - 1; k > 0; --k) {
      const double c = 2 * b1 + 2 * t * c1 - c2;
      const double b = series[k] + 2 * t * b1 - b2;
      c2 = c1, c1 = c, b2 = b1, b1 = b;
    }
    return {series[0] + t * b1 - b2, (b1 + t * c1 - c2) / half()};
  }
  double largest() const {
    double largest = 0;
    for (const double v : values) largest = std::max(largest, std::fabs(v));
    return largest;
  }
  // The series of a smooth function dies out; that of a kink does not.
  bool is_smooth() const {
    double tail = 0;
    for (std::size_t k = kNodes - 6; k < kNodes; ++k) tail = std::max(tail, std::fabs(series[k]));
    return std::isfinite(tail) && tail <= 0x1p-36 * largest();
  }
};

struct Row {
  float centre = 0, base = 0;
  std::array<float, FittedTable::kMaxDegree> q{};
};

// Solves the normal equations of `columns` against `wanted`; the first coefficient alone is needed.
using Matrix = std::array<std::array<double, FittedTable::kMaxDegree + 1>, FittedTable::kMaxDegree>;
double first_of_least_squares(const std::array<Nodes, FittedTable::kMaxDegree>& columns, std::size_t first,
                              std::size_t degree, const Nodes& wanted) {
  const std::size_t n = degree - first;
  Matrix a{};
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < kNodes; ++i) {
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

// q so that d·q(d) is f - base - slope·d, relative to f, or to d where f is 0 at the centre.
void fit_q(const Model& model, std::size_t degree, double slope, bool relative_to_d, Row* row) {
  const double reach = std::max(std::fabs(model.low - row->centre), std::fabs(model.high - row->centre));
  std::array<Nodes, FittedTable::kMaxDegree> columns{};
  Nodes wanted{};
  for (std::size_t i = 0; i < kNodes; ++i) {
    const double d = model.node(i) - row->centre, f = model.values[i];
    const double weight = 1 / std::max(std::fabs(relative_to_d ? d : f), 1e-30);
    wanted[i] = (f - row->base - slope * d) * weight;
    double power = d * weight;
    for (std::size_t k = 0; k < degree; ++k, power *= d / reach) columns[k][i] = power;
  }
  double scale = 1;
  for (std::size_t k = 0; k < degree; ++k, scale *= reach) {
    row->q[k] = static_cast<float>(first_of_least_squares(columns, k, degree, wanted) / scale);
    for (std::size_t i = 0; i < kNodes; ++i)
      wanted[i] -= static_cast<double>(row->q[k]) * scale * columns[k][i];
  }
}

// The largest error of a row in float arithmetic, against the model.
double simulate(const Model& model, const Row& row, std::size_t degree) {
  constexpr int kPoints = 96;
  double worst = 0;
  for (int i = 0; i < kPoints; ++i) {
    const auto x = static_cast<float>(model.low + (model.high - model.low) * (i + 0.37) / kPoints);
    const float d = x - row.centre;
    float q = row.q[degree - 1];
    for (std::size_t k = degree - 1; k-- > 0;) q = std::fma(q, d, row.q[k]);
    const double f = model.value_and_slope(x).first;
    worst = std::max(worst, std::fabs(static_cast<double>(std::fma(d, q, row.base)) - f) / ulp(f));
  }
  return worst;
}

// Where f is 0 inside the row, if it is.
std::optional<double> root_of(const Model& model) {
  for (std::size_t i = 0; i + 1 < kNodes; ++i) {
    if ((model.values[i] < 0) == (model.values[i + 1] < 0)) continue;
    double low = model.node(i), high = model.node(i + 1);
    for (int step = 0; step < 60; ++step) {
      const double middle = 0.5 * (low + high);
      ((model.value_and_slope(middle).first < 0) == (model.values[i] < 0) ? low : high) = middle;
    }
    return 0.5 * (low + high);
  }
  return std::nullopt;
}

// Centres in the middle of the row, best first.
std::vector<float> good_centres(const Model& model, std::size_t count) {
  constexpr int kCandidates = 300;
  constexpr double kSpan = 0.02;  // of the row, to either side
  const double spacing = std::max(ulp(model.middle()), 2 * model.half() * 0x1p-24);
  const double step = std::max(1.0, std::floor(kSpan * 2 * model.half() / spacing / (kCandidates / 2)));
  std::vector<std::pair<double, float>> scored;
  for (int k = -kCandidates / 2; k <= kCandidates / 2; ++k) {
    const auto centre = static_cast<float>(static_cast<float>(model.middle()) + k * step * spacing);
    const auto [f, slope] = model.value_and_slope(centre);
    scored.emplace_back((1.5 * off_float(f) + model.half() * off_float(slope)) / ulp(f), centre);
  }
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end());
  std::vector<float> centres;
  for (std::size_t i = 0; i < count; ++i) centres.push_back(scored[i].second);
  return centres;
}

// A way to cut ±reach into rows: each row's stretch and its model.
class Cut {
 public:
  Cut(double reach, std::size_t rows, double bend, const DoubleFunction& f) : rows_(rows) {
    // The last row is half a row wide, so that no rounding leads beyond it.
    const double last = static_cast<double>(rows / 2) - 0.51;
    table_.rows = rows;
    table_.reach = static_cast<float>(reach);
    table_.square = static_cast<float>(bend * last / (reach * reach));
    table_.scale = static_cast<float>((1 - bend) * last / reach);
    std::vector<double> x, y;
    for (int k = first(); k <= -first(); ++k) {
      Model model{};
      model.low = std::max(edge(k - 0.5), -reach);
      model.high = std::min(edge(k + 0.5), reach);
      for (std::size_t i = 0; i < kNodes; ++i) x.push_back(model.node(i));
      models_.push_back(model);
    }
    x.push_back(0);
    y.resize(x.size());
    f(x.data(), y.data(), x.size());
    at_zero_ = y.back();
    for (std::size_t m = 0; m < models_.size(); ++m) {
      std::copy_n(y.begin() + static_cast<std::ptrdiff_t>(m * kNodes), kNodes, models_[m].values.begin());
      models_[m].make_series();
      is_smooth_ = is_smooth_ && models_[m].is_smooth();
    }
  }

  bool is_smooth() const { return is_smooth_; }

  /// The table with that many coefficients, if no row's error is beyond `most`.
  std::optional<FittedTable> fit(std::size_t degree, double most, const DoubleFunction& f) const {
    FittedTable table = table_;
    table.degree = degree;
    table.through_zero = at_zero_ == 0;
    for (int k = first(); k <= -first(); ++k) {
      const Model& model = models_[static_cast<std::size_t>(k - first())];
      Row row;
      if (k == 0 && table.through_zero) {
        // Rounded towards 0, so that what is left has its sign and -0 stays what it is.
        const double slope = model.value_and_slope(0).second;
        table.slope = static_cast<float>(slope);
        if (std::fabs(table.slope) > std::fabs(slope)) table.slope = std::nextafter(table.slope, 0.0f);
        fit_q(model, degree, table.slope, true, &row);
        if (row.q[0] * table.slope <= 0) row.q[0] = std::copysign(0.0f, table.slope);
      } else if (const auto root = root_of(model)) {
        row.centre = static_cast<float>(*root);
        const double centre = row.centre;
        double value = 0;
        f(&centre, &value, 1);
        row.base = static_cast<float>(value);
        fit_q(model, degree, 0, false, &row);
      } else {
        const double error = best_row(model, degree, most, &row);
        if (!(error <= most)) return std::nullopt;
      }
      const auto at = static_cast<std::size_t>(k) & (rows_ - 1);
      table.centre[at] = row.centre;
      table.base[at] = row.base;
      for (std::size_t j = 0; j < degree; ++j) table.q[j][at] = row.q[j];
    }
    return table;
  }

 private:
  int first() const { return 1 - static_cast<int>(rows_ / 2); }

  // The x at which x·(scale + square·|x|) is `row`.
  double edge(double row) const {
    const double a = table_.square, b = table_.scale, t = std::fabs(row);
    const double x = a == 0 ? t / b : (std::sqrt(b * b + 4 * a * t) - b) / (2 * a);
    return std::copysign(x, row);
  }

  static double best_row(const Model& model, std::size_t degree, double most, Row* best) {
    double least = kInfinity;
    for (const float centre : good_centres(model, 4)) {
      Row row;
      row.centre = centre;
      row.base = static_cast<float>(model.value_and_slope(centre).first);
      fit_q(model, degree, 0, false, &row);
      const double error = simulate(model, row, degree);
      if (error < least) least = error, *best = row;
      // The first centre says whether the row can be had at all.
      if (least > 4 * most) break;
    }
    return least;
  }

  std::size_t rows_;
  FittedTable table_;
  std::vector<Model> models_;
  double at_zero_ = 0;
  bool is_smooth_ = true;
};

}  // namespace

std::optional<FittedTable> fit_table(const DoubleFunction& f) {
  // An estimate beyond one ULP hides errors that the check would find.
  constexpr double kMostInARow = 1.0;
  struct Shape {
    std::size_t cut, degree;
  };
  struct Cutting {
    std::size_t rows;
    double bend;
  };
  constexpr Cutting kCuttings[] = {{16, 0}, {16, 0.5}, {32, 0}, {32, 0.5}, {32, 0.8}};
  // Cheapest first.
  constexpr Shape kShapes[] = {{0, 5}, {1, 5}, {0, 6}, {1, 6}, {0, 7}, {1, 7}, {2, 5},
                               {3, 5}, {2, 6}, {3, 6}, {2, 7}, {3, 7}, {4, 7}};
  for (const double reach : {8.0, 7.7, 6.5, 6.2, 5.0, 4.8, 4.2}) {
    std::array<std::optional<Cut>, std::size(kCuttings)> cuts;
    for (const auto& [place, degree] : kShapes) {
      std::optional<Cut>& cut = cuts[place];
      if (!cut) cut.emplace(reach, kCuttings[place].rows, kCuttings[place].bend, f);
      if (!cut->is_smooth()) continue;
      std::optional<FittedTable> table = cut->fit(degree, kMostInARow, f);
      if (!table) continue;
      table->max_ulp = check_fit(*table, f);
      if (table->max_ulp <= kMaxFitUlp) return table;
    }
  }
  return std::nullopt;
}

double check_fit(const FittedTable& table, const DoubleFunction& f) {
  std::vector<float> x;
  const auto add = [&](double value) {
    const auto point = static_cast<float>(value);
    if (std::fabs(point) < table.reach) x.push_back(point);
  };
  const std::size_t even = 192 * table.rows;
  for (std::size_t i = 0; i < even; ++i)
    add(table.reach * (2 * (static_cast<double>(i) + 0.41) / static_cast<double>(even) - 1));
  // Next to a centre, where f may be 0, and next to 0, all the way down.
  for (std::size_t row = 0; row < table.rows; ++row) {
    for (double away = 1; away > 0x1p-24; away *= 0.5) {
      add(table.centre[row] + away * table.reach / static_cast<double>(table.rows));
      add(table.centre[row] - away * table.reach / static_cast<double>(table.rows));
    }
  }
  for (double away = 1; away > 0x1p-126; away *= 0.37) add(away), add(-away);
  x.push_back(-0.0f);
  while (x.size() % kFittedBlock != 0) x.push_back(0);
  std::vector<float> y(x.size());
  std::vector<double> exact(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); i += kFittedBlock)
    run_block(table, x.data() + i, nullptr, y.data() + i);
  f(exact.data(), exact.data(), exact.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(exact[i])) return kInfinity;
    if (x[i] == 0 && std::signbit(y[i]) != std::signbit(exact[i])) return kInfinity;
    worst = std::max(worst, std::fabs(static_cast<double>(y[i]) - exact[i]) / ulp(exact[i]));
  }
  return worst;
}

}  // namespace keratin::inline v0::detail
