// The 16-bit floats: loaded as f32, stored rounded once. A result known to some f32 ULP decides the
// rounding but for the lanes that lanes_in_doubt() names; those come from f64 (round_to), and next to a tie
// from wide numbers.

using Words = hn::Rebind<std::uint16_t, Tag<float>>;

/// What tells the two formats apart.
template <class H>
struct Format;
template <>
struct Format<float16> {
  static constexpr int kDigits = 11, kLowestExponent = -14;
};
template <>
struct Format<bfloat16> {
  static constexpr int kDigits = 8, kLowestExponent = -126;
};

namespace detail {

HWY_INLINE hn::Vec<Tag<std::uint32_t>> load_words(const std::uint16_t* from) {
  return hn::PromoteTo(Tag<std::uint32_t>(), hn::LoadU(Words(), from));
}
HWY_INLINE hn::Vec<Words> demote(hn::Vec<Tag<std::uint32_t>> v) {
#if HWY_TARGET == HWY_AVX3
  return hn::Vec<Words>{_mm512_cvtepi32_epi16(v.raw)};
#else
  return hn::DemoteTo(Words(), hn::BitCast(Tag<std::int32_t>(), v));
#endif
}

// To nearest even in integers, for instruction sets that do not convert.
HWY_INLINE hn::Vec<Tag<std::uint32_t>> float16_bits(Vec<float> v) {
  const Tag<std::uint32_t> tag;
  const auto all_bits = hn::BitCast(tag, v.raw);
  const auto a = hn::BitCast(tag, hn::Abs(v.raw));
  const auto odd = hn::And(hn::ShiftRight<13>(a), hn::Set(tag, 1u));
  // The exponent's bias goes from 127 to 15.
  const auto rebiased = hn::Add(a, hn::Add(odd, hn::Set(tag, 0xFFFu - (112u << 23))));
  const auto normal = hn::Min(hn::ShiftRight<13>(rebiased), hn::Set(tag, 0x7C00u));
  // Below 2^-14 the spacing is 2^-24, that of floats next to 1/2.
  const Vec<float> half = set(0.5f);
  const auto subnormal = hn::Sub(hn::BitCast(tag, (abs(v) + half).raw), hn::BitCast(tag, half.raw));
  const auto magnitude = hn::IfThenElse(hn::Lt(a, hn::Set(tag, 0x38800000u)), subnormal, normal);
  const auto number = hn::IfThenElse(hn::Gt(a, hn::Set(tag, 0x7F800000u)), hn::Set(tag, 0x7E00u), magnitude);
  return hn::Or(number, hn::ShiftLeft<15>(hn::ShiftRight<31>(all_bits)));
}

HWY_INLINE Vec<float> from_float16_bits(hn::Vec<Tag<std::uint32_t>> h) {
  const Tag<std::uint32_t> tag;
  const Tag<float> numbers;
  const auto a = hn::ShiftLeft<13>(hn::And(h, hn::Set(tag, 0x7FFFu)));
  // Exact, subnormals included: the exponent's bias goes from 15 to 127.
  const auto finite = hn::Mul(hn::BitCast(numbers, a), hn::Set(numbers, 0x1p112f));
  const auto infinite = hn::BitCast(numbers, hn::Or(a, hn::Set(tag, 0x7F800000u)));
  const auto is_finite = hn::RebindMask(numbers, hn::Lt(a, hn::Set(tag, 0x7C00u << 13)));
  const auto sign = hn::BitCast(numbers, hn::ShiftLeft<31>(hn::ShiftRight<15>(h)));
  return {hn::Or(hn::IfThenElse(is_finite, finite, infinite), sign)};
}

}  // namespace detail

HWY_INLINE Vec<float> load_half(const bfloat16* from) {
  const auto words = detail::load_words(&from->bits);
  return {hn::BitCast(Tag<float>(), hn::ShiftLeft<16>(words))};
}
HWY_INLINE Vec<float> load_half(const float16* from) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const hn::Rebind<hwy::float16_t, Tag<float>> halves;
  return {hn::PromoteTo(Tag<float>(), hn::BitCast(halves, hn::LoadU(Words(), &from->bits)))};
