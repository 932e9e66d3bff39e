// A number more precise than double: what a definition's own constants (sqrt 2, selu's scale) are written in.
#pragma once

namespace keratin::inline v0::simd {

/// hi + lo, hi the nearest double. A double is one with lo = 0; types that hold no more use hi alone.
struct Constant {
  double hi = 0;
  double lo = 0;

  constexpr Constant(double high, double low = 0) : hi(high), lo(low) {}
  constexpr operator double() const { return hi; }
  constexpr Constant operator-() const { return {-hi, -lo}; }
};

/// Where a function has a root, and its derivatives there: f(at + d) = d (slope + d (curve + d cubic)) +
/// O(d^4).
struct Root {
  Constant at, slope;
  double curve, cubic;
};

}  // namespace keratin::inline v0::simd
