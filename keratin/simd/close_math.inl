// Functions of close numbers, to about 2^-65 relative. Each adds its own error, a fraction of the result, to
// that of the argument times the slope; math_test.cc holds both against wide numbers. Beyond ±kCloseReach
// they have no bound.

namespace detail {

constexpr double kCloseReach = 250;
// Of e^x, and of e^x - 1.
constexpr double kCloseExp = 0x1p-69, kCloseExpm1 = 0x1.4p-65;

template <class T>
HWY_INLINE Vec<double> entry_of_16(const T& table, hn::Vec<Tag<std::int64_t>> i) {
#if HWY_TARGET == HWY_AVX3
  return {
      hn::Vec<Tag<double>>{_mm512_permutex2var_pd(_mm512_load_pd(table), i.raw, _mm512_load_pd(table + 8))}};
#else
  return {hn::GatherIndex(Tag<double>(), table, hn::And(i, hn::Set(Tag<std::int64_t>(), 15)))};
#endif
}

// e^x = 2^(i >> 4) (power + rest) (1 + p), for 2^(i/16) = 2^(i >> 4) (power + rest).
struct CloseReduced {
  hn::Vec<Tag<std::int64_t>> i;  // in its low bits
  Mask<double> near;             // i = 0
  Vec<double> power, rest;
  Pair p;
};
HWY_INLINE CloseReduced close_reduce(Close x) {
  using namespace coefficients;
  const Vec<double> magic = set(0x1.8p52), shifted = fma(x.hi, set(16 * kLog2E), magic), n = shifted - magic;
  const Vec<double> first = fma(n, set(-kLn2[0] / 16), x.hi);  // exact
  const Vec<double> second = n * set(kLn2[1] / 16);
  const Vec<double> r = first - second, lost = ((first - r) - second) + x.lo;
  // e^r - 1 = r + r²/2 + r³ q(r), the first two exactly; what r has lost changes it by that times e^r.
  const Pair square = two_product(r, r);
  const Vec<double> cubic = r * square.hi * polynomial(r, kExpCubic);
  const Pair sum = fast_two_sum(r, set(0.5) * square.hi);
  const Vec<double> low = fma(set(0.5), square.lo, fma(sum.hi + cubic, lost, lost) + cubic);
  const hn::Vec<Tag<std::int64_t>> i = hn::BitCast(Tag<std::int64_t>(), shifted.raw);
  return {i, n == set(0.0), entry_of_16(kPowers, i), entry_of_16(kPowersRest, i),
          fast_two_sum(sum.hi, sum.lo + low)};
}

// 2^(i >> 4), times a power of two.
HWY_INLINE Vec<double> close_power(hn::Vec<Tag<std::int64_t>> i, double times) {
  const Tag<std::int64_t> whole;
  const auto exponent = hn::ShiftLeft<48>(hn::AndNot(hn::Set(whole, 15), i));
  return {hn::BitCast(Tag<double>(), hn::Add(exponent, hn::BitCast(whole, hn::Set(Tag<double>(), times))))};
}

// e^x times a power of two, which has to be a normal number; |x| < 1400.
HWY_INLINE Pair close_exp(const CloseReduced& r, double times = 1) {
  const Pair product = two_product(r.power, r.p.hi), sum = fast_two_sum(r.power, product.hi);
  const Vec<double> rest = fma(r.rest, r.p.hi, r.rest);
  const Vec<double> low = sum.lo + (product.lo + fma(r.power, r.p.lo, rest));
  const Vec<double> scale = close_power(r.i, times);
  return {sum.hi * scale, low * scale};
}

// `error` where |x| is within the reach of functions.
HWY_INLINE Vec<double> within_reach(Vec<double> x, Vec<double> error) {
  return where(abs(x) < set(kCloseReach), error, set(std::numeric_limits<double>::infinity()));
}

}  // namespace detail

HWY_INLINE Close exp(Close x) {
  const Pair y = detail::close_exp(detail::close_reduce(x));
  return {y.hi, y.lo, detail::within_reach(x.hi, y.hi * (x.error + set(detail::kCloseExp)))};
}

HWY_INLINE Close expm1(Close x) {
  const detail::CloseReduced r = detail::close_reduce(x);
  const Pair power = detail::close_exp(r), sum = two_sum(power.hi, set(-1.0));
  const Pair far = fast_two_sum(sum.hi, sum.lo + power.lo);
  const Vec<double> hi = copy_sign(where(r.near, r.p.hi, far.hi), x.hi);  // of −0
  const Vec<double> error = fma(power.hi, x.error, abs(hi) * set(detail::kCloseExpm1));
  return {hi, where(r.near, r.p.lo, far.lo), detail::within_reach(x.hi, error)};
}

