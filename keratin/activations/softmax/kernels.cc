// The rows of softmax and log_softmax, for every instruction set.
#include "keratin/activations/softmax/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "keratin/activations/tables/tables.h"
#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/softmax/kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/softmax/kernels.inl"

namespace keratin::inline v0::activations::detail {

const SoftmaxKernels& softmax_kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::softmax::kKernels;
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::softmax::kKernels;
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::softmax::kKernels;
#endif
#if HWY_TARGETS & HWY_EMU128
    case simd::Isa::scalar:
      return simd::N_EMU128::softmax::kKernels;
#elif HWY_TARGETS & HWY_SCALAR
    case simd::Isa::scalar:
      return simd::N_SCALAR::softmax::kKernels;
#endif
    default:
      return simd::HWY_NAMESPACE::softmax::kKernels;
  }
}

}  // namespace keratin::inline v0::activations::detail
