// Hand-written kernels for the instruction set being compiled. Included by hand_written.cc once for each.
#include <hwy/highway.h>

#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "keratin/activations/tables/tables.h"
#include "keratin/simd/target_includes.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

namespace hand_written {

#include "keratin/activations/tables/tabled.inl"

#include "keratin/activations/tables/exponential.inl"

using ExpKernel = Exp<activations::tables::kPowers>;
using TanhKernel = Tabled<activations::tables::kTanh>;
using SigmoidKernel = Tabled<activations::tables::kSigmoid>;
using SoftplusKernel = Tabled<activations::tables::kSoftplus>;

constexpr std::size_t kWidth = hn::MaxLanes(FloatTag());
constexpr std::size_t kVectors = SigmoidKernel::kVectors;

struct Sigmoid {
  static HWY_INLINE Vec<double> call(Vec<double> x) { return sigmoid(x); }
};
struct Softplus {
  static HWY_INLINE Vec<double> call(Vec<double> x) { return softplus(x); }
};

// A few vectors in lockstep, as our own kernels take them.
struct Group {
  Floats v[kVectors];

  template <class Function>
  friend HWY_INLINE Group each(const Group& a, const Group& b, const Function& function) {
    Group result;
    for (std::size_t u = 0; u < kVectors; ++u)
      result.v[u] = function(Vec<float>{a.v[u]}, Vec<float>{b.v[u]}).raw;
    return result;
  }
  friend HWY_INLINE Group operator+(const Group& a, const Group& b) {
    return each(a, b, [](Vec<float> p, Vec<float> q) { return p + q; });
  }
  friend HWY_INLINE Group operator-(const Group& a, const Group& b) {
    return each(a, b, [](Vec<float> p, Vec<float> q) { return p - q; });
  }
  friend HWY_INLINE Group operator*(const Group& a, const Group& b) {
    return each(a, b, [](Vec<float> p, Vec<float> q) { return p * q; });
  }
  friend HWY_INLINE Group operator/(const Group& a, const Group& b) {
    return each(a, b, [](Vec<float> p, Vec<float> q) { return p / q; });
  }
};
HWY_INLINE Group number(float value) {
  Group result;
  for (Floats& v : result.v) v = hn::Set(FloatTag(), value);
  return result;
}
// a·b + c and c - a·b.
HWY_INLINE Group fused(const Group& a, const Group& b, const Group& c) {
  Group result;
  for (std::size_t u = 0; u < kVectors; ++u) result.v[u] = fused(a.v[u], b.v[u], c.v[u]);
  return result;
}
HWY_INLINE Group fused_minus(const Group& a, const Group& b, const Group& c) {
  Group result;
  for (std::size_t u = 0; u < kVectors; ++u) result.v[u] = fused(hn::Neg(a.v[u]), b.v[u], c.v[u]);
  return result;
}
HWY_INLINE Group load_group(const float* from) {
  Group result;
  for (std::size_t u = 0; u < kVectors; ++u) result.v[u] = hn::LoadU(FloatTag(), from + u * kWidth);
  return result;
}
HWY_INLINE void store_group(const Group& group, float* to) {
  for (std::size_t u = 0; u < kVectors; ++u) hn::StoreU(group.v[u], FloatTag(), to + u * kWidth);
}

// Lanes outside the table in double, as our own kernels do.
template <class K, class Exact>
HWY_NOINLINE void mend(const Floats (&in)[kVectors], Floats (&out)[kVectors]) {
  for (std::size_t u = 0; u < kVectors; ++u) {
    alignas(64) float x[kWidth], y[kWidth];
    hn::Store(in[u], FloatTag(), x);
    for (std::size_t i = 0; i < kWidth; i += hn::MaxLanes(Tag<double>()))
      store_rounded(Exact::call(load_promoted(x + i)), y + i);
    out[u] = hn::IfThenElse(K::inside(in[u]), out[u], hn::Load(FloatTag(), y));
  }
}

template <class K, class Exact = void>
HWY_INLINE Group run(const K& kernel, const Group& x) {
  Group y;
  const bool inside = kernel(x.v, y.v);
  if constexpr (!K::kTotal) {
    if (HWY_UNLIKELY(!inside)) mend<K, Exact>(x.v, y.v);
  }
  return y;
}

// Each holds the tables that it needs; value(x), and slope(x).
struct Silu {
  SigmoidKernel sigmoid;
  float scale;
  HWY_INLINE explicit Silu(float s = 1) : scale(s) {}
  HWY_INLINE Group value(const Group& x) const {
    return x * run<SigmoidKernel, Sigmoid>(sigmoid, number(scale) * x);
  }
  HWY_INLINE Group slope(const Group& x) const {
    const Group u = number(scale) * x, s = run<SigmoidKernel, Sigmoid>(sigmoid, u);
    return fused(u * s, number(1) - s, s);
  }
};
struct QuickGelu : Silu {
  HWY_INLINE QuickGelu() : Silu(1.702f) {}
};

// x·tanh(softplus(scale·x))
struct Mish {
  SoftplusKernel softplus;
  TanhKernel tanh;
  SigmoidKernel sigmoid;
  float scale;
  HWY_INLINE explicit Mish(float s = 1) : scale(s) {}
  HWY_INLINE Group value(const Group& x) const {
    return x * run(tanh, run<SoftplusKernel, Softplus>(softplus, number(scale) * x));
  }
  HWY_INLINE Group slope(const Group& x) const {
    const Group u = number(scale) * x;
    const Group t = run(tanh, run<SoftplusKernel, Softplus>(softplus, u));
    const Group s = run<SigmoidKernel, Sigmoid>(sigmoid, u);
    return fused(u * s, fused_minus(t, t, number(1)), t);
  }
};
struct DoubleMish : Mish {
  HWY_INLINE DoubleMish() : Mish(2) {}
};

// tanh(0.7x + 0.3)·sigmoid(x) + x²/(1 + x²)·e^(-0.1x²) - 0.2·x·softplus(0.5x)
struct Twenty {
  ExpKernel exp;
  TanhKernel tanh;
  SigmoidKernel sigmoid;
  SoftplusKernel softplus;
  // A default constructor of its own would be compiled for the wrong instruction set.
  HWY_INLINE Twenty() {}
  HWY_INLINE Group value(const Group& x) const {
    const Group t = run(tanh, fused(number(0.7f), x, number(0.3f)));
    const Group s = run<SigmoidKernel, Sigmoid>(sigmoid, x);
    const Group square = x * x, ratio = square / (number(1) + square);
    const Group e = run(exp, number(-0.1f) * square);
    const Group p = run<SoftplusKernel, Softplus>(softplus, number(0.5f) * x);
    return fused_minus(number(0.2f) * x, p, fused(t, s, ratio * e));
  }
  HWY_INLINE Group slope(const Group& x) const {
    const Group one = number(1), t = run(tanh, fused(number(0.7f), x, number(0.3f)));
    const Group s = run<SigmoidKernel, Sigmoid>(sigmoid, x);
    const Group square = x * x, below = one / (one + square), ratio = square * below;
    const Group e = run(exp, number(-0.1f) * square), half = number(0.5f) * x;
    const Group p = run<SoftplusKernel, Softplus>(softplus, half);
    const Group h = run<SigmoidKernel, Sigmoid>(sigmoid, half);
    const Group first = s * fused(number(0.7f), fused_minus(t, t, one), t * (one - s));
    const Group second = x * e * fused_minus(number(0.2f), ratio, number(2) * below * below);
    return first + second - fused(number(0.2f), p, number(0.1f) * x * h);
  }
};

// where(x > 0, x, 0.1x² + 0.5x)
struct Kink {
  HWY_INLINE Kink() {}
  HWY_INLINE Group value(const Group& x) const {
    return each(x, x, [](Vec<float> v, Vec<float>) {
      return where(v > set(0.0f), v, fma(set(0.1f) * v, v, set(0.5f) * v));
    });
  }
  HWY_INLINE Group slope(const Group& x) const {
    return each(x, x, [](Vec<float> v, Vec<float>) {
      return where(v > set(0.0f), set(1.0f), fma(set(0.2f), v, set(0.5f)));
    });
  }
};

template <class Expression>
void value(const float* x, const float*, float* out, std::size_t n) {
  const Expression expression;
  for (std::size_t i = 0; i < n; i += kVectors * kWidth)
    store_group(expression.value(load_group(x + i)), out + i);
}
template <class Expression>
void gradient(const float* x, const float* upstream, float* out, std::size_t n) {
  const Expression expression;
  for (std::size_t i = 0; i < n; i += kVectors * kWidth)
    store_group(expression.slope(load_group(x + i)) * load_group(upstream + i), out + i);
}

inline bench::HandWritten find(std::string_view name, bool slope) {
  const auto either = [slope]<class E>(E*) -> bench::HandWritten { return slope ? &gradient<E> : &value<E>; };
  if (name == "silu") return either(static_cast<Silu*>(nullptr));
  if (name == "mish") return either(static_cast<Mish*>(nullptr));
  if (name == "quick_gelu") return either(static_cast<QuickGelu*>(nullptr));
  if (name == "double_mish") return either(static_cast<DoubleMish*>(nullptr));
  if (name == "twenty_nodes") return either(static_cast<Twenty*>(nullptr));
  if (name == "kink") return either(static_cast<Kink*>(nullptr));
  return nullptr;
}

}  // namespace hand_written
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
