// The f32 kernels that definitions name (definition.h, FastKernel), for the instruction set being compiled.
// Each has
//   kVectors, how many vectors it takes at a time,
//   operator()(x, y), right in the lanes inside its range; whether all of the group are,
//   kTotal, whether all lanes always are; if not, inside(x), which of one vector are,
//   kUnbounded, where a slope may be infinite.
#include "keratin/activations/tables/tabled.inl"

#include "keratin/activations/tables/exponential.inl"
#include "keratin/activations/tables/hard.inl"
#include "keratin/activations/tables/scaled.inl"
#include "keratin/activations/tables/softsign.inl"

// Base where x < 0, else the constant hi + lo, times x if kLinear.
template <class Base, bool kLinear, const auto& constant>
class Above : public Base {
 public:
  static constexpr std::size_t kVectors = Base::kVectors;
  static constexpr bool kUnbounded = false;
  HWY_INLINE Above() {}  // an implicit constructor would not be of this instruction set
  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    // hi is not above the constant, so that x·lo has x's sign: of −0, and of infinity.
    constexpr float kNearest = static_cast<float>(constant);
    constexpr float kHigh =
        kNearest > constant ? std::bit_cast<float>(std::bit_cast<std::uint32_t>(kNearest) - 1) : kNearest;
    constexpr float kLow = static_cast<float>(constant - kHigh);
    const bool inside = Base::operator()(x, y);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats high = hn::Set(tag, kHigh);
      Floats above = hn::Set(tag, kNearest);
      if constexpr (kLinear)
        above = kLow == 0 ? hn::Mul(x[u], high) : fused(x[u], high, hn::Mul(x[u], hn::Set(tag, kLow)));
      y[u] = hn::IfThenElse(hn::Ge(x[u], hn::Zero(tag)), above, y[u]);
    }
    return inside;
  }
};

// -Base(-x), or Base(-x).
template <class Base, bool kNegates>
class Reversed : public Base {
 public:
  static constexpr std::size_t kVectors = Base::kVectors;
  HWY_INLINE Reversed() {}
  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    Floats reversed[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) reversed[u] = hn::Neg(x[u]);
    const bool inside = Base::operator()(reversed, y);
    if constexpr (kNegates) {
      for (std::size_t u = 0; u < kVectors; ++u) y[u] = hn::Neg(y[u]);
    }
    return inside;
  }
};

// Beyond the table x − tanh(x) is x ∓ 1, at most half an ULP off.
class TanhShrinkKernel : public Tabled<activations::tables::kTanhShrink> {
 public:
  static constexpr bool kTotal = true;
  HWY_INLINE TanhShrinkKernel() {}
  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Tabled::operator()(x, y);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats far = hn::Sub(x[u], hn::CopySign(hn::Set(tag, 1.0f), x[u]));
      y[u] = hn::IfThenElse(hn::Ge(hn::Abs(x[u]), hn::Set(tag, form.reach)), far, y[u]);
    }
    return true;
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
template <> struct Of<FastKernel::elu_scaled> { using Type = ScaledElu<definitions::Elu>; };
template <> struct Of<FastKernel::elu_scaled_slope> { using Type = ScaledEluSlope<definitions::Elu>; };
template <> struct Of<FastKernel::celu_scaled> { using Type = ScaledElu<definitions::Celu>; };
template <> struct Of<FastKernel::celu_scaled_slope> { using Type = ScaledEluSlope<definitions::Celu>; };
template <> struct Of<FastKernel::selu> { using Type = Above<Tabled<kSelu>, true, kSeluScale>; };
template <> struct Of<FastKernel::selu_slope> { using Type = Above<Exp<kSeluPowers>, false, kSeluScale>; };
template <> struct Of<FastKernel::silu> { using Type = Tabled<kSilu>; };
template <> struct Of<FastKernel::silu_slope> { using Type = Tabled<kSiluSlope>; };
template <> struct Of<FastKernel::gelu> { using Type = Tabled<kGelu>; };
template <> struct Of<FastKernel::gelu_slope> { using Type = Tabled<kGeluSlope>; };
template <> struct Of<FastKernel::gelu_tanh> { using Type = Tabled<kGeluTanh>; };
template <> struct Of<FastKernel::gelu_tanh_slope> { using Type = Tabled<kGeluTanhSlope>; };
template <> struct Of<FastKernel::mish> { using Type = Tabled<kMish>; };
template <> struct Of<FastKernel::squareplus> { using Type = Tabled<kSquareplus>; };
template <> struct Of<FastKernel::squareplus_slope> { using Type = Tabled<kSquareplusSlope>; };
template <> struct Of<FastKernel::sparse_plus> { using Type = SparsePlusKernel; };
template <> struct Of<FastKernel::sparse_plus_slope> { using Type = SparsePlusSlopeKernel; };
template <> struct Of<FastKernel::tanh_shrink> { using Type = TanhShrinkKernel; };
template <> struct Of<FastKernel::tanh_shrink_slope> { using Type = Tabled<kTanhShrinkSlope>; };
template <> struct Of<FastKernel::softsign> { using Type = SoftsignKernel; };
template <> struct Of<FastKernel::softsign_slope> { using Type = SoftsignSlopeKernel; };
template <> struct Of<FastKernel::mish_slope> { using Type = Tabled<kMishSlope>; };
template <> struct Of<FastKernel::hard_sigmoid> { using Type = HardSigmoidKernel; };
template <> struct Of<FastKernel::hard_sigmoid_slope> { using Type = HardSigmoidSlopeKernel; };
template <> struct Of<FastKernel::hard_silu> { using Type = HardSiluKernel; };
template <> struct Of<FastKernel::hard_silu_slope> { using Type = HardSiluSlopeKernel; };
// clang-format on
}  // namespace fast

// A kernel for these parameters: some depend on them.
template <class K, class D>
HWY_INLINE K kernel_for(const D& d) {
  if constexpr (std::is_constructible_v<K, const D&>) {
    return K(d);
  } else {
    return K();
  }
}
