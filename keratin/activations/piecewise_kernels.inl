// Piecewise polynomials, for the instruction set being compiled. Included by piecewise_kernels.cc once for
// each.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

namespace piecewise {

using keratin::detail::PiecewisePolynomial;

constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
constexpr std::size_t kVectors = 4;
constexpr std::size_t kGroup = kVectors * kLanes;

using Value = Vec<float>;

constexpr std::size_t kDegrees = PiecewisePolynomial::kMaxDegree + 1;
// In place of a degree: x itself, which most have on one side.
constexpr std::size_t kIdentity = kDegrees;
constexpr std::size_t coefficients_of(std::size_t degree) { return degree == kIdentity ? 1 : degree + 1; }

// The first piece has degree `low`, all others `high`.
template <std::size_t pieces, std::size_t low, std::size_t high>
struct Kernel {
  Value first[coefficients_of(low)];
  Value others[pieces > 1 ? pieces - 1 : 1][coefficients_of(high)];
  Value bounds[pieces > 1 ? pieces - 1 : 1];

  HWY_INLINE explicit Kernel(const PiecewisePolynomial& f) {
    for (std::size_t k = 0; k < coefficients_of(low); ++k) first[k] = set(f.coefficients[0][k]);
    for (std::size_t i = 1; i < pieces; ++i) {
      for (std::size_t k = 0; k < coefficients_of(high); ++k) others[i - 1][k] = set(f.coefficients[i][k]);
      bounds[i - 1] = set(f.bounds[i - 1]);
    }
  }

  template <std::size_t degree>
  static HWY_INLINE Value horner(const Value (&c)[coefficients_of(degree)], Value x) {
    if constexpr (degree == kIdentity) {
      return x;
    } else {
      Value y = c[degree];
      for (std::size_t k = degree; k > 0; --k) y = fma(y, x, c[k - 1]);
      return y;
    }
  }
  HWY_INLINE Value operator()(Value x) const {
    Value y = horner<low>(first, x);
    for (std::size_t i = 1; i < pieces; ++i) y = where(x < bounds[i - 1], y, horner<high>(others[i - 1], x));
    return y;
  }
};

template <std::size_t pieces, std::size_t low, std::size_t high, bool times>
bool run_as(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
            std::size_t count) {
  const Kernel<pieces, low, high> kernel(f);
  // 0·x is 0 for finite numbers alone.
  Value zeros[kVectors];
  for (Value& zero : zeros) zero = set(0.0f);
  const auto group = [&](const float* from, [[maybe_unused]] const float* factor, float* to) HWY_ATTR {
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Value v = load(from + u * kLanes);
      zeros[u] = fma(v, set(0.0f), zeros[u]);
      Value result = kernel(v);
      if constexpr (times) result = result * load(factor + u * kLanes);
      store(result, to + u * kLanes);
    }
  };
  std::size_t i = 0;
  for (; i + kGroup <= count; i += kGroup) group(x + i, times ? upstream + i : nullptr, y + i);
  if (i < count) {
    alignas(64) std::array<float, kGroup> in{}, factors{};
    std::copy_n(x + i, count - i, in.begin());
    if constexpr (times) std::copy_n(upstream + i, count - i, factors.begin());
    group(in.data(), factors.data(), in.data());
    std::copy_n(in.begin(), count - i, y + i);
  }
  return all(zeros[0] + zeros[1] + (zeros[2] + zeros[3]) == set(0.0f));
}

template <std::size_t pieces, std::size_t low, std::size_t high>
bool run_times(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
               std::size_t count) {
  return f.takes_upstream ? run_as<pieces, low, high, true>(f, x, upstream, y, count)
                          : run_as<pieces, low, high, false>(f, x, upstream, y, count);
}

using Run = bool (*)(const PiecewisePolynomial&, const float*, const float*, float*, std::size_t);
constexpr std::size_t kForms = kDegrees + 1;

template <std::size_t... i>
constexpr std::array<Run, kForms * kForms> pairs(std::index_sequence<i...>) {
  return {run_times<2, i / kForms, i % kForms>...};
}
template <std::size_t pieces, std::size_t... i>
constexpr std::array<Run, kDegrees> equals(std::index_sequence<i...>) {
  return {run_times<pieces, i, i>...};
}

inline bool run(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
                std::size_t count) {
  static constexpr auto kPairs = pairs(std::make_index_sequence<kForms * kForms>());
  static constexpr auto kOnes = equals<1>(std::make_index_sequence<kDegrees>());
  static constexpr auto kThrees = equals<3>(std::make_index_sequence<kDegrees>());
  static constexpr auto kFours = equals<4>(std::make_index_sequence<kDegrees>());
  const auto form = [&f](std::size_t i) {
    const bool is_identity = f.degrees[i] == 1 && f.coefficients[i][1] == 1 && f.coefficients[i][0] == 0;
    return is_identity ? kIdentity : f.degrees[i];
  };
  if (f.pieces == 2) return kPairs[form(0) * kForms + form(1)](f, x, upstream, y, count);
  const std::size_t degree =
      *std::max_element(f.degrees.begin(), f.degrees.begin() + static_cast<std::ptrdiff_t>(f.pieces));
  const auto& table = f.pieces == 1 ? kOnes : f.pieces == 3 ? kThrees : kFours;
  return table[degree](f, x, upstream, y, count);
}

}  // namespace piecewise
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
