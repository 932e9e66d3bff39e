// The form of the tables behind the fast f32 kernels; generate.py makes them, tabled.inl runs them.
#pragma once

#include <cstddef>

namespace keratin::inline v0::activations::tables {

/// How t gives the index of its row.
enum class Steps {
  even_steps,  ///< the nearest multiple of 1/2
  octaves,     ///< four rows to each octave of scale·t + 1
  widening,    ///< scale·t + square·t², rounded
};

/// What t is, and how f(x) follows from the row where x >= 0.
enum class Symmetry {
  none,        ///< t = x
  even,        ///< t = |x|: f or its factor is even
  complement,  ///< t = |x|; the rows hold x < 0, f(x) = 1 − f(−x), or so for the factor
  ramp,        ///< t = |x|; the rows hold x < 0, f(x) = x + f(−x)
};

struct Form {
  Steps steps;
  Symmetry symmetry;
  /// The table holds for |x| < reach; with `clamps` t is cut to reach instead, where f no longer changes.
  float reach;
  float scale = 0, square = 0;
  /// The rows hold the factor g of f(x) = x·g.
  bool product = false;
  bool clamps = false;
};

/// f(t) = base + d·q(d), d = t − centre, in columns of one number a row.
template <std::size_t rows, std::size_t degree>
struct Table {
  static constexpr std::size_t kRows = rows, kDegree = degree;
  Form form;
  alignas(64) float centre[rows];
  alignas(64) float base[rows];
  /// base on the other side of 0
  alignas(64) float mirrored[rows];
  alignas(64) float q[degree][rows];
};

/// scale·2^(i/16) as a float, and what its rounding takes from the logarithm.
struct Powers {
  alignas(64) float power[16];
  alignas(64) float rest[16];
};

}  // namespace keratin::inline v0::activations::tables
