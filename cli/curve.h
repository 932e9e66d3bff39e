// Curves to draw: a function sampled into lines, broken where it jumps, and round numbers for axes.
#pragma once

#include <functional>
#include <vector>

namespace keratin::cli {

struct Point {
  double x = 0, y = 0;
};
using Line = std::vector<Point>;

struct Range {
  double low = 0, high = 1;
  double width() const noexcept { return high - low; }
};

using RealFunction = std::function<double(double)>;

/// f on `intervals` equal steps of x. A new line begins behind a jump and behind values that are not finite;
/// points in the middle of straight stretches are left out.
std::vector<Line> sample_curve(const RealFunction& f, Range x, int intervals);

/// The finite values of all lines, with `margin` of their width on both sides; {0, 1} if there are none.
Range y_range(const std::vector<Line>& lines, double margin);

/// Multiples of 1, 2 or 5 times a power of ten inside the range, about `wanted` of them.
std::vector<double> round_ticks(Range range, int wanted);

}  // namespace keratin::cli
