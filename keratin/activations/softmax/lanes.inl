// Sixteen lanes, however many vectors that takes: every sum over a row runs in them, element i in lane i mod
// 16, and is put together by one tree, so that the bits depend on the row's length alone.

constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());
constexpr std::size_t kDoubles = hn::MaxLanes(Tag<double>());
constexpr std::size_t kParts = 16 / kLanes;  // vectors in sixteen lanes
constexpr std::size_t kRows = 16;            // rows whose sums are put together at once

HWY_INLINE Floats load_floats(const float* from) { return hn::LoadU(FloatTag(), from); }
HWY_INLINE void store_floats(Floats v, float* to) { hn::StoreU(v, FloatTag(), to); }

struct Sixteen {
  Floats part[kParts];
};

HWY_INLINE Sixteen load_sixteen(const float* from) {
  Sixteen v;
  for (std::size_t k = 0; k < kParts; ++k) v.part[k] = load_floats(from + k * kLanes);
  return v;
}
HWY_INLINE void store_sixteen(const Sixteen& v, float* to) {
  for (std::size_t k = 0; k < kParts; ++k) store_floats(v.part[k], to + k * kLanes);
}

/// Whether a lane of part k is among the first `count` of the sixteen.
HWY_INLINE hn::Mask<FloatTag> lane_is_below(std::size_t k, std::size_t count) {
  return lanes_among(FloatTag(), k * kLanes, count);
}

/// The first `count` < kLanes elements that lie there, and 0. Nothing beyond is touched.
HWY_INLINE Floats load_part(const float* from, std::size_t count) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(FloatTag(), count), FloatTag(), from);
#else
  alignas(64) float buffer[kLanes] = {};
  std::memcpy(buffer, from, count * sizeof(float));
  return hn::Load(FloatTag(), buffer);
#endif
}
HWY_INLINE void store_part(Floats v, float* to, std::size_t count) {
#if HWY_TARGET == HWY_AVX3
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v.raw);
#else
  alignas(64) float buffer[kLanes];
  hn::Store(v, FloatTag(), buffer);
  std::memcpy(to, buffer, count * sizeof(float));
#endif
}

/// The first `count` <= 16, and `fill` in the other lanes. Nothing beyond is touched.
HWY_INLINE Sixteen load_first(const float* from, std::size_t count, float fill) {
  Sixteen v;
  for (std::size_t k = 0; k < kParts; ++k) {
    const std::size_t before = k * kLanes;
    if (before + kLanes <= count) {
      v.part[k] = load_floats(from + before);
    } else {
      const Floats filled = hn::Set(FloatTag(), fill);
      v.part[k] = before >= count ? filled
                                  : hn::IfThenElse(lane_is_below(k, count),
                                                   load_part(from + before, count - before), filled);
    }
  }
  return v;
}
HWY_INLINE void store_first(const Sixteen& v, float* to, std::size_t count) {
  for (std::size_t k = 0; k < kParts; ++k) {
    const std::size_t before = k * kLanes;
    if (before + kLanes <= count) {
      store_floats(v.part[k], to + before);
    } else if (before < count) {
      store_part(v.part[k], to + before, count - before);
    }
  }
}

/// The sums of up to kRows rows, each in sixteen lanes of two floats: what was added, and what that rounded
/// off.
struct LaneSums {
  alignas(64) float sum[kRows][16] = {};
  alignas(64) float lost[kRows][16] = {};

  /// Instead of a sum: 1.
  void set_one(std::size_t row) {
    std::fill(sum[row], sum[row] + 16, 0.0f);
    std::fill(lost[row], lost[row] + 16, 0.0f);
    sum[row][0] = 1;
  }
};

/// sum + lost + v, the rounding of sum + v going to `lost` (Knuth).
HWY_INLINE void exact_add(Floats v, Floats& sum, Floats& lost) {
  const Floats next = hn::Add(sum, v), part = hn::Sub(next, sum);
  lost = hn::Add(lost, hn::Add(hn::Sub(sum, hn::Sub(next, part)), hn::Sub(v, part)));
  sum = next;
}

class LaneSum {
 public:
  HWY_INLINE LaneSum() {
    for (std::size_t k = 0; k < kParts; ++k) sum_[k] = lost_[k] = hn::Zero(FloatTag());
  }
  /// To the lanes of part k.
  HWY_INLINE void add(std::size_t k, Floats v) { exact_add(v, sum_[k], lost_[k]); }
  HWY_INLINE void store(LaneSums& to, std::size_t row) const {
    for (std::size_t k = 0; k < kParts; ++k) {
      hn::Store(sum_[k], FloatTag(), to.sum[row] + k * kLanes);
      hn::Store(lost_[k], FloatTag(), to.lost[row] + k * kLanes);
    }
  }

