// The f32 kernels that definitions name (definition.h, FastKernel). Each has
//   kVectors, how many vectors it takes at a time,
//   holds(x), whether every lane of the group is inside its range, inside(x), which of one vector are,
//   operator()(x, y), right in the lanes inside.
#include "keratin/activations/table_kernel.inl"

// e^x times the powers' scale: 0.56 ULP for scale 1. n = x/ln 2 to a sixteenth, 2^n = 2^whole · power[low
// bits].
template <const auto& powers>
class Exp {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  HWY_INLINE Exp() : power_(powers.power), rest_(powers.rest) {}

  // Overflow and results that are 0 are inside; NaN is not.
  static HWY_INLINE hn::Mask<FloatTag> inside(Floats x) { return hn::Eq(x, x); }
  static HWY_INLINE bool holds(const Floats (&x)[kVectors]) {
    auto all = inside(x[0]);
    for (std::size_t u = 1; u < kVectors; ++u) all = hn::And(all, inside(x[u]));
    return hn::AllTrue(FloatTag(), all);
  }

  HWY_INLINE void operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    const IndexTag whole;
    // ln 2 in two parts, the first of few enough bits that n·high is exact.
    constexpr float kLog2E = 0x1.715476p+0f, kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats cut = hn::Min(hn::Max(x[u], hn::Set(tag, -106.0f)), hn::Set(tag, 90.0f));
      const Floats magic = hn::Set(tag, 0x1.8p19f);  // its spacing is 1/16
      const Floats shifted = fused(cut, hn::Set(tag, kLog2E), magic);
      const Indices i = hn::BitCast(whole, shifted);
      const Floats n = hn::Sub(shifted, magic), minus_n = hn::Neg(n);
      const Floats r =
          hn::Add(fused(minus_n, hn::Set(tag, kHigh), cut), fused(minus_n, hn::Set(tag, kLow), rest_[i]));
      // e^r − 1 for |r| <= ln(2)/32: the constant next to 1/2 takes the cubic's place in r^4.
      const Floats p =
          fused(hn::Mul(r, r), fused(r, hn::Set(tag, 0x1.555556p-3f), hn::Set(tag, 0x1.000148p-1f)), r);
      const Floats power = power_[i];
      y[u] = scaled(fused(power, p, power), i);
    }
  }

 private:
  // y·2^(i >> 4), rounded once: the first factor leaves y normal, the second rounds.
  static HWY_INLINE Floats scaled(Floats y, Indices i) {
    const FloatTag tag;
    const IndexTag whole;
    const Indices exponent = hn::ShiftRight<4>(hn::Sub(i, hn::BitCast(whole, hn::Set(tag, 0x1.8p19f))));
    const Indices half = hn::ShiftRight<1>(exponent);
    const auto power_of_two = [&](Indices k) {
      return hn::BitCast(tag, hn::ShiftLeft<23>(hn::Add(k, hn::Set(whole, 127))));
    };
    return hn::Mul(hn::Mul(y, power_of_two(half)), power_of_two(hn::Sub(exponent, half)));
  }

  const Column<16> power_, rest_;
};

// Base where x < 0, else the constant hi + lo, times x if kLinear.
template <class Base, bool kLinear, const auto& constant>
class Above : public Base {
 public:
  static constexpr std::size_t kVectors = Base::kVectors;
  HWY_INLINE Above() {}  // an implicit constructor would not be of this instruction set
  HWY_INLINE void operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    constexpr float kHigh = static_cast<float>(constant), kLow = static_cast<float>(constant - kHigh);
    Base::operator()(x, y);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats high = hn::Set(tag, kHigh);
      Floats above = high;
      if constexpr (kLinear)
        above = kLow == 0 ? hn::Mul(x[u], high) : fused(x[u], high, hn::Mul(x[u], hn::Set(tag, kLow)));
      y[u] = hn::IfThenElse(hn::Ge(x[u], hn::Zero(tag)), above, y[u]);
    }
  }
};

// -Base(-x), or Base(-x).
template <class Base, bool kNegates>
class Reversed : public Base {
 public:
  static constexpr std::size_t kVectors = Base::kVectors;
  HWY_INLINE Reversed() {}
  HWY_INLINE void operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    Floats reversed[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) reversed[u] = hn::Neg(x[u]);
    Base::operator()(reversed, y);
    if constexpr (kNegates) {
      for (std::size_t u = 0; u < kVectors; ++u) y[u] = hn::Neg(y[u]);
    }
  }
};

namespace fast {
using namespace activations::tables;
inline constexpr double kOne = 1, kSeluScale = 0x1.0cfabd6a91132p+0;
template <FastKernel kernel>
struct Of;
// clang-format off
template <> struct Of<FastKernel::exponential> { using Type = Exp<kPowers>; };
template <> struct Of<FastKernel::tanh> { using Type = Tabled<kTanh>; };
template <> struct Of<FastKernel::tanh_slope> { using Type = Tabled<kTanhSlope>; };
template <> struct Of<FastKernel::sigmoid> { using Type = Tabled<kSigmoid>; };
template <> struct Of<FastKernel::sigmoid_slope> { using Type = Tabled<kSigmoidSlope>; };
template <> struct Of<FastKernel::sigmoid_reversed> { using Type = Reversed<Tabled<kSigmoid>, false>; };
template <> struct Of<FastKernel::softplus> { using Type = Tabled<kSoftplus>; };
template <> struct Of<FastKernel::log_sigmoid> { using Type = Reversed<Tabled<kSoftplus>, true>; };
template <> struct Of<FastKernel::elu> { using Type = Above<Tabled<kElu>, true, kOne>; };
template <> struct Of<FastKernel::elu_slope> { using Type = Above<Exp<kPowers>, false, kOne>; };
template <> struct Of<FastKernel::selu> { using Type = Above<Tabled<kSelu>, true, kSeluScale>; };
template <> struct Of<FastKernel::selu_slope> { using Type = Above<Exp<kSeluPowers>, false, kSeluScale>; };
template <> struct Of<FastKernel::silu> { using Type = Tabled<kSilu>; };
template <> struct Of<FastKernel::silu_slope> { using Type = Tabled<kSiluSlope>; };
template <> struct Of<FastKernel::gelu> { using Type = Tabled<kGelu>; };
template <> struct Of<FastKernel::gelu_slope> { using Type = Tabled<kGeluSlope>; };
template <> struct Of<FastKernel::gelu_tanh> { using Type = Tabled<kGeluTanh>; };
template <> struct Of<FastKernel::gelu_tanh_slope> { using Type = Tabled<kGeluTanhSlope>; };
template <> struct Of<FastKernel::mish> { using Type = Tabled<kMish>; };
// clang-format on
}  // namespace fast
