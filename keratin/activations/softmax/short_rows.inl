// Rows of at most 64 elements, up to 64 of them at a time: the exponentials of all elements one after
// another, whatever row they belong to, then the sums of all rows at once, in f64.

constexpr Size kShortLength = 64;  // the longest of them

/// Up to kCount rows of more than 16 (kGroups - 1) elements and at most 16 kGroups, and room to read sixteen
/// lanes from the last.
template <std::size_t kGroups>
class ShortRows {
 public:
  // So many that the latency of one step's reductions is hidden by other rows'.
  static constexpr std::size_t kCount = 64 / kGroups / 16 * 16;

  HWY_INLINE explicit ShortRows(Size length) : length_(static_cast<std::size_t>(length)) {
    const std::size_t last = length_ - kBefore;
    for (std::size_t k = 0; k < kParts; ++k) in_row_[k] = lane_is_below(k, last);
    for (std::size_t k = 0; k < 16 / kDoubles; ++k)
      in_half_[k] = lanes_among(Tag<double>(), k * kDoubles, last);
  }
  float* data() { return value_; }
  HWY_INLINE float* row(std::size_t r) { return value_ + r * length_; }
  HWY_INLINE const float* row(std::size_t r) const { return value_ + r * length_; }

  /// `rows` are filled: zeros in what else is read of the next sixteen.
  HWY_INLINE void fill_up(std::size_t rows) {
    float *from = row(rows), *to = row((rows + 15) / 16 * 16) + 16;
    std::fill(from, to, 0.0f);
  }

  /// Sixteen elements of the row, with `fill` in the lanes beyond it.
  HWY_INLINE Sixteen lanes(std::size_t r, std::size_t group, float fill) const {
    Sixteen v = load_sixteen(row(r) + 16 * group);
    if (group + 1 == kGroups) {
      for (std::size_t k = 0; k < kParts; ++k)
        v.part[k] = hn::IfThenElse(in_row_[k], v.part[k], hn::Set(FloatTag(), fill));
    }
    return v;
  }
  /// Elements `lane` and following, 0 beyond the row.
  HWY_INLINE Vec<double> promoted(std::size_t r, std::size_t lane) const {
    const Vec<double> v = load_promoted(row(r) + lane);
    if (lane < kBefore) return v;
    return {hn::IfThenElseZero(in_half_[(lane - kBefore) / kDoubles], v.raw)};
  }

 private:
  static constexpr std::size_t kBefore = 16 * (kGroups - 1);
  alignas(64) float value_[kCount * 16 * kGroups + 16];
  std::size_t length_;
  hn::Mask<FloatTag> in_row_[kParts];
  hn::Mask<Tag<double>> in_half_[16 / kDoubles];
};

/// The sums over rows of value(row, lane), `lane` and following, lanes 0 to 15 of each group.
template <std::size_t kGroups, class Value>
HWY_INLINE void short_totals(const Value& value, std::size_t rows, double* to) {
  totals(
      [&](std::size_t r, std::size_t lane) HWY_ATTR {
        Vec<double> sum = value(r, lane) + value(r, lane + 8);
        for (std::size_t group = 1; group < kGroups; ++group)
          sum = sum + (value(r, 16 * group + lane) + value(r, 16 * group + lane + 8));
        return sum;
      },
      rows, to);
}

/// Writes rows of one size, in order: all sixteen lanes where the next rows overwrite what is too much (a
/// masked store costs three plain ones).
template <std::size_t kGroups>
class ShortWriter {
 public:
  HWY_INLINE ShortWriter(float* to, std::size_t rows, Size length)
      : to_(to), end_(to + static_cast<Size>(rows) * length), length_(length) {}
  /// group(g): the row's sixteen of that group.
  template <class Group>
  HWY_INLINE void next(const Group& group) {
    for (std::size_t g = 0; g + 1 < kGroups; ++g) store_sixteen(group(g), to_ + 16 * g);
    constexpr std::size_t kLast = kGroups - 1;
    float* last = to_ + 16 * kLast;
    if (end_ - last >= 16) {
      store_sixteen(group(kLast), last);
    } else {
      store_first(group(kLast), last, static_cast<std::size_t>(length_) - 16 * kLast);
    }
    to_ += length_;
  }
  HWY_INLINE void next_copied(const float* from) {
    std::copy(from, from + length_, to_);
    to_ += length_;
  }

