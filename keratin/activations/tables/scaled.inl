// elu and celu of any alpha: outer·expm1(x/inner), from the rows of alpha = 1, scaled when the kernel is
// made.
struct EluScale {
  template <class D>  // Elu or Celu
  HWY_INLINE explicit EluScale(const D& d)
      : outer(d.alpha), inner(std::is_same_v<D, definitions::Celu> ? d.alpha : 1) {}
  double outer, inner;
};

// Rows over x itself, so that d is exact: their centres are the nearest floats to c·inner, which the base and
// the slope take into account. Those two are no longer almost floats, and come in two parts.
struct EluRows {
  HWY_INLINE explicit EluRows(const EluScale& scale) {
    const double inverse = 1 / scale.inner, steepness = scale.outer * inverse;
    for (std::size_t i = 0; i < 16; ++i) {
      centre[i] = static_cast<float>(table.centre[i] * scale.inner);
      const double off = centre[i] * inverse - table.centre[i];
      const double base = scale.outer * (table.base[i] + off * table.q[0][i]);
      const double slope = steepness * (table.q[0][i] + 2 * off * table.q[1][i]);
      high[i] = static_cast<float>(base);
      low[i] = static_cast<float>(base - high[i]);
      q[0][i] = static_cast<float>(slope);
      slope_low[i] = static_cast<float>(slope - q[0][i]);
    }
    double factor = steepness;
    for (std::size_t k = 1; k < table.kDegree; ++k) {
      factor *= inverse;
      for (std::size_t i = 0; i < 16; ++i) q[k][i] = static_cast<float>(factor * table.q[k][i]);
    }
  }
  static constexpr auto& table = activations::tables::kElu;
  alignas(64) float centre[16], high[16], low[16], slope_low[16], q[table.kDegree][16];
};

// 0.9 ULP. D is Elu or Celu.
template <class D>
class ScaledElu {
 public:
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  static constexpr bool kTotal = true;
  HWY_INLINE explicit ScaledElu(const D& d) : ScaledElu(EluScale(d)) {}
  ScaledElu(const ScaledElu&) = delete;  // columns may point into rows_

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Floats t[kVectors], d[kVectors], p[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) t[u] = at_least(hn::Set(tag, cut_), x[u]);
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats z = fused(t[u], hn::Set(tag, index_scale_), hn::Set(tag, form.curve.start));
      i[u] = hn::BitCast(IndexTag(), hn::ShiftRight<21>(hn::BitCast(IndexTag(), z)));
    }
    for (std::size_t u = 0; u < kVectors; ++u) d[u] = hn::Sub(t[u], centre_[i[u]]);
    for (std::size_t u = 0; u < kVectors; ++u) p[u] = q_[kDegree - 1][i[u]];
    for (std::size_t k = kDegree - 1; k-- > 1;) {
      for (std::size_t u = 0; u < kVectors; ++u) p[u] = fused(p[u], d[u], q_[k][i[u]]);
    }
    for (std::size_t u = 0; u < kVectors; ++u) p[u] = fused(p[u], d[u], slope_low_[i[u]]);
    for (std::size_t u = 0; u < kVectors; ++u) {
      // Next to 0 the base is what f is like there: alpha x for elu, x for celu.
      const auto first = hn::RebindMask(tag, hn::Eq(i[u], hn::Set(IndexTag(), kFirst)));
      Floats leading = t[u], rest = hn::Zero(tag);
      if constexpr (!kScalesX) {
        leading = hn::Mul(t[u], hn::Set(tag, outer_));
        rest = fused(t[u], hn::Set(tag, outer_), hn::Neg(leading));
      }
      const Floats high = hn::IfThenElse(first, leading, high_[i[u]]);
      const Floats low = hn::IfThenElse(first, rest, low_[i[u]]);
      const Floats below = hn::Add(high, fused(d[u], q_[0][i[u]], fused(d[u], p[u], low)));
      y[u] = hn::IfThenElse(hn::Ge(x[u], hn::Zero(tag)), x[u], below);
    }
    return true;
  }

 private:
  static constexpr bool kScalesX = std::is_same_v<D, definitions::Celu>;
  static constexpr auto& table = EluRows::table;
  static constexpr auto& form = table.form;
  static constexpr std::size_t kDegree = table.kDegree;
  static constexpr std::int32_t kFirst = std::bit_cast<std::int32_t>(form.curve.start) >> 21;

  HWY_INLINE explicit ScaledElu(const EluScale& scale)
      : ScaledElu(scale, std::make_index_sequence<kDegree>()) {}
  template <std::size_t... k>
  HWY_INLINE ScaledElu(const EluScale& scale, std::index_sequence<k...>)
      : rows_(scale),
        centre_(rows_.centre),
        high_(rows_.high),
        low_(rows_.low),
        slope_low_(rows_.slope_low),
        q_{Column<16>(rows_.q[k])...},
        cut_(static_cast<float>(-form.reach * scale.inner)),
        index_scale_(static_cast<float>(form.curve.scale / scale.inner)),
        outer_(static_cast<float>(scale.outer)) {}

  const EluRows rows_;
  const Column<16> centre_, high_, low_, slope_low_;
  const Column<16> q_[kDegree];
  const float cut_, index_scale_, outer_;
};