#else
  return detail::from_float16_bits(detail::load_words(&from->bits));
#endif
}

/// v rounded to nearest even, as store_rounded_half takes it: words whose upper half is the result, or
/// results.
HWY_INLINE hn::Vec<Tag<std::uint32_t>> rounded_evenly(Vec<float> v, bfloat16) {
  const Tag<std::uint32_t> tag;
  const auto bits = hn::BitCast(tag, v.raw);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(tag, 1u));
  return hn::Add(hn::Add(bits, hn::Set(tag, 0x7FFFu)), odd);
}

/// The bits of v rounded to nearest, in the low half of each lane's word. A tie goes to even with kTies, else
/// anywhere: for what is in no doubt. A NaN has to come from 16 bits, so that rounding makes no number of it.
template <bool kTies>
HWY_INLINE hn::Vec<Words> rounded_bits(Vec<float> v, bfloat16) {
  if constexpr (kTies) {
    return detail::demote(hn::ShiftRight<16>(rounded_evenly(v, bfloat16())));
  } else {
    const Tag<std::uint32_t> tag;
    const auto bits = hn::BitCast(tag, v.raw);
    return detail::demote(hn::ShiftRight<16>(hn::Add(bits, hn::Set(tag, 0x8000u))));
  }
}
template <bool kTies>
HWY_INLINE hn::Vec<Words> rounded_bits(Vec<float> v, float16) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::BitCast(Words(), hn::DemoteTo(hn::Rebind<hwy::float16_t, Tag<float>>(), v.raw));
#else
  return detail::demote(detail::float16_bits(v));
#endif
}

HWY_INLINE hn::Vec<Words> rounded_evenly(Vec<float> v, float16) { return rounded_bits<true>(v, float16()); }

template <class H>
HWY_INLINE void store_half(hn::Vec<Words> bits, H* to, bool streams) {
  store_raw(bits, Words(), &to->bits, streams);
}

/// Rounds f32 results that may be off by kDoubt ULP. Of all that it has rounded it knows whether some may
/// round otherwise.
template <class H, std::uint32_t kDoubt>
class Rounder;

/// Of a kernel; of a product with its slope, which may be 1.25 ULP off: twice that where the product is in a
/// lower part of its binade, and the product's own half.
constexpr std::uint32_t kDoubtOfValues = 1, kDoubtOfSlopes = 3;

template <std::uint32_t kDoubt>
class Rounder<bfloat16, kDoubt> {
 public:
  HWY_INLINE Rounder() : least_(hn::Set(Least(), static_cast<hn::TFromD<Least>>(~0u))) {}

  /// What this gives is what HalfBlock takes: numbers whose upper half is the result.
  HWY_INLINE hn::Vec<Tag<std::uint32_t>> operator()(Vec<float> y) {
    const auto t = moved(y);
    least_ = hn::Min(least_, dropped(Least(), t));
    return t;
  }
  HWY_INLINE bool doubts() const {
    auto least = hn::BitCast(tag(), least_);
    if constexpr (kPairs) least = hn::ShiftLeft<16>(least);
    return !hn::AllTrue(tag(), hn::Gt(least, hn::Set(tag(), (2 * kDoubt) << 16)));
  }
  template <std::size_t n>
  static HWY_INLINE void lanes_in_doubt(const Vec<float> (&y)[n], Mask<float> (&lanes)[n]) {
    for (std::size_t u = 0; u < n; ++u) {
      const auto limit = hn::Set(tag(), (2 * kDoubt + 1) << 16);
      lanes[u] = {hn::RebindMask(Tag<float>(), hn::Lt(hn::ShiftLeft<16>(moved(y[u])), limit))};
    }
  }

