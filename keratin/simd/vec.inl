// Vectors of f32 and f64 of the instruction set being compiled: arithmetic, comparisons, selection, bits.
// Fused multiply-adds are exact on every instruction set, so all give the same bits.

namespace hn = ::hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::ScalableTag<T>;
// As many f32 as a vector holds f64.
using HalfTag = hn::Rebind<float, Tag<double>>;

template <class T>
struct Mask {
  hn::Mask<Tag<T>> raw;
};

template <class T>
struct Vec {
  using IsKeratinValue = void;
  hn::Vec<Tag<T>> raw;
};

/// Of the lanes of the vector that begins at element `first` those that are among `count` elements.
template <class AnyTag>
HWY_INLINE hn::Mask<AnyTag> lanes_among(AnyTag tag, std::size_t first, std::size_t count) {
  return hn::FirstN(tag, count > first ? std::min(count - first, hn::MaxLanes(tag)) : 0);
}

template <class T>
HWY_INLINE Vec<T> set(T value) {
  return {hn::Set(Tag<T>(), value)};
}
/// The constant as a value of x's type.
template <class T>
HWY_INLINE Vec<T> like(Vec<T>, Constant c) {
  return {hn::Set(Tag<T>(), static_cast<T>(c.hi))};
}
template <class T>
HWY_INLINE Vec<T> load(const T* from) {
  return {hn::LoadU(Tag<T>(), from)};
}
template <class T>
HWY_INLINE void store(Vec<T> v, T* to) {
  hn::StoreU(v.raw, Tag<T>(), to);
}
/// Past the caches with `streams`, where `to` has to be aligned to the vector; to be followed by a fence.
/// Less than 16 bytes, which streaming stores do not know, are stored as ever.
template <class D>
HWY_INLINE void store_raw(hn::Vec<D> v, D tag, hn::TFromD<D>* to, [[maybe_unused]] bool streams) {
  if constexpr (hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) >= 16) {
    if (streams) return hn::Stream(v, tag, to);
  }
  hn::StoreU(v, tag, to);
}

