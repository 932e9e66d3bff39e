// Curves: jumps are found by bisection, straight stretches keep their ends only.
#include "cli/curve.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace keratin::cli {
namespace {

/// Whether most of the change from a to b happens at one point between them.
bool jumps(const RealFunction& f, Point a, Point b) {
  const double change = std::abs(b.y - a.y);
  // 40 halvings shrink the interval by 1e12: a slope has vanished by then, a jump has not.
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (a.x + b.x);
    if (middle <= a.x || middle >= b.x) break;
    const Point m{middle, f(middle)};
    if (std::abs(m.y - a.y) > std::abs(b.y - m.y)) {
      b = m;
    } else {
      a = m;
    }
  }
  return std::abs(b.y - a.y) > 0.5 * change;
}

/// Leaves out points that lie on the line between their neighbours, within `tolerance` in y.
Line simplified(const Line& line, double tolerance) {
  if (line.size() < 3) return line;
  Line result{line.front()};
  std::size_t start = 0;
  for (std::size_t next = 2; next < line.size(); ++next) {
    const Point a = line[start], b = line[next];
    const double slope = (b.y - a.y) / (b.x - a.x);
    const bool straight = std::all_of(line.begin() + static_cast<std::ptrdiff_t>(start) + 1,
                                      line.begin() + static_cast<std::ptrdiff_t>(next), [&](Point p) {
                                        return std::abs(a.y + slope * (p.x - a.x) - p.y) <= tolerance;
                                      });
    if (!straight) {
      start = next - 1;
      result.push_back(line[start]);
    }
  }
  result.push_back(line.back());
  return result;
}

}  // namespace

std::vector<Line> sample_curve(const RealFunction& f, Range x, int intervals) {
  std::vector<Line> lines(1);
  // Of what is drawn, a change below half a percent of the width is no jump that could be seen.
  const double visible = 0.005 * x.width();
  for (int i = 0; i <= intervals; ++i) {
    const double at = x.low + x.width() * i / intervals;
    const Point point{at, f(at)};
    Line& line = lines.back();
    if (!std::isfinite(point.y)) {
      if (!line.empty()) lines.emplace_back();
      continue;
    }
    if (!line.empty() && std::abs(point.y - line.back().y) > visible && jumps(f, line.back(), point)) {
      lines.emplace_back();
    }
    lines.back().push_back(point);
  }
  if (lines.back().empty()) lines.pop_back();
  for (Line& line : lines) line = simplified(line, 2e-4 * x.width());
  return lines;
}

Range y_range(const std::vector<Line>& lines, double margin) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Range range{kInfinity, -kInfinity};
  for (const Line& line : lines) {
    for (const Point point : line) {
      if (!std::isfinite(point.y)) continue;
      range = {std::min(range.low, point.y), std::max(range.high, point.y)};
    }
  }
  if (range.low > range.high) return {0, 1};
  if (range.low == range.high) return {range.low - 0.5, range.high + 0.5};
  const double extra = margin * range.width();
  return {range.low - extra, range.high + extra};
}

std::vector<double> round_ticks(Range range, int wanted) {
  if (!(range.width() > 0) || !std::isfinite(range.width())) return {range.low};
  const double rough = range.width() / std::max(wanted, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double part = rough / power;
  const double step = power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  // Multiples, not sums: 0.1 added up ten times is not 1.
  for (double i = std::ceil(range.low / step - 1e-9); i * step <= range.high + 1e-9 * step; ++i) {
    ticks.push_back(i == 0 ? 0.0 : i * step);
  }
  return ticks;
}

}  // namespace keratin::cli
