// hard_sigmoid and hard_silu: one rounding, without a division. A sum that rounds keeps what it lost, a
// quotient of one divisor is a product with the divisor's inverse in two parts.

// 1/divisor, in two parts.
struct Inverse {
  HWY_INLINE explicit Inverse(double divisor)
      : high(static_cast<float>(1 / divisor)), low(static_cast<float>(1 / divisor - high)) {}
  // (a + rest)/divisor for a rest far below a.
  HWY_INLINE Floats times(Floats a, Floats rest) const {
    const FloatTag tag;
    const Floats h = hn::Set(tag, high), l = hn::Set(tag, low);
    return fused(a, h, fused(a, l, hn::Mul(rest, h)));
  }
  float high, low;
};

// min(max((x + limit)/(2 limit), 0), 1): 0.51 ULP.
class HardSigmoidKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE explicit HardSigmoidKernel(const definitions::HardSigmoid& d)
      : limit_(static_cast<float>(d.limit)), inverse_(2 * d.limit) {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const Floats limit = hn::Set(tag, limit_), cut = at_most(limit, at_least(hn::Neg(limit), x[0]));
    const Floats sum = hn::Add(limit, cut), rest = hn::Sub(cut, hn::Sub(sum, limit));
    y[0] = inverse_.times(sum, rest);
    return true;
  }

 private:
  const float limit_;
  const Inverse inverse_;
};

// 1/(2 limit) between the limits. A float away from a limit is on the other side of it: <= is < there.
class HardSigmoidSlopeKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE explicit HardSigmoidSlopeKernel(const definitions::HardSigmoid& d)
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

// x·min(max((x + 3)/6, 0), 1): 0.51 ULP.
class HardSiluKernel {
 public:
  static constexpr std::size_t kVectors = 1;
  static constexpr bool kTotal = true;
  HWY_INLINE HardSiluKernel() : sixth_(6) {}

  HWY_INLINE bool operator()(const Floats (&x)[1], Floats (&y)[1]) const {
    const FloatTag tag;
    const Floats three = hn::Set(tag, 3.0f), cut = at_most(three, at_least(hn::Neg(three), x[0]));
    const Floats sum = hn::Add(three, cut), rest = hn::Sub(cut, hn::Sub(sum, three));
    // The factor in two parts; their product with x comes last, so that small x lose nothing.
    const Floats sixth = hn::Set(tag, sixth_.high);
    const Floats low = fused(sum, hn::Set(tag, sixth_.low), hn::Mul(rest, sixth));
    const Floats factor = fused(sum, sixth, low);
    const Floats left = hn::Add(fused(sum, sixth, hn::Neg(factor)), low);
    // From 3 on x itself; below, the sign of x, −0 too.
    const Floats inner = hn::CopySign(fused(cut, factor, hn::Mul(cut, left)), cut);
    y[0] = hn::IfThenElse(hn::Gt(x[0], three), x[0], inner);
    return true;
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

 private:
  const Inverse third_;
};
