// Included once for each instruction set by Highway: the operations of programs, with running error bounds.
//
// The rounding error of + - * / sqrt is at most 2^-53 of the result; kUnit is twice that, which pays for the
// roundings of the bound itself. Functions are right to 2^-50 and said to be to kFunction = 2^-48, erfc to
// twice that, and to z^2 2^-52 more where they hold e^(-z^2). Results below kTiny may be anything below
// kTiny.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace keratin::accuracy::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

HWY_INLINE V set(double value) { return hn::Set(D(), value); }

constexpr double kUnit = 0x1p-52, kFunction = 0x1p-48, kTiny = 1e-200;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Pair {
  V value, error;
};

// The error of a relative one.
HWY_INLINE V relative(V value, double unit) { return hn::Mul(hn::Abs(value), set(unit)); }
// Ignorance where known is false.
HWY_INLINE V unless(M known, V error) { return hn::IfThenElse(known, error, set(kInfinity)); }
// e^d - 1 at most, for 0 <= d < 1.
HWY_INLINE V growth(V d) { return unless(hn::Lt(d, set(1)), hn::MulAdd(d, d, d)); }

// e^a = scale (1 + rest), for a in [-690, 709]: Cody and Waite's reduction, Taylor to the 12th power, whose
// next term is 2e-17 at ln(2)/2.
struct Exponential {
  V scale, rest;
};
HWY_INLINE Exponential exponential(V a) {
  a = hn::Min(hn::Max(a, set(-690)), set(709));
  const V magic = set(0x1.8p52 + 1023);
  const V shifted = hn::Add(hn::Mul(a, set(0x1.71547652b82fep+0)), magic);
  const V n = hn::Sub(shifted, magic);
  const hn::Repartition<std::uint64_t, D> du;
  const V scale = hn::BitCast(D(), hn::ShiftLeft<52>(hn::BitCast(du, shifted)));
  // ln(2) in two parts, the first with 32 bits: its products with n are exact.
  V r = hn::Sub(a, hn::Mul(n, set(0x1.62e42feep-1)));
  r = hn::Sub(r, hn::Mul(n, set(0x1.a39ef35793c76p-33)));
  double factorial = 479001600;
  V sum = set(1 / factorial);
  for (int k = 12; k > 1; --k) {
    factorial /= k;
    sum = hn::MulAdd(sum, r, set(1 / factorial));
  }
  return {scale, hn::Mul(sum, r)};
}
HWY_INLINE V exp_of(V a) {
  const Exponential e = exponential(a);
  return hn::MulAdd(e.scale, e.rest, e.scale);
}
HWY_INLINE V expm1_of(V a) {
  const Exponential e = exponential(a);
  return hn::MulAdd(e.scale, e.rest, hn::Sub(e.scale, set(1)));
}

// Whether an argument is surely so far below 0 that e^a is less than kTiny; so far above that it counts as
// infinite; so far from 0.
HWY_INLINE M vanishes(Pair a) { return hn::Lt(hn::Add(a.value, a.error), set(-690)); }
HWY_INLINE M overflows(Pair a) { return hn::Gt(hn::Sub(a.value, a.error), set(709)); }
HWY_INLINE M saturates(Pair a) { return hn::Gt(hn::Sub(hn::Abs(a.value), a.error), set(690)); }

