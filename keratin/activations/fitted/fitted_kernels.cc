// Choosing the instruction set that runs fitted tables.
#include "keratin/activations/fitted/fitted_table.h"
#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/fitted/fitted_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/fitted/fitted_kernels.inl"

namespace keratin::inline v0::detail {

std::size_t run_inside(const FittedTable& table, const float* x, const float* upstream, float* y,
                       std::size_t count) {
  KERATIN_CHOOSE(simd::active_isa(), simd, fitted::run_inside(table, x, upstream, y, count))
}
void run_everywhere(const FittedTable& table, const float* x, const float* upstream, float* y,
                    std::size_t count) {
  KERATIN_CHOOSE(simd::active_isa(), simd, fitted::run_everywhere(table, x, upstream, y, count))
}

}  // namespace keratin::inline v0::detail
