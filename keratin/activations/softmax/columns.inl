// Rows that stand side by side: element i of all of them, `inner` numbers one after another, then element i
// + 1. One row a lane, element after element; each sum is kept exactly in two floats.

/// kLanes rows from column `first` on, or as many as there are: `count`.
struct Columns {
  Size inner;
  std::size_t count;

  HWY_INLINE Floats load(const float* from, Size i) const {
    from += i * inner;
    return count == kLanes ? load_floats(from) : load_part(from, count);
  }
  HWY_INLINE void store(Floats v, float* to, Size i) const {
    to += i * inner;
    if (count == kLanes) {
      store_floats(v, to);
    } else {
      store_part(v, to, count);
    }
  }
  /// out = function(in ...) for all elements.
  template <class Function, class... Inputs>
  HWY_INLINE void transform(Size length, float* out, const Function& function, const Inputs*... in) const {
    for (Size i = 0; i < length; ++i) store(function(load(in, i)...), out, i);
  }
};

class ColumnSum {
 public:
  HWY_INLINE ColumnSum() : sum_(hn::Zero(FloatTag())), lost_(sum_) {}
  HWY_INLINE void add(Floats v) { exact_add(v, sum_, lost_); }
  HWY_INLINE void store(double (&to)[kLanes]) const {
    alignas(64) float sum[kLanes], lost[kLanes];
    hn::Store(sum_, FloatTag(), sum);
    hn::Store(lost_, FloatTag(), lost);
    for (std::size_t k = 0; k < kLanes; k += kDoubles)
      simd::HWY_NAMESPACE::store(load_promoted(sum + k) + load_promoted(lost + k), to + k);
  }

 private:
  Floats sum_, lost_;
};

/// A double for each lane, as two vectors of floats.
HWY_INLINE TwoFloats two_floats(const double (&value)[kLanes]) {
  alignas(64) float high[kLanes], low[kLanes];
  for (std::size_t k = 0; k < kLanes; k += kDoubles) {
    const Vec<double> v = load(value + k);
    store_rounded(v, high + k);
    store_rounded(v - load_promoted(high + k), low + k);
  }
  return {load_floats(high), load_floats(low)};
}

/// The exponentials of kLanes rows: stored, and summed; or summed without each row's largest. False, and
/// void, if one element is outside the usual range.
template <bool others>
class ColumnExponentials {
 public:
  alignas(64) double total[kLanes];
  Floats largest;

  alignas(64) std::int32_t outside[kLanes];  // more than kRange's bits there

  HWY_INLINE void operator()(const Exponentials& exponentials, const Columns& columns, const float* x,
                             float* y, Size length) {
    const IndexTag whole;
    ColumnSum sum;
    largest = columns.load(x, 0);
    auto farthest = hn::BitCast(whole, hn::Abs(largest));
    const auto some = [&](Size i, auto n) HWY_ATTR {
      Floats v[n], e[n];
      for (std::size_t u = 0; u < n; ++u) {
        v[u] = columns.load(x, i + static_cast<Size>(u));
        farthest = hn::Max(farthest, hn::BitCast(whole, hn::Abs(v[u])));
      }
      if constexpr (others) {
        for (std::size_t u = 0; u < n; ++u) {
          const Floats larger = hn::Max(largest, v[u]);
          v[u] = hn::Min(largest, v[u]);
          largest = larger;
        }
      }
      exponentials.template operator()<false>(v, e, largest, hn::Set(FloatTag(), Shift::none().magic));
      for (std::size_t u = 0; u < n; ++u) {
        if constexpr (!others) columns.store(e[u], y, i + static_cast<Size>(u));
        sum.add(e[u]);
      }
    };
    Size i = others ? 1 : 0;
    for (; i + 4 <= length; i += 4) some(i, std::integral_constant<std::size_t, 4>());
    for (; i < length; ++i) some(i, std::integral_constant<std::size_t, 1>());
    sum.store(total);
    hn::Store(farthest, whole, outside);
  }
};

