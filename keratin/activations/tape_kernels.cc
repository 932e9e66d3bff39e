// The operations of expressions on blocks, for every instruction set.
#include "keratin/activations/tape_kernels.h"

#include <array>

#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/tape_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/tape_kernels.inl"

namespace keratin::inline v0::detail {

BlockKernels block_kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::tape::kKernels.data();
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::tape::kKernels.data();
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::tape::kKernels.data();
#endif
#if HWY_TARGETS & HWY_EMU128
    case simd::Isa::scalar:
      return simd::N_EMU128::tape::kKernels.data();
#elif HWY_TARGETS & HWY_SCALAR
    case simd::Isa::scalar:
      return simd::N_SCALAR::tape::kKernels.data();
#endif
    default:
      return simd::HWY_NAMESPACE::tape::kKernels.data();
  }
}

}  // namespace keratin::inline v0::detail
