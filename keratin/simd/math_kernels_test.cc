// Compiles math_test_kernels.inl for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/simd/math_test_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/simd/math_test_kernels.inl"