 private:
  float *to_, *end_;
  Size length_;
};

/// The exponentials of the rows, e^x·2^k, and their sums.
template <std::size_t kGroups>
class ShortExponentials {
 public:
  using Rows = ShortRows<kGroups>;
  static constexpr std::size_t kCount = Rows::kCount;

  Rows x, e;
  alignas(64) double total[kCount];
  // Of rows outside the usual range alone, until find_largest.
  alignas(64) float largest[kCount], magic[kCount];
  bool is_usual = true;

  HWY_INLINE explicit ShortExponentials(Size length) : x(length), e(length), length_(length) {}

  HWY_INLINE void compute(const float* from, std::size_t rows) {
    rows_ = rows;
    is_usual = all_rows(from);
    if (rows < kCount) fill_up();
    if (!is_usual) {
      for (std::size_t r = 0; r < rows; ++r) one_row(r);
    }
    short_totals<kGroups>([&](std::size_t r, std::size_t lane) HWY_ATTR { return e.promoted(r, lane); }, rows,
                          total);
  }

  /// Of all rows.
  HWY_INLINE void find_largest() {
    if (!is_usual) return;
    for (std::size_t first = 0; first < rows_; first += 16) {
      largest_of_sixteen_rows([&](std::size_t r) HWY_ATTR { return largest_lanes(first + r); },
                              largest + first);
    }
    std::fill(magic, magic + (rows_ + 15) / 16 * 16, Shift::none().magic);
  }
  /// The exponential of each row's largest.
  HWY_INLINE void largest_exponentials(float* to) const {
    for (std::size_t k = 0; k < rows_; k += kLanes) {
      const Floats v[1] = {load_floats(largest + k)};
      Floats y[1];
      exponentials_.template operator()<false>(v, y, v[0], load_floats(magic + k));
      store_floats(y[0], to + k);
    }
  }

