// Functions of f64 vectors: each states its largest error in ULP and its range; math_test.cc holds it to
// them. All: NaN in, NaN out; subnormal results rounded once; odd functions keep the sign of zero.

template <std::size_t N>
HWY_INLINE Vec<double> polynomial(Vec<double> x, const double (&c)[N]) {
  // Even and odd powers in two chains: half the latency.
  const Vec<double> x2 = x * x;
  constexpr std::size_t kOdd = (N - 2) / 2 * 2 + 1, kEven = (N - 1) / 2 * 2;
  Vec<double> odd = set(c[kOdd]), even = set(c[kEven]);
  for (std::size_t k = kOdd; k > 1; k -= 2) odd = fma(odd, x2, set(c[k - 2]));
  for (std::size_t k = kEven; k > 0; k -= 2) even = fma(even, x2, set(c[k - 2]));
  return fma(odd, x, even);
}

/// hi + lo, where lo is what hi has lost by rounding.
struct Pair {
  Vec<double> hi, lo;
};
/// a + b exactly, for |a| >= |b| or a = 0.
HWY_INLINE Pair fast_two_sum(Vec<double> a, Vec<double> b) {
  const Vec<double> sum = a + b;
  return {sum, b - (sum - a)};
}
/// a + b exactly.
HWY_INLINE Pair two_sum(Vec<double> a, Vec<double> b) {
  const Vec<double> sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
/// a·b exactly.
HWY_INLINE Pair two_product(Vec<double> a, Vec<double> b) {
  const Vec<double> product = a * b;
  return {product, fma(a, b, -product)};
}

namespace detail {

// e^x = 2^n (1 + hi + lo), |hi| <= ln(2)/2, to about 2^-61; |x| < 2^14.
struct Reduced {
  Vec<double> n, hi, lo;
};
HWY_INLINE Reduced reduce(Vec<double> x) {
  using namespace coefficients;
  const Vec<double> n = round_to_whole(x * set(kLog2E));
  const Vec<double> first = fma(n, set(-kLn2[0]), x);  // exact
  const Vec<double> second = n * set(kLn2[1]);
  const Vec<double> r = first - second;
  const Vec<double> lost = (first - r) - second;
  return {n, r, fma(r * r, polynomial(r, kExp), lost)};
}

HWY_INLINE Vec<double> clamp(Vec<double> x, double low, double high) {
  x = where(x < set(low), set(low), x);  // NaN stays
  return where(x > set(high), set(high), x);
}

// q = numerator/denominator with the error of the first quotient corrected.
HWY_INLINE Vec<double> divide(Pair numerator, Pair denominator) {
  const Vec<double> inverse = set(1.0) / denominator.hi;
  const Vec<double> q = numerator.hi * inverse;
  const Vec<double> rest = fma(-q, denominator.hi, numerator.hi) + fma(-q, denominator.lo, numerator.lo);
  return fma(rest, inverse, q);
}

// e^x - 1 as a pair, for -50 < x <= 40.
HWY_INLINE Pair expm1_pair(Vec<double> x) {
  const Reduced r = reduce(x);
  const Vec<double> power = exp2_of_whole(r.n);
  const Pair first = two_sum(power, set(-1.0)), sum = two_sum(first.hi, power * r.hi);
  return fast_two_sum(sum.hi, fma(power, r.lo, sum.lo + first.lo));
}

}  // namespace detail

/// e^x.
constexpr Bound exp_bound{0.7, 0.8};
HWY_INLINE Vec<double> exp(Vec<double> x) {
  const detail::Reduced r = detail::reduce(detail::clamp(x, -800, 800));
  const Pair sum = fast_two_sum(set(1.0), r.hi);
  return scale(sum.hi + (sum.lo + r.lo), r.n);
}

/// e^x - 1.
constexpr Bound expm1_bound{1.05, 0.5};
HWY_INLINE Vec<double> expm1(Vec<double> x) {
  const detail::Reduced r = detail::reduce(detail::clamp(x, -50, 800));
  // Halves, so that 2^n does not overflow where the result does not.
  const Vec<double> n = detail::clamp(r.n - set(1.0), -1000, 1023);
  const Vec<double> power = exp2_of_whole(n);
  const Pair first = two_sum(power, set(-0.5)), sum = two_sum(first.hi, power * r.hi);
  const Vec<double> y = set(2.0) * (sum.hi + fma(power, r.lo, sum.lo + first.lo));
  return where(abs(x) < set(0x1p-54), x,
               where(x > set(709.9), set(std::numeric_limits<double>::infinity()), y));
}

namespace detail {

// ln((1 + f)·2^k + rest·2^k) for sqrt(1/2) <= 1 + f < sqrt(2) and a tiny rest.
HWY_INLINE Vec<double> log_sum(Vec<double> k, Vec<double> f, Vec<double> rest) {
  using namespace coefficients;
  const Vec<double> s = f / (set(2.0) + f), z = s * s;
  const Vec<double> half_square = set(0.5) * f * f;
  const Vec<double> tail = fma(s, fma(z, polynomial(z, kLog), half_square), fma(k, set(kLn2[1]), rest));
  const Pair sum = fast_two_sum(k * set(kLn2[0]), f);
  return sum.hi + (sum.lo - (half_square - tail));
}

// The exponent k that brings x/2^k into [sqrt(1/2), sqrt(2)), for a normal x > 0.
HWY_INLINE Vec<double> log_exponent(Vec<double> x) { return exponent_of(x * set(0x1.6a09e667f3bcdp0)); }

}  // namespace detail

/// ln x.
constexpr Bound log_bound{0.9, 0.5, 0};
HWY_INLINE Vec<double> log(Vec<double> x) {
  const Mask<double> small = x<set(0x1p-1000), large = x> set(0x1p1000);
  const Vec<double> shift = where(small, set(200.0), where(large, set(-200.0), set(0.0)));
  const Vec<double> y = x * exp2_of_whole(shift);
  const Vec<double> k = detail::log_exponent(y);
  const Vec<double> m = y * exp2_of_whole(-k);
  Vec<double> result = detail::log_sum(k - shift, m - set(1.0), set(0.0));
  const Vec<double> infinity = set(std::numeric_limits<double>::infinity());
  result = where(x == infinity, infinity, result);
  result = where(x == set(0.0), -infinity, result);
  return where(x < set(0.0), set(std::numeric_limits<double>::quiet_NaN()), result);
}

/// ln(1 + x).
constexpr Bound log1p_bound{0.9, 0.5, -1};
HWY_INLINE Vec<double> log1p(Vec<double> x) {
  const Vec<double> one = set(1.0), zero = set(0.0), infinity = set(std::numeric_limits<double>::infinity());
  const Mask<double> large = x > set(0x1p1000);
  const Pair sum = two_sum(one, x);
  const Vec<double> y = where(large, x * set(0x1p-200), sum.hi);
  const Vec<double> k = detail::log_exponent(y);
  const Mask<double> near = k == zero;
  const Vec<double> f = where(near, x, fma(y, exp2_of_whole(-k), -one));
  const Vec<double> rest = where(near || large, zero, sum.lo / y);
  Vec<double> result = detail::log_sum(where(large, k + set(200.0), k), f, rest);
  result = where(abs(x) < set(0x1p-54) || x == infinity, x, result);
  result = where(x == -one, -infinity, result);
  return where(x < -one, set(std::numeric_limits<double>::quiet_NaN()), result);
}

/// tanh x.
constexpr Bound tanh_bound{0.8, 0.5};
HWY_INLINE Vec<double> tanh(Vec<double> x) {
  // -t/(t + 2) with t = e^(-2|x|) - 1.
  const Vec<double> a = detail::clamp(abs(x), 0, 22);
  const Pair t = detail::expm1_pair(set(-2.0) * a);
  const Pair denominator = fast_two_sum(set(2.0), t.hi);
  const Vec<double> y = detail::divide({-t.hi, -t.lo}, {denominator.hi, denominator.lo + t.lo});
  return where(a < set(0x1p-28), x, copy_sign(y, x));
}

namespace detail {

// e = e^-a = 2^n scaled and 1 + e, for a >= 0.
struct Logistic {
  Vec<double> n;
  Pair scaled, sum;
};
HWY_INLINE Logistic logistic(Vec<double> a) {
  const Reduced r = reduce(clamp(-a, -800, 0));
  const Pair one = fast_two_sum(set(1.0), r.hi), scaled = fast_two_sum(one.hi, one.lo + r.lo);
  const Vec<double> power = exp2_of_whole(clamp(r.n, -1000, 0));
  const Pair sum = fast_two_sum(set(1.0), power * scaled.hi);
  return {r.n, scaled, {sum.hi, fma(power, scaled.lo, sum.lo)}};
}

}  // namespace detail

/// 1 - tanh(x)^2, the derivative of tanh.
constexpr Bound tanh_slope_bound{0.8, 0.8};
HWY_INLINE Vec<double> tanh_slope(Vec<double> x) {
  // 4e/(1 + e)^2 with e = e^-2|x|, the powers of two applied last.
  const detail::Logistic e = detail::logistic(set(2.0) * abs(x));
  const Pair square = two_product(e.sum.hi, e.sum.hi);
  const Vec<double> low = fma(e.sum.hi + e.sum.hi, e.sum.lo, square.lo);
  return where(is_nan(x), x, scale(detail::divide(e.scaled, {square.hi, low}), e.n + set(2.0)));
}

/// 1/(1 + e^-x).
constexpr Bound sigmoid_bound{0.7, 0.8};
HWY_INLINE Vec<double> sigmoid(Vec<double> x) {
  // (1 or e)/(1 + e) with e = e^-|x|.
  const detail::Logistic e = detail::logistic(abs(x));
  const Mask<double> negative = x < set(0.0);
  const Vec<double> one = set(1.0), zero = set(0.0);
  const Pair numerator{where(negative, e.scaled.hi, one), where(negative, e.scaled.lo, zero)};
  return where(is_nan(x), x, scale(detail::divide(numerator, e.sum), where(negative, e.n, zero)));
}

/// ln(1 + e^x).
constexpr Bound softplus_bound{1.6, 0.85};
HWY_INLINE Vec<double> softplus(Vec<double> x) {
  const Vec<double> positive = where(x < set(0.0), set(0.0), x);
  return positive + log1p(exp(-abs(x)));
}

namespace detail {

// e^(-z^2), the rounding of z^2 undone; z >= 0.
HWY_INLINE Vec<double> gauss(Vec<double> z) {
  const Vec<double> inside = clamp(z, 0, 30);
  const Pair square = two_product(inside, inside);
  const Reduced r = reduce(-square.hi);
  const Pair sum = fast_two_sum(set(1.0), r.hi);
  return scale(sum.hi + fma(-(sum.hi + r.lo), square.lo, sum.lo + r.lo), r.n);
}
// erf(z) for |z| <= 1.
HWY_INLINE Vec<double> erf_near(Vec<double> z) { return fma(z, polynomial(z * z, coefficients::kErf), z); }
// erfc(z) for z >= 1/2.
HWY_INLINE Vec<double> erfc_far(Vec<double> z) {
  const Vec<double> c = set(coefficients::kErfcCentre), y = clamp(z, 0.5, 28);
  const Vec<double> scaled = polynomial((y - c) / (y + c), coefficients::kErfc);
  return divide(two_product(gauss(y), scaled), two_sum(y + y, set(1.0)));
}

}  // namespace detail

/// erf x.
constexpr Bound erf_bound{1.2, 0.5};
HWY_INLINE Vec<double> erf(Vec<double> x) {
  const Vec<double> a = abs(x);
  const Vec<double> far = copy_sign(set(1.0) - detail::erfc_far(a), x);
  return where(is_nan(x), x, where(a < set(1.0), detail::erf_near(x), far));
}

/// 1 - erf x.
constexpr Bound erfc_bound{3.2, 1};
HWY_INLINE Vec<double> erfc(Vec<double> x) {
  const Vec<double> a = abs(x), far = detail::erfc_far(a);
  const Vec<double> outside = where(x < set(0.0), set(2.0) - far, far);
  return where(is_nan(x), x, where(a < set(0.75), set(1.0) - detail::erf_near(x), outside));
}

/// e^(-x^2).
constexpr Bound gauss_bound{0.8, 0.8};
HWY_INLINE Vec<double> gauss(Vec<double> x) { return where(is_nan(x), x, detail::gauss(abs(x))); }
