// The f64 rows of softmax and log_softmax for the instruction set being compiled. Included by double_rows.cc
// once for each.
//
// A row is e^(x − max), x − max exactly in two parts, times 2^128: so that what is not 0 in the end has all
// its digits until the last product, and the largest is 2^128 exactly. Sums run in eight lanes by index, so
// that no vector length changes a bit.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

namespace double_rows {

using Size = std::int64_t;
constexpr Size kWidth = hn::MaxLanes(Tag<double>()), kGroup = 8, kVectors = kGroup / kWidth, kBlock = 1024;
static_assert(kGroup % kWidth == 0 && kBlock % kGroup == 0);
constexpr double kTimes = 0x1p128;

// The first `count` numbers, then zeros.
HWY_INLINE Vec<double> load_some(const double* from, Size count) {
  if (HWY_LIKELY(count >= kWidth)) return load(from);
#if HWY_MEM_OPS_MIGHT_FAULT
  double some[kWidth] = {};
  for (Size i = 0; i < count; ++i) some[i] = from[i];
  return load(some);
#else
  const Tag<double> tag;
  const auto there = hn::FirstN(tag, static_cast<std::size_t>(std::max<Size>(count, 0)));
  return {hn::MaskedLoad(there, tag, from)};
#endif
}
HWY_INLINE void store_some(Vec<double> v, double* to, Size count) {
  if (HWY_LIKELY(count >= kWidth)) return store(v, to);
#if HWY_MEM_OPS_MIGHT_FAULT
  double some[kWidth];
  store(v, some);
  for (Size i = 0; i < count; ++i) to[i] = some[i];
#else
  const Tag<double> tag;
  hn::BlendedStore(v.raw, hn::FirstN(tag, static_cast<std::size_t>(count)), tag, to);
#endif
}

HWY_INLINE Pair pair(double hi, double lo) { return {set(hi), set(lo)}; }
HWY_INLINE Close close_of(Pair a) { return {a.hi, a.lo, set(0.0)}; }
HWY_INLINE Pair product_of(Pair a, Pair b) {
  const Close product = close_of(a) * close_of(b);
  return {product.hi, product.lo};
}
HWY_INLINE Pair quotient_of(Pair a, Pair b) {
  const Close quotient = close_of(a) / close_of(b);
  return {quotient.hi, quotient.lo};
}

// A sum of pairs, 104 bits.
class LaneSums {
 public:
  HWY_INLINE LaneSums() {
    for (Pair& lane : lanes_) lane = pair(0, 0);
  }
  /// Of the group's vector v.
  HWY_INLINE void add(Size v, Pair value) { lanes_[v] = sum_of(lanes_[v], value); }
  /// In every lane.
  HWY_INLINE Pair total() const {
    double hi[kGroup], lo[kGroup];
    for (Size v = 0; v < kVectors; ++v) {
      store(lanes_[v].hi, hi + v * kWidth);
      store(lanes_[v].lo, lo + v * kWidth);
    }
    Pair sums[kGroup];
    for (Size lane = 0; lane < kGroup; ++lane) sums[lane] = pair(hi[lane], lo[lane]);
    for (Size half = kGroup / 2; half > 0; half /= 2) {
      for (Size lane = 0; lane < half; ++lane) sums[lane] = sum_of(sums[lane], sums[lane + half]);
    }
    return fast_two_sum(sums[0].hi, sums[0].lo);
  }

