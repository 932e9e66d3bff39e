// The loops of 16-bit floats. The f32 result decides the rounding wherever it can; the few lanes in doubt run
// the definition in f64, and in wide numbers where that is next to a tie. Every lane for itself: the bits do
// not depend on its neighbours. Included by kernels.inl, which holds the routes.

// Where no fast kernel stands for a definition: the composition in f64, rounded to f32.
template <class D>
struct Composed;
struct Compositions {
  static constexpr std::size_t kVectors = 1, kWidth = hn::MaxLanes(FloatTag());
  using Group = Floats[kVectors];

  template <class D>
  static HWY_INLINE void values(const Composed<D>& f, const Group& in, Group& out) {
    float lanes[kWidth];
    hn::StoreU(in[0], FloatTag(), lanes);
    for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
      forward_block<Promoted>(f.definition, lanes + i, lanes + i, false);
    }
    out[0] = hn::LoadU(FloatTag(), lanes);
  }
  template <class D>
  static HWY_INLINE void slopes(const Composed<D>& f, const Group& in, Group& out) {
    float lanes[kWidth], ones[Promoted::kLanes];
    hn::StoreU(in[0], FloatTag(), lanes);
    for (float& one : ones) one = 1;
    for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
      gradient_block<Promoted>(f.definition, lanes + i, ones, lanes + i, false);
    }
    out[0] = hn::LoadU(FloatTag(), lanes);
  }
};
template <class D>
struct Composed {
  using Route = Compositions;
  const D& definition;
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

// From the f32 results of Source, which are Tables of a kernel or Compositions.
template <class H, class Source>
struct Half {
  using Lane = H;
  static constexpr std::size_t kVectors = Source::kVectors, kWidth = hn::MaxLanes(FloatTag());
  static constexpr std::size_t kLanes = kVectors * kWidth;
  using Group = Floats[kVectors];

  template <class F>
  static HWY_INLINE void forward(const F& f, const H* x, H* y, bool streams) {
    Group in, out;
    for (std::size_t u = 0; u < kVectors; ++u) in[u] = load_half(x + u * kWidth).raw;
    Source::values(f, in, out);
    // Read again, rather than kept in registers for the few.
    round(out, y, streams,
          [&](std::size_t u) { return certain_value<H>(f.definition, load_half(x + u * kWidth)); });
  }
  template <class F>
  static HWY_INLINE void gradient(const F& f, const H* x, const H* upstream, H* out, bool streams) {
    const FloatTag tag;
    Group in, slope, factor;
    for (std::size_t u = 0; u < kVectors; ++u) in[u] = load_half(x + u * kWidth).raw;
    Source::slopes(f, in, slope);
    for (std::size_t u = 0; u < kVectors; ++u) factor[u] = load_half(upstream + u * kWidth).raw;
    const auto certain = [&](std::size_t u) {
      return certain_gradient<H>(f.definition, load_half(x + u * kWidth), load_half(upstream + u * kWidth));
    };
    // A subnormal slope has few digits, which a large factor would show; in float16 the product is 0 still.
    if constexpr (std::is_same_v<H, bfloat16>) {
      Floats smallest = hn::Abs(slope[0]);
      for (std::size_t u = 1; u < kVectors; ++u) smallest = hn::Min(smallest, hn::Abs(slope[u]));
      if (HWY_UNLIKELY(!hn::AllFalse(tag, hn::Lt(smallest, hn::Set(tag, 0x1p-126f))))) {
        for (std::size_t u = 0; u < kVectors; ++u) {
          const auto few = hn::And(hn::Lt(hn::Abs(slope[u]), hn::Set(tag, 0x1p-126f)),
                                   hn::Gt(hn::Abs(factor[u]), hn::Set(tag, 1.0f)));
          if (hn::AllFalse(tag, few)) continue;
          slope[u] = hn::IfThenElse(few, certain(u).raw, slope[u]);
          factor[u] = hn::IfThenElse(few, hn::Set(tag, 1.0f), factor[u]);
        }
      }
    }
    for (std::size_t u = 0; u < kVectors; ++u) slope[u] = hn::Mul(slope[u], factor[u]);
    round(slope, out, streams, certain);
  }

