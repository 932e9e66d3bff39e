// Rows of more than kShortLength elements (gradients: of more than 32), up to kRows at a time, so that one
// row's reductions hide another's.

/// NaN counts as nothing. For length >= 16.
HWY_INLINE float largest_of(const float* x, Size length) {
  constexpr Size kStep = 4 * kLanes;
  Floats top[4];
  for (Floats& v : top) v = load_floats(x + length - Size{kLanes});
  Size i = 0;
  for (; i + kStep <= length; i += kStep) {
    for (std::size_t u = 0; u < 4; ++u) top[u] = hn::Max(load_floats(x + i + u * kLanes), top[u]);
  }
  for (; i + Size{kLanes} <= length; i += kLanes) top[0] = hn::Max(load_floats(x + i), top[0]);
  return hn::GetLane(hn::MaxOfLanes(FloatTag(), hn::Max(hn::Max(top[0], top[1]), hn::Max(top[2], top[3]))));
}

constexpr Size kBlock = 64;  // four elements a lane

/// The exponentials of one row and their sum. Two loops in one: softmax's (`others` false) stores the
/// exponentials in y; log_softmax's stores nothing and leaves the largest element out of the sum, whose own 1
/// would swallow small sums: each lane holds back its largest so far, and all but one of those are added
/// last.
/// For rows of at least kBlock elements.
///
/// `checks`: e^x itself; false, and the sum is void, unless all |x| <= kRange. Else elements too far below
/// the largest are cut to where they count as nothing; false if one is NaN.
///
/// The four of a lane in a block of 64 are added in f32, at most 2^-23 off; blocks exactly.
template <bool others, bool checks>
class ExponentialRow {
 public:
  HWY_INLINE ExponentialRow(const Exponentials& exponentials, const Shift& shift)
      : exponentials_(exponentials),
        low_(hn::Set(FloatTag(), shift.low)),
        magic_(hn::Set(FloatTag(), shift.magic)),
        outside_(hn::Zero(IndexTag())) {}

  HWY_INLINE bool operator()(const float* x, float* y, Size length, LaneSums& sums, std::size_t row) {
    const Sixteen end = load_sixteen(x + length - 16);  // y may be x
    Size i = 0;
    if constexpr (others) {
      block<true>(x, y);
      i = kBlock;
    }
    while (i + kBlock <= length) {
      // Rows that turn out to be outside are left early.
      const Size stop = std::min(length, i + 8 * kBlock);
      for (; i + kBlock <= stop; i += kBlock) block<false>(x + i, y + i);
      if (!is_inside()) return false;
    }
    for (; i + 16 <= length; i += 16) sixteen(x + i, y + i);
    if (i < length) last_sixteen(end, y + length - 16, static_cast<std::size_t>(length - i));
    if constexpr (others) add_held_back();
    sum_.store(sums, row);
    return is_inside();
  }
  /// The largest element, after a sum of the others.
  float largest() const { return largest_; }

 private:
  template <bool is_first>
  HWY_INLINE void block(const float* x, float* y) {
    for (std::size_t k = 0; k < kParts; ++k) {
      Floats v[4], e[4];
      for (std::size_t u = 0; u < 4; ++u) v[u] = seen(load_floats(x + 16 * u + k * kLanes));
      if constexpr (is_first) top_[k] = v[0];
      for (std::size_t u = is_first ? 1 : 0; u < 4; ++u) v[u] = held_back(k, v[u]);
      exponentials_.template operator()<!checks>(v, e, low_, magic_);
      if constexpr (is_first) e[0] = hn::Zero(FloatTag());
      if constexpr (!others) {
        for (std::size_t u = 0; u < 4; ++u) store_floats(e[u], y + 16 * u + k * kLanes);
      }
      sum_.add(k, hn::Add(hn::Add(e[0], e[1]), hn::Add(e[2], e[3])));
    }
  }
  HWY_INLINE void sixteen(const float* x, float* y) {
    Sixteen e = load_sixteen(x);
    exponentials_of(e);
    if constexpr (!others) store_sixteen(e, y);
    for (std::size_t k = 0; k < kParts; ++k) sum_.add(k, e.part[k]);
  }
  // Of which `count` are left; y holds the same for the others already.
  HWY_INLINE void last_sixteen(const Sixteen& x, float* y, std::size_t count) {
    Sixteen e = x;
    if constexpr (others) {
      const Floats fill = hn::Set(FloatTag(), checks ? -kRange : -kInfinity);
      for (std::size_t k = 0; k < kParts; ++k)
        e.part[k] = hn::IfThenElse(lane_is_below(k, 16 - count), fill, e.part[k]);
    }
    exponentials_of(e);
    if constexpr (!others) store_sixteen(e, y);
    for (std::size_t k = 0; k < kParts; ++k)
      sum_.add(k, hn::IfThenZeroElse(lane_is_below(k, 16 - count), e.part[k]));
  }
  HWY_INLINE void exponentials_of(Sixteen& v) {
    Floats x[kParts];
    for (std::size_t k = 0; k < kParts; ++k) x[k] = held_back(k, seen(v.part[k]));
    exponentials_.template operator()<!checks>(x, v.part, low_, magic_);
  }
  HWY_INLINE void add_held_back() {
    const FloatTag tag;
    Floats top = top_[0], e[kParts];
    for (std::size_t k = 1; k < kParts; ++k) top = hn::Max(top, top_[k]);
    largest_ = hn::GetLane(hn::MaxOfLanes(tag, top));
    exponentials_.template operator()<!checks>(top_, e, low_, magic_);
    alignas(64) float held[16], value[16];
    for (std::size_t k = 0; k < kParts; ++k) {
      hn::Store(top_[k], tag, held + k * kLanes);
      hn::Store(e[k], tag, value + k * kLanes);
    }
    std::size_t lane = 0;
    while (lane < 15 && held[lane] != largest_) ++lane;
    value[lane] = 0;
    for (std::size_t k = 0; k < kParts; ++k) sum_.add(k, hn::Load(tag, value + k * kLanes));
  }

