// Wide numbers: (hi + lo)·2^exponent, about 104 bits and an exponent that does not run out. Definitions run
// on them give f64 results within 0.51 ULP: nothing that cancels, overflows or underflows on the way is lost.
// Infinities enter as ±2^1100, which every definition takes to its limit without making a NaN.

struct Wide {
  using IsKeratinValue = void;
  Vec<double> hi, lo;    // |lo| <= ulp(hi)/2; |hi| within 2^±300 of 1, or 0
  Vec<double> exponent;  // whole; 0 but for very large or small numbers
};

namespace detail {

// high + low, |high| >= |low|, normalised; -0 + 0 stays -0.
HWY_INLINE Wide normalised(Vec<double> high, Vec<double> low, Vec<double> exponent) {
  const Pair sum = fast_two_sum(high, low);
  return {where(sum.hi == set(0.0), high, sum.hi), sum.lo, exponent};
}

constexpr double kInfinityExponent = 1100;

// The lanes whose magnitude needs an exponent beside it.
inline Wide widen_extreme(Vec<double> x) {
  const Mask<double> infinite = abs(x) == set(std::numeric_limits<double>::infinity());
  const Vec<double> a = abs(x);
  const Mask<double> extreme = (a > set(0x1p200) || a < set(0x1p-200)) && !(x == set(0.0));
  // Subnormals are made normal first.
  const Mask<double> tiny = a < set(0x1p-900);
  const Vec<double> y = where(tiny, x * set(0x1p100), x);
  const Vec<double> e = where(infinite, set(0.0), exponent_of(y));
  const Vec<double> mantissa = where(infinite, copy_sign(set(1.0), x), scale(y, -e));
  const Vec<double> exponent = where(infinite, set(kInfinityExponent), where(tiny, e - set(100.0), e));
  const Vec<double> zero = set(0.0);
  return {where(extreme, mantissa, x), zero, where(extreme, exponent, zero)};
}

}  // namespace detail

HWY_INLINE Wide widen(Vec<double> x) {
  const Vec<double> a = abs(x);
  if (all((a <= set(0x1p200) && a >= set(0x1p-200)) || a == set(0.0))) return {x, set(0.0), set(0.0)};
  return detail::widen_extreme(x);
}

namespace detail {

// (hi + lo)·2^exponent rounded once, where the result may be subnormal or too large.
inline Vec<double> narrow_extreme(Wide x) {
  const Vec<double> zero = set(0.0);
  const Mask<double> none = x.hi == zero;
  const Vec<double> e = where(none, zero, exponent_of(x.hi));
  // |x| = (high + low)·2^total, 1 <= high < 2.
  const Vec<double> high = where(none, zero, abs(scale(x.hi, -e)));
  const Vec<double> low = where(none, zero, flip_sign(scale(x.lo, -e), x.hi));
  const Vec<double> total = clamp(e + x.exponent, -1100, 1100);
  // The smallest subnormal number in units of 2^total, and high rounded to a multiple of it. That is the sum
  // rounded, but where high is halfway between two multiples and low decides.
  const Vec<double> unit = exp2_of_whole(clamp(set(-1074.0) - total, -60, 3));
  const Vec<double> magic = set(0x1p52) * unit, half = set(0.5) * unit;
  const Vec<double> rounded = (high + magic) - magic, rest = high - rounded;
  const Vec<double> up = where(rest == half && low > zero, unit, zero);
  const Vec<double> down = where(rest == -half && low < zero, unit, zero);
  const Vec<double> magnitude = where(total < set(-1022.0), rounded + up - down, high + low);
  return scale(copy_sign(magnitude, x.hi), total);
}

}  // namespace detail

/// Rounds to f64, once.
HWY_INLINE Vec<double> narrow(Wide x) {
  const Vec<double> zero = set(0.0);
  if (all(x.exponent == zero)) return where(x.lo == zero, x.hi, x.hi + x.lo);
  return detail::narrow_extreme(x);
}

