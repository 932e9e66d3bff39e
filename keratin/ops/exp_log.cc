#include "keratin/ops/exp_log.h"

#include "keratin/simd/dispatch.h"

namespace keratin::inline v0::ops::detail {

struct ExpLogKernels {
  void (*exp_f32)(const float* x, float* y, std::size_t count);
  void (*exp_f64)(const double* x, double* y, std::size_t count);
  void (*log_f32)(const float* x, float* y, std::size_t count);
  void (*log_f64)(const double* x, double* y, std::size_t count);
};

}  // namespace keratin::inline v0::ops::detail

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/ops/exp_log.inl"
#include <hwy/foreach_target.h>

#include "keratin/ops/exp_log.inl"

#if HWY_ONCE
namespace keratin::inline v0::ops::detail {
namespace {

const ExpLogKernels& kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::kExpLog;
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::kExpLog;
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::kExpLog;
#endif
    default:
#if HWY_TARGETS & HWY_EMU128
      return simd::N_EMU128::kExpLog;
#else
      return simd::N_SCALAR::kExpLog;
#endif
  }
}

}  // namespace

void exp(const float* x, float* y, std::size_t count) { kernels().exp_f32(x, y, count); }
void exp(const double* x, double* y, std::size_t count) { kernels().exp_f64(x, y, count); }
void log(const float* x, float* y, std::size_t count) { kernels().log_f32(x, y, count); }
void log(const double* x, double* y, std::size_t count) { kernels().log_f64(x, y, count); }

}  // namespace keratin::inline v0::ops::detail
#endif
