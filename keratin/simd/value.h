// What a type needs to be computed with: definitions take any of them, constants mix with all.
#pragma once

#include <limits>

namespace keratin::inline v0::simd {

/// The types that definitions are run on: vectors, wide, close and dual numbers. Each has its own arithmetic,
/// comparisons, where() and functions; what combines one with a Constant is written once, in mixed.inl.
template <class X>
concept Value = requires {
  typename X::IsKeratinValue;
};

/// What a function of f64 vectors promises: its largest error in ULP where results are normal and where they
/// are subnormal, for x above `from` (elsewhere NaN). Its test reads it.
struct Bound {
  double normal, subnormal;
  double from = -std::numeric_limits<double>::infinity();
};

}  // namespace keratin::inline v0::simd
