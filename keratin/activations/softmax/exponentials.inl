// The exponentials of a row's elements, all times the same power of two.

using Size = std::int64_t;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// e^x·2^k: the row's largest element becomes about 2^60, so that no result but 0 is lost to underflow before
// the division by the sum; only that rounds. Or k = 0 where all |x| <= kRange: no result is lost either, the
// bits are the same, and the largest need not be known.
constexpr float kRange = 60, kReach = 2 * kRange;
struct Shift {
  float low, magic;

  static Shift of(float largest) {
    return {largest - kReach, kExpMagic + (60 - std::floor(largest * 1.442695f))};
  }
  static Shift none() { return {-kRange, kExpMagic}; }
  /// Whether `of` holds: e^x·2^k is exact for |x| up to 2^11.
  static bool holds(float largest) { return std::fabs(largest) < 2048; }
};

// On instruction sets without fma, where it would be 200 instructions each time, a call.
#if HWY_NATIVE_FMA
#define KERATIN_INLINE_IF_FAST HWY_INLINE
#else
#define KERATIN_INLINE_IF_FAST HWY_NOINLINE
#endif

// power[i] without the whole powers of two that `i << 19` adds for the low bits of i.
struct ScaledPowers {
  alignas(64) float power[16] = {};
  constexpr ScaledPowers() {
    for (std::uint32_t i = 0; i < 16; ++i)
      power[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(activations::tables::kPowers.power[i]) -
                                      (i << 19));
  }
};
inline constexpr ScaledPowers kScaledPowers;

/// The kernel of tables/exponential.inl, 0.56 ULP; results are normal numbers, so that 2^(i >> 4) is added to
/// the exponent of power[i].
class Exponentials {
 public:
  HWY_INLINE Exponentials() : power_(kScaledPowers.power), rest_(activations::tables::kPowers.rest) {}

  /// Where `clamps`, elements below `low` count as that.
  template <bool clamps, std::size_t n>
  KERATIN_INLINE_IF_FAST void operator()(const Floats (&x)[n], Floats (&e)[n], Floats low,
                                         Floats magic) const {
    const FloatTag tag;
    const hn::RebindToUnsigned<FloatTag> bits;
    Floats cut[n], p[n];
    Indices i[n];
    for (std::size_t u = 0; u < n; ++u) cut[u] = clamps ? hn::Max(low, x[u]) : x[u];
    exp_parts(cut, magic, rest_, i, p);
    for (std::size_t u = 0; u < n; ++u) {
      const auto whole = hn::ShiftLeft<19>(hn::BitCast(bits, i[u]));
      const Floats power = hn::BitCast(tag, hn::Add(hn::BitCast(bits, power_[i[u]]), whole));
      e[u] = fused(power, p[u], power);
    }
  }

 private:
  const Column<16> power_, rest_;
};
#undef KERATIN_INLINE_IF_FAST
