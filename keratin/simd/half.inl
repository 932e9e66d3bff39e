// The 16-bit floats: loaded as f32, stored rounded once. A result known to kDoubt f32 ULP decides the
// rounding but for the lanes that in_doubt() names; those come from f64 (round_to), and next to a tie from
// wide numbers.

using Words = hn::Rebind<std::uint16_t, Tag<float>>;

/// What tells the two formats apart.
template <class H>
struct Format;
template <>
struct Format<float16> {
  static constexpr int kDigits = 11, kLowestExponent = -14, kDropped = 13;
};
template <>
struct Format<bfloat16> {
  static constexpr int kDigits = 8, kLowestExponent = -126, kDropped = 16;
};

namespace detail {

constexpr bool kConvertsFloat16 = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;

HWY_INLINE hn::Vec<Tag<std::uint32_t>> load_words(const std::uint16_t* from) {
  return hn::PromoteTo(Tag<std::uint32_t>(), hn::LoadU(Words(), from));
}
HWY_INLINE void store_words(hn::Vec<Tag<std::uint32_t>> v, std::uint16_t* to) {
  hn::StoreU(hn::DemoteTo(Words(), hn::BitCast(Tag<std::int32_t>(), v)), Words(), to);
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

/// Rounds to nearest and stores. A tie goes to even with kTies, else anywhere: for what is in no doubt.
/// A NaN has to come from 16 bits, so that rounding does not make a number of it.
template <bool kTies>
HWY_INLINE void store_half(Vec<float> v, bfloat16* to) {
  const Tag<std::uint32_t> tag;
  const auto bits = hn::BitCast(tag, v.raw);
  auto half = hn::Set(tag, 0x8000u);
  if constexpr (kTies) {
    half = hn::Add(hn::Set(tag, 0x7FFFu), hn::And(hn::ShiftRight<16>(bits), hn::Set(tag, 1u)));
  }
  detail::store_words(hn::ShiftRight<16>(hn::Add(bits, half)), &to->bits);
}
template <bool kTies>
HWY_INLINE void store_half(Vec<float> v, float16* to) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const hn::Rebind<hwy::float16_t, Tag<float>> halves;
  hn::StoreU(hn::BitCast(Words(), hn::DemoteTo(halves, v.raw)), Words(), &to->bits);
#else
  detail::store_words(detail::float16_bits(v), &to->bits);
#endif
}

/// How far an f32 result may be off, in ULP of f32: 1 for a kernel's, and a product's roundings.
constexpr std::uint32_t kDoubt = 4;

/// Lanes where a number within kDoubt of y may round otherwise than y; a few others too.
template <class H>
HWY_INLINE Mask<float> in_doubt(Vec<float> y) {
  const Tag<std::uint32_t> bits;
  const Tag<std::int32_t> whole;
  // The dropped bits, shifted to the top, read 1000…0 at a tie: the smallest signed number.
  constexpr int kShift = 32 - Format<H>::kDropped;
  const auto shifted =
      hn::ShiftLeft<kShift>(hn::Add(hn::BitCast(bits, y.raw), hn::Set(bits, std::uint32_t{kDoubt})));
  constexpr auto kLimit =
      static_cast<std::int32_t>((std::int64_t{2 * kDoubt + 1} << kShift) - (std::int64_t{1} << 31));
  Mask<float> doubt{
      hn::RebindMask(Tag<float>(), hn::Lt(hn::BitCast(whole, shifted), hn::Set(whole, kLimit)))};
  if constexpr (std::is_same_v<H, float16>) {
    // Subnormal results drop more bits; they are looked at more closely.
    const Mask<float> tiny = abs(y) < set(0x1p-14f);
    if (!all(!tiny)) {
      // y·2^24 is whole where y is a number of the format.
      const Vec<float> scaled = abs(y) * set(0x1p24f), magic = set(0x1.8p23f);
      const Vec<float> rest = abs(scaled - ((scaled + magic) - magic));
      const Mask<float> near_tie = abs(rest - set(0.5f)) <= scaled * set(0x1p-20f);
      doubt = Mask<float>{hn::Or(hn::AndNot(tiny.raw, doubt.raw), hn::And(tiny.raw, near_tie.raw))};
    }
  }
  return doubt;
}

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
