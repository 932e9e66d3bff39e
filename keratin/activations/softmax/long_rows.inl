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

constexpr Size kBlock = 64;    // four elements a lane
constexpr Size kAhead = 2048;  // how far on memory is asked for what is read from it

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

  /// beside.step() after every block.
  template <class Beside>
  HWY_INLINE bool operator()(const float* x, float* y, Size length, LaneSums& sums, std::size_t row,
                             Beside& beside) {
    const Sixteen end = load_sixteen(x + length - 16);  // y may be x
    Size i = 0;
    if constexpr (others) {
      block<true>(x, y, beside);
      i = kBlock;
    }
    while (i + kBlock <= length) {
      // Rows that turn out to be outside are left early.
      const Size stop = std::min(length, i + 8 * kBlock);
      for (; i + kBlock <= stop; i += kBlock) {
        block<false>(x + i, y + i, beside);
        beside.step();
      }
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
  template <bool is_first, class Beside>
  HWY_INLINE void block(const float* x, float* y, const Beside& beside) {
    for (std::size_t k = 0; k < kParts; ++k) {
      Floats v[4], e[4];
      for (std::size_t u = 0; u < 4; ++u) {
        const float* from = x + 16 * u + k * kLanes;
        beside.expect(from + kAhead);
        v[u] = seen(load_floats(from));
      }
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

// A number as two floats, 48 bits.
struct Parts {
  float high, low;
  static HWY_INLINE Parts of(double c) {
    const auto high = static_cast<float>(c);
    return {high, static_cast<float>(c - static_cast<double>(high))};
  }
};
struct TwoFloats {
  Floats high, low;
  static HWY_INLINE TwoFloats of(const Parts& c) {
    return {hn::Set(FloatTag(), c.high), hn::Set(FloatTag(), c.low)};
  }
};

// What a row's results are of its numbers and of a number c of the row.
/// softmax: e·c, c = 1/Σ e.
struct Scaled {
  HWY_INLINE Floats operator()(Floats e, Floats, const TwoFloats& c) const {
    return fused(e, c.high, hn::Mul(e, c.low));
  }
};
/// log_softmax: x − c; for an element near the largest the first difference is exact.
struct Shifted {
  HWY_INLINE Floats operator()(Floats x, Floats, const TwoFloats& c) const {
    return hn::Sub(hn::Sub(x, c.high), c.low);
  }
};
/// softmax's gradient: y·(upstream − c), c = Σ y·upstream.
struct SoftmaxGradient {
  static constexpr bool kWeighted = true;
  HWY_INLINE SoftmaxGradient() {}
  HWY_INLINE Floats operator()(Floats y, Floats upstream, const TwoFloats& c) const {
    return hn::Mul(y, hn::Sub(hn::Sub(upstream, c.high), c.low));
  }
};
/// log_softmax's gradient: upstream − y·c, c = Σ upstream.
struct LogSoftmaxGradient {
  static constexpr bool kWeighted = false;
  HWY_INLINE LogSoftmaxGradient() {}
  HWY_INLINE Floats operator()(Floats y, Floats upstream, const TwoFloats& c) const {
    const Floats minus_y = hn::Neg(y);
    return fused(minus_y, c.high, fused(minus_y, c.low, upstream));
  }
};

/// out = Result(a, b, c), vector by vector; out may be one of them.
template <class Result>
class Written {
 public:
  explicit HWY_INLINE Written(Size length) : length_(length) {}
  HWY_INLINE void add(float* out, const float* a, const float* b, const Parts& number) const {
    constexpr Size kStep = 4 * kLanes;
    const Result result;
    const TwoFloats c = TwoFloats::of(number);
    const Size last = length_ - Size{kLanes};
    const Floats end = result(load_floats(a + last), load_floats(b + last), c);
    Size i = 0;
    for (; i + kStep <= length_; i += kStep) {
      for (Size at = i; at < i + kStep; at += kLanes)
        store_floats(result(load_floats(a + at), load_floats(b + at), c), out + at);
    }
    for (; i < last; i += kLanes) store_floats(result(load_floats(a + i), load_floats(b + i), c), out + i);
    store_floats(end, out + last);
  }
  HWY_INLINE void step() const {}
  HWY_INLINE void expect(const float*) const {}
  HWY_INLINE void finish() const {}

 private:
  Size length_;
};

/// The same past the caches, where `out` is none of the inputs: the rows that were added, a step beside each
/// block that is computed of the next. Stores alone would wait for memory, which idles while rows are
/// computed. Whole lines are streamed, those that two rows share from a buffer.
template <class Result>
class Streamed {
 public:
  explicit HWY_INLINE Streamed(Size length) : length_(length) {}
  ~Streamed() {
    flush_shared();
    hwy::FlushStream();
  }
  /// The inputs have to stay until finish().
  HWY_INLINE void add(float* out, const float* a, const float* b, const Parts& number) {
    rows_[count_++] = {a, b, out, number};
  }
  HWY_INLINE void step() {
    if (row_ < count_) some(kBlock);
  }
  HWY_INLINE void finish() {
    while (row_ < count_) some(length_);
    row_ = count_ = 0;
  }
  /// What will be read some way on.
  HWY_INLINE void expect(const float* later) const { hwy::Prefetch(later); }

 private:
  static constexpr Size kLine = 16;
  struct Row {
    const float *a, *b;
    float* out;
    Parts number;
  };

  HWY_INLINE void some(Size size) {
    const Row& row = rows_[row_];
    const TwoFloats c = TwoFloats::of(row.number);
    if (i_ == 0) i_ = begin(row, c);
    const Size stop = std::min(i_ + size, length_ - kLine);
    for (; i_ <= stop; i_ += kLine) line(row, c, i_, row.out + i_, true);
    if (stop < length_ - kLine) return;
    if (i_ < length_) {
      line(row, c, length_ - kLine, shared() + (length_ - i_ - kLine), false);
      shared_count_ = length_ - i_;
      shared_to_ = row.out + i_;
    }
    ++row_;
    i_ = 0;
  }
  // Up to the first line that is the row's own.
  HWY_INLINE Size begin(const Row& row, const TwoFloats& c) {
    const Size past = static_cast<Size>(reinterpret_cast<std::uintptr_t>(row.out) % 64 / sizeof(float));
    const bool goes_on = shared_count_ > 0 && shared_to_ + shared_count_ == row.out;
    if (!goes_on) flush_shared();
    if (past == 0) return 0;
    line(row, c, 0, shared() + past, false);
    if (goes_on) {
      for (Size k = 0; k < kLine; k += kLanes)
        store_raw(load_floats(shared() + k), FloatTag(), shared_to_ + k, true);
    } else {
      std::copy(shared() + past, shared() + kLine, row.out);
    }
    shared_count_ = 0;
    return kLine - past;
  }
  HWY_INLINE void line(const Row& row, const TwoFloats& c, Size at, float* to, bool streams) const {
    for (Size k = 0; k < kLine; k += kLanes) {
      const Size i = at + k;
      store_raw(Result()(load_floats(row.a + i), load_floats(row.b + i), c), FloatTag(), to + k, streams);
    }
  }
  HWY_INLINE float* shared() { return buffer_ + kLine; }
  HWY_INLINE void flush_shared() {
    std::copy(shared(), shared() + shared_count_, shared_to_);
    shared_count_ = 0;
  }

  const Size length_;
  std::size_t count_ = 0, row_ = 0;
  Size i_ = 0;
  Row rows_[kRows];
  // The line that the last row ended in, with room for what is stored before and behind it.
  alignas(64) float buffer_[3 * kLine];
  Size shared_count_ = 0;
  float* shared_to_ = nullptr;
};

HWY_INLINE Size rows_at_once(Size length) { return std::clamp<Size>(kRoom / length, 1, kRows); }

// One row of softmax before it is divided by its sum; what the kernel cannot do is done, and its sum is 1.
template <class Beside>
HWY_INLINE void exponentials_of_row(const Exponentials& exponentials, const float* x, float* e, Size length,
                                    LaneSums& sums, std::size_t row, Beside& beside) {
  const bool is_usual = x != e;  // in place a row cannot be begun again
  if (is_usual && ExponentialRow<false, true>(exponentials, Shift::none())(x, e, length, sums, row, beside))
    return;
  const float largest = largest_of(x, length);
  if (Shift::holds(largest)) {
    const Shift shift = Shift::of(largest);
    if (ExponentialRow<false, false>(exponentials, shift)(x, e, length, sums, row, beside)) return;
    std::fill(e, e + length, kNaN);
  } else {
    exact_softmax_row(x, e, length);
  }
  sums.set_one(row);
}

// The exponentials go into y, or with `room` into one half of that while the other's are written.
template <class Writer>
HWY_INLINE void softmax_through(const float* x, float* y, Size count, Size length, float* room) {
  const Exponentials exponentials;
  const Size stride = room != nullptr ? (length + 15) / 16 * 16 : length, batch = rows_at_once(stride);
  Writer writer(length);
  LaneSums sums;
  double total[kRows];
  float *here = room, *other = room == nullptr ? nullptr : room + std::max(kRoom, stride);
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    const auto e_at = [&](std::size_t row) {
      return room != nullptr ? here + static_cast<Size>(row) * stride
                             : y + (first + static_cast<Size>(row)) * length;
    };
    for (std::size_t row = 0; row < rows; ++row)
      exponentials_of_row(exponentials, x + (first + static_cast<Size>(row)) * length, e_at(row), length,
                          sums, row, writer);
    totals(sums, rows, total);
    writer.finish();
    for (std::size_t row = 0; row < rows; ++row)
      writer.add(y + (first + static_cast<Size>(row)) * length, e_at(row), e_at(row),
                 Parts::of(1 / total[row]));
    std::swap(here, other);
  }
  writer.finish();
}
void softmax_long(const float* x, float* y, Size count, Size length, float* room) {
  room != nullptr ? softmax_through<Streamed<Scaled>>(x, y, count, length, room)
                  : softmax_through<Written<Scaled>>(x, y, count, length, nullptr);
}

template <class Writer>
HWY_INLINE void log_softmax_through(const float* x, float* y, Size count, Size length) {
  const Exponentials exponentials;
  const Size batch = rows_at_once(length);
  Writer writer(length);
  LaneSums sums;
  alignas(64) float largest[kRows] = {}, magic[kRows] = {}, top[kRows];
  alignas(64) double total[kRows] = {};
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    const auto at = [&](std::size_t row) { return (first + static_cast<Size>(row)) * length; };
    for (std::size_t row = 0; row < rows; ++row) {
      ExponentialRow<true, true> usual(exponentials, Shift::none());
      magic[row] = Shift::none().magic;
      if (usual(x + at(row), y, length, sums, row, writer)) {
        largest[row] = usual.largest();
        continue;
      }
      largest[row] = largest_of(x + at(row), length);
      if (!Shift::holds(largest[row])) continue;
      const Shift shift = Shift::of(largest[row]);
      magic[row] = shift.magic;
      ExponentialRow<true, false> wide(exponentials, shift);
      if (!wide(x + at(row), y, length, sums, row, writer)) largest[row] = kNaN;
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
    writer.finish();
    for (std::size_t row = 0; row < rows; ++row) {
      const float* from = x + at(row);
      if (!Shift::holds(largest[row])) {
        exact_log_softmax_row(from, y + at(row), length);
        continue;
      }
      // largest + total in parts, none of total's digits lost.
      const auto max = static_cast<double>(largest[row]);
      const auto high = static_cast<float>(max + total[row]);
      writer.add(y + at(row), from, from,
                 {high, static_cast<float>((max - static_cast<double>(high)) + total[row])});
    }
  }
  writer.finish();
}
void log_softmax_long(const float* x, float* y, Size count, Size length, bool streams) {
  streams ? log_softmax_through<Streamed<Shifted>>(x, y, count, length)
          : log_softmax_through<Written<Shifted>>(x, y, count, length);
}

// Σ y·upstream, or Σ upstream; in a block each lane adds its four in f32, at most 2^-23 off.
template <class Gradient, class Beside>
HWY_INLINE void weighted_row(const float* y, const float* upstream, Size length, LaneSums& sums,
                             std::size_t row, Beside& beside) {
  LaneSum sum;
  Size i = 0;
  for (; i + kBlock <= length; i += kBlock) {
    for (std::size_t k = 0; k < kParts; ++k) {
      Floats p[4], g[4];
      for (std::size_t u = 0; u < 4; ++u) {
        const Size at = i + static_cast<Size>(16 * u + k * kLanes);
        beside.expect(upstream + at + kAhead / 2);
        beside.expect(y + at + kAhead / 2);
        g[u] = load_floats(upstream + at);
        if constexpr (Gradient::kWeighted) p[u] = load_floats(y + at);
      }
      if constexpr (Gradient::kWeighted) {
        sum.add(k, hn::Add(fused(p[1], g[1], hn::Mul(p[0], g[0])), fused(p[3], g[3], hn::Mul(p[2], g[2]))));
      } else {
        sum.add(k, hn::Add(hn::Add(g[0], g[1]), hn::Add(g[2], g[3])));
      }
    }
    beside.step();
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

template <class Gradient, class Writer>
HWY_INLINE void gradient_through(const float* y, const float* upstream, float* out, Size count, Size length) {
  const Size batch = rows_at_once(length);
  Writer writer(length);
  LaneSums sums;
  double total[kRows];
  for (Size first = 0; first < count; first += batch) {
    const auto rows = static_cast<std::size_t>(std::min(batch, count - first));
    const auto at = [&](std::size_t row) { return (first + static_cast<Size>(row)) * length; };
    for (std::size_t row = 0; row < rows; ++row)
      weighted_row<Gradient>(y + at(row), upstream + at(row), length, sums, row, writer);
    totals(sums, rows, total);
    writer.finish();
    for (std::size_t row = 0; row < rows; ++row)
      writer.add(out + at(row), y + at(row), upstream + at(row), Parts::of(total[row]));
  }
  writer.finish();
}
template <class Gradient>
void gradient_long(const float* y, const float* upstream, float* out, Size count, Size length, bool streams) {
  streams ? gradient_through<Gradient, Streamed<Gradient>>(y, upstream, out, count, length)
          : gradient_through<Gradient, Written<Gradient>>(y, upstream, out, count, length);
}
