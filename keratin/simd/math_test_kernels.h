// The functions of math.inl and wide_math.inl over arrays, as math_test.cc calls them.
#pragma once

#include <cstddef>
#include <span>

#include "keratin/simd/dispatch.h"
#include "keratin/simd/value.h"

namespace keratin::inline v0::simd::testing {

struct MathFunction {
  const char* name;
  Bound bound;
  /// On Vec<double>, and on Wide rounded to f64.
  void (*vector)(const double* x, double* y, std::size_t n);
  void (*wide)(const double* x, double* y, std::size_t n);
  /// How far the close number is from the wide one, over the error that it admits; -1 where it admits any.
  void (*close)(const double* x, double* share, std::size_t n);
};

/// Those of an instruction set that is compiled in.
std::span<const MathFunction> math_functions(Isa isa);

}  // namespace keratin::inline v0::simd::testing
