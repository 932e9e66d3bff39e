// Lanes that a loop cannot settle where it is: outside a kernel's table, or next to a tie of a 16-bit type.
// They wait until there are many, with what they come from, and then run the definition in f64 together,
// which takes as long for one lane as for a vector. Which lanes wait depends on their own numbers alone, and
// what they get not on what they wait with. Included by kernels.inl.

// A block of kVectors vectors of f32, one after another; of 16-bit floats it is HalfBlock.
template <std::size_t kVectors>
struct FloatBlock {
  /// Where the first lane of vector u stands in the block; the others follow kStep apart.
  static constexpr std::size_t place(std::size_t u) { return u * hn::MaxLanes(FloatTag()); }
  static constexpr std::int32_t kStep = 1;
};

// A wide number as two doubles; lo tells on which side of a tie hi it lies.
HWY_INLINE Pair parts(Wide x) {
  const Mask<double> plain = x.exponent == set(0.0);
  const Vec<double> exponent = simd::HWY_NAMESPACE::detail::clamp(x.exponent, -1000, 1000);
  return {where(plain, x.hi, scale(x.hi, exponent)), x.lo};
}

template <class D>
HWY_NOINLINE Pair wide_value(const D& definition, Vec<double> x) {
  return parts(definition(Widened::enter(x)));
}
template <class D>
HWY_NOINLINE Pair wide_gradient(const D& definition, Vec<double> x, Vec<double> upstream) {
  return parts(derivative_of(definition, Widened::enter(x)) * widen(upstream));
}

template <class T, bool kOfSlopes>
class Later {
 public:
  HWY_INLINE Later() {}

  /// Adds `lanes` of a block. Their results go to the block `to` after those of all its lanes; those of the
  /// blocks before have been stored.
  template <class Block, class F, std::size_t kVectors>
  HWY_INLINE void add(const F& f, const Mask<float> (&lanes)[kVectors], const Vec<float> (&x)[kVectors],
                      const Vec<float> (&upstream)[kVectors], T* to) {
    std::size_t added[kVectors], all = 0;
    for (std::size_t u = 0; u < kVectors; ++u) {
      added[u] = static_cast<std::size_t>(std::popcount(mask_bits(lanes[u])));
      all += added[u];
    }
    if (all == 0) return;
    if (count_ + kVectors * kWidth > kRoom || (count_ > 0 && to - start_ > kFarthest)) settle_all(f);
    if (count_ == 0) start_ = to;
    const PlaceTag whole;
    const auto steps = hn::Mul(hn::Iota(whole, 0), hn::Set(whole, Block::kStep));
    std::size_t count = count_;
    // None of a vector's lanes are added like many: whether there are any is anyone's guess, and a wrong one
    // costs more.
    for (std::size_t u = 0; u < kVectors; ++u) {
      const auto first = static_cast<std::int32_t>(to - start_) + static_cast<std::int32_t>(Block::place(u));
      const auto place = hn::Add(steps, hn::Set(whole, first));
      hn::StoreU(hn::Compress(x[u].raw, lanes[u].raw), FloatTag(), x_ + count);
      if constexpr (kOfSlopes)
        hn::StoreU(hn::Compress(upstream[u].raw, lanes[u].raw), FloatTag(), upstream_ + count);
      hn::StoreU(hn::Compress(place, hn::RebindMask(whole, lanes[u].raw)), whole, place_ + count);
      count += added[u];
    }
    count_ = count;
  }

  template <class F>
  HWY_INLINE void settle(const F& f) {
    if (HWY_UNLIKELY(count_ > 0)) settle_all(f);
  }

 private:
  using PlaceTag = hn::RebindToSigned<FloatTag>;
  static constexpr std::size_t kWidth = hn::MaxLanes(FloatTag());
  static constexpr std::size_t kRoom = 16 * kWidth;
  static constexpr std::ptrdiff_t kFarthest = std::ptrdiff_t{1} << 30;

  template <class F>
  HWY_NOINLINE void settle_all(const F& f) {
    constexpr std::size_t kAtOnce = hn::MaxLanes(Tag<double>());
    hn::StoreU(hn::Set(FloatTag(), 1.0f), FloatTag(), x_ + count_);
    hn::StoreU(hn::Set(FloatTag(), 1.0f), FloatTag(), upstream_ + count_);
    for (std::size_t first = 0; first < count_; first += kWidth) {
      float numbers[kWidth];
      for (std::size_t i = 0; i < kWidth; i += kAtOnce) store_rounded(settled(f, first + i), numbers + i);
      const std::size_t here = std::min(kWidth, count_ - first);
      if constexpr (std::is_same_v<T, float>) {
        for (std::size_t i = 0; i < here; ++i) start_[place_[first + i]] = numbers[i];
      } else {
        T rounded[kWidth];
        store_half(rounded_bits<false>(load(numbers), T()), rounded, false);
        for (std::size_t i = 0; i < here; ++i) start_[place_[first + i]] = rounded[i];
      }
    }
    count_ = 0;
  }

  template <class F>
  HWY_INLINE Vec<double> settled(const F& f, std::size_t first) const {
    const Vec<double> x = load_promoted(x_ + first);
    Vec<double> result;
    if constexpr (kOfSlopes) {
      result = slope(f, x, load_promoted(upstream_ + first));
    } else {
      const Vec<double> y = f.definition(Promoted::enter(x));
      if constexpr (std::is_same_v<T, float>) {
        result = y;
      } else {
        result = rounded_once(y, [&] { return wide_value(f.definition, x); });
      }
    }
    return where(is_nan(x), x, result);
  }
  template <class F>
  static HWY_INLINE Vec<double> slope(const F& f, Vec<double> x, Vec<double> upstream) {
    const Vec<double> y = derivative_of(f.definition, Promoted::enter(x)) * upstream;
    if constexpr (std::is_same_v<T, float>) {
      return y;
    } else {
      const Vec<double> once = rounded_once(y, [&] { return wide_gradient(f.definition, x, upstream); });
      if constexpr (requires { f.kernel.of_few_digits(x); })
        return where(f.kernel.of_few_digits(x), round_to<T>(shortened(y), set(0.0)).number, once);
      return once;
    }
  }
  // To 16 bits: from f64, and from wide numbers next to a tie.
  template <class GetWide>
  static HWY_INLINE Vec<double> rounded_once(Vec<double> y, const GetWide& wide) {
    const RoundedOnce rounded = round_to<T>(y, set(0.0));
    if (all(!rounded.close)) return rounded.number;
    const Pair pair = wide();
    return where(rounded.close, round_to<T>(pair.hi, pair.lo).number, rounded.number);
  }
  // To 44 digits: without the roundings that hide a tie.
  static HWY_INLINE Vec<double> shortened(Vec<double> y) {
    const Vec<double> far = y * set(513.0);
    return far - (far - y);
  }

  std::size_t count_ = 0;
  T* start_ = nullptr;
  float x_[kRoom + kWidth], upstream_[kRoom + kWidth];
  std::int32_t place_[kRoom + kWidth];
};
