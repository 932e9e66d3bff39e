// What a type needs to be computed with: definitions take any of them, constants mix with all.
#pragma once

#include <concepts>

namespace keratin::inline v0::simd {

/// The types that definitions are run on: vectors, wide numbers, dual numbers. Each has its own arithmetic,
/// comparisons, where() and functions; what combines one with a Constant is written once, in mixed.inl.
template <class X>
concept Value = requires {
  typename X::IsKeratinValue;
};

}  // namespace keratin::inline v0::simd
