// hard_sigmoid, hard_silu and sparse_plus: no table, no division. A sum that rounds keeps what it lost, a
// quotient of one divisor is a product with the divisor's inverse in two parts.
//
// again() is what 16-bit floats take where rounding it a second time is right: they lie on ties all the time.
// doubtful<H>() names the inputs for which it is not, inexact() the products that are not what they seem to
// be where that is a tie; half_test.cc tries all inputs. of_few_digits() says where a product that is no tie
// is 2^-40 of it or more away from one, which f64 sees.

// Numbers other than 0 below the limit.
HWY_INLINE hn::Mask<FloatTag> is_tiny(Floats x, float limit) {
  const hn::Rebind<std::uint32_t, FloatTag> whole;
  const auto below = hn::Sub(hn::BitCast(whole, hn::Abs(x)), hn::Set(whole, 1u));
  return hn::RebindMask(FloatTag(), hn::Lt(below, hn::Set(whole, std::bit_cast<std::uint32_t>(limit) - 1)));
}

// 1/divisor, in two parts.
struct Inverse {
  HWY_INLINE explicit Inverse(double divisor)
      : high(static_cast<float>(1 / divisor)), low(static_cast<float>(1 / divisor - high)) {}
  float high, low;
};

// 1/divisor, in two parts above 0: infinity times them is infinity.
struct PositiveInverse {
  HWY_INLINE explicit PositiveInverse(double divisor) {
    const double inverse = 1 / divisor;
    high = static_cast<float>(inverse);
    if (high > inverse) high = std::nextafterf(high, 0);
    low = std::max(std::nextafterf(static_cast<float>(inverse - high), 1), high * 0x1p-60f);
  }
  // a/divisor, rounded once but for 2^-46 of it.
  HWY_INLINE Floats times(Floats a) const {
    const FloatTag tag;
    return fused(a, hn::Set(tag, high), hn::Mul(a, hn::Set(tag, low)));
  }
  float high, low;
};

// min(max((x + limit)/(2 limit), 0), 1): 0.8 ULP for Keras's limits, 1 for others.
class HardSigmoidKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  template <class D>
  HWY_INLINE explicit HardSigmoidKernel(const D& d)
      : slope_(2 * d.limit), limit_(static_cast<float>(d.limit)) {}

  // x·(high + low) + 1/2 in two steps: next to −limit the first is exact. The sum is not above 0 at −limit,
  // nor below 1 at limit.
  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats line =
          fused(x[u], hn::Set(tag, slope_.low), fused(x[u], hn::Set(tag, slope_.high), hn::Set(tag, 0.5f)));
      y[u] = at_most(hn::Set(tag, 1.0f), at_least(hn::Zero(tag), line));
    }
    return true;
  }
  // Where the sum is inexact the result is next to 1/2, and on no tie. Elsewhere a quotient of so few digits
  // that is no tie is more than half a float away from one.
  HWY_INLINE Floats again(Floats x) const {
    const Floats limit = hn::Set(FloatTag(), limit_);
    return slope_.times(hn::Add(at_most(limit, at_least(hn::Neg(limit), x)), limit));
  }

 private:
  const PositiveInverse slope_;
  const float limit_;
};

// 1/(2 limit) between the limits. A float away from a limit is on the other side of it: <= is < there.
class HardSigmoidSlopeKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  template <class D>
  HWY_INLINE explicit HardSigmoidSlopeKernel(const D& d)
      : slope_(2 * d.limit),
        nearest_(static_cast<float>(1 / (2 * d.limit))),
        below_(d.limit == 3 ? 3.0f : std::nextafterf(static_cast<float>(d.limit), 0x1p127f)) {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const auto number = hn::Eq(x[0], x[0]);
    y[0] = hn::IfThenElse(number, hn::IfThenElseZero(inside(x[0]), hn::Set(tag, nearest_)), x[0]);
    return true;
  }
  HWY_INLINE Floats again(Floats x, Floats upstream) const {
    const Floats product =
        hn::IfThenElse(inside(x), slope_.times(upstream), hn::Mul(hn::Zero(FloatTag()), upstream));
    return hn::IfThenElse(hn::Eq(x, x), product, x);
  }
  static HWY_INLINE Mask<double> of_few_digits(Vec<double> x) { return x == x; }

 private:
  HWY_INLINE hn::Mask<FloatTag> inside(Floats x) const {
    return hn::Lt(hn::Abs(x), hn::Set(FloatTag(), below_));
  }
  const PositiveInverse slope_;
  const float nearest_, below_;
};

// x·min(max((x + 3)/6, 0), 1): 0.75 ULP.
class HardSiluKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE HardSiluKernel() : sixth_(6) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    for (std::size_t u = 0; u < kVectors; ++u) y[u] = again(x[u]);
    return true;
  }
  HWY_INLINE Floats again(Floats x) const {
    const FloatTag tag;
    // x(x + 3)/6 is the same on both sides of −3/2: below, −3 − x, which is exact, has the bits that are
    // left. It ends at −0.
    const Floats mirrored = hn::Sub(hn::Set(tag, -3.0f), x);
    const Floats minus_0 = hn::Set(tag, -0.0f);
    const Floats t = at_least(at_most(mirrored, minus_0), x);
    const Floats cut = at_most(hn::Set(tag, 3.0f), t);
    const Floats sixth = fused(cut, hn::Set(tag, sixth_.high), hn::Mul(cut, hn::Set(tag, sixth_.low)));
    // From 3 on t·1/2 + t/2, x itself.
    return fused(sixth, t, hn::Mul(t, hn::Set(tag, 0.5f)));
  }
  // x/2 + x²/6 of which f32 keeps x/2, a tie.
  template <class H>
  static HWY_INLINE hn::Mask<FloatTag> doubtful(Floats x) {
    return is_tiny(x, std::is_same_v<H, float16> ? 0x1p-23f : 0x1p-125f);
  }

 private:
  const Inverse sixth_;
};

