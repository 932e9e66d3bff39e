// The rows of softmax and log_softmax, for every instruction set.
#include "keratin/activations/softmax/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/activations/tables/tables.h"
#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/softmax/kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/softmax/kernels.inl"

namespace keratin::inline v0::activations::detail {

// Here and not in the kernels: a std::vector compiled for AVX-512 could become everybody's.
void column_as_row(void (*in_place)(float*, std::int64_t), const float* x, float* y, std::int64_t length,
                   std::int64_t inner) {
  std::vector<float> row(static_cast<std::size_t>(length));
  for (std::int64_t i = 0; i < length; ++i) row[static_cast<std::size_t>(i)] = x[i * inner];
  in_place(row.data(), length);
  for (std::int64_t i = 0; i < length; ++i) y[i * inner] = row[static_cast<std::size_t>(i)];
}

const SoftmaxKernels& softmax_kernels() { KERATIN_CHOOSE(simd::active_isa(), simd, softmax::kKernels) }

}  // namespace keratin::inline v0::activations::detail
