// The table of a function: ways to cut its range into rows, the cheapest first, and what each row needs.
#include "keratin/activations/fitted/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "keratin/activations/fitted/row_fit.h"

namespace keratin::inline v0::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Of a row, at the points of the simulation: beyond, it hides errors that the check would find.
constexpr double kMostInARow = 1.25;

// A way to cut ±reach into rows: each row's stretch, its model, and its numbers for the degrees asked for.
class Cut {
 public:
  Cut(double reach, std::size_t rows, double bend, const DoubleFunction& f) : f_(f) {
    // The last row is half a row wide, so that no rounding leads beyond it.
    const double last = static_cast<double>(rows / 2) - 0.51;
    table_.rows = rows;
    table_.reach = static_cast<float>(reach);
    table_.square = static_cast<float>(bend * last / (reach * reach));
    table_.scale = static_cast<float>((1 - bend) * last / reach);
    std::vector<double> x, y;
    for (int k = -outermost(); k <= outermost(); ++k) {
      RowModel model{};
      model.low = std::max(edge(k - 0.5), -reach);
      model.high = std::min(edge(k + 0.5), reach);
      for (std::size_t i = 0; i < kFitNodes; ++i) x.push_back(model.node(i));
      models_.push_back(model);
    }
    x.push_back(0), x.push_back(-0.0);
    y.resize(x.size());
    f(x.data(), y.data(), x.size());
    is_zero_at_zero_ = y.back() == 0;
    zero_ = std::signbit(y.back()) || std::signbit(y[y.size() - 2]) ? -0.0f : 0.0f;
    for (std::size_t m = 0; m < models_.size(); ++m) {
      std::copy_n(y.begin() + static_cast<std::ptrdiff_t>(m * kFitNodes), kFitNodes,
                  models_[m].values.begin());
      models_[m].make_series();
      is_smooth_ = is_smooth_ && models_[m].is_smooth();
    }
  }

  bool is_smooth() const { return is_smooth_; }
  bool is_zero_at_zero() const { return is_zero_at_zero_; }

  /// The table whose first 16 rows have that many coefficients, the others as many as they need or more, if
  /// no row's error is too large.
  std::optional<FittedTable> fit(std::size_t near_degree, bool adds_slope) {
    const int near = std::min(outermost(), 7);
    if (!holds(-std::min(outermost(), 8), near, near_degree)) return std::nullopt;
    std::size_t degree = near_degree;
    while (!holds(-outermost(), outermost(), degree)) {
      if (++degree > FittedTable::kMaxDegree) return std::nullopt;
    }
    FittedTable table = table_;
    table.degree = degree;
    table.adds_slope = adds_slope;
    for (int k = -outermost(); k <= outermost(); ++k) {
      const std::size_t own = k >= -8 && k <= 7 ? near_degree : degree;
      const FittedRow row = k == 0 && is_zero_at_zero_ ? zero_row(own, &table) : row_of(k, own);
      const std::size_t at = table.place(k);
      table.centre[at] = row.centre;
      table.base[at] = row.base;
      for (std::size_t j = 0; j < own; ++j) table.q[j][at] = row.q[j];
    }
    table.set_near();
    return table;
  }

 private:
  // Rows are numbered from -outermost to outermost.
  int outermost() const { return static_cast<int>(table_.rows / 2) - 1; }
  const RowModel& model(int k) const { return models_[static_cast<std::size_t>(k + outermost())]; }
  double edge(double row) const { return std::copysign(table_.edge(std::fabs(row)), row); }

  bool holds(int first, int last, std::size_t degree) {
    for (int k = first; k <= last; ++k) {
      if (k == 0 && is_zero_at_zero_) continue;
      if (!(row_of(k, degree).error <= kMostInARow)) return false;
    }
    return true;
  }