 private:
  // Rounds and stores; certain(u) gives vector u's numbers where f32 does not decide.
  template <class Certain>
  static HWY_INLINE void round(const Group& result, H* to, bool streams, const Certain& certain) {
    Rounder<H> rounder;
    decltype(rounder(Vec<float>{result[0]})) rounded[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) rounded[u] = rounder(Vec<float>{result[u]});
    if (HWY_UNLIKELY(rounder.doubts())) {
      for (std::size_t u = 0; u < kVectors; ++u) {
        const Vec<float> y{result[u]};
        const Mask<float> lanes = Rounder<H>::lanes_in_doubt(y);
        if (!all(!lanes)) rounded[u] = as_rounded(where(lanes, certain(u), y), H());
      }
    }
    store_rounded_half(rounded, to, streams);
  }
};

// What Straight runs: value, product, the definition for lanes in doubt, and below which bits of |y| they
// are.

// A definition that is exact, or one operation, in its own type: f32 has more than twice the digits of both
// formats, so rounding its result again rounds once. But for bfloat16's subnormal products, which f32 rounds
// to the same exponents.
template <class D>
struct InOwnType {
  static constexpr std::uint32_t kDoubtful = 0x007FFFFF;
  const D definition;

  HWY_INLINE Vec<float> value(Vec<float> x) const { return definition(x); }
  HWY_INLINE Vec<float> product(Vec<float> x, Vec<float> upstream) const {
    return derivative_of(definition, x) * upstream;
  }
};

// A kernel that rounds to odd, as long as what it lost is no subnormal: 2^-90 is enough.
template <class K, class D>
struct ToOdd {
  static constexpr std::uint32_t kDoubtful = 0x12800000;
  const K kernel;
  const D& definition;

  HWY_INLINE Vec<float> value(Vec<float> x) const { return {kernel.odd(x.raw)}; }
  HWY_INLINE Vec<float> product(Vec<float> x, Vec<float> upstream) const {
    return {kernel.odd(x.raw, upstream.raw)};
  }
};

// Whether the kernel of F, value or slope, rounds to odd.
template <class F>
constexpr bool kRoundsToOdd = requires(const F& f, Floats x) {
  f.kernel.odd(x);
}
|| requires(const F& f, Floats x) { f.kernel.odd(x, x); };

// Rounds f32 results as they are.
template <class H>
struct Straight {
  using Lane = H;
  static constexpr std::size_t kVectors = 4, kWidth = hn::MaxLanes(FloatTag()), kLanes = kVectors * kWidth;

  template <class F>
  static HWY_INLINE void forward(const F& f, const H* x, H* y, bool streams) {
    Vec<float> result[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Vec<float> raw = load_half(x + u * kWidth);
      result[u] = where(is_nan(raw), raw, f.value(raw));
    }
    round<F::kDoubtful>(result, y, streams, [&](std::size_t u) {
      return certain_value<H>(f.definition, load_half(x + u * kWidth));
    });
  }
  template <class F>
  static HWY_INLINE void gradient(const F& f, const H* x, const H* upstream, H* out, bool streams) {
    Vec<float> result[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Vec<float> raw = load_half(x + u * kWidth), factor = load_half(upstream + u * kWidth);
      result[u] = where(is_nan(raw), raw, f.product(raw, factor));
    }
    round<F::kDoubtful>(result, out, streams, [&](std::size_t u) {
      return certain_gradient<H>(f.definition, load_half(x + u * kWidth), load_half(upstream + u * kWidth));
    });
  }

