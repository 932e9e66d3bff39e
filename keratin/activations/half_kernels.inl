// The loops of 16-bit floats. The f32 result decides the rounding wherever it can; the few lanes in doubt run
// the definition in f64, and in wide numbers where that is next to a tie. Every lane for itself: the bits do
// not depend on its neighbours. Included by kernels.inl, which holds the routes.

// Where no fast kernel stands for a definition: the composition in f64, rounded to f32.
template <class D>
struct Composed;
struct Compositions {
  static constexpr std::size_t kVectors = 1, kWidth = hn::MaxLanes(FloatTag());
  static constexpr bool kTotal = true;
  using Group = Floats[kVectors];

  template <class D>
  static HWY_INLINE bool values(const Composed<D>& f, const Group& in, Group& out) {
    float lanes[kWidth];
    hn::StoreU(in[0], FloatTag(), lanes);
    for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
      forward_block<Promoted>(f.definition, lanes + i, lanes + i, false);
    }
    out[0] = hn::LoadU(FloatTag(), lanes);
    return true;
  }
  template <class D>
  static HWY_INLINE bool slopes(const Composed<D>& f, const Group& in, Group& out) {
    float lanes[kWidth], ones[Promoted::kLanes];
    hn::StoreU(in[0], FloatTag(), lanes);
    for (float& one : ones) one = 1;
    for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
      gradient_block<Promoted>(f.definition, lanes + i, ones, lanes + i, false);
    }
    out[0] = hn::LoadU(FloatTag(), lanes);
    return true;
  }
};
template <class D>
struct Composed {
  using Route = Compositions;
  static constexpr bool kUnbounded = true;
  const D& definition;
};

// From the f32 results of Source, which are Tables of a kernel or Compositions.
template <class H, class Source>
struct Half {
  using Lane = H;
  static constexpr std::size_t kVectors = Source::kVectors, kWidth = hn::MaxLanes(FloatTag());
  static constexpr std::size_t kLanes = kVectors * kWidth;
  using Group = Floats[kVectors];
  using Block = HalfBlock<H, kVectors>;
  using Values = Later<H, false>;
  using Slopes = Later<H, true>;

  template <class F>
  static HWY_INLINE void forward(const F& f, const H* x, H* y, bool streams, Values& later) {
    Group in, out;
    read(x, in);
    const bool inside = Source::values(f, in, out);
    ValueRounder rounder;
    decltype(rounder(Vec<float>{out[0]})) rounded[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) rounded[u] = rounder(Vec<float>{out[u]});
    if (HWY_UNLIKELY(!inside || rounder.doubts())) {
      Group kept;
      copy(out, kept);
      keep(f, kept, x, y, later);
    }
    Block::write(rounded, y, streams);
  }
  template <class F>
  static HWY_INLINE void gradient(const F& f, const H* x, const H* upstream, H* out, bool streams,
                                  Slopes& later) {
    Group in, slope, factor;
    read(x, in);
    const bool inside = Source::slopes(f, in, slope);
    read(upstream, factor);
    SlopeRounder rounder;
    decltype(rounder(Vec<float>{slope[0]})) rounded[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u)
      rounded[u] = rounder(Vec<float>{slope[u]} * Vec<float>{factor[u]});
    if (HWY_UNLIKELY(!inside || rounder.doubts() || (kDoubtsSlopes<F> && holds_extremes<F>(slope)))) {
      Group kept;
      copy(slope, kept);
      keep(f, kept, x, upstream, out, later);
    }
    Block::write(rounded, out, streams);
  }

 private:
  static constexpr std::uint32_t kDoubtOfKernel = [] {
    if constexpr (requires { Source::Kernel::template kDoubt<H>; }) return Source::Kernel::template kDoubt<H>;
    return kDoubtOfValues;
  }();
  using ValueRounder = Rounder<H, kDoubtOfKernel>;
  using SlopeRounder = Rounder<H, kDoubtOfSlopes>;

  static HWY_INLINE void read(const H* from, Group& to) {
    Vec<float> numbers[kVectors];
    Block::read(from, numbers);
    for (std::size_t u = 0; u < kVectors; ++u) to[u] = numbers[u].raw;
  }

