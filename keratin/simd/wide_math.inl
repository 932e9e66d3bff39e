// Functions of wide numbers, to about 2^-100 relative (erfc beyond 1: 2^-75); all x. Not inlined: they are
// long.

namespace detail {

// c[0] + c[1] x + … with the leading coefficients, where they matter, as pairs; x = hi + lo.
template <std::size_t N, std::size_t M>
HWY_INLINE Pair wide_polynomial(Pair x, const Constant (&c)[N], const double (&tail)[M]) {
  Vec<double> start = set(tail[M - 1]);
  for (std::size_t k = M - 1; k > 0; --k) start = fma(start, x.hi, set(tail[k - 1]));
  Pair p{start, set(0.0)};
  for (std::size_t k = N; k > 0; --k) {
    const Pair product = two_product(p.hi, x.hi);
    const Pair sum = two_sum(set(c[k - 1].hi), product.hi);
    const Vec<double> low = fma(p.hi, x.lo, fma(p.lo, x.hi, product.lo));
    p = fast_two_sum(sum.hi, sum.lo + (low + set(c[k - 1].lo)));
  }
  return p;
}

// A wide number as a pair without exponent, within ±limit.
HWY_INLINE Pair collapse(Wide x, double limit) {
  const Vec<double> top = set(limit), zero = set(0.0);
  if (!all(x.exponent == zero)) {
    const Vec<double> power = exp2_of_whole(clamp(x.exponent, -700, 700));
    x.hi = x.hi * power;
    x.lo = x.lo * power;
  }
  const Mask<double> inside = abs(x.hi) < top;
  return {where(inside, x.hi, copy_sign(top, x.hi)), where(inside, x.lo, zero)};
}

// e^x - 1 = 2^n (1 + p) - 1.
struct WideReduced {
  Vec<double> n;
  Pair p;
};
HWY_INLINE WideReduced wide_reduce(Pair x) {
  using namespace coefficients;
  const Vec<double> n = round_to_whole(x.hi * set(kLog2E));
  const Vec<double> first = fma(n, set(-kLn2[0]), x.hi);  // exact
  const Pair second = two_product(n, set(kLn2[1]));
  const Pair difference = two_sum(first, -second.hi);
  const Vec<double> low = difference.lo + (x.lo - fma(n, set(kLn2[2]), second.lo));
  const Pair r = fast_two_sum(difference.hi, low);
  const Pair series = wide_polynomial(r, kExpWide, kExpWideTail);
  const Pair product = two_product(r.hi, series.hi);
  return {n, fast_two_sum(product.hi, fma(r.hi, series.lo, fma(r.lo, series.hi, product.lo)))};
}

// 1 + p times 2^n.
HWY_INLINE Wide wide_power(WideReduced r) {
  const Vec<double> zero = set(0.0);
  const Pair sum = fast_two_sum(set(1.0), r.p.hi);
  const Pair y = fast_two_sum(sum.hi, sum.lo + r.p.lo);
  const Mask<double> moderate = abs(r.n) <= set(200.0);
  const Vec<double> power = exp2_of_whole(where(moderate, r.n, zero));
  return {y.hi * power, y.lo * power, where(moderate, zero, r.n)};
}

// Beyond it e^x over- and underflows every other operand.
constexpr double kExpLimit = 5000;

}  // namespace detail

HWY_NOINLINE inline Wide exp(Wide x) {
  return detail::wide_power(detail::wide_reduce(detail::collapse(x, detail::kExpLimit)));
}

HWY_NOINLINE inline Wide expm1(Wide x) {
  const Pair collapsed = detail::collapse(x, detail::kExpLimit);
  const detail::WideReduced r = detail::wide_reduce(collapsed);
  const Wide far = detail::wide_power(r) - 1;
  const Wide near{r.p.hi, r.p.lo, set(0.0)};
  const Wide y = where(r.n == set(0.0), near, far);
  // x + x²/2: the square tells on which side of x the result lies, where alpha·(e^x - 1) is a tie.
  const Wide tiny{x.hi, fma(set(0.5) * x.hi, collapsed.hi, x.lo), x.exponent};
  return where(abs(collapsed.hi) < set(0x1p-110), tiny, y);
}