HWY_INLINE Wide like(Wide, Constant c) {
  // Parameters may be infinite: beyond every infinity that x can be.
  const bool infinite = c.hi > 0x1p1000 || c.hi < -0x1p1000;
  const double sign = c.hi < 0 ? -1 : 1;
  return {set(infinite ? sign : c.hi), set(infinite ? 0.0 : c.lo), set(infinite ? 4000.0 : 0.0)};
}

HWY_INLINE Wide operator-(Wide a) { return {-a.hi, -a.lo, a.exponent}; }

namespace detail {

// Both at the larger exponent of the two (that of a zero does not count); what falls below is negligible.
inline void align(Wide& a, Wide& b) {
  const Vec<double> zero = set(0.0);
  const Vec<double> ea = where(a.hi == zero, b.exponent, a.exponent);
  const Vec<double> eb = where(b.hi == zero, ea, b.exponent);
  const Vec<double> top = where(ea < eb, eb, ea);
  const Vec<double> down_a = exp2_of_whole(clamp(ea - top, -1000, 0));
  const Vec<double> down_b = exp2_of_whole(clamp(eb - top, -1000, 0));
  a = {a.hi * down_a, a.lo * down_a, top};
  b = {b.hi * down_b, b.lo * down_b, top};
}

}  // namespace detail

HWY_INLINE Wide operator+(Wide a, Wide b) {
  if (!all(a.exponent == b.exponent)) detail::align(a, b);
  const Pair high = two_sum(a.hi, b.hi), low = two_sum(a.lo, b.lo);
  const Pair sum = fast_two_sum(high.hi, high.lo + low.hi);
  return detail::normalised(where(sum.hi == set(0.0), high.hi, sum.hi), sum.lo + low.lo, a.exponent);
}
HWY_INLINE Wide operator-(Wide a, Wide b) { return a + -b; }
HWY_INLINE Wide operator*(Wide a, Wide b) {
  const Pair product = two_product(a.hi, b.hi);
  const Vec<double> low = fma(a.hi, b.lo, fma(a.lo, b.hi, product.lo));
  return detail::normalised(product.hi, low, a.exponent + b.exponent);
}
HWY_INLINE Wide operator/(Wide a, Wide b) {
  const Vec<double> inverse = set(1.0) / b.hi;
  const Vec<double> q = a.hi * inverse;
  // The remainder a - q b, exact but for its own rounding, and one correction.
  const Vec<double> rest = fma(-q, b.hi, a.hi) + fma(-q, b.lo, a.lo);
  const Vec<double> q2 = rest * inverse;
  const Pair sum = fast_two_sum(q, q2);
  const Vec<double> rest2 = fma(-q2, b.hi, rest);
  return detail::normalised(where(sum.hi == set(0.0), q, sum.hi), fma(rest2, inverse, sum.lo),
                            a.exponent - b.exponent);
}

HWY_INLINE Mask<double> operator<(Wide a, Wide b) { return (a - b).hi < set(0.0); }
HWY_INLINE Mask<double> operator<=(Wide a, Wide b) { return (a - b).hi <= set(0.0); }
HWY_INLINE Mask<double> operator>(Wide a, Wide b) { return (a - b).hi > set(0.0); }
HWY_INLINE Mask<double> operator>=(Wide a, Wide b) { return (a - b).hi >= set(0.0); }
HWY_INLINE Mask<double> operator==(Wide a, Wide b) { return (a - b).hi == set(0.0); }

HWY_INLINE Wide where(Mask<double> m, Wide a, Wide b) {
  return {where(m, a.hi, b.hi), where(m, a.lo, b.lo), where(m, a.exponent, b.exponent)};
}
HWY_INLINE Wide abs(Wide a) { return {abs(a.hi), flip_sign(a.lo, a.hi), a.exponent}; }