  const FittedRow& row_of(int k, std::size_t degree) {
    const auto [found, is_new] = rows_.try_emplace({k, degree});
    FittedRow& row = found->second;
    if (!is_new) return row;
    if (const auto root = model(k).root()) {
      row.centre = static_cast<float>(*root);
      const double centre = row.centre;
      double value = 0;
      f_(&centre, &value, 1);
      row.base = static_cast<float>(value);
      fit_coefficients(model(k), degree, 0, false, &row);
      row.error = 0;  // relative to a zero that is no float: check_fit says
    } else {
      row = fit_row(model(k), degree, kMostInARow);
    }
    return row;
  }

  // Where f(0) = 0: x·q(x), or with a slope x·slope + x·q(x).
  FittedRow zero_row(std::size_t degree, FittedTable* table) const {
    FittedRow row;
    double slope = 0;
    if (table->adds_slope) {
      // Rounded towards 0, so that what is left has its sign and -0 stays what it is.
      slope = model(0).value_and_slope(0).second;
      table->slope = static_cast<float>(slope);
      if (std::fabs(table->slope) > std::fabs(slope)) table->slope = std::nextafter(table->slope, 0.0f);
      slope = table->slope;
    }
    fit_coefficients(model(0), degree, slope, true, &row);
    if (table->adds_slope && row.q[0] * table->slope <= 0) row.q[0] = std::copysign(0.0f, table->slope);
    row.base = zero_;
    return row;
  }

  const DoubleFunction& f_;
  FittedTable table_;
  std::vector<RowModel> models_;
  std::map<std::pair<int, std::size_t>, FittedRow> rows_;
  float zero_ = 0;  // f(0) with the sign that leaves the signs of x·q(x)
  bool is_zero_at_zero_ = false, is_smooth_ = true;
};

}  // namespace

std::optional<FittedTable> fit_table(const DoubleFunction& f) {
  struct Cutting {
    std::size_t rows;
    double bend;
  };
  struct Shape {
    std::size_t cut, near_degree;
  };
  constexpr Cutting kCuttings[] = {{16, 0}, {16, 0.5}, {32, 0}, {32, -0.3}, {32, 0.5}, {32, 0.8}};
  // Cheapest first. 32 rows cost what 16 do where |x| is small, twice that elsewhere.
  constexpr Shape kShapes[] = {{0, 5}, {1, 5}, {2, 5}, {3, 5}, {4, 5}, {5, 5}, {0, 6}, {1, 6}, {2, 6},
                               {3, 6}, {4, 6}, {5, 6}, {0, 7}, {1, 7}, {2, 7}, {3, 7}, {4, 7}, {5, 7}};
  for (const double reach : {8.0, 7.7, 6.5, 6.2, 5.0, 4.8, 4.2}) {
    std::array<std::optional<Cut>, std::size(kCuttings)> cuts;
    for (const auto& [place, near_degree] : kShapes) {
      std::optional<Cut>& cut = cuts[place];
      if (!cut) cut.emplace(reach, kCuttings[place].rows, kCuttings[place].bend, f);
      if (!cut->is_smooth()) continue;
      for (const bool adds_slope : {false, true}) {
        if (adds_slope && !cut->is_zero_at_zero()) break;
        std::optional<FittedTable> table = cut->fit(near_degree, adds_slope);
        if (!table) break;
        table->max_ulp = check_fit(*table, f);
        if (table->max_ulp <= kMaxFitUlp) return table;
      }
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
  while (x.size() % kFittedGroup != 0) x.push_back(0);
  std::vector<float> y(x.size());
  std::vector<double> exact(x.begin(), x.end());
  run_everywhere(table, x.data(), nullptr, y.data(), x.size());
  f(exact.data(), exact.data(), exact.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(exact[i])) return kInfinity;
    if (x[i] == 0 && std::signbit(y[i]) != std::signbit(exact[i])) return kInfinity;
    worst = std::max(worst, std::fabs(static_cast<double>(y[i]) - exact[i]) / float_spacing(exact[i]));
  }
  return worst;
}

}  // namespace keratin::inline v0::detail