// (2x + 3)/6 between −3 and 3, 0 and 1 beyond: 0.76 ULP.
class HardSiluSlopeKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE HardSiluSlopeKernel() : third_(3), eight_thirds_(0.375) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      // Up to −3/4 the sum is exact, and its third goes down to 0; above, x/3 + 1/2 is at least 1/4, and the
      // second part of 1/3 is a quarter ULP of it.
      const Floats sum = hn::Add(x[u], hn::Set(tag, 1.5f));
      const auto low = hn::Lt(x[u], hn::Set(tag, -0.75f));
      const Floats factor = hn::IfThenElse(low, sum, x[u]);
      const Floats rest = hn::IfThenElse(low, hn::Mul(sum, hn::Set(tag, third_.low)), hn::Set(tag, 0.5f));
      Floats slope = fused(factor, hn::Set(tag, third_.high), rest);
      slope = hn::IfThenElse(hn::Ge(x[u], hn::Set(tag, 3.0f)), hn::Set(tag, 1.0f), slope);
      y[u] = hn::IfThenZeroElse(hn::Le(x[u], hn::Set(tag, -3.0f)), slope);
    }
    return true;
  }
  HWY_INLINE Floats again(Floats x, Floats upstream) const {
    const FloatTag tag;
    const Floats scaled = eighth(x), product = hn::Mul(scaled, upstream);
    const Floats missing = missing_of(scaled, upstream, product);
    const Floats rest =
        fused(missing, hn::Set(tag, -eight_thirds_.high), hn::Mul(product, hn::Set(tag, eight_thirds_.low)));
    return fused(product, hn::Set(tag, eight_thirds_.high), rest);
  }
  HWY_INLINE hn::Mask<FloatTag> inexact(Floats x, Floats upstream, Floats y) const {
    const FloatTag tag;
    const Floats scaled = eighth(x), product = hn::Mul(scaled, upstream);
    return hn::Ne(fused(y, hn::Set(tag, -0.375f), product), missing_of(scaled, upstream, product));
  }
  static HWY_INLINE Mask<double> of_few_digits(Vec<double> x) { return abs(x) > set(0x1p-16); }

 private:
  // 3/8 of the slope, so that the product with the largest bfloat16 is finite. Exact but where that is next
  // to 3/16, and products with it on no tie.
  static HWY_INLINE Floats eighth(Floats x) {
    const FloatTag tag;
    const Floats line = fused(x, hn::Set(tag, 0.125f), hn::Set(tag, 0.1875f));
    const Floats cut = hn::IfThenElse(hn::Ge(x, hn::Set(tag, 3.0f)), hn::Set(tag, 0.375f), line);
    return hn::IfThenZeroElse(hn::Le(x, hn::Set(tag, -3.0f)), cut);
  }
  // By how much the product is too large; something finite where it is infinite.
  static HWY_INLINE Floats missing_of(Floats a, Floats b, Floats product) {
    return min(set(0x1p127f), Vec<float>{fused(hn::Neg(a), b, product)}).raw;
  }

  const Inverse third_;
  const PositiveInverse eight_thirds_;
};

// 0, (x + 1)²/4 between −1 and 1, x: one rounding.
class SparsePlusKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SparsePlusKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    y[0] = again(x[0]);
    return true;
  }
  HWY_INLINE Floats again(Floats x) const {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    const Floats cut = at_most(one, at_least(hn::Neg(one), x));
    const Floats root = fused(cut, half, half), rest = fused(cut, half, hn::Sub(half, root));
    const Floats product = hn::Mul(root, rest);
    // (x + 1)²/4 - x is a square: the larger of the two is the parabola up to 1, and x from there.
    return at_least(fused(root, root, hn::Add(product, product)), x);
  }
  // Half a float and more next to a tie.
  template <class H>
  requires std::is_same_v<H, float16>
  static HWY_INLINE hn::Mask<FloatTag> doubtful(Floats x) {
    const FloatTag tag;
    return hn::Or(hn::Eq(x, hn::Set(tag, 0x1p-12f)), hn::Eq(x, hn::Set(tag, -0x1.efcp-7f)));
  }
};

// (x + 1)/2 within [0, 1].
class SparsePlusSlopeKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SparsePlusSlopeKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    for (std::size_t u = 0; u < kVectors; ++u) y[u] = slope(x[u]);
    return true;
  }
  HWY_INLINE Floats again(Floats x, Floats upstream) const { return hn::Mul(slope(x), upstream); }
  HWY_INLINE hn::Mask<FloatTag> inexact(Floats x, Floats upstream, Floats y) const {
    return hn::Ne(fused(slope(x), upstream, hn::Neg(y)), hn::Zero(FloatTag()));
  }

 private:
  static HWY_INLINE Floats slope(Floats x) {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    return at_most(one, at_least(hn::Zero(tag), fused(x, half, half)));
  }
};
