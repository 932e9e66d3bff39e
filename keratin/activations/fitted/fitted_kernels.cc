// Choosing the instruction set that runs fitted tables.
#include "keratin/activations/fitted/fitted_table.h"
#include "keratin/simd/dispatch.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/fitted/fitted_kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/fitted/fitted_kernels.inl"

namespace keratin::inline v0::detail {
namespace {

struct Kernels {
  decltype(&run_inside) inside;
  decltype(&run_everywhere) everywhere;
};

Kernels kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return {simd::N_AVX3::fitted::run_inside, simd::N_AVX3::fitted::run_everywhere};
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return {simd::N_AVX2::fitted::run_inside, simd::N_AVX2::fitted::run_everywhere};
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return {simd::N_SSE4::fitted::run_inside, simd::N_SSE4::fitted::run_everywhere};
#endif
    default:  // compiled last: plain C++
      return {simd::HWY_NAMESPACE::fitted::run_inside, simd::HWY_NAMESPACE::fitted::run_everywhere};
  }
}

}  // namespace

std::size_t run_inside(const FittedTable& table, const float* x, const float* upstream, float* y,
                       std::size_t count) {
  return kernels().inside(table, x, upstream, y, count);
}
void run_everywhere(const FittedTable& table, const float* x, const float* upstream, float* y,
                    std::size_t count) {
  kernels().everywhere(table, x, upstream, y, count);
}

}  // namespace keratin::inline v0::detail
