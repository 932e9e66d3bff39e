// softsign and its slope from the reciprocal of 1 + |x|, kept in two parts.

// 1 + |x| = sum + rest exactly, and 1/sum; |x| cut to limit.
struct OneAndMagnitude {
  Floats magnitude, sum, rest, inverse;
};
HWY_INLINE OneAndMagnitude one_and_magnitude(Floats x, float limit) {
  const FloatTag tag;
  const Floats one = hn::Set(tag, 1.0f), a = at_most(hn::Set(tag, limit), hn::Abs(x));
  const Floats sum = hn::Add(a, one), rest = hn::Sub(at_most(one, a), hn::Sub(sum, at_least(one, a)));
  return {a, sum, rest, hn::Div(one, sum)};
}

// From here on x/(1 + |x|) is 1, of infinity too.
constexpr float kSoftsignIsOne = 0x1p24f;

// x/(1 + |x|) for 16-bit results: 1.5 ULP of f32.
class ShortSoftsign {
 public:
  static constexpr std::size_t kVectors = 4;
  static constexpr bool kTotal = true;
  template <class H>
  static constexpr std::uint32_t kDoubt = 2;
  HWY_INLINE ShortSoftsign() {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats a = at_most(hn::Set(tag, kSoftsignIsOne), hn::Abs(x[u]));
      y[u] = hn::CopySign(hn::Div(a, hn::Add(a, hn::Set(tag, 1.0f))), x[u]);
    }
    return true;
  }
};

// x/(1 + |x|): 0.51 ULP; next to 1, where 1 − q has few digits, 1.
class SoftsignKernel {
 public:
  /// For values of 16 bits.
  using Short = ShortSoftsign;
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SoftsignKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    const Floats one = hn::Set(tag, 1.0f);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats a = at_most(hn::Set(tag, kSoftsignIsOne), hn::Abs(x[u])), sum = hn::Add(a, one);
      // What the sum lost.
      const Floats rest = hn::Sub(a, hn::Sub(sum, one));
      const Floats q = hn::Div(a, sum), minus_q = hn::Neg(q);
      const Floats left = fused(minus_q, rest, fused(minus_q, sum, a));
      // 1/(1 + a) is 1 − a/(1 + a).
      y[u] = hn::CopySign(fused(left, hn::Sub(one, q), q), x[u]);
    }
    return true;
  }
};

// 1/(1 + |x|)²: 0.51 ULP, 1 where it is subnormal.
class SoftsignSlopeKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SoftsignSlopeKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    for (std::size_t u = 0; u < kVectors; ++u) {
      // From 2^76 on the result is 0.
      const OneAndMagnitude s = one_and_magnitude(x[u], 0x1p80f);
      const Floats r = s.inverse, minus_r = hn::Neg(r);
      // 1/(1 + |x|) is r (1 + error), its square r² (1 + 2 error) and what r² loses by rounding.
      const Floats error = fused(minus_r, s.rest, fused(minus_r, s.sum, hn::Set(FloatTag(), 1.0f)));
      const Floats square = hn::Mul(r, r), lost = fused(r, r, hn::Neg(square));
      y[u] = hn::Add(square, fused(hn::Add(error, error), square, lost));
    }
    return true;
  }
};