  template <class F>
  static constexpr double kZero =
      std::remove_cvref_t<decltype(std::declval<F>().definition)>::kInfo.gradient_zero;
  // Not where the kernel is right to its last digits there as well.
  template <class F>
  static constexpr bool kHasZero = [] {
    if constexpr (requires { Source::Kernel::form; }) {
      if (Source::Kernel::form.centres_zero) return false;
    }
    return kZero<F> != std::numeric_limits<double>::infinity();
  }();
  template <class F>
  static constexpr bool kDoubtsSlopes = kHasZero<F> || std::is_same_v<H, bfloat16>;
  // Next to a zero of its own a slope is known to 2^-27 alone. half_test.cc tries all inputs there: they need
  // no more than this.
  template <class F>
  static constexpr float kSmallest = !kHasZero<F>                  ? 0x1p-126f
                                     : std::is_same_v<H, bfloat16> ? 0x1p-13f
                                                                   : 0x1p-7f;
  // Whether there is a slope below kSmallest, or an infinite one. Compared as whole numbers, so that a NaN
  // hides no other.
  template <class F>
  static HWY_INLINE bool holds_extremes(const Group& slope) {
    const hn::Rebind<std::uint32_t, FloatTag> whole;
    const auto size = [&](std::size_t u) { return hn::BitCast(whole, hn::Abs(slope[u])); };
    auto least = size(0), most = size(0);
    for (std::size_t u = 1; u < kVectors; ++u) {
      least = hn::Min(least, size(u));
      if constexpr (F::kUnbounded) most = hn::Max(most, size(u));
    }
    constexpr auto kLeast = std::bit_cast<std::uint32_t>(kSmallest<F>), kInfinity = 0x7F800000u;
    bool found = !hn::AllFalse(whole, hn::Lt(least, hn::Set(whole, kLeast)));
    if constexpr (F::kUnbounded)
      found = found || !hn::AllTrue(whole, hn::Lt(most, hn::Set(whole, kInfinity)));
    return found;
  }
  // Slopes whose product needs more digits than f32 has of them: subnormal and infinite ones, whose product
  // may be neither, and those next to a zero.
  template <class F>
  static HWY_INLINE Mask<float> lacks_digits(Floats x, Floats slope, Floats factor) {
    const Vec<float> size = abs(Vec<float>{slope}), times = abs(Vec<float>{factor});
    const Mask<float> lost = size < set(0x1p-126f) && times > set(1.0f);
    const Mask<float> beyond = size == set(std::numeric_limits<float>::infinity()) && times < set(1.0f);
    if constexpr (kHasZero<F>) {
      const Vec<float> off = abs(Vec<float>{x} - set(static_cast<float>(kZero<F>)));
      return lost || beyond || (size < set(kSmallest<F>) && off < set(0.125f));
    }
    return lost || beyond;
  }

  static HWY_INLINE void copy(const Group& from, Group& to) {
    for (std::size_t u = 0; u < kVectors; ++u) to[u] = from[u];
  }
  // Adds the lanes that f32 does not decide. Not inlined, and on copies: what a rare branch needs would live
  // in memory always.
  template <class F>
  static HWY_NOINLINE void keep(const F& f, const Group& result, const H* x, H* to, Values& later) {
    Vec<float> in[kVectors], y[kVectors];
    Mask<float> lanes[kVectors];
    Block::read(x, in);
    for (std::size_t u = 0; u < kVectors; ++u) y[u] = {result[u]};
    ValueRounder::lanes_in_doubt(y, lanes);
    for (std::size_t u = 0; u < kVectors; ++u) {
      if constexpr (!Source::kTotal) lanes[u] = lanes[u] || Source::outside(in[u].raw);
    }
    later.template add<Block>(f, lanes, in, in, to);
  }
  template <class F>
  static HWY_NOINLINE void keep(const F& f, const Group& slope, const H* x, const H* upstream, H* to,
                                Slopes& later) {
    Vec<float> in[kVectors], factor[kVectors], product[kVectors];
    Mask<float> lanes[kVectors];
    Block::read(x, in);
    Block::read(upstream, factor);
    for (std::size_t u = 0; u < kVectors; ++u) product[u] = Vec<float>{slope[u]} * factor[u];
    SlopeRounder::lanes_in_doubt(product, lanes);
    for (std::size_t u = 0; u < kVectors; ++u) {
      if constexpr (kDoubtsSlopes<F>)
        lanes[u] = lanes[u] || lacks_digits<F>(in[u].raw, slope[u], factor[u].raw);
      if constexpr (!Source::kTotal) lanes[u] = lanes[u] || Source::outside(in[u].raw);
    }
    later.template add<Block>(f, lanes, in, factor, to);
  }
};

// What Straight runs: value, product, and for which lanes the definition is to be asked.

// A definition that is exact, or one operation, in its own type: f32 has more than twice the digits of both
// formats, so rounding its result again rounds once. But for bfloat16's subnormal products, which f32 rounds
// to the same exponents; it holds all their bits where no factor is below 2^-9.
template <class D, bool kHasSmallFactors>
struct InOwnType {
  static constexpr bool kDoubts = kHasSmallFactors;
  const D definition;

