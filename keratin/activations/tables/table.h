// The form of the tables behind the fast f32 kernels; tools/tables/generate.py makes them, tabled.inl runs
// them.
#pragma once

#include <cstddef>

namespace keratin::inline v0::activations::tables {

/// How t gives the index of its row.
enum class Index {
  steps,    ///< rows of one width, a power of two: scale·t + start, rounded down
  curve,    ///< scale·t + square·t·|t| + start, rounded; fastest where square is ±2^k
  octaves,  ///< four rows to each octave of start + scale·t; fastest where scale is −1
};

/// What t is, and how f(x) follows from the row.
enum class Symmetry {
  none,        ///< t = x
  even,        ///< t = |x|: f or its factor is even
  odd,         ///< t = |x|, and f(x) = −f(−x); in row 0 the base is root·t
  below,       ///< t = x for x < 0, where alone it holds; in row 0 the base is root·t
  complement,  ///< t = |x|; the rows hold x < 0, and f(x) = 1 − f(−x)
  ramp,        ///< t = |x|; the rows hold x < 0, and f(x) = x + f(−x)
  gate,  ///< t = |x|; f(x) = x·g(x); the rows hold g(t), but as base g(−c) = 1 − g(c). Those of `beyond` hold
         ///< f(−t), which is so small there that only their sum is rounded in f(x) = x + f(−x)
};

/// As Index says.
struct Curve {
  float scale = 0, square = 0, start = 0;
};

struct Form {
  Index index;
  Symmetry symmetry;
  /// The table holds for |x| < reach; with `clamps` t is cut to reach instead, where f no longer changes.
  float reach;
  /// Below this |x| the first 16 rows and their near_degree coefficients are all there is; 0: no such part.
  float near = 0;
  std::size_t near_degree = 0;
  Curve curve;
  /// That of the other 16 rows, those of |x| ≥ near, where they have one of their own.
  Curve beyond = {};
  /// In row 0 the base is root·t (odd, below): the nearer to f's slope at 0, the less the rounding of q
  /// costs.
  int root = 1;
  /// The rows hold the factor g of f(x) = x^power·g.
  int power = 0;
  /// The rows hold 2^shift times as much, so that what is subnormal is rounded at the very end.
  int shift = 0;
  bool clamps = false;
  /// Where f crosses 0 its row's centre does, so that f keeps its digits there: 1.25 ULP.
  bool centres_zero = false;
};

/// f(t) = base + rise·d + d·q(d), d = t − centre, in columns of one number a row. Only rows of `beyond` have
/// a rise: of so few bits that base + rise·d is exact, it leaves q the smaller part.
template <std::size_t rows, std::size_t degree>
struct Table {
  static constexpr std::size_t kRows = rows, kDegree = degree;
  Form form;
  alignas(64) float centre[rows];
  alignas(64) float base[rows];
  alignas(64) float rise[rows];
  alignas(64) float q[degree][rows];
};

/// scale·2^(i/16) as a float, and what its rounding takes from the logarithm.
struct Powers {
  alignas(64) float power[16];
  alignas(64) float rest[16];
};

}  // namespace keratin::inline v0::activations::tables
