// One loop an operation, for the instruction set being compiled. Included by tape_kernels.cc once for each.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

#include "keratin/activations/tape_math.inl"

namespace tape {

using keratin::detail::BlockKernel;
using keratin::detail::Operand;

constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());

// Steps through an input, or stays on a constant.
struct Cursor {
  const double* at;
  std::size_t step;

  explicit Cursor(Operand operand) : at(operand.data), step(operand.step == 0 ? 0 : kLanes) {}
  HWY_INLINE Vec<double> next() {
    const Vec<double> value = load(at);
    at += step;
    return value;
  }
};

template <class Function>
void unary(Operand a, Operand, Operand, double* out, std::size_t count) {
  Cursor first(a);
  for (std::size_t i = 0; i < count; i += kLanes) store(Function::call(first.next()), out + i);
}

template <class Function>
void binary(Operand a, Operand b, Operand, double* out, std::size_t count) {
  Cursor first(a), second(b);
  for (std::size_t i = 0; i < count; i += kLanes) store(Function::call(first.next(), second.next()), out + i);
}

template <class Function>
void ternary(Operand a, Operand b, Operand c, double* out, std::size_t count) {
  Cursor first(a), second(b), third(c);
  for (std::size_t i = 0; i < count; i += kLanes) {
    store(Function::call(first.next(), second.next(), third.next()), out + i);
  }
}

// The exponent is one number for the whole block.
void power_block(Operand a, Operand b, Operand, double* out, std::size_t count) {
  Cursor first(a);
  for (std::size_t i = 0; i < count; i += kLanes) store(power(first.next(), *b.data), out + i);
}

HWY_INLINE Vec<double> from_mask(Mask<double> mask) { return {hn::VecFromMask(Tag<double>(), mask.raw)}; }
HWY_INLINE Mask<double> to_mask(Vec<double> bits) { return {hn::MaskFromVec(bits.raw)}; }

#define KERATIN_UNARY(name, result)                                      \
  struct name {                                                          \
    static HWY_INLINE Vec<double> call(Vec<double> x) { return result; } \
  };
#define KERATIN_BINARY(name, result)                                                    \
  struct name {                                                                         \
    static HWY_INLINE Vec<double> call(Vec<double> a, Vec<double> b) { return result; } \
  };
#define KERATIN_TERNARY(name, result)                                                                  \
  struct name {                                                                                        \
    static HWY_INLINE Vec<double> call(Vec<double> a, Vec<double> b, Vec<double> c) { return result; } \
  };

KERATIN_BINARY(Add, a + b)
KERATIN_BINARY(Subtract, a - b)
KERATIN_BINARY(Multiply, a* b)
KERATIN_BINARY(Divide, a / b)
KERATIN_BINARY(Minimum, where(is_nan(b), b, min(a, b)))
KERATIN_BINARY(Maximum, where(is_nan(b), b, max(a, b)))
KERATIN_BINARY(Less, from_mask(a < b))
KERATIN_BINARY(LessEqual, from_mask(a <= b))
KERATIN_BINARY(Equal, from_mask(a == b))
KERATIN_BINARY(And, from_mask(to_mask(a) && to_mask(b)))
KERATIN_BINARY(Or, from_mask(to_mask(a) || to_mask(b)))
KERATIN_UNARY(Not, from_mask(!to_mask(x)))
KERATIN_UNARY(Negative, -x)
KERATIN_UNARY(Absolute, abs(x))
KERATIN_UNARY(Sign, where(x > set(0.0), set(1.0), where(x < set(0.0), set(-1.0), x)))
KERATIN_UNARY(Floor, Vec<double>{hn::Floor(x.raw)})
// The emulated one of Highway 1.0.3 gives 0 for -0.25 where clang compiles it.
KERATIN_UNARY(Round, Vec<double>{hn::CopySign(hn::Round(x.raw), x.raw)})
KERATIN_UNARY(Sqrt, sqrt(x))
KERATIN_UNARY(Exp, exp(x))
KERATIN_UNARY(Expm1, expm1(x))
KERATIN_UNARY(Log, log(x))
KERATIN_UNARY(Log1p, log1p(x))
KERATIN_UNARY(Sin, sin(x))
KERATIN_UNARY(Cos, cos(x))
KERATIN_UNARY(Sinh, sinh(x))
KERATIN_UNARY(Cosh, cosh(x))
KERATIN_UNARY(Atan, atan(x))
KERATIN_UNARY(Erf, erf(x))
KERATIN_UNARY(Erfc, erfc(x))
KERATIN_UNARY(Gauss, gauss(x))
KERATIN_UNARY(Tanh, tanh(x))
KERATIN_UNARY(TanhSlope, tanh_slope(x))
KERATIN_UNARY(Sigmoid, sigmoid(x))
KERATIN_UNARY(Softplus, softplus(x))
KERATIN_TERNARY(Select, where(to_mask(a), b, c))
KERATIN_TERNARY(Clip, where(a < b, b, where(a > c, c, a)))
#undef KERATIN_UNARY
#undef KERATIN_BINARY
#undef KERATIN_TERNARY

// By name, so that the order of ExprOp does not matter.
constexpr std::array<BlockKernel, kExprOpCount> make_kernels() {
  std::array<BlockKernel, kExprOpCount> kernels{};
  const auto put = [&kernels](ExprOp op, BlockKernel kernel) {
    kernels[static_cast<std::size_t>(op)] = kernel;
  };
  put(ExprOp::add, binary<Add>);
  put(ExprOp::subtract, binary<Subtract>);
  put(ExprOp::multiply, binary<Multiply>);
  put(ExprOp::divide, binary<Divide>);
  put(ExprOp::power, power_block);
  put(ExprOp::minimum, binary<Minimum>);
  put(ExprOp::maximum, binary<Maximum>);
  put(ExprOp::negative, unary<Negative>);
  put(ExprOp::absolute, unary<Absolute>);
  put(ExprOp::sign, unary<Sign>);
  put(ExprOp::floor, unary<Floor>);
  put(ExprOp::round, unary<Round>);
  put(ExprOp::sqrt, unary<Sqrt>);
  put(ExprOp::exp, unary<Exp>);
  put(ExprOp::expm1, unary<Expm1>);
  put(ExprOp::log, unary<Log>);
  put(ExprOp::log1p, unary<Log1p>);
  put(ExprOp::sin, unary<Sin>);
  put(ExprOp::cos, unary<Cos>);
  put(ExprOp::sinh, unary<Sinh>);
  put(ExprOp::cosh, unary<Cosh>);
  put(ExprOp::atan, unary<Atan>);
  put(ExprOp::erf, unary<Erf>);
  put(ExprOp::erfc, unary<Erfc>);
  put(ExprOp::gauss, unary<Gauss>);
  put(ExprOp::tanh, unary<Tanh>);
  put(ExprOp::tanh_slope, unary<TanhSlope>);
  put(ExprOp::sigmoid, unary<Sigmoid>);
  put(ExprOp::softplus, unary<Softplus>);
  put(ExprOp::less, binary<Less>);
  put(ExprOp::less_equal, binary<LessEqual>);
  put(ExprOp::equal, binary<Equal>);
  put(ExprOp::logical_and, binary<And>);
  put(ExprOp::logical_or, binary<Or>);
  put(ExprOp::logical_not, unary<Not>);
  put(ExprOp::select, ternary<Select>);
  put(ExprOp::clip, ternary<Clip>);
  return kernels;
}

namespace {
constexpr std::array<BlockKernel, kExprOpCount> kKernels = make_kernels();
}  // namespace

}  // namespace tape
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