  HWY_INLINE Floats held_back(std::size_t k, Floats v) {
    if constexpr (!others) return v;
    const Floats smaller = hn::Min(top_[k], v);
    top_[k] = hn::Max(top_[k], v);
    return smaller;
  }
  HWY_INLINE Floats seen(Floats v) {
    // Compared as integers, NaN is the largest, then infinity.
    outside_ = hn::Max(outside_, hn::BitCast(IndexTag(), hn::Abs(v)));
    return v;
  }
  HWY_INLINE bool is_inside() const {
    const IndexTag whole;
    const auto limit = hn::Set(whole, std::bit_cast<std::int32_t>(checks ? kRange : kInfinity));
    return hn::AllFalse(whole, hn::Gt(outside_, limit));
  }

  const Exponentials& exponentials_;
  const Floats low_, magic_;
  Indices outside_;
  Floats top_[kParts];
  LaneSum sum_;
  float largest_ = 0;
};

// c as two floats, 48 bits.
struct TwoFloats {
  Floats high, low;
  static HWY_INLINE TwoFloats of(double c) {
    const auto high = static_cast<float>(c);
    return {hn::Set(FloatTag(), high),
            hn::Set(FloatTag(), static_cast<float>(c - static_cast<double>(high)))};
  }
};

/// out = function(in), or of several inputs, vector by vector; out may be one of them.
template <class Function, class... Inputs>
HWY_INLINE void transform(Size length, float* out, const Function& function, const Inputs*... in) {
  constexpr Size kStep = 4 * kLanes;
  const Size last = length - Size{kLanes};
  const Floats end = function(load_floats(in + last)...);
  Size i = 0;
  for (; i + kStep <= length; i += kStep) {
    for (Size at = i; at < i + kStep; at += kLanes) store_floats(function(load_floats(in + at)...), out + at);
  }
  for (; i < last; i += kLanes) store_floats(function(load_floats(in + i)...), out + i);
  store_floats(end, out + last);
}

HWY_INLINE Size rows_at_once(Size length) { return std::clamp<Size>(2048 / length, 1, kRows); }

void softmax_long(const float* x, float* y, Size count, Size length) {
  const Exponentials exponentials;
  const Size batch = rows_at_once(length);
  LaneSums sums;
  double total[kRows];
  bool is_usual = x != y;  // in place a row cannot be begun again
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    for (std::size_t row = 0; row < rows; ++row) {
      const Size at = (first + static_cast<Size>(row)) * length;
      if (is_usual &&
          ExponentialRow<false, true>(exponentials, Shift::none())(x + at, y + at, length, sums, row))
        continue;
      const float largest = largest_of(x + at, length);
      if (Shift::holds(largest)) {
        if (ExponentialRow<false, false>(exponentials, Shift::of(largest))(x + at, y + at, length, sums, row))
          continue;
        std::fill(y + at, y + at + length, kNaN);
        sums.set_one(row);
      } else {
        exact_softmax_row(x + at, y + at, length);
        sums.set_one(row);
      }
    }
    totals(sums, rows, total);
    for (std::size_t row = 0; row < rows; ++row) {
      float* to = y + (first + static_cast<Size>(row)) * length;
      const TwoFloats c = TwoFloats::of(1 / total[row]);
      transform(
          length, to, [&](Floats e) HWY_ATTR { return fused(e, c.high, hn::Mul(e, c.low)); }, to);
    }
  }
}

