// Close numbers: hi + lo, known to lie within `error` of what they stand for. Definitions run on them cost a
// sixth of what wide numbers cost, and say of nearly every result that rounding it is certain; the others are
// left to wide numbers, which then give the same bits. No exponents beyond those of f64: what leaves their
// range has no bound.

struct Close {
  using IsKeratinValue = void;
  // |lo| is at most a few ulp(hi). The error is at least 2^-80 of the number itself, so that what operations
  // round, 2^-102 of their operands, is less than its own last digits.
  Vec<double> hi, lo, error;
};

namespace detail {

constexpr double kCloseFloor = 0x1p-80;
// Functions give no number below 2^-360, definitions multiply two of them at most: none underflows, nor does
// what a product's rounding leaves.
constexpr double kCloseSmallest = 0x1p-100, kCloseLargest = 0x1p100;

}  // namespace detail

/// Without a bound, and so with no certain result, for very small and very large numbers and NaN.
HWY_INLINE Close close(Vec<double> x) {
  const Vec<double> size = abs(x);
  const Mask<double> small = size < set(detail::kCloseSmallest) && !(size == set(0.0));
  const Mask<double> moderate = size <= set(detail::kCloseLargest) && !small;
  return {x, set(0.0),
          where(moderate, size * set(detail::kCloseFloor), set(std::numeric_limits<double>::infinity()))};
}

HWY_INLINE Close like(Close, Constant c) {
  const double size = c.hi < 0 ? -c.hi : c.hi;
  const bool moderate = size == 0 || (size >= detail::kCloseSmallest && size <= detail::kCloseLargest);
  return {set(c.hi), set(c.lo),
          set(moderate ? size * detail::kCloseFloor : std::numeric_limits<double>::infinity())};
}

HWY_INLINE Close operator-(Close a) { return {-a.hi, -a.lo, a.error}; }
HWY_INLINE Close operator+(Close a, Close b) {
  const Pair sum = two_sum(a.hi, b.hi), result = fast_two_sum(sum.hi, sum.lo + (a.lo + b.lo));
  return {result.hi, result.lo, a.error + b.error};
}
HWY_INLINE Close operator-(Close a, Close b) { return a + -b; }
HWY_INLINE Close operator*(Close a, Close b) {
  const Pair product = two_product(a.hi, b.hi);
  return {product.hi, fma(a.hi, b.lo, fma(a.lo, b.hi, product.lo)),
          fma(abs(a.hi), b.error, abs(b.hi) * a.error)};
}
HWY_INLINE Close operator/(Close a, Close b) {
  const Vec<double> inverse = set(1.0) / b.hi, q = a.hi * inverse;
  const Vec<double> rest = fma(-q, b.hi, a.hi) + fma(-q, b.lo, a.lo);
  return {q, rest * inverse, fma(abs(q), b.error, a.error) * abs(inverse)};
}

namespace detail {

// Its sign is that of a - b, for numbers whose own errors are of no account.
HWY_INLINE Vec<double> close_difference(Close a, Close b) { return (a.hi - b.hi) + (a.lo - b.lo); }

}  // namespace detail

HWY_INLINE Mask<double> operator<(Close a, Close b) { return detail::close_difference(a, b) < set(0.0); }
HWY_INLINE Mask<double> operator<=(Close a, Close b) { return detail::close_difference(a, b) <= set(0.0); }
HWY_INLINE Mask<double> operator>(Close a, Close b) { return detail::close_difference(a, b) > set(0.0); }
HWY_INLINE Mask<double> operator>=(Close a, Close b) { return detail::close_difference(a, b) >= set(0.0); }
HWY_INLINE Mask<double> operator==(Close a, Close b) { return detail::close_difference(a, b) == set(0.0); }

HWY_INLINE Close where(Mask<double> m, Close a, Close b) {
  return {where(m, a.hi, b.hi), where(m, a.lo, b.lo), where(m, a.error, b.error)};
}
HWY_INLINE Close abs(Close a) { return {abs(a.hi), flip_sign(a.lo, a.hi), a.error}; }

/// Rounded to f64, and in which lanes that is certain to be what the exact number rounds to.
struct Settled {
  Vec<double> value;
  Mask<double> certain;
};
HWY_INLINE Settled settle(Close x) {
  const Vec<double> zero = set(0.0), error = x.error * set(1.001);  // what computing the bounds rounded
  const Vec<double> low = x.hi + (x.lo - error), high = x.hi + (x.lo + error);
  const Mask<double> exact = error == zero && x.lo == zero;
  // For the sign of zero.
  return {where(exact, x.hi, low), low == high && (exact || abs(low) > set(0x1p-900))};
}