  HWY_INLINE Vec<float> value(Vec<float> x) const {
    if constexpr (requires { definition.keeps_nan(); }) {
      return definition(x);
    } else {
      return where(is_nan(x), x, definition(x));
    }
  }
  HWY_INLINE Vec<float> product(Vec<float> x, Vec<float> upstream) const {
    return where(is_nan(x), x, derivative_of(definition, x) * upstream);
  }
  HWY_INLINE Mask<float> doubtful(Vec<float>, Vec<float>, Vec<float> y) const {
    return {is_tiny(y.raw, 0x1p-126f)};
  }
};
// Calls run with the definition, which is exact in H, as Straight takes it.
template <class H, class D, class Run>
HWY_INLINE void in_own_type(const D& d, const Run& run) {
  if constexpr (std::is_same_v<H, bfloat16> && requires { d.factor(); }) {
    const double factor = d.factor() < 0 ? -d.factor() : d.factor();
    if (factor != 0 && factor < 0x1p-9) return run(InOwnType<D, true>{d});
  }
  run(InOwnType<D, false>{d});
}

// A kernel whose results can be rounded again.
template <class H, class K, class D>
struct Again {
  static constexpr bool kNamesInputs = requires(Floats x) { K::template doubtful<H>(x); };
  static constexpr bool kIsSlope = requires(const K& k, Floats x) { k.again(x, x); };
  static constexpr bool kNamesTies = requires(const K& k, Floats x) { k.inexact(x, x, x); };
  static constexpr bool kDoubts = kNamesInputs || kNamesTies || (kIsSlope && std::is_same_v<H, bfloat16>);
  const K kernel;
  const D& definition;

  HWY_INLINE Vec<float> value(Vec<float> x) const { return {kernel.again(x.raw)}; }
  HWY_INLINE Vec<float> product(Vec<float> x, Vec<float> upstream) const {
    return {kernel.again(x.raw, upstream.raw)};
  }
  HWY_INLINE Mask<float> doubtful(Vec<float> x, [[maybe_unused]] Vec<float> upstream, Vec<float> y) const {
    if constexpr (kNamesInputs) {
      return {K::template doubtful<H>(x.raw)};
    } else {
      // Products that far down lose the remainders by which f32 is exact, and have fewer digits in float16.
      const Mask<float> tiny{is_tiny(y.raw, std::is_same_v<H, float16> ? 0x1.002p-14f : 0x1p-90f)};
      if constexpr (kNamesTies) {
        return tiny || (is_tie<H>(y) && Mask<float>{kernel.inexact(x.raw, upstream.raw, y.raw)});
      } else {
        return tiny;
      }
    }
  }
};

// Whether results of the kernel of F, for values or for slopes, can be rounded again.
template <class F>
constexpr bool kRoundsAgain = requires(const F& f, Floats x) {
  f.kernel.again(x);
}
|| requires(const F& f, Floats x) { f.kernel.again(x, x); };

// Rounds f32 results as they are.
template <class H>
struct Straight {
  using Lane = H;
  static constexpr std::size_t kVectors = 4, kLanes = kVectors * hn::MaxLanes(FloatTag());
  using Group = Vec<float>[kVectors];
  using Block = HalfBlock<H, kVectors>;
  using Values = Later<H, false>;
  using Slopes = Later<H, true>;

  template <class F>
  static HWY_INLINE void forward(const F& f, const H* x, H* y, bool streams, Values& later) {
    Group in, out;
    Block::read(x, in);
    for (std::size_t u = 0; u < kVectors; ++u) out[u] = f.value(in[u]);
    round(f, in, in, out, x, x, y, streams, later);
  }
  template <class F>
  static HWY_INLINE void gradient(const F& f, const H* x, const H* upstream, H* out, bool streams,
                                  Slopes& later) {
    Group in, factor, product;
    Block::read(x, in);
    Block::read(upstream, factor);
    for (std::size_t u = 0; u < kVectors; ++u) product[u] = f.product(in[u], factor[u]);
    round(f, in, factor, product, x, upstream, out, streams, later);
  }

