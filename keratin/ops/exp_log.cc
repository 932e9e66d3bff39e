#include "keratin/ops/exp_log.h"

#include "keratin/simd/choose.h"

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

const ExpLogKernels& kernels() { KERATIN_CHOOSE(simd::active_isa(), simd, kExpLog) }

}  // namespace

void exp(const float* x, float* y, std::size_t count) { kernels().exp_f32(x, y, count); }
void exp(const double* x, double* y, std::size_t count) { kernels().exp_f64(x, y, count); }
void log(const float* x, float* y, std::size_t count) { kernels().log_f32(x, y, count); }
void log(const double* x, double* y, std::size_t count) { kernels().log_f64(x, y, count); }

}  // namespace keratin::inline v0::ops::detail
#endif
