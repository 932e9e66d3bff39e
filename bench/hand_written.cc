// Choosing the instruction set of the hand-written kernels.
#include "bench/hand_written.h"

#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/hand_written.inl"
#include <hwy/foreach_target.h>

#include "bench/hand_written.inl"

namespace keratin::bench {

HandWritten hand_written(std::string_view expression, bool gradient) {
  KERATIN_CHOOSE(simd::active_isa(), simd, hand_written::find(expression, gradient))
}

}  // namespace keratin::bench
