// All value types and their functions for the instruction set being compiled. Included by a .cc once for
// each, inside HWY_BEFORE_NAMESPACE() and keratin::simd::HWY_NAMESPACE; target_includes.h comes first,
// outside.
#include "keratin/simd/vec.inl"
// The order matters: each file uses those above.
#include "keratin/simd/mixed.inl"

#include "keratin/simd/math.inl"
#include "keratin/simd/wide.inl"
#include "keratin/simd/wide_math.inl"

#include "keratin/simd/close.inl"
#include "keratin/simd/close_math.inl"

#include "keratin/simd/half.inl"

#include "keratin/simd/dual.inl"