// One step of Newton's method from the f64 result s: s + (x - e^s)/e^s.
HWY_INLINE Close log(Close x) {
  const Vec<double> s = log(x.hi);
  const Close power = exp(Close{s, set(0.0), set(0.0)});
  const Vec<double> inverse = set(1.0) / power.hi;
  return {s, ((x.hi - power.hi) + (x.lo - power.lo)) * inverse, (power.error + x.error) * inverse};
}
HWY_INLINE Close log1p(Close x) {
  const Vec<double> s = log1p(x.hi);
  const Close power = expm1(Close{s, set(0.0), set(0.0)});
  const Vec<double> inverse = set(1.0) / (set(1.0) + power.hi);
  return {s, ((x.hi - power.hi) + (x.lo - power.lo)) * inverse, (power.error + x.error) * inverse};
}

HWY_INLINE Close sqrt(Close x) {
  const Vec<double> root = sqrt(x.hi), inverse = set(0.5) / root;
  return {root, (fma(-root, root, x.hi) + x.lo) * inverse, x.error * inverse};
}

HWY_INLINE Close tanh(Close x) {
  // -t/(t + 2) with t = e^(-2|x|) - 1.
  const Close t = expm1(-2 * abs(x)), y = -t / (t + 2);
  return {copy_sign(y.hi, x.hi), flip_sign(y.lo, x.hi), y.error};
}

HWY_INLINE Close tanh_slope(Close x) {
  const Close e = exp(-2 * abs(x));
  return 4 * e / square(1 + e);
}

HWY_INLINE Close sigmoid(Close x) {
  const Close e = exp(-abs(x));
  return where(x.hi < set(0.0), e, like(x, 1)) / (1 + e);
}

HWY_INLINE Sigmoids<Close> sigmoids(Close x) {
  const Close e = exp(-abs(x)), sum = 1 + e;
  const Mask<double> negative = x.hi < set(0.0);
  return {where(negative, e, like(x, 1)) / sum, where(negative, like(x, 1), e) / sum};
}

HWY_INLINE Close softplus(Close x) { return where(x.hi < set(0.0), like(x, 0), x) + log1p(exp(-abs(x))); }

HWY_INLINE Close gauss(Close x) { return exp(-square(x)); }

namespace detail {

constexpr double kCloseErfcReach = 7.5;

// e^(x²) erfc(x) for 0 <= x < kCloseErfcReach.
HWY_INLINE Close close_scaled_erfc(Close x) {
  constexpr auto& rows = coefficients::kErfcRows;
  constexpr std::size_t kPairs = 5, kFirst = 1 + 2 * kPairs;
  const Vec<double> octaves = fma(set(2.0), x.hi, set(1.0));
  const auto i = hn::ShiftRight<50>(hn::BitCast(Tag<std::int64_t>(), octaves.raw));
  const Pair d = two_sum(x.hi, -entry_of_16(rows[0], i));
  const Vec<double> d_low = d.lo + x.lo;
  Pair p{entry_of_16(rows[std::size(rows) - 1], i), set(0.0)};
  for (std::size_t k = std::size(rows) - 1; k-- > kFirst;) p.hi = fma(p.hi, d.hi, entry_of_16(rows[k], i));
  for (std::size_t k = kPairs; k-- > 0;) {
    const Vec<double> c = entry_of_16(rows[1 + 2 * k], i), rest = entry_of_16(rows[2 + 2 * k], i);
    const Pair product = two_product(p.hi, d.hi), sum = two_sum(c, product.hi);
    p = {sum.hi, sum.lo + (fma(p.hi, d_low, fma(p.lo, d.hi, product.lo)) + rest)};
  }
  return {p.hi, p.lo, p.hi * fma(set(1.2), x.error, set(0x1p-67))};
}

}  // namespace detail

HWY_INLINE Close erfc(Close x) {
  const Close a = abs(x);
  const Mask<double> inside = a.hi < set(detail::kCloseErfcReach), negative = x.hi < set(0.0);
  // Beyond, erfc(|x|) is below 2^-84.
  const Vec<double> zero = set(0.0), infinity = set(std::numeric_limits<double>::infinity());
  const Close beyond{zero, zero, where(negative, set(0x1p-80), infinity)};
  const Close far = where(inside, gauss(x) * detail::close_scaled_erfc(a), beyond);
  return where(negative, 2 - far, far);
}

/// Near 0 it cancels, and has no digits left.
HWY_INLINE Close erf(Close x) {
  const Close y = erfc(-abs(x)) - 1;
  return {flip_sign(y.hi, x.hi), flip_sign(y.lo, x.hi), y.error};
}

/// The series costs more than it is needed: next to the root there is no bound.
HWY_INLINE Close through_root(Close x, Close y, const Root& root) {
  const Mask<double> near = abs(x.hi - set(root.at.hi)) < set(0x1p-19);
  return {y.hi, y.lo, where(near, set(std::numeric_limits<double>::infinity()), y.error)};
}