 private:
  template <class F, class Kept>
  static HWY_INLINE void round(const F& f, const Group& in, const Group& factor, const Group& result,
                               const H* x, const H* upstream, H* to, bool streams, Kept& later) {
    if constexpr (F::kDoubts) {
      Mask<float> any = f.doubtful(in[0], factor[0], result[0]);
      for (std::size_t u = 1; u < kVectors; ++u) any = any || f.doubtful(in[u], factor[u], result[u]);
      if (HWY_UNLIKELY(!all(!any))) {
        Group kept;
        for (std::size_t u = 0; u < kVectors; ++u) kept[u] = result[u];
        keep(f, kept, x, upstream, to, later);
      }
    }
    decltype(rounded_evenly(result[0], H())) rounded[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) rounded[u] = rounded_evenly(result[u], H());
    Block::write(rounded, to, streams);
  }
  template <class F, class Kept>
  static HWY_NOINLINE void keep(const F& f, const Group& result, const H* x, const H* upstream, H* to,
                                Kept& later) {
    Group in, factor;
    Mask<float> lanes[kVectors];
    Block::read(x, in);
    Block::read(upstream, factor);
    for (std::size_t u = 0; u < kVectors; ++u) lanes[u] = f.doubtful(in[u], factor[u], result[u]);
    later.template add<Block>(f, lanes, in, factor, to);
  }
};

// For definitions that only select, values or slopes: the bits themselves.
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
  template <class D>
  static HWY_INLINE void gradient(const D& definition, const H* x, const H* upstream, H* out, bool streams) {
    Bits<H> raw[kVectors], factor[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      raw[u] = load_bits(x + u * kWidth);
      factor[u] = load_bits(upstream + u * kWidth);
    }
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Bits<H> product = selected_product(derivative_of(definition, raw[u]), factor[u]);
      store_bits(where(is_nan(raw[u]), raw[u], product), out + u * kWidth, streams);
    }
  }
};

// Whether every slope is 0 or 1: where values are selected they are, and soft_shrink's.
template <class D>
constexpr bool kMaySelectSlopes = requires(const D& d) {
  d.only_selects();
}
|| requires(const D& d) { d.slope_only_selects(); };
template <class D>
HWY_INLINE bool only_selects_slopes(const D& d) {
  if constexpr (requires { d.slope_only_selects(); }) {
    return d.slope_only_selects();
  } else {
    return d.only_selects();
  }
}

template <class D, class H>
struct HalfEntry {
  static void forward(const void* parameters, const H* x, H* y, std::size_t n, bool streams) {
    const D d = definition_of<D, H>(parameters);
    const auto run = [&]<class F>(const F& f) {
      if constexpr (kRoundsAgain<F>) {
        const Again<H, std::remove_const_t<decltype(f.kernel)>, D> again{f.kernel, d};
        forward_loop<Straight<H>>(again, x, y, n, streams);
      } else if constexpr (requires { typename F::Route::Kernel::Short; }) {
        using Short = typename F::Route::Kernel::Short;
        forward_loop<Half<H, Tables<Short>>>(Prepared<Short, D>(d), x, y, n, streams);
      } else {
        forward_loop<Half<H, typename F::Route>>(f, x, y, n, streams);
      }
    };
    if (with_fast_value(d, run)) return;
    if constexpr (requires { d.only_selects(); }) {
      const auto select = [&](const auto& f) { forward_loop<SelectedHalf<H>>(f, x, y, n, streams); };
      if (d.only_selects()) return with_defaults_known(d, select);
    }
    if constexpr (!kNeverExact<D>) {
      const auto straight = [&](const auto& f) { forward_loop<Straight<H>>(f, x, y, n, streams); };
      if (is_exact(d)) return in_own_type<H>(d, straight);
    }
    if constexpr (!kAlwaysExact<D>) run(Composed<D>{d});
  }
  static void gradient(const void* parameters, const H* x, const H* upstream, H* out, std::size_t n,
                       bool streams) {
    const D d = definition_of<D, H>(parameters);
    const auto run = [&]<class F>(const F& f) {
      if constexpr (kRoundsAgain<F>) {
        const Again<H, std::remove_const_t<decltype(f.kernel)>, D> again{f.kernel, d};
        gradient_loop<Straight<H>>(again, x, upstream, out, n, streams);
      } else {
        gradient_loop<Half<H, typename F::Route>>(f, x, upstream, out, n, streams);
      }
    };
    if (with_fast_slope(d, run)) return;
    if constexpr (kMaySelectSlopes<D>) {
      const auto select = [&](const auto& f) {
        gradient_loop<SelectedHalf<H>>(f, x, upstream, out, n, streams);
      };
      if (only_selects_slopes(d)) return with_defaults_known(d, select);
    }
    if constexpr (!kNeverExact<D>) {
      const auto straight = [&](const auto& f) {
        gradient_loop<Straight<H>>(f, x, upstream, out, n, streams);
      };
      if (is_exact(d)) return in_own_type<H>(d, straight);
    }
    if constexpr (!kAlwaysExact<D>) run(Composed<D>{d});
  }
};