void log_softmax_long(const float* x, float* y, Size count, Size length) {
  const Exponentials exponentials;
  const Size batch = rows_at_once(length);
  LaneSums sums;
  alignas(64) float largest[kRows] = {}, magic[kRows] = {}, top[kRows];
  alignas(64) double total[kRows] = {};
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    const auto at = [&](std::size_t row) { return (first + static_cast<Size>(row)) * length; };
    for (std::size_t row = 0; row < rows; ++row) {
      ExponentialRow<true, true> usual(exponentials, Shift::none());
      magic[row] = Shift::none().magic;
      if (usual(x + at(row), y, length, sums, row)) {
        largest[row] = usual.largest();
        continue;
      }
      largest[row] = largest_of(x + at(row), length);
      if (!Shift::holds(largest[row])) continue;
      const Shift shift = Shift::of(largest[row]);
      magic[row] = shift.magic;
      ExponentialRow<true, false> wide(exponentials, shift);
      if (!wide(x + at(row), y, length, sums, row)) largest[row] = kNaN;
    }
    totals(sums, rows, total);
    for (std::size_t k = 0; k < kRows; k += kLanes) {
      const Floats v[1] = {load_floats(largest + k)};
      Floats e[1];
      exponentials.operator()<false>(v, e, v[0], load_floats(magic + k));
      store_floats(e[0], top + k);
    }
    for (std::size_t k = 0; k < rows; k += kDoubles)
      store(log_of_sum(load_promoted(top + k), load(total + k)), total + k);
    for (std::size_t row = 0; row < rows; ++row) {
      const float* from = x + at(row);
      if (!Shift::holds(largest[row])) {
        exact_log_softmax_row(from, y + at(row), length);
        continue;
      }
      // largest + total as two floats: for an element near the largest the first difference is exact.
      const auto max = static_cast<double>(largest[row]);
      const auto high = static_cast<float>(max + total[row]);
      const Floats h = hn::Set(FloatTag(), high);
      const Floats l =
          hn::Set(FloatTag(), static_cast<float>((max - static_cast<double>(high)) + total[row]));
      transform(
          length, y + at(row), [&](Floats v) HWY_ATTR { return hn::Sub(hn::Sub(v, h), l); }, from);
    }
  }
}

/// out = y·(upstream - m), m = Σ y·upstream.
struct SoftmaxGradient {
  static constexpr bool kWeighted = true;
  HWY_INLINE SoftmaxGradient() {}
  HWY_INLINE Floats operator()(Floats y, Floats upstream, const TwoFloats& m) const {
    return hn::Mul(y, hn::Sub(hn::Sub(upstream, m.high), m.low));
  }
};
/// out = upstream - y·m, m = Σ upstream.
struct LogSoftmaxGradient {
  static constexpr bool kWeighted = false;
  HWY_INLINE LogSoftmaxGradient() {}
  HWY_INLINE Floats operator()(Floats y, Floats upstream, const TwoFloats& m) const {
    const Floats minus_y = hn::Neg(y);
    return fused(minus_y, m.high, fused(minus_y, m.low, upstream));
  }
};

// Σ y·upstream, or Σ upstream; in a block each lane adds its four in f32, at most 2^-23 off.
template <class Gradient>
HWY_INLINE void weighted_row(const float* y, const float* upstream, Size length, LaneSums& sums,
                             std::size_t row) {
  LaneSum sum;
  Size i = 0;
  for (; i + kBlock <= length; i += kBlock) {
    for (std::size_t k = 0; k < kParts; ++k) {
      Floats p[4], g[4];
      for (std::size_t u = 0; u < 4; ++u) {
        const Size at = i + static_cast<Size>(16 * u + k * kLanes);
        g[u] = load_floats(upstream + at);
        if constexpr (Gradient::kWeighted) p[u] = load_floats(y + at);
      }
      if constexpr (Gradient::kWeighted) {
        sum.add(k, hn::Add(fused(p[1], g[1], hn::Mul(p[0], g[0])), fused(p[3], g[3], hn::Mul(p[2], g[2]))));
      } else {
        sum.add(k, hn::Add(hn::Add(g[0], g[1]), hn::Add(g[2], g[3])));
      }
    }
  }
  for (; i < length; i += 16) {
    // The last sixteen again, without those that are counted.
    const Size at = std::min(i, length - 16);
    for (std::size_t k = 0; k < kParts; ++k) {
      Floats v = load_floats(upstream + at + k * kLanes);
      if constexpr (Gradient::kWeighted) v = hn::Mul(load_floats(y + at + k * kLanes), v);
      sum.add(k, hn::IfThenZeroElse(lane_is_below(k, static_cast<std::size_t>(i - at)), v));
    }
  }
  sum.store(sums, row);
}

template <class Gradient>
void gradient_long(const float* y, const float* upstream, float* out, Size count, Size length) {
  const Gradient gradient;
  const Size batch = rows_at_once(length);
  LaneSums sums;
  double total[kRows];
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    const auto at = [&](std::size_t row) { return (first + static_cast<Size>(row)) * length; };
    for (std::size_t row = 0; row < rows; ++row)
      weighted_row<Gradient>(y + at(row), upstream + at(row), length, sums, row);
    totals(sums, rows, total);
    for (std::size_t row = 0; row < rows; ++row) {
      const TwoFloats m = TwoFloats::of(total[row]);
      transform(
          length, out + at(row), [&](Floats p, Floats g) HWY_ATTR { return gradient(p, g, m); }, y + at(row),
          upstream + at(row));
    }
  }
}