 private:
  // Both halves of each word have a least of their own; only the lower ones are asked for.
  static constexpr bool kPairs = hn::MaxLanes(Tag<std::uint16_t>()) == 2 * hn::MaxLanes(Tag<float>());
  using Least = std::conditional_t<kPairs, Tag<std::uint16_t>, Tag<std::uint32_t>>;
  template <class D>
  static HWY_INLINE hn::Vec<D> dropped(D lanes, hn::Vec<Tag<std::uint32_t>> t) {
    if constexpr (sizeof(hn::TFromD<D>) == 2) {
      return hn::BitCast(lanes, t);
    } else {
      return hn::ShiftLeft<16>(t);
    }
  }
  static HWY_INLINE Tag<std::uint32_t> tag() { return {}; }
  // By half of what is dropped, and kDoubt more: now the dropped bits of what is next to a tie are 0 … 2
  // kDoubt.
  static HWY_INLINE hn::Vec<Tag<std::uint32_t>> moved(Vec<float> y) {
    return hn::Add(hn::BitCast(tag(), y.raw), hn::Set(tag(), 0x8000u + kDoubt));
  }
  hn::Vec<Least> least_;
};

template <std::uint32_t kDoubt>
class Rounder<float16, kDoubt> {
 public:
  HWY_INLINE Rounder() {}

  HWY_INLINE hn::Vec<Words> operator()(Vec<float> y) {
    const auto rounded = rounded_bits<false>(y, float16());
    certain_.and_none_of(moved(y), rounded);
    return rounded;
  }
  /// Also of subnormal results, which drop more bits, and of what may have been rounded from there.
  HWY_INLINE bool doubts() const { return !certain_.all(); }
  template <std::size_t n>
  static HWY_INLINE void lanes_in_doubt(const Vec<float> (&y)[n], Mask<float> (&lanes)[n]) {
    Vec<float> least = abs(y[0]);
    for (std::size_t u = 0; u < n; ++u) {
      const auto left = hn::And(moved(y[u]), hn::Set(tag(), kDropped));
      lanes[u] = {hn::RebindMask(Tag<float>(), hn::Eq(left, hn::Zero(tag())))};
      least = min(least, abs(y[u]));  // which keeps what it has beside NaN
    }
    const Vec<float> lowest = set(0x1p-14f);
    if (all(least >= lowest)) return;
    // The spacing of subnormal results is that of floats next to 1/2.
    for (std::size_t u = 0; u < n; ++u) {
      const Vec<float> size = abs(y[u]), half = set(0.5f);
      const Vec<float> off = abs(abs(size - ((size + half) - half)) - set(0x1p-25f));
      const Mask<float> subnormal = size < lowest;
      lanes[u] = (lanes[u] && !subnormal) || (subnormal && off <= size * set(kDoubt * 0x1p-23f));
    }
  }

 private:
  static HWY_INLINE Tag<std::uint32_t> tag() { return {}; }
  // As for bfloat16. kDropped has all dropped bits but the low ones that numbers up to 2 kDoubt need.
  static HWY_INLINE hn::Vec<Tag<std::uint32_t>> moved(Vec<float> y) {
    return hn::Add(hn::BitCast(tag(), y.raw), hn::Set(tag(), 0x1000u + kDoubt));
  }
  static constexpr std::uint32_t kLast = std::bit_ceil(2 * kDoubt + 1) - 1, kDropped = 0x1FFF & ~kLast;
  // Of numbers below 2^-13 these bits are 0.
  static constexpr std::uint16_t kNormal = 0x7800;

#if HWY_TARGET == HWY_AVX3
  // Tests into masks, each under the one before.
  struct Certain {
    HWY_INLINE Certain() : lanes(0xFFFF) {}
    HWY_INLINE void and_none_of(hn::Vec<Tag<std::uint32_t>> t, hn::Vec<Words> rounded) {
      lanes = _mm512_mask_test_epi32_mask(lanes, t.raw, hn::Set(tag(), kDropped).raw);
      lanes = _mm256_mask_test_epi16_mask(lanes, rounded.raw, hn::Set(Words(), kNormal).raw);
    }
    HWY_INLINE bool all() const { return lanes == 0xFFFF; }
    __mmask16 lanes;
  };
#else
  struct Certain {
    HWY_INLINE Certain() : dropped(hn::Set(tag(), ~0u)), normal(hn::Set(Words(), std::uint16_t{0xFFFF})) {}
    HWY_INLINE void and_none_of(hn::Vec<Tag<std::uint32_t>> t, hn::Vec<Words> rounded) {
      dropped = hn::Min(dropped, hn::And(t, hn::Set(tag(), kDropped)));
      normal = hn::Min(normal, hn::And(rounded, hn::Set(Words(), kNormal)));
    }
    HWY_INLINE bool all() const {
      return hn::AllFalse(tag(), hn::Eq(dropped, hn::Zero(tag()))) &&
             hn::AllFalse(Words(), hn::Eq(normal, hn::Zero(Words())));
    }
    hn::Vec<Tag<std::uint32_t>> dropped;
    hn::Vec<Words> normal;
  };
#endif
  Certain certain_;
};