HWY_INLINE Pair exp(Pair a) {
  const V y = exp_of(a.value);
  const V inherited = hn::IfThenElse(vanishes(a), set(0), growth(a.error));
  const V error = hn::MulAdd(y, hn::Add(inherited, set(kFunction)), set(kTiny));
  return {hn::IfThenElse(overflows(a), set(kInfinity), y), hn::IfThenElse(overflows(a), set(0), error)};
}
HWY_INLINE Pair expm1(Pair a) {
  const V y = expm1_of(a.value);
  const V inherited = hn::IfThenElse(vanishes(a), set(0), growth(a.error));
  const V own = hn::Add(relative(y, kFunction), set(kTiny));
  const V error = hn::MulAdd(hn::Add(hn::Abs(y), set(1)), inherited, own);
  return {hn::IfThenElse(overflows(a), set(kInfinity), y), hn::IfThenElse(overflows(a), set(0), error)};
}
// log(1 + e) = 2 atanh(e/(2 + e)) of e in [0, 1]; the first term left out of the series is 2e-16.
HWY_INLINE V log1p_of(V e) {
  const V s = hn::Div(e, hn::Add(e, set(2))), s2 = hn::Mul(s, s);
  V sum = set(1.0 / 29);
  for (int k = 27; k > 0; k -= 2) sum = hn::MulAdd(sum, s2, set(1.0 / k));
  return hn::Mul(hn::Add(s, s), sum);
}
HWY_INLINE Pair softplus(Pair a) {
  const V e = exp_of(hn::Neg(hn::Abs(a.value)));
  const V y = hn::Add(hn::Max(a.value, set(0)), log1p_of(e));
  // The slope is at most e^a, and 1.
  const V below = hn::IfThenElse(vanishes(a), set(0), hn::Mul(e, growth(a.error)));
  const V inherited = hn::IfThenElse(hn::Lt(a.value, set(0)), hn::Min(below, a.error), a.error);
  return {y, hn::Add(hn::Add(inherited, relative(y, kFunction)), set(kTiny))};
}
HWY_INLINE Pair logistic(Pair a) {
  const V e = exp_of(hn::Neg(hn::Abs(a.value)));
  const V y = hn::Div(hn::IfThenElse(hn::Lt(a.value, set(0)), e, set(1)), hn::Add(e, set(1)));
  // The slope is at most e^-|a|.
  const V inherited = hn::IfThenElse(saturates(a), set(0), hn::Mul(e, growth(a.error)));
  return {y, hn::Add(hn::Add(inherited, relative(y, kFunction)), set(kTiny))};
}
HWY_INLINE Pair tanh(Pair a) {
  const V e = expm1_of(hn::Mul(set(-2), hn::Abs(a.value)));
  const V size = hn::Div(hn::Neg(e), hn::Add(e, set(2)));
  // The slope is at most 4 e^(-2|u|), and 1.
  const V slope = hn::Min(hn::Mul(set(4), hn::Add(e, set(1))), set(1));
  const V inherited = hn::Mul(slope, growth(hn::Add(a.error, a.error)));
  const V own = hn::Add(relative(size, kFunction), set(kTiny));
  return {hn::CopySign(size, a.value), hn::Add(own, hn::IfThenElse(saturates(a), set(0), inherited))};
}
HWY_INLINE Pair sech2(Pair a) {
  const V e = exp_of(hn::Mul(set(-2), hn::Abs(a.value))), below = hn::Add(e, set(1));
  const V y = hn::Div(hn::Mul(set(4), e), hn::Mul(below, below));
  const V inherited = hn::IfThenElse(saturates(a), set(0), growth(hn::Add(a.error, a.error)));
  return {y, hn::MulAdd(y, hn::Add(inherited, set(kFunction)), set(kTiny))};
}
// Below 1/2 the series of tanh, whose coefficients follow from tanh' = 1 - tanh^2.
HWY_INLINE Pair tanh_rest(Pair a) {
  const V square = hn::Mul(a.value, a.value);
  V sum = set(tanh_series().back());
  for (std::size_t k = tanh_series().size() - 1; k-- > 1;)
    sum = hn::MulAdd(sum, square, set(tanh_series()[k]));
  const V series = hn::Neg(hn::Mul(hn::Mul(sum, square), a.value));
  const V far = hn::Sub(a.value, tanh({a.value, set(0)}).value);
  const V y = hn::IfThenElse(hn::Lt(hn::Abs(a.value), set(0.5)), series, far);
  // 1/2 - tanh(1/2) = 0.038: the difference makes at most 13 of tanh's error.
  const V error = hn::Add(relative(y, 16 * kFunction), set(kTiny));
  return {y, unless(hn::Eq(a.error, set(0)), error)};
}
// e^(z^2) erfc(z) (1 + 2z) is smooth in (z - k)/(z + k): Clenshaw's sum of Chebyshev polynomials.
HWY_INLINE Pair erfc(Pair a) {
  const V z = hn::Min(hn::Abs(a.value), set(26)), square = hn::Mul(z, z);
  const V t = hn::Div(hn::Sub(z, set(kErfcCentre)), hn::Add(z, set(kErfcCentre))), t2 = hn::Add(t, t);
  const std::array<double, kErfcTerms>& c = erfc_series();
  V one = set(0), two = set(0);
  for (std::size_t k = kErfcTerms - 1; k > 0; --k) {
    const V next = hn::Add(hn::MulSub(t2, one, two), set(c[k]));
    two = one;
    one = next;
  }
  const V smooth = hn::Add(hn::MulSub(t, one, two), set(c[0]));
  const V tail = hn::Div(hn::Mul(smooth, exp_of(hn::Neg(square))), hn::MulAdd(set(2), z, set(1)));
  const M negative = hn::Lt(a.value, set(0));
  // d log(erfc)/dz is at least -(2z + 2); a hundredth more pays for its change within the error of z.
  const M far = hn::Gt(hn::Sub(hn::Abs(a.value), a.error), set(26));
  const V steep = hn::IfThenElse(far, set(0), hn::Mul(hn::MulAdd(set(2), z, set(2)), a.error));
  const V own = hn::MulAdd(square, set(kUnit), set(2 * kFunction));
  const V error = hn::MulAdd(tail, hn::MulAdd(set(1.01), steep, own), set(kTiny));
  const V y = hn::IfThenElse(negative, hn::Sub(set(2), tail), tail);
  return {y,
          unless(hn::Lt(steep, set(0x1p-10)), hn::IfThenElse(negative, hn::Add(error, set(kUnit)), error))};
}
HWY_INLINE Pair gauss(Pair a) {
  const V z = hn::Min(hn::Abs(a.value), set(26)), square = hn::Mul(z, z);
  const V y = hn::Mul(set(0x1.20dd750429b6dp+0), exp_of(hn::Neg(square)));
  const M far = hn::Gt(hn::Sub(hn::Abs(a.value), a.error), set(26));
  const V steep = hn::IfThenElse(far, set(0), hn::Mul(hn::MulAdd(set(2), z, set(1)), a.error));
  const V own = hn::MulAdd(square, set(kUnit), set(kFunction));
  const V error = hn::MulAdd(y, hn::MulAdd(set(1.01), steep, own), set(kTiny));
  return {y, unless(hn::Lt(steep, set(0x1p-10)), error)};
}

