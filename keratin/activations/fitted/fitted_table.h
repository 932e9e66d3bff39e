// A table fitted to a function when it is made: its form, and running it. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

namespace keratin::inline v0::detail {

/// f(x) for |x| < reach. The row of x is k = x·(scale + square·|x|), rounded; it stands at (k + 8) mod rows,
/// so that the first 16 hold the middle. A row holds a centre c, f(c) and q: f(x) = f(c) + d·q(d), d = x - c.
/// With `adds_slope` row 0 is x·slope + x·q(x) instead: where f(0) = 0 and f'(0) is far from a float.
struct FittedTable {
  static constexpr std::size_t kMinDegree = 5, kMaxDegree = 7, kMaxRows = 32, kNearRows = 16;

  std::size_t rows = 0;    ///< 16 or 32
  std::size_t degree = 0;  ///< coefficients of q
  float reach = 0, scale = 0, square = 0;
  bool adds_slope = false;
  float slope = 0;
  /// What check_fit found: an estimate, since not all floats are tried. Not in files.
  double max_ulp = 0;
  /// For |x| < near the first 16 rows are enough, and their near_degree coefficients: the others are 0 there.
  /// They follow from what is above, see set_near.
  float near = 0;
  std::size_t near_degree = 0;
  /// A column is one number of each row.
  using Column = std::array<float, kMaxRows>;
  alignas(64) Column centre{}, base{};
  alignas(64) std::array<Column, kMaxDegree> q{};

  /// Where row k stands.
  std::size_t place(int k) const noexcept { return static_cast<std::size_t>(k + 8) & (rows - 1); }
  /// The x >= 0 at which x·(scale + square·x) first is k >= 0; NaN if it never is.
  double edge(double k) const noexcept;
  void set_near() noexcept;
};

/// y[i] = f(x[i]); the function that a table is fitted to, in double.
using DoubleFunction = std::function<void(const double* x, double* y, std::size_t count)>;

/// A multiple of the elements that kernels take at a time.
inline constexpr std::size_t kFittedGroup = 64;

/// y[i] = f(x[i]), with an upstream upstream[i]·f(x[i]), from the first element on until one is not inside
/// the table or less than a group of vectors is left; how many those are. y may be x or upstream.
std::size_t run_inside(const FittedTable& table, const float* x, const float* upstream, float* y,
                       std::size_t count);
/// The same for all of `count`, a multiple of kFittedGroup; of those outside something or other.
void run_everywhere(const FittedTable& table, const float* x, const float* upstream, float* y,
                    std::size_t count);

}  // namespace keratin::inline v0::detail