void softmax_in_place(float* row, Size length) { softmax_rows(row, row, 1, length, nullptr); }
void log_softmax_in_place(float* row, Size length) { log_softmax_rows(row, row, 1, length, false); }

// The lanes outside, one by one. Which way a column goes depends on itself alone.
HWY_INLINE void put_outside_right(void (*in_place)(float* row, Size length),
                                  const std::int32_t (&outside)[kLanes], const Columns& columns,
                                  const float* x, float* y, Size length) {
  for (std::size_t c = 0; c < columns.count; ++c) {
    if (outside[c] > std::bit_cast<std::int32_t>(kRange))
      activations::detail::column_as_row(in_place, x + c, y + c, length, columns.inner);
  }
}

template <class Tile>
HWY_INLINE void for_each_tile(const ColumnRange& range, const Tile& tile) {
  for (Size c = range.begin; c < range.end; c += kLanes)
    tile(c, Columns{range.inner, static_cast<std::size_t>(std::min<Size>(kLanes, range.end - c))});
}

void softmax_columns(const float* x, float* y, const ColumnRange& range) {
  const Exponentials exponentials;
  for_each_tile(range, [&](Size c, const Columns& columns) HWY_ATTR {
    ColumnExponentials<false> e;
    e(exponentials, columns, x + c, y + c, range.length);
    for (std::size_t k = 0; k < kLanes; k += kDoubles) store(set(1.0) / load(e.total + k), e.total + k);
    const TwoFloats factor = two_floats(e.total);
    columns.transform(
        range.length, y + c, [&](Floats v) HWY_ATTR { return fused(v, factor.high, hn::Mul(v, factor.low)); },
        y + c);
    put_outside_right(&softmax_in_place, e.outside, columns, x + c, y + c, range.length);
  });
}

void log_softmax_columns(const float* x, float* y, const ColumnRange& range) {
  const Exponentials exponentials;
  for_each_tile(range, [&](Size c, const Columns& columns) HWY_ATTR {
    ColumnExponentials<true> others;
    others(exponentials, columns, x + c, y + c, range.length);
    const Floats v[1] = {others.largest};
    Floats one[1];
    exponentials.operator()<false>(v, one, v[0], hn::Set(FloatTag(), Shift::none().magic));
    alignas(64) float top[kLanes], largest[kLanes];
    hn::Store(one[0], FloatTag(), top);
    hn::Store(others.largest, FloatTag(), largest);
    alignas(64) float high[kLanes], low[kLanes];
    for (std::size_t k = 0; k < kLanes; k += kDoubles) {
      const Vec<double> log = log_of_sum(load_promoted(top + k), load(others.total + k));
      store_rounded(load_promoted(largest + k) + log, high + k);
      store_rounded((load_promoted(largest + k) - load_promoted(high + k)) + log, low + k);
    }
    const Floats h = load_floats(high), l = load_floats(low);
    columns.transform(
        range.length, y + c, [&](Floats value) HWY_ATTR { return hn::Sub(hn::Sub(value, h), l); }, x + c);
    put_outside_right(&log_softmax_in_place, others.outside, columns, x + c, y + c, range.length);
  });
}

template <class Gradient>
void gradient_columns(const float* y, const float* upstream, float* out, const ColumnRange& range) {
  const Gradient gradient;
  for_each_tile(range, [&](Size c, const Columns& columns) HWY_ATTR {
    ColumnSum sum;
    for (Size i = 0; i < range.length; ++i) {
      const Floats g = columns.load(upstream + c, i);
      sum.add(Gradient::kWeighted ? hn::Mul(columns.load(y + c, i), g) : g);
    }
    alignas(64) double total[kLanes];
    sum.store(total);
    const TwoFloats m = two_floats(total);
    columns.transform(
        range.length, out + c, [&](Floats p, Floats g) HWY_ATTR { return gradient(p, g, m); }, y + c,
        upstream + c);
  });
}
