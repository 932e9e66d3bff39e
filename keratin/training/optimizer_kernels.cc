// Compiled once for each instruction set. No fused multiply-adds: every set gives the same bits.
#include "keratin/training/optimizer_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/training/optimizer_kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "keratin/core/parallel.h"
#include "keratin/simd/choose.h"
#include "keratin/training/sums.h"

#ifndef KERATIN_TRAINING_OPTIMIZER_RULES
#define KERATIN_TRAINING_OPTIMIZER_RULES
namespace keratin::inline v0::detail {

template <class T>
struct InputNumbers {
  T scale, limit, decay, average_momentum, average_rest;
};

template <class Rule, class T>
using Kernel = void (*)(const Rule& rule, const InputNumbers<T>& input, const StepArrays<T>& arrays,
                        std::int64_t begin, std::int64_t end);
template <template <class> class Rule>
struct KernelPair {
  Kernel<Rule<float>, float> of_float;
  Kernel<Rule<double>, double> of_double;
};
template <template <class> class... Rules>
using KernelsOf = std::tuple<KernelPair<Rules>...>;
/// One instruction set's.
using OptimizerKernels =
    KernelsOf<SgdStep, RmspropStep, AdamStep, AdamaxStep, NadamStep, AdagradStep, AdadeltaStep, FtrlStep,
              LionStep, LambDirection, MuonDirection, ScheduleFreeStep, DirectionStep, NoStep>;

}  // namespace keratin::inline v0::detail
#endif

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::detail {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// An array of a rule: loads, and stores what is computed for it.
template <class D>
struct Lanes {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  D d;
  const std::array<T*, 3>& slots;
  std::int64_t i;

  HWY_INLINE V set(T value) const { return hn::Set(d, value); }
  HWY_INLINE bool has(std::size_t slot) const { return slots[slot] != nullptr; }
  HWY_INLINE V load(std::size_t slot) const { return hn::LoadU(d, slots[slot] + i); }
  HWY_INLINE V store(std::size_t slot, V value) const {
    hn::StoreU(value, d, slots[slot] + i);
    return value;
  }
  // slot += (x − slot)·rest
  HWY_INLINE V approach(std::size_t slot, V x, T rest) const {
    const V old = load(slot);
    return store(slot, hn::Add(old, hn::Mul(hn::Sub(x, old), set(rest))));
  }
  // slot = keep·slot + rest·x
  HWY_INLINE V blend(std::size_t slot, V x, T keep, T rest) const {
    return store(slot, hn::Add(hn::Mul(set(keep), load(slot)), hn::Mul(set(rest), x)));
  }
};

// The rules: from the weight and the gradient to the new weight.

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const SgdStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto move = hn::Mul(at.set(rule.rate), g);
  if (!at.has(0)) return hn::Sub(w, move);
  const auto momentum = at.set(rule.momentum);
  const auto v = at.store(0, hn::Sub(hn::Mul(momentum, at.load(0)), move));
  return hn::Add(w, rule.nesterov ? hn::Sub(hn::Mul(momentum, v), move) : v);
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const RmspropStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  auto denominator = at.blend(0, hn::Mul(g, g), rule.rho, rule.rest);
  if (at.has(2)) {
    const auto mean = at.blend(2, g, rule.rho, rule.rest);
    denominator = hn::Sub(denominator, hn::Mul(mean, mean));
  }
  const auto epsilon = at.set(rule.epsilon);
  denominator = rule.epsilon_outside ? hn::Add(hn::Sqrt(denominator), epsilon)
                                     : hn::Sqrt(hn::Add(denominator, epsilon));
  auto move = hn::Div(hn::Mul(at.set(rule.rate), g), denominator);
  if (at.has(1)) move = at.store(1, hn::Add(hn::Mul(at.set(rule.momentum), at.load(1)), move));
  return hn::Sub(w, move);
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const AdamStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto m = at.approach(0, g, rule.rest_1);
  auto v = at.approach(1, hn::Mul(g, g), rule.rest_2);
  if (at.has(2)) v = at.store(2, hn::Max(at.load(2), v));
  return hn::Sub(w, hn::Div(hn::Mul(at.set(rule.rate), m), hn::Add(hn::Sqrt(v), at.set(rule.epsilon))));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const AdamaxStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto m = at.approach(0, g, rule.rest_1);
  const auto u = at.store(1, hn::Max(hn::Mul(at.set(rule.beta_2), at.load(1)), hn::Abs(g)));
  return hn::Sub(w, hn::Div(hn::Mul(at.set(rule.rate), m), hn::Add(u, at.set(rule.epsilon))));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const NadamStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto m = at.approach(0, g, rule.rest_1);
  const auto v = at.approach(1, hn::Mul(g, g), rule.rest_2);
  const auto direction = hn::Add(hn::Mul(at.set(rule.of_m), m), hn::Mul(at.set(rule.of_g), g));
  const auto root = hn::Add(hn::Sqrt(hn::Div(v, at.set(rule.correction_2))), at.set(rule.epsilon));
  return hn::Sub(w, hn::Div(hn::Mul(at.set(rule.rate), direction), root));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const AdagradStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto sum = at.store(0, hn::Add(at.load(0), hn::Mul(g, g)));
  const auto epsilon = at.set(rule.epsilon);
  const auto root = rule.epsilon_outside ? hn::Add(hn::Sqrt(sum), epsilon) : hn::Sqrt(hn::Add(sum, epsilon));
  return hn::Sub(w, hn::Div(hn::Mul(at.set(rule.rate), g), root));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const AdadeltaStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto epsilon = at.set(rule.epsilon);
  const auto squares = at.blend(0, hn::Mul(g, g), rule.rho, rule.rest);
  const auto move =
      hn::Div(hn::Mul(hn::Sqrt(hn::Add(at.load(1), epsilon)), g), hn::Sqrt(hn::Add(squares, epsilon)));
  at.blend(1, hn::Mul(move, move), rule.rho, rule.rest);
  return hn::Sub(w, hn::Mul(at.set(rule.rate), move));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> power(D d, hn::Vec<D> x, T exponent) {
  if (exponent == T(0.5)) return hn::Sqrt(x);
  alignas(64) T lanes[64 / sizeof(T)];  // a vector of AVX-512, the widest
  hn::Store(x, d, lanes);
  for (std::size_t k = 0; k < hn::Lanes(d); ++k) lanes[k] = std::pow(lanes[k], exponent);
  return hn::Load(d, lanes);
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const FtrlStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto before = at.load(0);
  const auto after = at.store(0, hn::Add(before, hn::Mul(g, g)));
  const auto root = power(at.d, after, rule.power), rate = at.set(rule.rate);
  const auto pull = hn::Div(hn::Sub(root, power(at.d, before, rule.power)), rate);
  const auto shrunk = hn::Add(g, hn::Mul(at.set(rule.twice_shrinkage), w));
  const auto z = at.store(1, hn::Add(at.load(1), hn::Sub(shrunk, hn::Mul(pull, w))));
  const auto inside = hn::Min(hn::Max(z, at.set(-rule.l1)), at.set(rule.l1));
  return hn::Div(hn::Sub(inside, z), hn::Add(hn::Div(root, rate), at.set(rule.twice_l2)));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const LionStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto m = at.load(0), zero = hn::Zero(at.d), rate = at.set(rule.rate);
  const auto c = hn::Add(hn::Mul(m, at.set(rule.beta_1)), hn::Mul(g, at.set(rule.rest_1)));
  at.blend(0, g, rule.beta_2, rule.rest_2);
  const auto up = hn::IfThenElseZero(hn::Gt(c, zero), rate);
  const auto down = hn::IfThenElseZero(hn::Lt(c, zero), rate);
  return hn::Add(hn::Sub(w, up), down);
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const LambDirection<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto m = hn::Div(at.approach(0, g, rule.rest_1), at.set(rule.correction_1));
  const auto v = hn::Div(at.approach(1, hn::Mul(g, g), rule.rest_2), at.set(rule.correction_2));
  at.store(2, hn::Div(m, hn::Add(hn::Sqrt(v), at.set(rule.epsilon))));
  return w;
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const MuonDirection<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  auto m = at.load(0);
  m = hn::Add(m, hn::Add(g, hn::Mul(m, at.set(rule.less))));
  at.store(0, m);
  at.store(1, rule.nesterov ? hn::Add(g, hn::Mul(at.set(rule.momentum), m)) : m);
  return w;
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const ScheduleFreeStep<T>& rule, hn::Vec<D> w, hn::Vec<D> g) {
  const auto z = at.load(0), beta_1 = at.set(rule.beta_1), rest_1 = at.set(rule.rest_1);
  const auto v = at.approach(1, hn::Mul(g, g), rule.rest_2);
  const auto size = hn::Add(hn::Sqrt(hn::Div(v, at.set(rule.correction_2))), at.set(rule.epsilon));
  const auto next_z = hn::Sub(z, hn::Div(hn::Mul(at.set(rule.rate), g), size));
  at.store(0, next_z);
  const auto x = hn::Div(hn::Sub(w, hn::Mul(rest_1, z)), beta_1);
  const auto next_x = hn::Add(hn::Mul(at.set(rule.rest_share), x), hn::Mul(at.set(rule.share), next_z));
  return hn::Add(hn::Mul(rest_1, next_z), hn::Mul(beta_1, next_x));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>& at, const DirectionStep<T>& rule, hn::Vec<D> w, hn::Vec<D>) {
  return hn::Sub(w, hn::Mul(at.set(rule.rate), at.load(0)));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> next(const Lanes<D>&, const NoStep<T>&, hn::Vec<D> w, hn::Vec<D>) {
  return w;
}

template <class D, class T, class Rule>
HWY_INLINE void step(D d, const Rule& rule, const InputNumbers<T>& input, const StepArrays<T>& arrays,
                     std::int64_t i) {
  auto w = hn::LoadU(d, arrays.w + i);
  w = hn::Sub(w, hn::Mul(w, hn::Set(d, input.decay)));
  auto g = hn::Zero(d);
  if (arrays.g != nullptr) {
    g = hn::Mul(hn::LoadU(d, arrays.g + i), hn::Set(d, input.scale));
    if (input.limit != T(0)) g = hn::Min(hn::Max(g, hn::Set(d, -input.limit)), hn::Set(d, input.limit));
  }
  w = next(Lanes<D>{d, arrays.slots, i}, rule, w, g);
  hn::StoreU(w, d, arrays.w + i);
  if (arrays.average == nullptr) return;
  const auto kept = hn::Mul(hn::Set(d, input.average_momentum), hn::LoadU(d, arrays.average + i));
  hn::StoreU(hn::Add(kept, hn::Mul(hn::Set(d, input.average_rest), w)), d, arrays.average + i);
}

template <class T, class Rule>
void run(const Rule& given_rule, const InputNumbers<T>& given_input, const StepArrays<T>& given_arrays,
         std::int64_t begin, std::int64_t end) {
  // Copies: what the loop stores cannot then be what it reads its numbers and pointers from.
  const Rule rule = given_rule;
  const InputNumbers<T> input = given_input;
  const StepArrays<T> arrays = given_arrays;
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = begin;
  for (; i + lanes <= end; i += lanes) step(d, rule, input, arrays, i);
  for (; i < end; ++i) step(one, rule, input, arrays, i);
}

template <template <class> class... Rules>
constexpr KernelsOf<Rules...> kernels_of(const KernelsOf<Rules...>*) {
  return {KernelPair<Rules>{run<float, Rules<float>>, run<double, Rules<double>>}...};
}
const OptimizerKernels kKernels = kernels_of(static_cast<const OptimizerKernels*>(nullptr));

}  // namespace HWY_NAMESPACE
}  // namespace keratin::inline v0::detail
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::detail {

namespace {

// 64 KiB a float array: chunks start on cache lines, and a small variable stays on its caller's thread.
constexpr std::int64_t kGrain = 16384;

const OptimizerKernels& kernels() { KERATIN_CHOOSE(simd::active_isa(), detail, kKernels) }

}  // namespace

template <template <class> class Rule, class T>
void update(const Rule<double>& rule, const StepInput& input, const StepArrays<T>& arrays,
            std::int64_t count) {
  const Rule<T> numbers = rule.template as<T>();
  const InputNumbers<T> around{static_cast<T>(input.gradient_scale), static_cast<T>(input.gradient_limit),
                               static_cast<T>(input.decay), static_cast<T>(input.average_momentum),
                               static_cast<T>(1 - input.average_momentum)};
  const KernelPair<Rule>& kernel = std::get<KernelPair<Rule>>(kernels());
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if constexpr (sizeof(T) == sizeof(float))
      kernel.of_float(numbers, around, arrays, begin, end);
    else
      kernel.of_double(numbers, around, arrays, begin, end);
  });
}