HWY_INLINE Pair sum(Pair a, Pair b) {
  const V y = hn::Add(a.value, b.value);
  return {y, hn::Add(hn::Add(a.error, b.error), relative(y, kUnit))};
}
HWY_INLINE Pair difference(Pair a, Pair b) {
  const V y = hn::Sub(a.value, b.value);
  return {y, hn::Add(hn::Add(a.error, b.error), relative(y, kUnit))};
}
HWY_INLINE Pair product(Pair a, Pair b) {
  const V y = hn::Mul(a.value, b.value);
  const V cross = hn::MulAdd(hn::Abs(a.value), b.error, hn::Mul(hn::Add(hn::Abs(b.value), b.error), a.error));
  const V error = hn::Add(cross, relative(y, kUnit));
  // An exact 0 stays exact; what is not 0 may underflow.
  const M zero = hn::Or(hn::And(hn::Eq(a.value, set(0)), hn::Eq(a.error, set(0))),
                        hn::And(hn::Eq(b.value, set(0)), hn::Eq(b.error, set(0))));
  return {hn::IfThenElse(zero, set(0), y),
          hn::IfThenElse(zero, set(0),
                         hn::Add(error, hn::IfThenElse(hn::Gt(hn::Abs(y), set(kTiny)), set(0), set(kTiny))))};
}
HWY_INLINE Pair quotient(Pair a, Pair b) {
  const V y = hn::Div(a.value, b.value), least = hn::Sub(hn::Abs(b.value), b.error);
  const V inherited = hn::Div(hn::MulAdd(hn::Abs(y), b.error, a.error), least);
  const V error = hn::Add(hn::Add(inherited, relative(y, kUnit)), set(kTiny));
  return {y, unless(hn::Gt(least, set(0)), error)};
}
HWY_INLINE Pair root(Pair a) {
  const V y = hn::Sqrt(a.value);
  const V exact_zero = hn::IfThenElse(hn::Eq(a.error, set(0)), set(0), set(kInfinity));
  const V error = hn::MulAdd(hn::Div(a.error, y), set(0.6), relative(y, kUnit));
  return {y, hn::IfThenElse(hn::Gt(hn::Mul(a.value, set(0.25)), a.error), error, exact_zero)};
}
// A comparison is certain where the errors cannot change it.
HWY_INLINE Pair decide(M yes, Pair a, Pair b) {
  const V doubt = hn::Add(a.error, b.error);
  const M exact = hn::Eq(doubt, set(0)), apart = hn::Gt(hn::Abs(hn::Sub(a.value, b.value)), doubt);
  return {hn::IfThenElse(yes, set(1), set(0)), unless(hn::Or(exact, apart), set(0))};
}
// Where one is surely the smaller the other's error does not matter.
HWY_INLINE Pair smaller(Pair a, Pair b) {
  const M first = hn::Lt(hn::Add(a.value, a.error), hn::Sub(b.value, b.error));
  const M second = hn::Lt(hn::Add(b.value, b.error), hn::Sub(a.value, a.error));
  const V error = hn::IfThenElse(first, a.error, hn::IfThenElse(second, b.error, hn::Max(a.error, b.error)));
  return {hn::Min(a.value, b.value), error};
}
HWY_INLINE Pair select(Pair condition, Pair yes, Pair no) {
  const M chosen = hn::Ne(condition.value, set(0));
  return {hn::IfThenElse(chosen, yes.value, no.value),
          hn::Add(hn::IfThenElse(chosen, yes.error, no.error), condition.error)};
}

