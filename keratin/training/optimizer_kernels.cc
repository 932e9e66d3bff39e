// Compiled once for each instruction set. No fused multiply-adds: every set gives the same bits.
#include "keratin/training/optimizer_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/training/optimizer_kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include "keratin/core/parallel.h"
#include "keratin/simd/dispatch.h"
#include "keratin/training/sums.h"

#ifndef KERATIN_TRAINING_OPTIMIZER_RULES
#define KERATIN_TRAINING_OPTIMIZER_RULES
namespace keratin::inline v0::detail {

// The steps with their numbers in the variable's type and the arrays they work on.
template <class T>
struct Input {
  T* w;
  const T* g;
  T scale, limit, decay;
};
template <class T>
struct SgdRule {
  Input<T> input;
  T *velocity, rate, momentum;
  bool nesterov;
};
template <class T>
struct RmspropRule {
  Input<T> input;
  T *mean_square, *momentum_of, *mean, rate, rho, rest, momentum, epsilon;
};
template <class T>
struct AdamRule {
  Input<T> input;
  T *m, *v, *largest, rate, rest_1, rest_2, epsilon;
};

template <template <class> class Rule>
struct KernelPair {
  void (*of_float)(const Rule<float>& rule, std::int64_t begin, std::int64_t end);
  void (*of_double)(const Rule<double>& rule, std::int64_t begin, std::int64_t end);
};
/// One instruction set's.
struct OptimizerKernels {
  KernelPair<SgdRule> sgd;
  KernelPair<RmspropRule> rmsprop;
  KernelPair<AdamRule> adam;
};

}  // namespace keratin::inline v0::detail
#endif

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::detail {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class T>
HWY_INLINE hn::Vec<D> gradient_at(D d, const Input<T>& input, std::int64_t i) {
  const auto g = hn::Mul(hn::LoadU(d, input.g + i), hn::Set(d, input.scale));
  if (input.limit == T(0)) return g;
  return hn::Min(hn::Max(g, hn::Set(d, -input.limit)), hn::Set(d, input.limit));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> weight_at(D d, const Input<T>& input, std::int64_t i) {
  const auto w = hn::LoadU(d, input.w + i);
  return hn::Sub(w, hn::Mul(w, hn::Set(d, input.decay)));
}

template <class D, class T>
HWY_INLINE void update(D d, const SgdRule<T>& rule, std::int64_t i) {
  const auto move = hn::Mul(hn::Set(d, rule.rate), gradient_at(d, rule.input, i));
  auto w = weight_at(d, rule.input, i);
  if (rule.velocity == nullptr) {
    w = hn::Sub(w, move);
  } else {
    const auto momentum = hn::Set(d, rule.momentum);
    const auto v = hn::Sub(hn::Mul(momentum, hn::LoadU(d, rule.velocity + i)), move);
    hn::StoreU(v, d, rule.velocity + i);
    w = hn::Add(w, rule.nesterov ? hn::Sub(hn::Mul(momentum, v), move) : v);
  }
  hn::StoreU(w, d, rule.input.w + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const RmspropRule<T>& rule, std::int64_t i) {
  const auto g = gradient_at(d, rule.input, i);
  const auto rho = hn::Set(d, rule.rho), rest = hn::Set(d, rule.rest);
  const auto v = hn::Add(hn::Mul(rho, hn::LoadU(d, rule.mean_square + i)), hn::Mul(rest, hn::Mul(g, g)));
  hn::StoreU(v, d, rule.mean_square + i);
  auto denominator = v;
  if (rule.mean != nullptr) {
    const auto mean = hn::Add(hn::Mul(rho, hn::LoadU(d, rule.mean + i)), hn::Mul(rest, g));
    hn::StoreU(mean, d, rule.mean + i);
    denominator = hn::Sub(v, hn::Mul(mean, mean));
  }
  denominator = hn::Sqrt(hn::Add(denominator, hn::Set(d, rule.epsilon)));
  auto move = hn::Div(hn::Mul(hn::Set(d, rule.rate), g), denominator);
  if (rule.momentum_of != nullptr) {
    move = hn::Add(hn::Mul(hn::Set(d, rule.momentum), hn::LoadU(d, rule.momentum_of + i)), move);
    hn::StoreU(move, d, rule.momentum_of + i);
  }
  hn::StoreU(hn::Sub(weight_at(d, rule.input, i), move), d, rule.input.w + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const AdamRule<T>& rule, std::int64_t i) {
  const auto g = gradient_at(d, rule.input, i);
  auto m = hn::LoadU(d, rule.m + i), v = hn::LoadU(d, rule.v + i);
  m = hn::Add(m, hn::Mul(hn::Sub(g, m), hn::Set(d, rule.rest_1)));
  v = hn::Add(v, hn::Mul(hn::Sub(hn::Mul(g, g), v), hn::Set(d, rule.rest_2)));
  hn::StoreU(m, d, rule.m + i);
  hn::StoreU(v, d, rule.v + i);
  if (rule.largest != nullptr) {
    v = hn::Max(hn::LoadU(d, rule.largest + i), v);
    hn::StoreU(v, d, rule.largest + i);
  }
  const auto denominator = hn::Add(hn::Sqrt(v), hn::Set(d, rule.epsilon));
  const auto move = hn::Div(hn::Mul(hn::Set(d, rule.rate), m), denominator);
  hn::StoreU(hn::Sub(weight_at(d, rule.input, i), move), d, rule.input.w + i);
}

template <class T, class Rule>
void run(const Rule& rule, std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = begin;
  for (; i + lanes <= end; i += lanes) update(d, rule, i);
  for (; i < end; ++i) update(one, rule, i);
}

const OptimizerKernels kKernels = {
    .sgd = {run<float, SgdRule<float>>, run<double, SgdRule<double>>},
    .rmsprop = {run<float, RmspropRule<float>>, run<double, RmspropRule<double>>},
    .adam = {run<float, AdamRule<float>>, run<double, AdamRule<double>>},
};

}  // namespace HWY_NAMESPACE
}  // namespace keratin::inline v0::detail
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::detail {

namespace {

// 64 KiB a float array: chunks start on cache lines, and a small variable stays on its caller's thread.
constexpr std::int64_t kGrain = 16384;

const OptimizerKernels& kernels() {
  switch (simd::active_isa()) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return N_AVX3::kKernels;
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return N_AVX2::kKernels;
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return N_SSE4::kKernels;
#endif
    default:
      return HWY_NAMESPACE::kKernels;  // plain C++, which Highway compiles last
  }
}

template <template <class> class Rule, class T>
void run_parallel(const KernelPair<Rule>& kernel, const Rule<T>& rule, std::int64_t count) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if constexpr (sizeof(T) == sizeof(float))
      kernel.of_float(rule, begin, end);
    else
      kernel.of_double(rule, begin, end);
  });
}