template <class T>
HWY_INLINE Vec<T> operator+(Vec<T> a, Vec<T> b) {
  return {hn::Add(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return {hn::Sub(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return {hn::Mul(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return {hn::Div(a.raw, b.raw)};
}
/// To 1 ULP, and without a division.
HWY_INLINE Vec<double> operator/(Vec<double> a, Constant b) { return a * set(1.0 / b.hi); }
template <class T>
HWY_INLINE Vec<T> operator-(Vec<T> a) {
  return {hn::Xor(a.raw, hn::SignBit(Tag<T>()))};
}

template <class T>
HWY_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {
  return {hn::Lt(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {
  return {hn::Le(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator>(Vec<T> a, Vec<T> b) {
  return {hn::Lt(b.raw, a.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator>=(Vec<T> a, Vec<T> b) {
  return {hn::Le(b.raw, a.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {
  return {hn::Eq(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator&&(Mask<T> a, Mask<T> b) {
  return {hn::And(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator||(Mask<T> a, Mask<T> b) {
  return {hn::Or(a.raw, b.raw)};
}
template <class T>
HWY_INLINE Mask<T> operator!(Mask<T> a) {
  return {hn::Not(a.raw)};
}
template <class T>
HWY_INLINE Mask<T> is_nan(Vec<T> a) {
  return {hn::IsNaN(a.raw)};
}
template <class T>
HWY_INLINE bool all(Mask<T> a) {
  return hn::AllTrue(Tag<T>(), a.raw);
}

/// Bit i is lane i's.
HWY_INLINE std::uint32_t mask_bits(Mask<float> a) {
#if HWY_TARGET == HWY_AVX3
  return a.raw.raw;
#elif HWY_TARGET == HWY_AVX2
  return static_cast<std::uint32_t>(_mm256_movemask_ps(a.raw.raw));
#else
  static_assert(hn::MaxLanes(Tag<float>()) <= 8);
  std::uint8_t bits[8] = {};
  hn::StoreMaskBits(Tag<float>(), a.raw, bits);
  return bits[0];
#endif
}

/// Lane by lane: a where m, else b.
template <class T>
HWY_INLINE Vec<T> where(Mask<T> m, Vec<T> a, Vec<T> b) {
  return {hn::IfThenElse(m.raw, a.raw, b.raw)};
}

/// The smaller; a where they are equal or one is NaN.
template <class T>
HWY_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
  return {hn::Min(b.raw, a.raw)};  // the second where they are equal or one is NaN
#else
  return where(b < a, b, a);
#endif
}
/// The larger; a where they are equal or one is NaN.
template <class T>
HWY_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
  return {hn::Max(b.raw, a.raw)};
#else
  return where(a < b, b, a);
#endif
}

/// a·b + c, rounded once.
template <class T>
HWY_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
#if HWY_NATIVE_FMA
  return {hn::MulAdd(a.raw, b.raw, c.raw)};
#else
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<T>());
  alignas(16) T x[kLanes], y[kLanes], z[kLanes];
  hn::Store(a.raw, Tag<T>(), x);
  hn::Store(b.raw, Tag<T>(), y);
  hn::Store(c.raw, Tag<T>(), z);
  for (std::size_t i = 0; i < kLanes; ++i) x[i] = std::fma(x[i], y[i], z[i]);
  return {hn::Load(Tag<T>(), x)};
#endif
}
template <class T>
HWY_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Constant c) {
  return fma(a, b, like(a, c));
}
template <class T>
HWY_INLINE Vec<T> fma(Vec<T> a, Constant b, Vec<T> c) {
  return fma(a, like(a, b), c);
}

template <class T>
HWY_INLINE Vec<T> abs(Vec<T> a) {
  return {hn::Abs(a.raw)};
}
/// magnitude's absolute value with sign's sign.
template <class T>
HWY_INLINE Vec<T> copy_sign(Vec<T> magnitude, Vec<T> sign) {
  return {hn::CopySign(magnitude.raw, sign.raw)};
}
/// x with its sign flipped where sign is negative (−0 included).
template <class T>
HWY_INLINE Vec<T> flip_sign(Vec<T> x, Vec<T> sign) {
  return {hn::Xor(x.raw, hn::And(sign.raw, hn::SignBit(Tag<T>())))};
}
constexpr Bound sqrt_bound{0.5, 0.5, 0};
template <class T>
HWY_INLINE Vec<T> sqrt(Vec<T> a) {
  return {hn::Sqrt(a.raw)};
}

/// The nearest whole number, ties to even, for |x| < 2^51.
HWY_INLINE Vec<double> round_to_whole(Vec<double> x) {
  const Vec<double> magic = set(0x1.8p52);
  return (x + magic) - magic;
}
/// 2^n for a whole n in [-1022, 1023].
HWY_INLINE Vec<double> exp2_of_whole(Vec<double> n) {
  // The low bits of n + magic are those of the biased exponent.
  const Vec<double> shifted = n + set(0x1.8p52 + 1023);
  const Tag<std::uint64_t> bits;
  return {hn::BitCast(Tag<double>(), hn::ShiftLeft<52>(hn::BitCast(bits, shifted.raw)))};
}
/// x·2^n, rounded once, for a whole n in [-2044, 2046] and a normal x·2^(n/2).
HWY_INLINE Vec<double> scale(Vec<double> x, Vec<double> n) {
  const Vec<double> half = round_to_whole(n * set(0.5));
  return x * exp2_of_whole(half) * exp2_of_whole(n - half);
}
/// The exponent of a normal |x|: floor(log2 |x|).
HWY_INLINE Vec<double> exponent_of(Vec<double> x) {
  const Tag<std::uint64_t> bits;
  const auto raw = hn::ShiftRight<52>(hn::BitCast(bits, hn::Abs(x.raw)));
  // The bits of 2^52 + k are those of 2^52 with k added.
  const Vec<double> biased{hn::BitCast(Tag<double>(), hn::Or(raw, hn::Set(bits, 0x4330000000000000ULL)))};
  return biased - set(0x1p52 + 1023);
}

/// Loads as many f32 as there are f64 lanes.
HWY_INLINE Vec<double> load_promoted(const float* from) {
  return {hn::PromoteTo(Tag<double>(), hn::LoadU(HalfTag(), from))};
}
/// Rounds to f32 (ties to even, subnormals kept, overflow to infinity) and stores.
HWY_INLINE void store_rounded(Vec<double> v, float* to, [[maybe_unused]] bool streams = false) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  // Highway's conversion saturates here, where the instruction sets give infinity.
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());
  double lanes[kLanes];
  store(v, lanes);
  for (std::size_t i = 0; i < kLanes; ++i) to[i] = static_cast<float>(lanes[i]);
#else
  store_raw(hn::DemoteTo(HalfTag(), v.raw), HalfTag(), to, streams);
#endif
}
