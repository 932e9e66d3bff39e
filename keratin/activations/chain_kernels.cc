// Choosing the instruction set that runs chains.
#include "keratin/activations/chain_kernels.h"

#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/chain_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/chain_kernels.inl"

namespace keratin::inline v0::detail {

void run_chain(std::span<const ChainStep> steps, std::size_t count) {
  KERATIN_CHOOSE(simd::active_isa(), simd, chain::run(steps, count))
}
bool all_below(const float* x, float reach, std::size_t count) {
  KERATIN_CHOOSE(simd::active_isa(), simd, chain::all_below(x, reach, count))
}

}  // namespace keratin::inline v0::detail
