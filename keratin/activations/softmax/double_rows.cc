// The f64 rows of softmax and log_softmax, for every instruction set.
#include "keratin/activations/softmax/double_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/softmax/double_rows.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/softmax/double_rows.inl"

namespace keratin::inline v0::activations::detail {

const DoubleSoftmaxKernels& double_softmax_kernels() {
  KERATIN_CHOOSE(simd::active_isa(), simd, double_rows::kKernels)
}

}  // namespace keratin::inline v0::activations::detail
