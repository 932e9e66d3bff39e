// e^x·2^k = 2^(i >> 4)·power[i]·(1 + p) for a whole k: `magic` is kExpMagic + k. A second part of x is what
// rest_of(u, rest) adds to a power's rest.
constexpr float kExpMagic = 0x1.8p19f;  // its spacing is 1/16
template <std::size_t n, class Rest>
HWY_INLINE void exp_parts(const Floats (&x)[n], Floats magic, const Column<16>& rest, Indices (&i)[n],
                          Floats (&p)[n], const Rest& rest_of) {
  const FloatTag tag;
  // ln 2 in two parts, the first of few enough bits that (x/ln 2 to a sixteenth)·high is exact.
  constexpr float kLog2E = 0x1.715476p+0f, kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;
  Floats r[n];
  for (std::size_t u = 0; u < n; ++u) {
    const Floats shifted = fused(x[u], hn::Set(tag, kLog2E), magic), minus_n = hn::Sub(magic, shifted);
    i[u] = hn::BitCast(IndexTag(), shifted);
    r[u] = hn::Add(fused(minus_n, hn::Set(tag, kHigh), x[u]),
                   fused(minus_n, hn::Set(tag, kLow), rest_of(u, rest[i[u]])));
  }
  // e^r − 1 for |r| <= ln(2)/32: the constant next to 1/2 takes the cubic's place in r^4.
  for (std::size_t u = 0; u < n; ++u) {
    p[u] = fused(hn::Mul(r[u], r[u]), fused(r[u], hn::Set(tag, 0x1.555556p-3f), hn::Set(tag, 0x1.000148p-1f)),
                 r[u]);
  }
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

// e^x times the powers' scale: 0.61 ULP for scale 1, 0.78 where results are subnormal.
template <const auto& powers>
class Exp {
 public:
  static constexpr std::size_t kVectors = kTableVectors;
  static constexpr bool kTotal = true;
  static constexpr bool kUnbounded = true;
  HWY_INLINE Exp() : power_(powers.power), rest_(powers.rest) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Floats cut[kVectors], p[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      cut[u] = at_most(hn::Set(tag, 90.0f), at_least(hn::Set(tag, -106.0f), x[u]));
    }
    exp_parts(cut, hn::Set(tag, kExpMagic), rest_, i, p);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats power = power_[i[u]];
      y[u] = exp_scaled(fused(power, p[u], power), i[u]);
    }
    return true;
  }

 private:
  const Column<16> power_, rest_;
};