namespace detail {

// ln(1 + x) for -1 < x < 2^200: one step of Newton's method from the f64 result, with an exact residual.
HWY_NOINLINE inline Wide wide_log1p(Wide x) {
  const Vec<double> zero = set(0.0);
  const Wide start{log1p(collapse(x, 0x1p200).hi), zero, zero};
  const Wide power = expm1(start);
  // ln(1 + x) = s + ln(1 + d), d = (x - (e^s - 1))/e^s.
  const Wide d = (x - power) / (power + 1);
  return start + d * (1 - 0.5 * d);
}

}  // namespace detail

/// x >= 0.
HWY_NOINLINE inline Wide log(Wide x) {
  const Vec<double> zero = set(0.0);
  const Vec<double> k = detail::log_exponent(x.hi);
  const Vec<double> power = exp2_of_whole(-k);
  const Wide mantissa{x.hi * power, x.lo * power, zero};
  const Wide whole{k + x.exponent, zero, zero};
  const Wide y = whole * coefficients::kLn2Pair + detail::wide_log1p(mantissa - 1);
  const Wide minus_infinity{set(-1.0), zero, set(detail::kInfinityExponent)};
  return where(x.hi == zero, minus_infinity, y);
}

/// x > -1.
HWY_NOINLINE inline Wide log1p(Wide x) {
  const Vec<double> size = detail::collapse(x, 0x1p200).hi;
  const Mask<double> large = size > set(0x1p120);
  Wide y = where(abs(size) < set(0x1p-110), x, detail::wide_log1p(x));
  if (!all(!large)) y = where(large, log(x), y);
  return y;
}

HWY_NOINLINE inline Wide sqrt(Wide x) {
  const Vec<double> zero = set(0.0);
  // An even exponent.
  const Vec<double> half = round_to_whole(x.exponent * set(0.5));
  const Vec<double> shift = exp2_of_whole(x.exponent - half - half);
  const Vec<double> hi = x.hi * shift, lo = x.lo * shift;
  const Vec<double> root = sqrt(hi);
  const Vec<double> rest = fma(-root, root, hi) + lo;
  const Wide y = detail::normalised(root, rest / (root + root), half);
  return where(hi == zero, x, y);
}

HWY_NOINLINE inline Wide tanh(Wide x) {
  // -t/(t + 2) with t = e^(-2|x|) - 1.
  const Wide t = expm1(-2 * abs(x));
  const Wide y = -t / (t + 2);
  return {flip_sign(y.hi, x.hi), flip_sign(y.lo, x.hi), y.exponent};
}

HWY_NOINLINE inline Wide tanh_slope(Wide x) {
  const Wide e = exp(-2 * abs(x)), sum = 1 + e;
  return 4 * e / (sum * sum);
}

HWY_NOINLINE inline Wide sigmoid(Wide x) {
  const Wide e = exp(-abs(x));
  return where(x.hi < set(0.0), e, like(x, 1)) / (1 + e);
}

HWY_NOINLINE inline Wide softplus(Wide x) {
  return where(x.hi < set(0.0), like(x, 0), x) + log1p(exp(-abs(x)));
}

HWY_NOINLINE inline Wide gauss(Wide x) { return exp(-(x * x)); }

namespace detail {

// erf(x) for |x| <= 1.
HWY_INLINE Wide wide_erf_near(Wide x) {
  const Wide square = x * x;
  const Pair ratio = wide_polynomial(collapse(square, 1), coefficients::kErfWide, coefficients::kErfWideTail);
  return x * Wide{ratio.hi, ratio.lo, set(0.0)};
}
// erfc(x) for x >= 1.
HWY_INLINE Wide wide_erfc_far(Wide x) {
  const Pair inside = collapse(x, 28);
  const Wide y{inside.hi, inside.lo, set(0.0)};
  const Wide t = (y - coefficients::kErfcCentre) / (y + coefficients::kErfcCentre);
  const Pair scaled = wide_polynomial({t.hi, t.lo}, coefficients::kErfcWide, coefficients::kErfcWideTail);
  return gauss(x) * Wide{scaled.hi, scaled.lo, set(0.0)} / (1 + 2 * y);
}

}  // namespace detail

HWY_NOINLINE inline Wide erf(Wide x) {
  const Wide a = abs(x), far = 1 - detail::wide_erfc_far(a);
  return where(a <= 1, detail::wide_erf_near(x),
               Wide{flip_sign(far.hi, x.hi), flip_sign(far.lo, x.hi), far.exponent});
}

HWY_NOINLINE inline Wide erfc(Wide x) {
  const Wide a = abs(x), far = detail::wide_erfc_far(a);
  return where(a <= 1, 1 - detail::wide_erf_near(x), where(x.hi < set(0.0), 2 - far, far));
}
