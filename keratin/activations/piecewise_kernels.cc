// Choosing the instruction set that runs piecewise polynomials.
#include "keratin/activations/piecewise.h"
#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/piecewise_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/piecewise_kernels.inl"

namespace keratin::inline v0::detail {
namespace {

decltype(&run_piecewise) kernel() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::piecewise::run;
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::piecewise::run;
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::piecewise::run;
#endif
    default:  // compiled last: plain C++
      return simd::HWY_NAMESPACE::piecewise::run;
  }
}

}  // namespace

bool run_piecewise(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
                   std::size_t count) {
  return kernel()(f, x, upstream, y, count);
}

}  // namespace keratin::inline v0::detail