template <class T>
Input<T> input_of(const StepInput& step, T* w, const T* g) {
  return {w, g, static_cast<T>(step.gradient_scale), static_cast<T>(step.gradient_limit),
          static_cast<T>(step.decay)};
}

}  // namespace

template <class T>
void sgd_update(const SgdStep& step, T* w, const T* g, T* velocity, std::int64_t count) {
  const SgdRule<T> rule{input_of(step.input, w, g), velocity, static_cast<T>(step.learning_rate),
                        static_cast<T>(step.momentum), step.nesterov};
  run_parallel(kernels().sgd, rule, count);
}

template <class T>
void rmsprop_update(const RmspropStep& step, T* w, const T* g, T* mean_square, T* momentum, T* mean,
                    std::int64_t count) {
  const RmspropRule<T> rule{input_of(step.input, w, g),
                            mean_square,
                            momentum,
                            mean,
                            static_cast<T>(step.learning_rate),
                            static_cast<T>(step.rho),
                            static_cast<T>(1 - step.rho),
                            static_cast<T>(step.momentum),
                            static_cast<T>(step.epsilon)};
  run_parallel(kernels().rmsprop, rule, count);
}

template <class T>
void adam_update(const AdamStep& step, T* w, const T* g, T* m, T* v, T* largest, std::int64_t count) {
  const AdamRule<T> rule{input_of(step.input, w, g),
                         m,
                         v,
                         largest,
                         static_cast<T>(step.rate),
                         static_cast<T>(1 - step.beta_1),
                         static_cast<T>(1 - step.beta_2),
                         static_cast<T>(step.epsilon)};
  run_parallel(kernels().adam, rule, count);
}

template <class T>
double sum_of_squares(const T* g, std::int64_t count) {
  return sum_of(count, [g](std::int64_t i) { return static_cast<double>(g[i]) * static_cast<double>(g[i]); });
}

template void sgd_update(const SgdStep&, float*, const float*, float*, std::int64_t);
template void sgd_update(const SgdStep&, double*, const double*, double*, std::int64_t);
template void rmsprop_update(const RmspropStep&, float*, const float*, float*, float*, float*, std::int64_t);
template void rmsprop_update(const RmspropStep&, double*, const double*, double*, double*, double*,
                             std::int64_t);
template void adam_update(const AdamStep&, float*, const float*, float*, float*, float*, std::int64_t);
template void adam_update(const AdamStep&, double*, const double*, double*, double*, double*, std::int64_t);
template double sum_of_squares(const float*, std::int64_t);
template double sum_of_squares(const double*, std::int64_t);

}  // namespace keratin::inline v0::detail
#endif
