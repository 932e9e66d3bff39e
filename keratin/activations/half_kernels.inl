// The loops of 16-bit floats. The f32 result decides the rounding wherever it can; the few lanes in doubt run
// the definition in f64, and in wide numbers where that is next to a tie. Every lane for itself: the bits do
// not depend on its neighbours. Included by kernels.inl, which holds the routes.

template <class D>
HWY_INLINE Vec<float> single_value(const D& definition, Vec<float> x) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
  float lanes[kLanes];
  store(x, lanes);
  for (std::size_t i = 0; i < kLanes; i += Promoted::kLanes) {
    forward_block<Promoted>(definition, lanes + i, lanes + i);
  }
  return load(lanes);
}

template <class D>
HWY_INLINE Vec<float> single_slope(const D& definition, Vec<float> x) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
  float lanes[kLanes], ones[Promoted::kLanes];
  store(x, lanes);
  for (float& one : ones) one = 1;
  for (std::size_t i = 0; i < kLanes; i += Promoted::kLanes) {
    gradient_block<Promoted>(definition, lanes + i, ones, lanes + i);
  }
  return load(lanes);
}

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

// Rounds f64 results to 16 bits, those next to a tie from what `wide()` gives.
template <class H, class GetWide>
HWY_INLINE void store_certain(Vec<double> y, const GetWide& wide, float* to) {
  const RoundedOnce rounded = round_to<H>(y, set(0.0));
  Vec<double> number = rounded.number;
  if (!all(!rounded.close)) {
    const Pair pair = wide();
    number = where(rounded.close, round_to<H>(pair.hi, pair.lo).number, number);
  }
  store_rounded(number, to);
}

template <class H, class D>
HWY_NOINLINE Vec<float> certain_value(const D& definition, Vec<float> x) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
  float lanes[kLanes];
  store(x, lanes);
  for (std::size_t i = 0; i < kLanes; i += Promoted::kLanes) {
    const Vec<double> raw = load_promoted(lanes + i);
    store_certain<H>(
        Promoted::leave(definition(Promoted::enter(raw))), [&] { return wide_value(definition, raw); },
        lanes + i);
  }
  return load(lanes);
}

template <class H, class D>
HWY_NOINLINE Vec<float> certain_gradient(const D& definition, Vec<float> x, Vec<float> upstream) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
  float lanes[kLanes], factors[kLanes];
  store(x, lanes);
  store(upstream, factors);
  for (std::size_t i = 0; i < kLanes; i += Promoted::kLanes) {
    const Vec<double> raw = load_promoted(lanes + i), factor = load_promoted(factors + i);
    store_certain<H>(
        derivative_of(definition, Promoted::enter(raw)) * factor,
        [&] { return wide_gradient(definition, raw, factor); }, lanes + i);
  }
  return load(lanes);
}

template <class H, class D>
struct Half {
  using Lane = H;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());

  static HWY_INLINE void forward(const D& definition, const H* x, H* y) {
    const Vec<float> raw = load_half(x);
    Vec<float> result = single_value(definition, raw);
    const Mask<float> doubt = in_doubt<H>(result);
    if (!all(!doubt)) result = where(doubt, certain_value<H>(definition, raw), result);
    store_half<false>(where(is_nan(raw), raw, result), y);
  }
  static HWY_INLINE void gradient(const D& definition, const H* x, const H* upstream, H* out) {
    const Vec<float> raw = load_half(x), factor = load_half(upstream);
    const Vec<float> slope = single_slope(definition, raw);
    Vec<float> result = slope * factor;
    // A subnormal slope has few digits, which a large factor would show.
    const Mask<float> doubt = in_doubt<H>(result) || (abs(slope) < set(0x1p-126f) && abs(factor) > set(1.0f));
    if (!all(!doubt)) result = where(doubt, certain_gradient<H>(definition, raw, factor), result);
    store_half<false>(where(is_nan(raw), raw, result), out);
  }
};

// For definitions that are exact, or one operation, in their own type: f32 has more than twice the digits of
// both formats, so rounding its result again rounds once. But for bfloat16's subnormal products, which f32
// rounds to the same exponents.
template <class H, class D>
struct ExactHalf {
  using Lane = H;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());

  static HWY_INLINE Mask<float> rounded_before(Vec<float> y) {
    return abs(y) < set(0x1p-126f) && !(y == set(0.0f));
  }
  static HWY_INLINE void forward(const D& definition, const H* x, H* y) {
    const Vec<float> raw = load_half(x);
    Vec<float> result = definition(raw);
    if constexpr (std::is_same_v<H, bfloat16>) {
      const Mask<float> doubt = rounded_before(result);
      if (!all(!doubt)) result = where(doubt, certain_value<H>(definition, raw), result);
    }
    store_half<true>(where(is_nan(raw), raw, result), y);
  }
  static HWY_INLINE void gradient(const D& definition, const H* x, const H* upstream, H* out) {
    const Vec<float> raw = load_half(x), factor = load_half(upstream);
    Vec<float> result = derivative_of(definition, raw) * factor;
    if constexpr (std::is_same_v<H, bfloat16>) {
      const Mask<float> doubt = rounded_before(result);
      if (!all(!doubt)) result = where(doubt, certain_gradient<H>(definition, raw, factor), result);
    }
    store_half<true>(where(is_nan(raw), raw, result), out);
  }
};

template <class Block, class D>
void half_forward_loop(const D& definition, const typename Block::Lane* x, typename Block::Lane* y,
                       std::size_t n) {
  constexpr std::size_t kLanes = Block::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Block::forward(definition, x + i, y + i);
  if (i == n) return;
  typename Block::Lane buffer[kLanes] = {};
  std::memcpy(buffer, x + i, (n - i) * sizeof(*x));
  Block::forward(definition, buffer, buffer);
  std::memcpy(y + i, buffer, (n - i) * sizeof(*x));
}

template <class Block, class D>
void half_gradient_loop(const D& definition, const typename Block::Lane* x,
                        const typename Block::Lane* upstream, typename Block::Lane* out, std::size_t n) {
  constexpr std::size_t kLanes = Block::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Block::gradient(definition, x + i, upstream + i, out + i);
  if (i == n) return;
  typename Block::Lane buffer[kLanes] = {}, factor[kLanes] = {};
  std::memcpy(buffer, x + i, (n - i) * sizeof(*x));
  std::memcpy(factor, upstream + i, (n - i) * sizeof(*x));
  Block::gradient(definition, buffer, factor, buffer);
  std::memcpy(out + i, buffer, (n - i) * sizeof(*x));
}

template <class D, class H>
struct HalfEntry {
  static void forward(const void* parameters, const H* x, H* y, std::size_t n) {
    const D d = definition_of<D, H>(parameters);
    if constexpr (!kNeverExact<D>) {
      if (is_exact(d)) return half_forward_loop<ExactHalf<H, D>>(d, x, y, n);
    }
    if constexpr (!kAlwaysExact<D>) half_forward_loop<Half<H, D>>(d, x, y, n);
  }
  static void gradient(const void* parameters, const H* x, const H* upstream, H* out, std::size_t n) {
    const D d = definition_of<D, H>(parameters);
    if constexpr (!kNeverExact<D>) {
      if (is_exact(d)) return half_gradient_loop<ExactHalf<H, D>>(d, x, upstream, out, n);
    }
    if constexpr (!kAlwaysExact<D>) half_gradient_loop<Half<H, D>>(d, x, upstream, out, n);
  }
};
