// Choosing the instruction set of the hand-written kernels.
#include "bench/hand_written.h"

#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/hand_written.inl"
#include <hwy/foreach_target.h>

#include "bench/hand_written.inl"

namespace keratin::bench {

HandWritten hand_written(std::string_view expression, bool gradient) {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::hand_written::find(expression, gradient);
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::hand_written::find(expression, gradient);
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::hand_written::find(expression, gradient);
#endif
    default:  // compiled last: plain C++
      return simd::HWY_NAMESPACE::hand_written::find(expression, gradient);
  }
}

}  // namespace keratin::bench
