// The value types' functions for plain doubles, over the C++ library: what a definition compiles to without
// SIMD. For tests and tracing; the results that users see come from the vectors.
#pragma once

#include <hwy/base.h>

#include <cmath>

#include "keratin/simd/coefficients.h"
#include "keratin/simd/constant.h"
#include "keratin/simd/value.h"

namespace keratin::inline v0::simd::scalar {

inline double like(double, Constant c) { return c.hi; }
inline double where(bool m, double a, double b) { return m ? a : b; }
inline double min(double a, double b) { return b < a ? b : a; }
inline double max(double a, double b) { return a < b ? b : a; }
inline double abs(double x) { return std::fabs(x); }
inline double square(double x) { return x * x; }
inline double sqrt(double x) { return std::sqrt(x); }
inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double log(double x) { return std::log(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }
inline double erfc(double x) { return std::erfc(x); }
inline double gauss(double x) { return std::exp(-x * x); }
inline double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
inline double tanh_slope(double x) {
  const double e = std::exp(-2 * std::fabs(x));
  return 4 * e / ((1 + e) * (1 + e));
}
inline double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }
inline double through_root(double x, double y, const Root& root) {
  const double d = (x - root.at.hi) - root.at.lo;
  return std::fabs(d) < 0x1p-20 ? d * (root.slope.hi + d * (root.curve + d * root.cubic)) : y;
}

#include "keratin/simd/mixed.inl"

inline Sigmoids<double> sigmoids(double x) { return {sigmoid(x), sigmoid(-x)}; }

// Uses the above.
#include "keratin/simd/dual.inl"

}  // namespace keratin::inline v0::simd::scalar