// What e^x·scale needs: Powers times a number.
struct ScaledPowers {
  HWY_INLINE explicit ScaledPowers(double scale) {
    for (std::size_t i = 0; i < 16; ++i) {
      // e^rest − 1 is rest to 2^-51.
      const auto& powers = activations::tables::kPowers;
      const double exact = scale * powers.power[i] * (1.0 + powers.rest[i]);
      power[i] = static_cast<float>(exact);
      rest[i] = static_cast<float>((exact - power[i]) / power[i]);
    }
  }
  alignas(64) float power[16], rest[16];
};

// The slope, 1 above 0: alpha·e^x of elu, e^(x/alpha) of celu. 0.78 ULP, where subnormal.
template <class D>
class ScaledEluSlope {
 public:
  static constexpr std::size_t kVectors = kTableVectors;
  static constexpr bool kTotal = true;
  HWY_INLINE explicit ScaledEluSlope(const D& d) : ScaledEluSlope(EluScale(d)) {}
  ScaledEluSlope(const ScaledEluSlope&) = delete;

  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Floats cut[kVectors], rest[kVectors], p[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      cut[u] = at_most(hn::Zero(tag), at_least(hn::Set(tag, cut_), x[u]));
      if constexpr (kScalesX) {
        const Floats inner = hn::Set(tag, inner_), product = hn::Mul(cut[u], inner);
        rest[u] = fused(product, hn::Set(tag, off_), fused(cut[u], inner, hn::Neg(product)));
        cut[u] = product;
      }
    }
    exp_parts(cut, hn::Set(tag, kExpMagic), rest_, i, p, [&](std::size_t u, Floats of_power) {
      if constexpr (kScalesX) return hn::Add(of_power, rest[u]);
      return of_power;
    });
    for (std::size_t u = 0; u < kVectors; ++u) {
      const Floats power = power_[i[u]];
      const Floats below = exp_scaled(fused(power, p[u], power), i[u]);
      y[u] = hn::IfThenElse(hn::Gt(x[u], hn::Zero(tag)), hn::Set(tag, 1.0f), below);
    }
    return true;
  }

 private:
  static constexpr bool kScalesX = std::is_same_v<D, definitions::Celu>;
  // From −118 on alpha·e^x is 0, for alpha <= 2^16.
  HWY_INLINE explicit ScaledEluSlope(const EluScale& scale)
      : powers_(kScalesX ? 1 : scale.outer),
        power_(powers_.power),
        rest_(powers_.rest),
        cut_(static_cast<float>(-118 * scale.inner)),
        inner_(static_cast<float>(1 / scale.inner)),
        off_(static_cast<float>(1 / scale.inner / inner_ - 1)) {}

  const ScaledPowers powers_;
  const Column<16> power_, rest_;
  const float cut_, inner_, off_;
};
