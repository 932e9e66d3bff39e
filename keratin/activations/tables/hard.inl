// hard_sigmoid, hard_silu and sparse_plus: no table, no division. A sum that rounds keeps what it lost, a
// quotient of one divisor is a product with the divisor's inverse in two parts.
//
// odd() is what 16-bit floats take: of the two floats around a result that is none, the odd one. It lies on
// no tie of a format with two digits less, so rounding it again rounds once.

// y, rounded to odd, of a number less than a float away: on which side of y tells the sign of rest.
HWY_INLINE Floats to_odd(Floats y, Floats rest) {
  const FloatTag tag;
  const IndexTag whole;
  const auto bits = hn::BitCast(whole, y), one = hn::Set(whole, 1);
  const auto even = hn::Eq(hn::And(bits, one), hn::Zero(whole));
  // Not where a NaN is among them, nor where y is 0: it can be stepped to from both sides.
  const auto between = hn::And(hn::Gt(hn::Abs(rest), hn::Zero(tag)), hn::Gt(hn::Abs(y), hn::Zero(tag)));
  const auto step = hn::Or(hn::BroadcastSignBit(hn::Xor(bits, hn::BitCast(whole, rest))), one);
  return hn::BitCast(tag,
                     hn::Add(bits, hn::IfThenElseZero(hn::And(even, hn::RebindMask(whole, between)), step)));
}

// A number in two parts.
struct TwoFloats {
  Floats hi, lo;
};
HWY_INLINE TwoFloats exact_sum(Floats a, Floats b) {
  const Floats hi = hn::Add(a, b), of_b = hn::Sub(hi, a);
  return {hi, hn::Add(hn::Sub(a, hn::Sub(hi, of_b)), hn::Sub(b, of_b))};
}

// a·factor/divisor, rounded to odd.
HWY_INLINE Floats odd_quotient(TwoFloats a, Floats factor, float divisor) {
  const FloatTag tag;
  const Floats inverse = hn::Set(tag, 1 / divisor), minus = hn::Set(tag, -divisor);
  const Floats product = hn::Mul(a.hi, factor);
  const Floats lost = fused(a.lo, factor, fused(a.hi, factor, hn::Neg(product)));
  const Floats near = hn::Mul(product, inverse);
  // Up to 1.5 floats off: once more, so that the remainder is of the nearest one. -0 stays -0.
  const Floats nearest = fused(hn::Add(fused(near, minus, product), lost), inverse, near);
  const Floats quotient = hn::CopySign(nearest, near);
  return to_odd(quotient, hn::Add(fused(quotient, minus, product), lost));
}

// 1/divisor, in two parts.
struct Inverse {
  HWY_INLINE explicit Inverse(double divisor)
      : high(static_cast<float>(1 / divisor)), low(static_cast<float>(1 / divisor - high)) {}
  float high, low;
};

// min(max((x + limit)/(2 limit), 0), 1): 0.8 ULP for Keras's limits, 1 for others.
class HardSigmoidKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  // x·(high + low) + 1/2 in two steps: next to −limit the first is exact. Rounded so that the sum is not
  // above 0 at −limit, nor below 1 at limit, and both parts are positive: infinity stays infinity.
  template <class D>
  HWY_INLINE explicit HardSigmoidKernel(const D& d) {
    const double slope = 1 / (2 * d.limit);
    high_ = static_cast<float>(slope);
    if (high_ > slope) high_ = std::nextafterf(high_, 0);
    low_ = std::max(std::nextafterf(static_cast<float>(slope - high_), 1), high_ * 0x1p-60f);
    limit_ = static_cast<float>(d.limit);
  }

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats line =
          fused(x[u], hn::Set(tag, low_), fused(x[u], hn::Set(tag, high_), hn::Set(tag, 0.5f)));
      y[u] = at_most(hn::Set(tag, 1.0f), at_least(hn::Zero(tag), line));
    }
    return true;
  }
  HWY_INLINE Floats odd(Floats x) const {
    const FloatTag tag;
    const Floats limit = hn::Set(tag, limit_);
    const Floats cut = at_most(limit, at_least(hn::Neg(limit), x));
    return odd_quotient(exact_sum(cut, limit), hn::Set(tag, 1.0f), 2 * limit_);
  }

 private:
  float high_, low_, limit_;
};

// 1/(2 limit) between the limits. A float away from a limit is on the other side of it: <= is < there.
class HardSigmoidSlopeKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  template <class D>
  HWY_INLINE explicit HardSigmoidSlopeKernel(const D& d)
      : slope_(static_cast<float>(1 / (2 * d.limit))),
        below_(d.limit == 3 ? 3.0f : std::nextafterf(static_cast<float>(d.limit), 0x1p127f)) {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const auto inside = hn::Lt(hn::Abs(x[0]), hn::Set(tag, below_));
    const auto number = hn::Eq(x[0], x[0]);
    y[0] = hn::IfThenElse(number, hn::IfThenElseZero(inside, hn::Set(tag, slope_)), x[0]);
    return true;
  }

 private:
  const float slope_, below_;
};