/// Whether a vector of f32 that 16 bits are rounded from lies in the middle between two numbers of H. Not of
/// subnormal float16.
template <class H>
HWY_INLINE Mask<float> is_tie(Vec<float> y) {
  constexpr int kDropped = 24 - Format<H>::kDigits;
  const Tag<std::uint32_t> tag;
  const auto dropped = hn::ShiftLeft<32 - kDropped>(hn::BitCast(tag, y.raw));
  return {hn::RebindMask(Tag<float>(), hn::Eq(dropped, hn::Set(tag, 0x80000000u)))};
}

/// A block of kVectors vectors. Of bfloat16 two are read, and written, as the even and the odd numbers of
/// twice as many: that takes a shift and a selection, and no permutation.
template <class H, std::size_t kVectors>
struct HalfBlock {
  static constexpr std::size_t kWidth = hn::MaxLanes(Tag<float>());
  static constexpr bool kInterleaved =
      std::is_same_v<H, bfloat16> && kVectors % 2 == 0 && hn::MaxLanes(Tag<std::uint16_t>()) == 2 * kWidth;

  /// Where the first lane of vector u stands in the block; the others follow kStep apart.
  static constexpr std::size_t place(std::size_t u) {
    return kInterleaved ? u / 2 * 2 * kWidth + u % 2 : u * kWidth;
  }
  static constexpr std::int32_t kStep = kInterleaved ? 2 : 1;

  static HWY_INLINE void read(const H* from, Vec<float> (&to)[kVectors]) {
    if constexpr (kInterleaved) {
      const Tag<std::uint32_t> tag;
      for (std::size_t u = 0; u < kVectors; u += 2) {
        const auto both = hn::BitCast(tag, hn::LoadU(Tag<std::uint16_t>(), &from[u * kWidth].bits));
        to[u].raw = hn::BitCast(Tag<float>(), hn::ShiftLeft<16>(both));
        to[u + 1].raw = hn::BitCast(Tag<float>(), hn::And(both, hn::Set(tag, 0xFFFF0000u)));
      }
    } else {
      for (std::size_t u = 0; u < kVectors; ++u) to[u] = load_half(from + u * kWidth);
    }
  }

  /// Stores what a Rounder or rounded_evenly() gives.
  static HWY_INLINE void write(const hn::Vec<Words> (&rounded)[kVectors], float16* to, bool streams) {
    for (std::size_t u = 0; u < kVectors; ++u) store_half(rounded[u], to + u * kWidth, streams);
  }
  static HWY_INLINE void write(const hn::Vec<Tag<std::uint32_t>> (&rounded)[kVectors], bfloat16* to,
                               bool streams) {
    if constexpr (kInterleaved) {
      const Tag<std::uint16_t> tag;
      for (std::size_t u = 0; u < kVectors; u += 2) {
        const auto even = hn::BitCast(tag, hn::ShiftRight<16>(rounded[u]));
        store_raw(hn::OddEven(hn::BitCast(tag, rounded[u + 1]), even), tag, &to[u * kWidth].bits, streams);
      }
    } else {
      for (std::size_t u = 0; u < kVectors; ++u)
        store_half(detail::demote(hn::ShiftRight<16>(rounded[u])), to + u * kWidth, streams);
    }
  }
};

/// A number rounded to 16 bits, still an f64; `close` marks lanes where an f64 result does not decide it.
struct RoundedOnce {
  Vec<double> number;
  Mask<double> close;
};