 private:
  template <std::uint32_t kDoubtful, class Certain>
  static HWY_INLINE void round(Vec<float> (&result)[kVectors], H* to, bool streams, const Certain& certain) {
    if constexpr (std::is_same_v<H, bfloat16>) {
      const Tag<std::uint32_t> tag;
      // One less than the bits of |y|: of the numbers that are not 0 the smallest are the least.
      const auto below = [&](Vec<float> y) {
        return hn::Sub(hn::BitCast(tag, hn::Abs(y.raw)), hn::Set(tag, 1u));
      };
      const auto limit = hn::Set(tag, kDoubtful);
      auto least = below(result[0]);
      for (std::size_t u = 1; u < kVectors; ++u) least = hn::Min(least, below(result[u]));
      if (HWY_UNLIKELY(!hn::AllFalse(tag, hn::Lt(least, limit)))) {
        for (std::size_t u = 0; u < kVectors; ++u) {
          const Mask<float> lanes{hn::RebindMask(FloatTag(), hn::Lt(below(result[u]), limit))};
          if (!all(!lanes)) result[u] = where(lanes, certain(u), result[u]);
        }
      }
    }
    for (std::size_t u = 0; u < kVectors; ++u) {
      store_half(rounded_bits<true>(result[u], H()), to + u * kWidth, streams);
    }
  }
};

// For definitions that only select: the bits themselves.
template <class H>
struct SelectedHalf {
  using Lane = H;
  static constexpr std::size_t kVectors = 2, kWidth = hn::MaxLanes(Tag<std::int16_t>());
  static constexpr std::size_t kLanes = kVectors * kWidth;

  template <class D>
  static HWY_INLINE void forward(const D& definition, const H* x, H* y, bool streams) {
    Bits<H> raw[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) raw[u] = load_bits(x + u * kWidth);
    for (std::size_t u = 0; u < kVectors; ++u) {
      store_bits(where(is_nan(raw[u]), raw[u], definition(raw[u])), y + u * kWidth, streams);
    }
  }
};

template <class D, class H>
struct HalfEntry {
  static void forward(const void* parameters, const H* x, H* y, std::size_t n, bool streams) {
    const D d = definition_of<D, H>(parameters);
    const auto run = [&]<class F>(const F& f) {
      if constexpr (kRoundsToOdd<F>) {
        const ToOdd<std::remove_const_t<decltype(f.kernel)>, D> odd{f.kernel, d};
        forward_loop<Straight<H>>(odd, x, y, n, streams);
      } else {
        forward_loop<Half<H, typename F::Route>>(f, x, y, n, streams);
      }
    };
    if (with_fast_value(d, run)) return;
    if constexpr (requires { d.only_selects(); }) {
      if (d.only_selects()) return forward_loop<SelectedHalf<H>>(d, x, y, n, streams);
    }
    if constexpr (!kNeverExact<D>) {
      if (is_exact(d)) return forward_loop<Straight<H>>(InOwnType<D>{d}, x, y, n, streams);
    }
    if constexpr (!kAlwaysExact<D>) run(Composed<D>{d});
  }
  static void gradient(const void* parameters, const H* x, const H* upstream, H* out, std::size_t n,
                       bool streams) {
    const D d = definition_of<D, H>(parameters);
    const auto run = [&]<class F>(const F& f) {
      if constexpr (kRoundsToOdd<F>) {
        const ToOdd<std::remove_const_t<decltype(f.kernel)>, D> odd{f.kernel, d};
        gradient_loop<Straight<H>>(odd, x, upstream, out, n, streams);
      } else {
        gradient_loop<Half<H, typename F::Route>>(f, x, upstream, out, n, streams);
      }
    };
    if (with_fast_slope(d, run)) return;
    if constexpr (!kNeverExact<D>) {
      if (is_exact(d)) return gradient_loop<Straight<H>>(InOwnType<D>{d}, x, upstream, out, n, streams);
    }
    if constexpr (!kAlwaysExact<D>) run(Composed<D>{d});
  }
};