// x·min(max((x + 3)/6, 0), 1): 0.75 ULP.
class HardSiluKernel {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE HardSiluKernel() : sixth_(6) {}

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      // x(x + 3)/6 is the same on both sides of −3/2: below, −3 − x, which is exact, has the bits that are
      // left. It ends at −0.
      const Floats mirrored = hn::Sub(hn::Set(tag, -3.0f), x[u]);
      const Floats minus_0 = hn::Set(tag, -0.0f);
      const Floats t = at_least(at_most(mirrored, minus_0), x[u]);
      const Floats cut = at_most(hn::Set(tag, 3.0f), t);
      const Floats sixth = fused(cut, hn::Set(tag, sixth_.high), hn::Mul(cut, hn::Set(tag, sixth_.low)));
      // From 3 on t·1/2 + t/2, x itself.
      y[u] = fused(sixth, t, hn::Mul(t, hn::Set(tag, 0.5f)));
    }
    return true;
  }
  HWY_INLINE Floats odd(Floats x) const {
    const FloatTag tag;
    const Floats three = hn::Set(tag, 3.0f), cut = at_least(hn::Neg(three), x);
    const auto line = hn::Ge(x, three);
    // Not beyond 3: six times the largest bfloat16 is infinite.
    const Floats inside = hn::IfThenElse(line, three, cut);
    return hn::IfThenElse(line, x, odd_quotient(exact_sum(inside, three), inside, 6));
  }

 private:
  const Inverse sixth_;
};

// (2x + 3)/6 between −3 and 3, 0 and 1 beyond: 0.76 ULP.
class HardSiluSlopeKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE HardSiluSlopeKernel() : third_(3) {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    // Up to −3/4 the sum is exact, and its third goes down to 0; above, x/3 + 1/2 is at least 1/4, and the
    // second part of 1/3 is a quarter ULP of it.
    const Floats sum = hn::Add(x[0], hn::Set(tag, 1.5f));
    const auto low = hn::Lt(x[0], hn::Set(tag, -0.75f));
    const Floats factor = hn::IfThenElse(low, sum, x[0]);
    const Floats rest = hn::IfThenElse(low, hn::Mul(sum, hn::Set(tag, third_.low)), hn::Set(tag, 0.5f));
    Floats slope = fused(factor, hn::Set(tag, third_.high), rest);
    slope = hn::IfThenElse(hn::Ge(x[0], hn::Set(tag, 3.0f)), hn::Set(tag, 1.0f), slope);
    y[0] = hn::IfThenZeroElse(hn::Le(x[0], hn::Set(tag, -3.0f)), slope);
    return true;
  }
  HWY_INLINE Floats odd(Floats x, Floats upstream) const {
    const FloatTag tag;
    // Sixteenths, so that the product with the largest bfloat16 is finite.
    const TwoFloats sum = exact_sum(hn::Mul(x, hn::Set(tag, 0.125f)), hn::Set(tag, 0.1875f));
    const Floats inside = odd_quotient(sum, upstream, 0.375f);
    const Floats below =
        hn::IfThenElse(hn::Le(x, hn::Set(tag, -3.0f)), hn::Mul(hn::Zero(tag), upstream), inside);
    return hn::IfThenElse(hn::Ge(x, hn::Set(tag, 3.0f)), upstream, below);
  }

 private:
  const Inverse third_;
};

// 0, (x + 1)²/4 between −1 and 1, x: one rounding.
class SparsePlusKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SparsePlusKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    const Floats cut = at_most(one, at_least(hn::Neg(one), x[0]));
    const Floats root = fused(cut, half, half), rest = fused(cut, half, hn::Sub(half, root));
    const Floats product = hn::Mul(root, rest);
    // (x + 1)²/4 - x is a square: the larger of the two is the parabola up to 1, and x from there.
    y[0] = at_least(fused(root, root, hn::Add(product, product)), x[0]);
    return true;
  }
  HWY_INLINE Floats odd(Floats x) const {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    const Floats cut = at_most(one, at_least(hn::Neg(one), x));
    const TwoFloats root = exact_sum(hn::Mul(cut, half), half);
    const Floats y = hn::Mul(root.hi, root.hi);
    const Floats lost = fused(hn::Add(root.hi, root.hi), root.lo, fused(root.hi, root.hi, hn::Neg(y)));
    return hn::IfThenElse(hn::Ge(x, one), x, to_odd(y, lost));
  }
};

// (x + 1)/2 within [0, 1].
class SparsePlusSlopeKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE SparsePlusSlopeKernel() {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    y[0] = at_most(one, at_least(hn::Zero(tag), fused(x[0], half, half)));
    return true;
  }
  HWY_INLINE Floats odd(Floats x, Floats upstream) const {
    const FloatTag tag;
    const Floats half = hn::Set(tag, 0.5f), one = hn::Set(tag, 1.0f);
    const Floats cut = at_most(one, at_least(hn::Neg(one), x));
    return odd_quotient(exact_sum(hn::Mul(cut, half), half), upstream, 1);
  }
};