 private:
  Floats sum_[kParts], lost_[kParts];
};

// Lanes l and l + 8, then l + 4, l + 2, l + 1. `pairs(row)` gives the eight sums of the first step.
#if HWY_TARGET == HWY_AVX3
HWY_INLINE __m512d add_halves(__m512d a, __m512d b) {
  return _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0x44), _mm512_shuffle_f64x2(a, b, 0xEE));
}
HWY_INLINE __m512d add_quarters(__m512d a, __m512d b) {
  return _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0x88), _mm512_shuffle_f64x2(a, b, 0xDD));
}
template <class Pairs>
HWY_INLINE void totals_of_eight(const Pairs& pairs, std::size_t first, double* to) {
  const auto four = [&](std::size_t row) HWY_ATTR {
    return add_quarters(add_halves(pairs(row).raw.raw, pairs(row + 2).raw.raw),
                        add_halves(pairs(row + 4).raw.raw, pairs(row + 6).raw.raw));
  };
  const __m512d even = four(first), odd = four(first + 1);
  _mm512_storeu_pd(to, _mm512_add_pd(_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd)));
}
template <class Pairs>
HWY_INLINE void totals(const Pairs& pairs, std::size_t rows, double* to) {
  for (std::size_t row = 0; row < rows; row += 8) {
    totals_of_eight([&](std::size_t r) HWY_ATTR { return pairs(r, 0); }, row, to + row);
  }
}
#else
template <class Pairs>
HWY_INLINE void totals(const Pairs& pairs, std::size_t rows, double* to) {
  for (std::size_t row = 0; row < rows; ++row) {
    alignas(64) double t[8];
    for (std::size_t lane = 0; lane < 8; lane += kDoubles) store(pairs(row, lane), t + lane);
    to[row] = ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
  }
}
#endif

// The largest of each of sixteen rows.
#if HWY_TARGET == HWY_AVX3
template <class Row>
HWY_INLINE void largest_of_sixteen_rows(const Row& row, float* to) {
  const auto two = [&](std::size_t r) HWY_ATTR {
    const __m512 a = row(r).part[0].raw, b = row(r + 4).part[0].raw;
    return _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  };
  const auto four = [&](std::size_t r) HWY_ATTR {
    const __m512 a = two(r), b = two(r + 8);
    return _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  };
  const auto eight = [&](std::size_t r) HWY_ATTR {
    const __m512 a = four(r), b = four(r + 1);
    return _mm512_max_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  };
  const __m512 a = eight(0), b = eight(2);
  _mm512_store_ps(to, _mm512_max_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE)));
}
#else
template <class Row>
HWY_INLINE void largest_of_sixteen_rows(const Row& row, float* to) {
  for (std::size_t r = 0; r < kRows; ++r) {
    const Sixteen v = row(r);
    Floats top = v.part[0];
    for (std::size_t k = 1; k < kParts; ++k) top = hn::Max(top, v.part[k]);
    to[r] = hn::GetLane(hn::MaxOfLanes(FloatTag(), top));
  }
}
#endif

HWY_INLINE void totals(const LaneSums& sums, std::size_t rows, double* to) {
  totals(
      [&](std::size_t row, std::size_t lane) HWY_ATTR {
        const float *sum = sums.sum[row] + lane, *lost = sums.lost[row] + lane;
        return (load_promoted(sum) + load_promoted(lost)) +
               (load_promoted(sum + 8) + load_promoted(lost + 8));
      },
      rows, to);
}

/// ln((one + others)/one) for one > 0, others >= 0, to 2^-32 of it.
HWY_INLINE Vec<double> log_of_sum(Vec<double> one, Vec<double> others) {
  const Tag<double> tag;
  const Tag<std::uint64_t> bits;
  // The largest k for which the sum is 2^k one or more; then 2 artanh of the quotient s <= 1/3, 9 terms.
  const auto sum = hn::BitCast(bits, (one + others).raw);
  const auto k = hn::ShiftRight<52>(hn::Sub(sum, hn::BitCast(bits, one.raw)));
  const Vec<double> scaled{hn::BitCast(tag, hn::Sub(sum, hn::ShiftLeft<52>(k)))};
  const Vec<double> whole =
      Vec<double>{hn::BitCast(tag, hn::Or(k, hn::Set(bits, 0x4330000000000000ULL)))} - set(0x1p52);
  const Vec<double> above = where(whole == set(0.0), others, scaled - one);
  const Vec<double> s = above / (above + (one + one));
  static constexpr double kSeries[] = {2.0,      2.0 / 3,  2.0 / 5,  2.0 / 7, 2.0 / 9,
                                       2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17};
  return fma(whole, set(0x1.62e42fefa39efp-1), s * polynomial(s * s, kSeries));
}