 private:
  // hi is the sum of all that was hi, rounded each time; lo all that was lost, and much smaller.
  static HWY_INLINE Pair sum_of(Pair a, Pair b) {
    const Pair sum = two_sum(a.hi, b.hi);
    return {sum.hi, a.lo + (sum.lo + b.lo)};
  }
  Pair lanes_[kVectors];
};

// Passes NaN over; −inf where there is nothing else.
double largest(const double* x, Size length) {
  double lanes[kWidth];
  Vec<double> most = set(-std::numeric_limits<double>::infinity());
  Size i = 0;
  for (; i + kWidth <= length; i += kWidth) {
    const Vec<double> here = load(x + i);
    most = where(here > most, here, most);
  }
  store(most, lanes);
  for (; i < length; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  return *std::max_element(lanes, lanes + kWidth);
}

// e^(x − max)·2^128 of a row, block by block.
class ExponentialRow {
 public:
  ExponentialRow(const double* x, Size length) : x_(x), length_(length), max_(largest(x, length)) {}

  double max() const { return max_; }

  /// Calls visit(begin, count) when [i] is the pair of element begin + i, and zeros up to the next group's
  /// beginning. A row of one block computes it once.
  template <class Visit>
  HWY_INLINE void for_each_block(const Visit& visit) {
    for (Size begin = 0; begin < length_; begin += kBlock) {
      const Size count = std::min(kBlock, length_ - begin);
      if (!is_ready_) exponentials(begin, count);
      is_ready_ = length_ <= kBlock;
      visit(begin, count);
    }
  }
  /// Of one vector.
  HWY_INLINE Pair operator[](Size i) const { return {load(hi_ + i), load(lo_ + i)}; }
  void clear(Size i) { hi_[i] = lo_[i] = 0; }

  /// x − max of one vector, exactly; −inf where x is that.
  HWY_INLINE Pair below(Size i) const {
    const Pair d = two_sum(load_some(x_ + i, length_ - i), set(-max_));
    return {d.hi, where(d.hi > set(-std::numeric_limits<double>::infinity()), d.lo, set(0.0))};
  }

 private:
  HWY_NOINLINE void exponentials(Size begin, Size count) {
    for (Size i = 0; i < count; i += kWidth) {
      const Pair d = below(begin + i);
      // Beyond e^-760 nothing is left.
      const Mask<double> lost = d.hi < set(-760.0);
      const Close inside{where(lost, set(-760.0), d.hi), where(lost, set(0.0), d.lo), set(0.0)};
      const Pair e = detail::close_exp(detail::close_reduce(inside), kTimes);
      store(e.hi, hi_ + i);
      store(e.lo, lo_ + i);
    }
    const Size rest = (count + kGroup - 1) / kGroup * kGroup - count;
    std::fill_n(hi_ + count, rest, 0.0);
    std::fill_n(lo_ + count, rest, 0.0);
  }

  const double* const x_;
  const Size length_;
  const double max_;
  bool is_ready_ = false;
  alignas(64) double hi_[kBlock], lo_[kBlock];
};

/// visit(v, i) for every vector of the groups that hold `count` elements: the v-th of its group.
template <class Visit>
HWY_INLINE void for_each_vector(Size count, const Visit& visit) {
  for (Size i = 0; i < count; i += kGroup) {
    for (Size v = 0; v < kVectors; ++v) visit(v, i + v * kWidth);
  }
}

Pair sum_of_row(ExponentialRow& row) {
  LaneSums sum;
  row.for_each_block(
      [&](Size, Size count) { for_each_vector(count, [&](Size v, Size i) { sum.add(v, row[i]); }); });
  return sum.total();
}

void softmax(const double* x, double* y, Size length) {
  ExponentialRow row(x, length);
  const Pair inverse = quotient_of(pair(kTimes, 0), sum_of_row(row));
  const Vec<double> unit = set(1 / kTimes);
  row.for_each_block([&](Size begin, Size count) {
    for (Size i = 0; i < count; i += kWidth) {
      const Pair result = product_of(row[i], inverse);
      store_some((result.hi + result.lo) * unit, y + begin + i, count - i);
    }
  });
}

// ln Σ e^(x − max): ln(1 + Σ) of all but the first of the largest, whose own 1 would swallow small sums.
Pair log_sum(ExponentialRow& row, const double* x, Size length) {
  const Size top = std::find(x, x + length, row.max()) - x;
  LaneSums sum;
  row.for_each_block([&](Size begin, Size count) {
    if (begin <= top && top < begin + count) row.clear(top - begin);
    for_each_vector(count, [&](Size v, Size i) { sum.add(v, row[i]); });
  });
  const Pair others = sum.total();
  const Vec<double> unit = set(1 / kTimes);
  const Close result = log1p(Close{others.hi * unit, others.lo * unit, set(0.0)});
  return {result.hi, result.lo};
}

void log_softmax(const double* x, double* y, Size length) {
  ExponentialRow row(x, length);
  if (!std::isfinite(row.max())) {
    std::fill_n(y, length, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const Pair shift = log_sum(row, x, length);
  for (Size i = 0; i < length; i += kWidth) {
    const Pair d = row.below(i), result = two_sum(d.hi, -shift.hi);
    const Vec<double> rest = result.lo + (d.lo - shift.lo);
    // Infinity has no rest.
    store_some(where(is_nan(rest), result.hi, result.hi + rest), y + i, length - i);
  }
}

void softmax_gradient(const double* x, const double* upstream, double* out, Size length) {
  ExponentialRow row(x, length);
  LaneSums sum, weighted;
  const Vec<double> unit = set(1 / kTimes);
  row.for_each_block([&](Size begin, Size count) {
    for_each_vector(count, [&](Size v, Size i) {
      const Pair e{row[i].hi * unit, row[i].lo * unit};
      sum.add(v, e);
      weighted.add(v, product_of(e, {load_some(upstream + begin + i, count - i), set(0.0)}));
    });
  });
  const Pair total = sum.total(), mean = quotient_of(weighted.total(), total);
  const Pair inverse = quotient_of(pair(1 / kTimes, 0), total);
  row.for_each_block([&](Size begin, Size count) {
    for (Size i = 0; i < count; i += kWidth) {
      const Pair y = product_of(row[i], inverse);
      const Pair off = two_sum(load_some(upstream + begin + i, count - i), -mean.hi);
      const Pair result = product_of(y, {off.hi, off.lo - mean.lo});
      store_some(result.hi + result.lo, out + begin + i, count - i);
    }
  });
}

void log_softmax_gradient(const double* x, const double* upstream, double* out, Size length) {
  ExponentialRow row(x, length);
  LaneSums sum, upstreams;
  row.for_each_block([&](Size begin, Size count) {
    for_each_vector(count, [&](Size v, Size i) {
      sum.add(v, row[i]);
      upstreams.add(v, {load_some(upstream + begin + i, count - i), set(0.0)});
    });
  });
  const Pair factor = quotient_of(upstreams.total(), sum.total());
  row.for_each_block([&](Size begin, Size count) {
    for (Size i = 0; i < count; i += kWidth) {
      const Pair y = product_of(row[i], factor);
      const Pair result = two_sum(load_some(upstream + begin + i, count - i), -y.hi);
      store_some(result.hi + (result.lo - y.lo), out + begin + i, count - i);
    }
  });
}

namespace {
constexpr activations::detail::DoubleSoftmaxKernels kKernels{&softmax, &log_softmax, &softmax_gradient,
                                                             &log_softmax_gradient};
}  // namespace

}  // namespace double_rows
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