/// hi + lo to nearest even; beyond the format it is left for the conversion to make infinite. lo counts where
/// hi is a tie.
template <class H>
HWY_INLINE RoundedOnce round_to(Vec<double> hi, Vec<double> lo) {
  constexpr double kLowest = Format<H>::kLowestExponent;
  const Vec<double> zero = set(0.0);
  const Vec<double> exponent = detail::clamp(exponent_of(hi), kLowest, 300);
  const Vec<double> unit = exp2_of_whole(exponent - set(static_cast<double>(Format<H>::kDigits - 1)));
  const Vec<double> magic = set(0x1.8p52) * unit, half = set(0.5) * unit;
  const Vec<double> rest = abs(hi - ((hi + magic) - magic));
  const Mask<double> tie = rest == half && !(lo == zero);
  const Vec<double> moved = where(tie, hi + copy_sign(unit * set(0x1p-10), lo), hi);
  const Vec<double> rounded = (moved + magic) - magic;
  return {copy_sign(rounded, hi), abs(rest - half) <= unit * set(0x1p-32)};
}

/// What is known of a number: that of a constant is known before the loop.
enum class Known { nothing, zero, above, below };

/// 16-bit floats as the bits that they are: for definitions that only compare and select. What a comparison
/// with NaN gives is not told.
template <class H>
struct Bits {
  using IsKeratinValue = void;
  hn::Vec<Tag<std::int16_t>> raw;
  Known known = Known::nothing;
};

namespace detail {

HWY_INLINE hn::Vec<Tag<std::uint16_t>> unsigned_words(hn::Vec<Tag<std::int16_t>> v) {
  return hn::BitCast(Tag<std::uint16_t>(), v);
}
HWY_INLINE hn::Vec<Tag<std::int16_t>> signed_words(hn::Vec<Tag<std::uint16_t>> v) {
  return hn::BitCast(Tag<std::int16_t>(), v);
}
HWY_INLINE Mask<std::int16_t> unsigned_below(hn::Vec<Tag<std::int16_t>> a, hn::Vec<Tag<std::int16_t>> b) {
  return {hn::RebindMask(Tag<std::int16_t>(), hn::Lt(unsigned_words(a), unsigned_words(b)))};
}
// In the order of the numbers, both zeros equal.
template <class H>
HWY_INLINE hn::Vec<Tag<std::int16_t>> ordered(Bits<H> x) {
  const auto sign = hn::ShiftRight<15>(x.raw);
  return hn::Sub(hn::Xor(hn::And(x.raw, hn::Set(Tag<std::int16_t>(), std::int16_t{0x7FFF})), sign), sign);
}

}  // namespace detail

template <class H>
HWY_INLINE Bits<H> load_bits(const H* from) {
  const Tag<std::int16_t> tag;
  return {hn::BitCast(tag, hn::LoadU(Tag<std::uint16_t>(), &from->bits))};
}
template <class H>
HWY_INLINE void store_bits(Bits<H> x, H* to, bool streams) {
  const Tag<std::uint16_t> tag;
  store_raw(hn::BitCast(tag, x.raw), tag, &to->bits, streams);
}
namespace detail {

// Of a number that the format holds. Inline, so that loops lift it out.
template <class H>
HWY_INLINE std::uint32_t bits_of(float number) {
  std::uint32_t bits;
  std::memcpy(&bits, &number, sizeof(bits));
  if constexpr (std::is_same_v<H, bfloat16>) return bits >> 16;
  const std::uint32_t sign = bits >> 31 << 15, a = bits & 0x7FFFFFFF;
  if (a >= 0x47800000) return sign | 0x7C00;
  if (a < 0x38800000) return sign | static_cast<std::uint32_t>((number < 0 ? -number : number) * 0x1p24f);
  return sign | (a - (112u << 23)) >> 13;
}

}  // namespace detail

