// A table fitted to a function when it is made: its form, and running it. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

namespace keratin::inline v0::detail {

/// f(x) for |x| < reach. The row of x is x·(scale + square·|x|), rounded; negative rows count from the end. A
/// row holds a centre c, f(c) and q: f(x) = f(c) + d·q(d), d = x - c. Where f(0) = 0, row 0 is x·slope +
/// x·q(x), so that what is small keeps its digits.
struct FittedTable {
  static constexpr std::size_t kMinDegree = 5, kMaxDegree = 7, kMaxRows = 32;

  std::size_t rows = 0;    ///< 16 or 32
  std::size_t degree = 0;  ///< coefficients of q
  float reach = 0, scale = 0, square = 0;
  bool through_zero = false;
  float slope = 0;
  /// What check_fit found: an estimate, since not all floats are tried. Not in files.
  double max_ulp = 0;
  /// A column is one number of each row.
  using Column = std::array<float, kMaxRows>;
  alignas(64) Column centre{}, base{};
  alignas(64) std::array<Column, kMaxDegree> q{};
};

/// y[i] = f(x[i]); the function that a table is fitted to, in double.
using DoubleFunction = std::function<void(const double* x, double* y, std::size_t count)>;

/// Elements that the kernels below take at a time; a multiple of every vector.
inline constexpr std::size_t kFittedBlock = 256;

/// Whether every |x[i]| < reach, of kFittedBlock elements.
bool is_inside(const FittedTable& table, const float* x);
/// y[i] = f(x[i]) for kFittedBlock elements; of those outside something or other. y may be x. With an
/// upstream y[i] = upstream[i]·f(x[i]).
void run_block(const FittedTable& table, const float* x, const float* upstream, float* y);

}  // namespace keratin::inline v0::detail
