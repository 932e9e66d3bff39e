// Choosing the instruction set that runs chains.
#include "keratin/activations/chain_kernels.h"

#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/chain_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/chain_kernels.inl"

namespace keratin::inline v0::detail {
namespace {

struct Kernels {
  decltype(&run_chain) run;
  decltype(&all_below) below;
};

#define KERATIN_KERNELS(target) \
  Kernels { &simd::target::chain::run, &simd::target::chain::all_below }

Kernels kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return KERATIN_KERNELS(N_AVX3);
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return KERATIN_KERNELS(N_AVX2);
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return KERATIN_KERNELS(N_SSE4);
#endif
#if HWY_TARGETS & HWY_EMU128
    case simd::Isa::scalar:
      return KERATIN_KERNELS(N_EMU128);
#elif HWY_TARGETS & HWY_SCALAR
    case simd::Isa::scalar:
      return KERATIN_KERNELS(N_SCALAR);
#endif
    default:
      return KERATIN_KERNELS(HWY_NAMESPACE);
  }
}

#undef KERATIN_KERNELS

}  // namespace

void run_chain(std::span<const ChainStep> steps, std::size_t count) { kernels().run(steps, count); }
bool all_below(const float* x, float reach, std::size_t count) { return kernels().below(x, reach, count); }

}  // namespace keratin::inline v0::detail
