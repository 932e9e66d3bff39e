// Functions of f64 vectors that expressions have and the definitions do not need. Included for each
// instruction set after simd/target.inl. NaN in, NaN out. tape_kernels_test.cc holds
// them to the errors they state.

namespace tape {

// pi/2 in three parts; n times the first is taken off exactly by an fma.
constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
// Beyond it the reduction has too few digits: those lanes go one by one through the C library.
constexpr double kLargestAngle = 0x1p30;

// (sin r - r) / r^3 and (cos r - 1 + r^2/2) / r^4 for |r| <= pi/4: Taylor's terms, the first left out 2^-63.
constexpr double kSin[] = {-1.0 / 6,
                           1.0 / 120,
                           -1.0 / 5040,
                           1.0 / 362880,
                           -1.0 / 39916800,
                           1.0 / 6227020800.0,
                           -1.0 / 1307674368000.0,
                           1.0 / 355687428096000.0};
constexpr double kCos[] = {
    1.0 / 24,         -1.0 / 720,          1.0 / 40320,           -1.0 / 3628800,
    1.0 / 479001600., -1.0 / 87178291200., 1.0 / 20922789888000., -1.0 / 6402373705728000.};

// (atan(t)/t - 1) / t^2 in t^2 for |t| <= tan(pi/8): interpolated at Chebyshev's points, relative error
// 2^-58.
constexpr double kAtan[] = {-0x1.5555555555555p-2, 0x1.9999999999953p-3,  -0x1.249249248d7eep-3,
                            0x1.c71c71c304b68p-4,  -0x1.745d165df3f95p-4, 0x1.3b1392d9e785cp-4,
                            -0x1.110e880a7a521p-4, 0x1.e19a13b9fc6dfp-5,  -0x1.ac7a938b69c93p-5,
                            0x1.74ddd408bb4c1p-5,  -0x1.1b33b923aa954p-5, 0x1.0ad36a455cafbp-6};
constexpr double kTanPi8 = 0x1.a827999fcef32p-2;

struct SinCos {
  Vec<double> sin, cos;
};

// sin and cos of x, |x| <= kLargestAngle.
HWY_INLINE SinCos sin_cos(Vec<double> x) {
  const Vec<double> n = round_to_whole(x * set(kTwoOverPi));
  const Vec<double> a = fma(n, set(-kHalfPi[0]), x);
  const Vec<double> r = fma(n, set(-kHalfPi[1]), a);
  // What r's rounding lost.
  const Vec<double> low = fma(n, set(-kHalfPi[2]), fma(n, set(-kHalfPi[1]), a - r));
  const Vec<double> z = r * r;
  const Vec<double> half = set(0.5) * z, one = set(1.0);
  const Vec<double> sine = r + fma(r * z, polynomial(z, kSin), low * (one - half));
  const Vec<double> w = one - half;
  const Vec<double> cosine = w + (((one - w) - half) + fma(z * z, polynomial(z, kCos), -(r * low)));
  // The quadrant, n mod 4 in {-2, …, 2}.
  const Vec<double> quadrant = n - set(4.0) * round_to_whole(n * set(0.25));
  const Mask<double> odd = abs(quadrant) == one;
  const Mask<double> sin_negative = quadrant == set(-1.0) || abs(quadrant) == set(2.0);
  const Mask<double> cos_negative = quadrant == one || abs(quadrant) == set(2.0);
  const Vec<double> s = where(odd, cosine, sine), c = where(odd, sine, cosine);
  return {where(sin_negative, -s, s), where(cos_negative, -c, c)};
}

// y, but f(x) by the C library in the lanes where |x| is too large.
template <class Function>
HWY_INLINE Vec<double> mend_large(Vec<double> x, Vec<double> y, Function f) {
  if (all(!(abs(x) > set(kLargestAngle)))) return y;
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());
  double in[kLanes], out[kLanes];
  store(x, in);
  store(y, out);
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (std::fabs(in[i]) > kLargestAngle) out[i] = f(in[i]);
  }
  return load(out);
}

/// sin x: 1 ULP; all x.
HWY_INLINE Vec<double> sin(Vec<double> x) {
  const Vec<double> y = where(x == set(0.0), x, sin_cos(x).sin);
  return mend_large(x, y, static_cast<double (*)(double)>(std::sin));
}

/// cos x: 1 ULP; all x.
HWY_INLINE Vec<double> cos(Vec<double> x) {
  return mend_large(x, sin_cos(x).cos, static_cast<double (*)(double)>(std::cos));
}

/// atan x: 2.5 ULP; all x.
HWY_INLINE Vec<double> atan(Vec<double> x) {
  const Vec<double> one = set(1.0), a = abs(x);
  const Mask<double> inverted = a > one;
  const Vec<double> t = where(inverted, one / a, a);
  const Mask<double> shifted = t > set(kTanPi8);
  const Vec<double> u = where(shifted, (t - one) / (t + one), t);
  const Vec<double> z = u * u;
  const Vec<double> small = fma(u * z, polynomial(z, kAtan), u);
  const Vec<double> whole = where(shifted, set(0.5 * kHalfPi[0]) + (small + set(0.5 * kHalfPi[1])), small);
  const Vec<double> y = where(inverted, set(kHalfPi[0]) - (whole - set(kHalfPi[1])), whole);
  return where(is_nan(x), x, copy_sign(y, x));
}

// e^a / 2 for a > 40, which overflows where sinh and cosh do.
HWY_INLINE Vec<double> half_exp(Vec<double> a) {
  const Vec<double> root = exp(set(0.5) * a);
  return (set(0.5) * root) * root;
}

/// sinh x: 2 ULP; all x.
HWY_INLINE Vec<double> sinh(Vec<double> x) {
  const Vec<double> a = abs(x), t = expm1(where(a > set(40.0), set(40.0), a));
  const Vec<double> near = set(0.5) * (t + t / (t + set(1.0)));
  const Vec<double> y = where(a > set(40.0), half_exp(a), near);
  return where(a < set(0x1p-28), x, copy_sign(y, x));
}

/// cosh x: 2 ULP; all x.
HWY_INLINE Vec<double> cosh(Vec<double> x) {
  const Vec<double> a = abs(x), e = exp(where(a > set(40.0), set(40.0), a));
  const Vec<double> near = fma(set(0.5), e, set(0.5) / e);
  return where(is_nan(x), x, where(a > set(40.0), half_exp(a), near));
}

/// x^c for a whole |c| <= 64: by squaring, |c|·0.5 ULP.
HWY_INLINE Vec<double> whole_power(Vec<double> x, int c) {
  Vec<double> power = set(1.0), factor = x;
  for (int left = c < 0 ? -c : c; left != 0; left >>= 1) {
    if ((left & 1) != 0) power = power * factor;
    factor = factor * factor;
  }
  return c < 0 ? set(1.0) / power : power;
}

/// x^c: |c ln x| ULP; NaN for x < 0 unless c is whole.
HWY_INLINE Vec<double> power(Vec<double> x, double c) {
  const bool is_whole = c == std::floor(c);
  if (is_whole && c >= -64 && c <= 64) return whole_power(x, static_cast<int>(c));
  const bool is_odd = is_whole && std::fmod(c, 2) != 0;
  const Vec<double> base = is_whole ? abs(x) : x;
  const Vec<double> y = exp(set(c) * log(base));
  // 1^±inf is 1, not NaN.
  const Vec<double> result = where(base == set(1.0), set(1.0), y);
  return is_odd ? flip_sign(result, x) : result;
}

}  // namespace tape