 private:
  // What vectors read beyond the last row; a call with few rows does not pay for many.
  HWY_INLINE void fill_up() {
    const std::size_t end = (rows_ + 15) / 16 * 16;
    x.fill_up(rows_);
    e.fill_up(rows_);
    std::fill(total + rows_, total + end, 1.0);
    std::fill(largest + rows_, largest + end, 0.0f);
    std::fill(magic + rows_, magic + end, Shift::none().magic);
  }
  HWY_INLINE Sixteen largest_lanes(std::size_t r) const {
    Sixteen top = x.lanes(r, 0, -kInfinity);
    for (std::size_t group = 1; group < kGroups; ++group) {
      const Sixteen v = x.lanes(r, group, -kInfinity);
      for (std::size_t k = 0; k < kParts; ++k) top.part[k] = hn::Max(top.part[k], v.part[k]);
    }
    return top;
  }
  // As if all were in the usual range; whether that is so.
  HWY_INLINE bool all_rows(const float* from) {
    const IndexTag whole;
    const Floats zero = hn::Zero(FloatTag()), no_shift = hn::Set(FloatTag(), Shift::none().magic);
    auto outside = hn::Zero(whole);
    const Size size = static_cast<Size>(rows_) * length_;
    for (Size i = 0; i < size; i += 16) {
      Sixteen v, y;
      if (i + 16 <= size) {
        v = load_sixteen(from + i);
      } else {
        v = load_first(from + i, static_cast<std::size_t>(size - i), 0);
      }
      exponentials_.template operator()<false>(v.part, y.part, zero, no_shift);
      for (std::size_t k = 0; k < kParts; ++k)
        outside = hn::Max(outside, hn::BitCast(whole, hn::Abs(v.part[k])));
      store_sixteen(v, x.data() + i);
      store_sixteen(y, e.data() + i);
    }
    return hn::AllFalse(whole, hn::Gt(outside, hn::Set(whole, std::bit_cast<std::int32_t>(kRange))));
  }
  // Whatever its range; a row that holds NaN, or too large, counts as {1} and `largest` is NaN.
  HWY_INLINE void one_row(std::size_t r) {
    const FloatTag tag;
    const float* from = x.row(r);
    float top = -kInfinity;
    bool is_nan = false;
    for (Size i = 0; i < length_; ++i) {
      is_nan = is_nan || from[i] != from[i];
      top = std::max(top, from[i]);
    }
    largest[r] = top;
    if (is_nan || !Shift::holds(top)) {
      largest[r] = kNaN;
      magic[r] = Shift::none().magic;
      std::fill(e.row(r), e.row(r) + length_, 0.0f);
      e.row(r)[0] = 1;
      return;
    }
    const Shift shift = Shift::of(top);
    magic[r] = shift.magic;
    for (std::size_t group = 0; group < kGroups; ++group) {
      const Sixteen v = x.lanes(r, group, -kInfinity);
      Sixteen y;
      exponentials_.template operator()<true>(v.part, y.part, hn::Set(tag, shift.low),
                                              hn::Set(tag, shift.magic));
      const std::size_t before = 16 * group;
      store_first(y, e.row(r) + before,
                  std::min<std::size_t>(16, static_cast<std::size_t>(length_) - before));
    }
  }

  Exponentials exponentials_;
  Size length_;
  std::size_t rows_ = 0;
};

template <std::size_t kGroups>
void softmax_short(const float* x, float* y, Size count, Size length, float*) {
  using Rows = ShortExponentials<kGroups>;
  Rows rows(length);
  alignas(64) float high[Rows::kCount], low[Rows::kCount];
  for (Size first = 0; first < count; first += Rows::kCount) {
    const auto here = static_cast<std::size_t>(std::min<Size>(Rows::kCount, count - first));
    rows.compute(x + first * length, here);
    for (std::size_t k = 0; k < here; k += kDoubles) {
      const Vec<double> c = set(1.0) / load(rows.total + k);
      store_rounded(c, high + k);
      store_rounded(c - load_promoted(high + k), low + k);
    }
    ShortWriter<kGroups> writer(y + first * length, here, length);
    for (std::size_t r = 0; r < here; ++r) {
      if (!rows.is_usual && rows.largest[r] != rows.largest[r]) {
        exact_softmax_row(rows.x.row(r), rows.x.row(r), length);
        writer.next_copied(rows.x.row(r));
        continue;
      }
      const Floats h = hn::Set(FloatTag(), high[r]), l = hn::Set(FloatTag(), low[r]);
      writer.next([&](std::size_t group) HWY_ATTR {
        Sixteen v = load_sixteen(rows.e.row(r) + 16 * group);
        for (std::size_t k = 0; k < kParts; ++k) v.part[k] = fused(v.part[k], h, hn::Mul(v.part[k], l));
        return v;
      });
    }
  }
}

// Σ e^x without the first of the largest elements, for a row whose others are too small beside it.
template <class Rows>
HWY_INLINE double sum_of_others(Rows& rows, std::size_t r, Size length) {
  const float *x = rows.x.row(r), *end = x + length;
  float* e = rows.e.row(r);
  e[std::find(x, end, rows.largest[r]) - x] = 0;
  double lanes[16] = {};
  for (Size i = 0; i < length; ++i) lanes[i % 16] += static_cast<double>(e[i]);
  return std::accumulate(lanes, lanes + 16, 0.0);
}

