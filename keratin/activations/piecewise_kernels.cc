// Choosing the instruction set that runs piecewise polynomials.
#include "keratin/activations/piecewise.h"
#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/piecewise_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/piecewise_kernels.inl"

namespace keratin::inline v0::detail {

bool run_piecewise(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
                   std::size_t count) {
  KERATIN_CHOOSE(simd::active_isa(), simd, piecewise::run(f, x, upstream, y, count))
}

}  // namespace keratin::inline v0::detail