HWY_INLINE Pair apply(Op op, Pair a, Pair b, Pair c) {
  switch (op) {
    case Op::neg:
      return {hn::Neg(a.value), a.error};
    case Op::abs:
      return {hn::Abs(a.value), a.error};
    case Op::add:
      return sum(a, b);
    case Op::sub:
      return difference(a, b);
    case Op::mul:
      return product(a, b);
    case Op::div:
      return quotient(a, b);
    case Op::min:
      return smaller(a, b);
    case Op::max: {
      const Pair y = smaller({hn::Neg(a.value), a.error}, {hn::Neg(b.value), b.error});
      return {hn::Neg(y.value), y.error};
    }
    case Op::sqrt:
      return root(a);
    case Op::exp:
      return exp(a);
    case Op::expm1:
      return expm1(a);
    case Op::softplus:
      return softplus(a);
    case Op::logistic:
      return logistic(a);
    case Op::tanh:
      return tanh(a);
    case Op::sech2:
      return sech2(a);
    case Op::tanh_rest:
      return tanh_rest(a);
    case Op::erfc:
      return erfc(a);
    case Op::gauss:
      return gauss(a);
    case Op::less:
      return decide(hn::Lt(a.value, b.value), a, b);
    case Op::less_equal:
      return decide(hn::Le(a.value, b.value), a, b);
    case Op::equal:
      return decide(hn::Eq(a.value, b.value), a, b);
    case Op::both:
      return {hn::Mul(a.value, b.value), hn::Add(a.error, b.error)};
    case Op::either:
      return {hn::Max(a.value, b.value), hn::Add(a.error, b.error)};
    case Op::select:
      return select(a, b, c);
    case Op::constant:
    case Op::x:
      break;
  }
  return a;
}

// One loop an operation: the switch is decided outside it.
template <Op op>
void loop(const double* const* v, double* const* out) {
  for (std::size_t i = 0; i < kBlockSize; i += hn::Lanes(D())) {
    const auto operand = [&](int k) HWY_ATTR {
      return Pair{hn::Load(D(), v[2 * k] + i), hn::Load(D(), v[2 * k + 1] + i)};
    };
    const Pair y = apply(op, operand(0), operand(1), operand(2));
    hn::Store(y.value, D(), out[0] + i);
    hn::Store(y.error, D(), out[1] + i);
  }
}