template <class H>
HWY_INLINE Bits<H> like(Bits<H>, Constant c) {
  const std::uint32_t bits = detail::bits_of<H>(static_cast<float>(c.hi));
  const Known known = bits == 0       ? Known::zero
                      : bits < 0x8000 ? Known::above
                      : bits > 0x8000 ? Known::below
                                      : Known::nothing;
  return {hn::Set(Tag<std::int16_t>(), static_cast<std::int16_t>(bits)), known};
}
// Compiled and never reached: a definition that computes does not only select.
template <class H>
HWY_INLINE Bits<H> operator-(Bits<H> a, Bits<H>) {
  HWY_DASSERT(false);
  return a;
}
template <class H>
HWY_INLINE Bits<H> operator*(Bits<H> a, Bits<H>) {
  HWY_DASSERT(false);
  return a;
}
template <class H>
HWY_INLINE Bits<H> where(Mask<std::int16_t> m, Bits<H> a, Bits<H> b) {
  return {hn::IfThenElse(m.raw, a.raw, b.raw)};
}
// Of positive numbers the bits are in the numbers' order, as whole numbers with a sign even among all
// numbers; of negative ones in the reverse order, without a sign among all.
template <class H>
HWY_INLINE Mask<std::int16_t> operator<(Bits<H> a, Bits<H> b) {
  const Tag<std::int16_t> tag;
  if (b.known == Known::above) return {hn::Lt(a.raw, b.raw)};
  if (b.known == Known::below) return detail::unsigned_below(b.raw, a.raw);
  if (b.known == Known::zero) return detail::unsigned_below(hn::Set(tag, std::int16_t{-0x8000}), a.raw);
  return {hn::Lt(detail::ordered(a), detail::ordered(b))};
}
template <class H>
HWY_INLINE Mask<std::int16_t> operator>(Bits<H> a, Bits<H> b) {
  if (b.known == Known::above || b.known == Known::zero) return {hn::Gt(a.raw, b.raw)};
  if (b.known == Known::below) return detail::unsigned_below(a.raw, b.raw);
  return {hn::Gt(detail::ordered(a), detail::ordered(b))};
}
template <class H>
HWY_INLINE Mask<std::int16_t> operator<=(Bits<H> a, Bits<H> b) {
  return !(a > b);
}
template <class H>
HWY_INLINE Mask<std::int16_t> operator>=(Bits<H> a, Bits<H> b) {
  return !(a < b);
}
template <class H>
HWY_INLINE Mask<std::int16_t> operator==(Bits<H> a, Bits<H> b) {
  return {hn::Eq(detail::ordered(a), detail::ordered(b))};
}
// With a constant one operation, but for the larger of x and 0, which keeps -0.
template <class H>
HWY_INLINE Bits<H> min(Bits<H> a, Bits<H> b) {
  if (b.known == Known::above || b.known == Known::zero) return {hn::Min(a.raw, b.raw)};
  if (b.known == Known::below)
    return {detail::signed_words(hn::Max(detail::unsigned_words(a.raw), detail::unsigned_words(b.raw)))};
  return where(a > b, b, a);
}
template <class H>
HWY_INLINE Bits<H> max(Bits<H> a, Bits<H> b) {
  if (b.known == Known::above) return {hn::Max(a.raw, b.raw)};
  if (b.known == Known::below)
    return {detail::signed_words(hn::Min(detail::unsigned_words(a.raw), detail::unsigned_words(b.raw)))};
  return where(a < b, b, a);
}
template <class H>
HWY_INLINE Bits<H> abs(Bits<H> x) {
  return {hn::And(x.raw, hn::Set(Tag<std::int16_t>(), std::int16_t{0x7FFF}))};
}
template <class H>
HWY_INLINE Mask<std::int16_t> is_nan(Bits<H> x) {
  constexpr std::int16_t kInfinity = std::is_same_v<H, float16> ? 0x7C00 : 0x7F80;
  return {hn::Gt(abs(x).raw, hn::Set(Tag<std::int16_t>(), kInfinity))};
}
/// g times a slope that is 0 or 1: not 0 where g is infinite, nor where it is NaN.
template <class H>
HWY_INLINE Bits<H> selected_product(Bits<H> slope, Bits<H> g) {
  const Tag<std::int16_t> tag;
  constexpr std::int16_t kInfinity = std::is_same_v<H, float16> ? 0x7C00 : 0x7F80;
  const auto finite = hn::Lt(abs(g).raw, hn::Set(tag, kInfinity));
  const auto sign = hn::And(g.raw, hn::Set(tag, std::int16_t{-0x8000}));
  const auto nothing = hn::IfThenElse(finite, sign, hn::Set(tag, std::int16_t{0x7FFF}));
  return {hn::IfThenElse(hn::Eq(slope.raw, hn::Zero(tag)), nothing, g.raw)};
}
