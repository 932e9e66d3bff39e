// e^x·2^k = 2^(i >> 4)·power[i]·(1 + p) for a whole k: `magic` is kExpMagic + k. A second part of x is what
// rest_of(u, rest) adds to a power's rest.
constexpr float kExpMagic = 0x1.8p19f;  // its spacing is 1/16
constexpr float kLog2EInF32 = 0x1.715476p+0f;

// e^r − 1 for |r| <= ln(2)/32: the constant next to 1/2 takes the cubic's place in r^4.
HWY_INLINE Floats exp_of_rest(Floats r) {
  const FloatTag tag;
  return fused(hn::Mul(r, r), fused(r, hn::Set(tag, 0x1.555556p-3f), hn::Set(tag, 0x1.000148p-1f)), r);
}

template <std::size_t n, class Rest>
HWY_INLINE void exp_parts(const Floats (&x)[n], Floats magic, const Column<16>& rest, Indices (&i)[n],
                          Floats (&p)[n], const Rest& rest_of) {
  const FloatTag tag;
  // ln 2 in two parts, the first of few enough bits that (x/ln 2 to a sixteenth)·high is exact.
  constexpr float kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;
  Floats r[n];
  for (std::size_t u = 0; u < n; ++u) {
    const Floats shifted = fused(x[u], hn::Set(tag, kLog2EInF32), magic), minus_n = hn::Sub(magic, shifted);
    i[u] = hn::BitCast(IndexTag(), shifted);
    r[u] = hn::Add(fused(minus_n, hn::Set(tag, kHigh), x[u]),
                   fused(minus_n, hn::Set(tag, kLow), rest_of(u, rest[i[u]])));
  }
  for (std::size_t u = 0; u < n; ++u) p[u] = exp_of_rest(r[u]);
}

template <std::size_t n>
HWY_INLINE void exp_parts(const Floats (&x)[n], Floats magic, const Column<16>& rest, Indices (&i)[n],
                          Floats (&p)[n]) {
  exp_parts(x, magic, rest, i, p, [](std::size_t, Floats of_power) { return of_power; });
}

HWY_INLINE Floats power_of_two(Indices k) {
  return hn::BitCast(FloatTag(), hn::ShiftLeft<23>(hn::Add(k, hn::Set(IndexTag(), 127))));
}

// y·2^(whole part of the sixteenths in i), rounded once.
HWY_INLINE Floats exp_scaled(Floats y, Indices i) {
#if HWY_TARGET == HWY_AVX3
  const FloatTag tag;
  const Floats n = hn::Sub(hn::BitCast(tag, i), hn::Set(tag, kExpMagic));
  return Floats{_mm512_scalef_ps(y.raw, n.raw)};  // takes the floor of n
#else
  // The first factor leaves y normal, the second rounds.
  const IndexTag whole;
  const Indices sixteenths = hn::Sub(i, hn::BitCast(whole, hn::Set(FloatTag(), kExpMagic)));
  const Indices exponent = hn::ShiftRight<4>(sixteenths), half = hn::ShiftRight<1>(exponent);
  return hn::Mul(hn::Mul(y, power_of_two(half)), power_of_two(hn::Sub(exponent, half)));
#endif
}

// What exp_parts took apart, put together.
template <std::size_t n>
HWY_INLINE void exp_of_parts(const Column<16>& powers, const Indices (&i)[n], const Floats (&p)[n],
                             Floats (&y)[n]) {
  for (std::size_t u = 0; u < n; ++u) {
    const Floats power = powers[i[u]];
    y[u] = exp_scaled(fused(power, p[u], power), i[u]);
  }
}

// Beyond these e^x is infinite, or 0, already.
HWY_INLINE Floats exp_argument(Floats x) {
  const FloatTag tag;
  return at_most(hn::Set(tag, 90.0f), at_least(hn::Set(tag, -106.0f), x));
}

// e^x for 16-bit results: powers and ln 2 are no more than floats. 1.9 ULP of f32 for |x| <= 18, 5.4 for
// others.
template <const auto& powers>
class ShortExp {
 public:
  static constexpr std::size_t kVectors = kTableVectors;
  static constexpr bool kTotal = true;
  template <class H>
  static constexpr std::uint32_t kDoubt = std::is_same_v<H, float16> ? 2 : 6;
  HWY_INLINE ShortExp() : power_(powers.power) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    const Floats magic = hn::Set(tag, kExpMagic);
    Floats p[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats cut = exp_argument(x[u]);
      const Floats shifted = fused(cut, hn::Set(tag, kLog2EInF32), magic);
      i[u] = hn::BitCast(IndexTag(), shifted);
      p[u] = exp_of_rest(fused(hn::Sub(magic, shifted), hn::Set(tag, 0x1.62e43p-1f), cut));
    }
    exp_of_parts(power_, i, p, y);
    return true;
  }

 private:
  const Column<16> power_;
};

// e^x times the powers' scale: 0.61 ULP for scale 1, 0.78 where results are subnormal.
template <const auto& powers>
class Exp {
 public:
  /// For values of 16 bits.
  using Short = ShortExp<powers>;
  static constexpr std::size_t kVectors = kTableVectors;
  static constexpr bool kTotal = true;
  static constexpr bool kUnbounded = true;
  HWY_INLINE Exp() : power_(powers.power), rest_(powers.rest) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Floats cut[kVectors], p[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) cut[u] = exp_argument(x[u]);
    exp_parts(cut, hn::Set(tag, kExpMagic), rest_, i, p);
    exp_of_parts(power_, i, p, y);
    return true;
  }

 private:
  const Column<16> power_, rest_;
};
