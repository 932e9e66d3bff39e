// The operations of expressions on blocks, for every instruction set.
#include "keratin/activations/tape_kernels.h"

#include <array>

#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/tape_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/tape_kernels.inl"

namespace keratin::inline v0::detail {

BlockKernels block_kernels() { KERATIN_CHOOSE(simd::active_isa(), simd, tape::kKernels.data()) }

}  // namespace keratin::inline v0::detail