template <class T>
double sum_of_squares(const T* g, std::int64_t count, double limit) {
  const auto clipped = [&](std::int64_t i) {
    const auto x = static_cast<double>(g[i]);
    return limit == 0 ? x : std::clamp(x, -limit, limit);
  };
  return sum_of(count, [&](std::int64_t i) { return clipped(i) * clipped(i); });
}

template <class T>
void accumulate(T* to, const T* g, std::int64_t count) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] += g[i];
  });
}

#define KERATIN_UPDATE(Rule)                                                                           \
  template void update(const Rule<double>&, const StepInput&, const StepArrays<float>&, std::int64_t); \
  template void update(const Rule<double>&, const StepInput&, const StepArrays<double>&, std::int64_t);
KERATIN_UPDATE(SgdStep)
KERATIN_UPDATE(RmspropStep)
KERATIN_UPDATE(AdamStep)
KERATIN_UPDATE(AdamaxStep)
KERATIN_UPDATE(NadamStep)
KERATIN_UPDATE(AdagradStep)
KERATIN_UPDATE(AdadeltaStep)
KERATIN_UPDATE(FtrlStep)
KERATIN_UPDATE(LionStep)
KERATIN_UPDATE(LambDirection)
KERATIN_UPDATE(MuonDirection)
KERATIN_UPDATE(ScheduleFreeStep)
KERATIN_UPDATE(DirectionStep)
KERATIN_UPDATE(NoStep)
#undef KERATIN_UPDATE

template double sum_of_squares(const float*, std::int64_t, double);
template double sum_of_squares(const double*, std::int64_t, double);
template void accumulate(float*, const float*, std::int64_t);
template void accumulate(double*, const double*, std::int64_t);

}  // namespace keratin::inline v0::detail
#endif