template <std::size_t kGroups>
void log_softmax_short(const float* x, float* y, Size count, Size length, bool) {
  using Rows = ShortExponentials<kGroups>;
  Rows rows(length);
  alignas(64) float top[Rows::kCount], high[Rows::kCount], low[Rows::kCount];
  alignas(64) double others[Rows::kCount];
  for (Size first = 0; first < count; first += Rows::kCount) {
    const auto here = static_cast<std::size_t>(std::min<Size>(Rows::kCount, count - first));
    rows.compute(x + first * length, here);
    rows.find_largest();
    rows.largest_exponentials(top);
    bool is_dominated = false;
    for (std::size_t k = 0; k < here; k += kDoubles) {
      // The sum is exact to 2^-49: what is left of it after the subtraction, to 2^-25.
      const Vec<double> one = load_promoted(top + k), rest = load(rows.total + k) - one;
      is_dominated = is_dominated || !all(rest >= set(0x1p-24) * one);
      store(rest, others + k);
    }
    if (is_dominated) {
      for (std::size_t r = 0; r < here; ++r) {
        if (others[r] < 0x1p-24 * static_cast<double>(top[r])) others[r] = sum_of_others(rows, r, length);
      }
    }
    for (std::size_t k = 0; k < here; k += kDoubles) {
      const Vec<double> log = log_of_sum(load_promoted(top + k), load(others + k));
      const Vec<double> largest = load_promoted(rows.largest + k);
      store_rounded(largest + log, high + k);
      store_rounded((largest - load_promoted(high + k)) + log, low + k);
    }
    ShortWriter<kGroups> writer(y + first * length, here, length);
    for (std::size_t r = 0; r < here; ++r) {
      if (rows.largest[r] != rows.largest[r]) {
        exact_log_softmax_row(rows.x.row(r), rows.x.row(r), length);
        writer.next_copied(rows.x.row(r));
        continue;
      }
      const Floats h = hn::Set(FloatTag(), high[r]), l = hn::Set(FloatTag(), low[r]);
      writer.next([&](std::size_t group) HWY_ATTR {
        Sixteen v = load_sixteen(rows.x.row(r) + 16 * group);
        for (std::size_t k = 0; k < kParts; ++k) v.part[k] = hn::Sub(hn::Sub(v.part[k], h), l);
        return v;
      });
    }
  }
}

template <std::size_t kGroups, class Gradient>
void gradient_short(const float* y, const float* upstream, float* out, Size count, Size length, bool) {
  using Rows = ShortRows<kGroups>;
  const Gradient gradient;
  const auto size = static_cast<std::size_t>(length);
  Rows p(length), g(length);
  double total[Rows::kCount];
  for (Size first = 0; first < count; first += Rows::kCount) {
    const auto here = static_cast<std::size_t>(std::min<Size>(Rows::kCount, count - first));
    std::memcpy(p.data(), y + first * length, here * size * sizeof(float));
    std::memcpy(g.data(), upstream + first * length, here * size * sizeof(float));
    p.fill_up(here);
    g.fill_up(here);
    short_totals<kGroups>(
        [&](std::size_t r, std::size_t lane) HWY_ATTR {
          const Vec<double> v = g.promoted(r, lane);
          if constexpr (!Gradient::kWeighted) return v;
          return p.promoted(r, lane) * v;
        },
        here, total);
    ShortWriter<kGroups> writer(out + first * length, here, length);
    for (std::size_t r = 0; r < here; ++r) {
      const TwoFloats m = TwoFloats::of(Parts::of(total[r]));
      writer.next([&](std::size_t group) HWY_ATTR {
        Sixteen a = load_sixteen(p.row(r) + 16 * group);
        const Sixteen b = load_sixteen(g.row(r) + 16 * group);
        for (std::size_t k = 0; k < kParts; ++k) a.part[k] = gradient(a.part[k], b.part[k], m);
        return a;
      });
    }
  }
}
