// The rows of softmax and log_softmax for the instruction set being compiled. Included by kernels.cc once for
// each.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

#include "keratin/activations/tables/tabled.inl"

#include "keratin/activations/tables/exponential.inl"

namespace softmax {
using activations::detail::ColumnRange;
using activations::detail::exact_log_softmax_row;
using activations::detail::exact_softmax_row;
using activations::detail::kRoom;
#include "keratin/activations/softmax/exponentials.inl"
#include "keratin/activations/softmax/lanes.inl"

#include "keratin/activations/softmax/long_rows.inl"
#include "keratin/activations/softmax/short_rows.inl"

// The kernel for rows of this length: of_short(groups) for those of up to 16·groups elements.
template <class Kernel, class Short>
Kernel* kernel_for(Size length, Kernel* of_long, const Short& of_short) {
  using std::integral_constant;
  if (length <= 16) return of_short(integral_constant<std::size_t, 1>());
  if (length <= 32) return of_short(integral_constant<std::size_t, 2>());
  if (length <= 48) return of_short(integral_constant<std::size_t, 3>());
  return length <= kShortLength ? of_short(integral_constant<std::size_t, 4>()) : of_long;
}

void softmax_rows(const float* x, float* y, Size count, Size length, float* room) {
  kernel_for(length, &softmax_long, [](auto groups) { return &softmax_short<groups>; })(x, y, count, length,
                                                                                        room);
}
void log_softmax_rows(const float* x, float* y, Size count, Size length, bool streams) {
  kernel_for(length, &log_softmax_long, [](auto groups) { return &log_softmax_short<groups>; })(
      x, y, count, length, streams);
}
template <class Gradient>
void gradient_rows(const float* y, const float* upstream, float* out, Size count, Size length, bool streams) {
  const auto kernel = length <= 16   ? &gradient_short<1, Gradient>
                      : length <= 32 ? &gradient_short<2, Gradient>
                                     : &gradient_long<Gradient>;
  kernel(y, upstream, out, count, length, streams);
}

#include "keratin/activations/softmax/columns.inl"
#include "keratin/activations/softmax/half_rows.inl"

constexpr activations::detail::SoftmaxKernels kKernels{&softmax_rows,
                                                       &log_softmax_rows,
                                                       &gradient_rows<SoftmaxGradient>,
                                                       &gradient_rows<LogSoftmaxGradient>,
                                                       &softmax_columns,
                                                       &log_softmax_columns,
                                                       &gradient_columns<SoftmaxGradient>,
                                                       &gradient_columns<LogSoftmaxGradient>,
                                                       {&widen_row<float16>, &narrow_row<float16>},
                                                       {&widen_row<bfloat16>, &narrow_row<bfloat16>}};

}  // namespace softmax
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