using Loop = void (*)(const double* const*, double* const*);
template <std::size_t... ops>
constexpr std::array<Loop, sizeof...(ops)> table(std::index_sequence<ops...>) {
  return {&loop<static_cast<Op>(ops)>...};
}
constexpr auto kLoops = table(std::make_index_sequence<static_cast<std::size_t>(Op::select) + 1>());

}  // namespace

void step(Op op, const double* const* operands, double* const* result) {
  kLoops[static_cast<std::size_t>(op)](operands, result);
}

void judge(const double* values, const double* errors, const float* results, Verdict& verdict) {
  const D d;
  const hn::Rebind<float, D> df;
  const hn::Repartition<std::uint64_t, D> du;
  std::uint64_t wrong_count = 0;
  V worst = set(0);
  M all = hn::Eq(worst, worst);
  for (std::size_t i = 0; i < kBlockSize; i += hn::Lanes(d)) {
    // Beyond 1e300 everything overflows alike.
    const V v = hn::Min(hn::Max(hn::Load(d, values + i), set(-1e300)), set(1e300));
    // v - wide and v + wide are rounded themselves.
    const V e = hn::Load(d, errors + i);
    const V rounding = hn::Mul(hn::Add(hn::Abs(v), e), set(kUnit));
    const V wide = hn::IfThenElse(hn::Eq(e, set(0)), set(0), hn::Add(e, rounding));
    const V got = hn::PromoteTo(d, hn::LoadU(df, results + i));
    const V low = hn::PromoteTo(d, hn::DemoteTo(df, hn::Sub(v, wide)));
    const V high = hn::PromoteTo(d, hn::DemoteTo(df, hn::Add(v, wide)));
    const M decided = hn::Eq(low, high), right = hn::And(decided, hn::Eq(got, low));
    wrong_count += hn::CountTrue(d, hn::And(decided, hn::Ne(got, low)));
    // 2^23 over the power of two below the smallest the exact result may be, and 2^-126.
    const V least = hn::Max(hn::Sub(hn::Abs(v), wide), set(0x1p-126));
    const auto exponent = hn::And(hn::BitCast(du, least), hn::Set(du, 0x7ff0000000000000ULL));
    const V inverse = hn::BitCast(d, hn::Sub(hn::Set(du, std::uint64_t{2 * 1023 + 23} << 52), exponent));
    const V distance = hn::Mul(hn::Add(hn::Abs(hn::Sub(got, v)), wide), inverse);
    const M overflow = hn::And(right, hn::Gt(hn::Abs(got), set(0x1.fffffep127)));
    // NaN is the worst of all.
    const V upper = hn::IfThenElse(overflow, set(0),
                                   hn::IfThenElse(hn::Eq(distance, distance), distance, set(kInfinity)));
    hn::Store(upper, d, verdict.upper + i);
    hn::Store(hn::IfThenElse(decided, set(0), set(1)), d, verdict.undecided + i);
    worst = hn::Max(worst, upper);
    all = hn::And(all, decided);
  }
  verdict.wrong = wrong_count;
  verdict.worst = hn::GetLane(hn::MaxOfLanes(d, worst));
  verdict.all_decided = hn::AllTrue(d, all);
}

void hash_lines(const std::uint32_t* words, std::size_t lines, std::uint32_t* state) {
  std::uint32_t h[16];
  std::memcpy(h, state, sizeof h);
  for (std::size_t i = 0; i < lines; ++i) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const std::uint32_t word = words[16 * i + lane];
      const std::uint32_t bits = (word & 0x7fffffffU) > 0x7f800000U ? 0xffffffffU : word;
      const std::uint32_t mixed = (h[lane] ^ bits) * 0x9e3779b1U;
      h[lane] = mixed ^ (mixed >> 15);
    }
  }
  std::memcpy(state, h, sizeof h);
}

}  // namespace keratin::accuracy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
