// The functions of math.inl, wide_math.inl and close_math.inl over arrays, for the instruction set being
// compiled.
#include <hwy/highway.h>

#include "keratin/simd/choose.h"
#include "keratin/simd/math_test_kernels.h"
#include "keratin/simd/target_includes.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

template <class Function>
void run_all(const double* x, double* y, std::size_t n) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());
  double buffer[kLanes];
  for (std::size_t i = 0; i < n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) buffer[j] = x[i + j < n ? i + j : n - 1];
    store(Function::call(load(buffer)), buffer);
    for (std::size_t j = 0; j < kLanes && i + j < n; ++j) y[i + j] = buffer[j];
  }
}

Vec<double> share_of_error(Close close, Wide wide) {
  const Vec<double> power = exp2_of_whole(detail::clamp(wide.exponent, -1000, 1000));
  const Vec<double> off = abs((close.hi - wide.hi * power) + (close.lo - wide.lo * power));
  return where(close.error < set(std::numeric_limits<double>::infinity()), off / close.error, set(-1.0));
}

#define KERATIN_MATH_FUNCTIONS(ROW) \
  ROW(exp)                          \
  ROW(expm1)                        \
  ROW(log)                          \
  ROW(log1p)                        \
  ROW(sqrt)                         \
  ROW(tanh)                         \
  ROW(tanh_slope)                   \
  ROW(sigmoid)                      \
  ROW(softplus)                     \
  ROW(erf)                          \
  ROW(erfc)                         \
  ROW(gauss)

#define KERATIN_ROW(name)                                                                             \
  struct Vector_##name {                                                                              \
    static Vec<double> call(Vec<double> x) { return name(x); }                                        \
  };                                                                                                  \
  struct Wide_##name {                                                                                \
    static Vec<double> call(Vec<double> x) { return narrow(name(widen(x))); }                         \
  };                                                                                                  \
  struct Close_##name {                                                                               \
    static Vec<double> call(Vec<double> x) { return share_of_error(name(close(x)), name(widen(x))); } \
  };
KERATIN_MATH_FUNCTIONS(KERATIN_ROW)
#undef KERATIN_ROW

namespace {
constexpr testing::MathFunction kFunctions[] = {
#define KERATIN_ROW(name) \
  {#name, name##_bound, run_all<Vector_##name>, run_all<Wide_##name>, run_all<Close_##name>},
    KERATIN_MATH_FUNCTIONS(KERATIN_ROW)
#undef KERATIN_ROW
};
}  // namespace
#undef KERATIN_MATH_FUNCTIONS

}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::simd::testing {

std::span<const MathFunction> math_functions(Isa isa) { KERATIN_CHOOSE(isa, simd, kFunctions) }

}  // namespace keratin::inline v0::simd::testing
#endif
