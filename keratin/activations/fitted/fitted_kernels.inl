// Fitted tables on vectors, for the instruction set being compiled.
#include <hwy/highway.h>

#include <bit>
#include <cstdint>
#include <utility>

#include "keratin/activations/fitted/fitted_table.h"
#include "keratin/activations/tables/table.h"
#include "keratin/simd/target_includes.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"
namespace fitted {
#include "keratin/activations/tables/tabled.inl"

using keratin::detail::FittedTable;

constexpr std::size_t kFloatLanes = hn::MaxLanes(FloatTag());
constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1, kGroup = kVectors * kFloatLanes;
static_assert(keratin::detail::kFittedGroup % kGroup == 0);
// The row's place stands in the low bits of a float whose spacing is one row.
constexpr float kMagic = 0x1.8p23f + 8;

// The first kRows rows of a table, and kDegree of their coefficients.
template <std::size_t kRows, std::size_t kDegree, bool kAddsSlope>
class FittedRows {
 public:
  explicit HWY_INLINE FittedRows(const FittedTable& table)
      : FittedRows(table, std::make_index_sequence<kDegree>()) {}

  // In lockstep: latency is what limits one vector alone.
  template <std::size_t kCount>
  HWY_INLINE void operator()(const Floats (&x)[kCount], Floats (&y)[kCount]) const {
    const FloatTag tag;
    Floats d[kCount], q[kCount];
    Indices row[kCount];
    for (std::size_t u = 0; u < kCount; ++u)
      row[u] =
          hn::BitCast(IndexTag(), fused(x[u], fused(hn::Abs(x[u]), square_, scale_), hn::Set(tag, kMagic)));
    for (std::size_t u = 0; u < kCount; ++u) d[u] = hn::Sub(x[u], centre_[row[u]]);
    for (std::size_t u = 0; u < kCount; ++u) q[u] = q_[kDegree - 1][row[u]];
    for (std::size_t k = kDegree - 1; k-- > 0;) {
      for (std::size_t u = 0; u < kCount; ++u) q[u] = fused(q[u], d[u], q_[k][row[u]]);
    }
    for (std::size_t u = 0; u < kCount; ++u) {
      Floats base = base_[row[u]], factor = q[u];
      if constexpr (kAddsSlope) {
        const auto zero = hn::RebindMask(tag, hn::Eq(row[u], hn::BitCast(IndexTag(), hn::Set(tag, kMagic))));
        base = hn::IfThenElse(zero, hn::Mul(d[u], q[u]), base);
        factor = hn::IfThenElse(zero, slope_, factor);
      }
      y[u] = fused(d[u], factor, base);
    }
  }

 private:
  template <std::size_t... k>
  HWY_INLINE FittedRows(const FittedTable& table, std::index_sequence<k...>)
      : centre_(table.centre.data()),
        base_(table.base.data()),
        q_{Column<kRows>(table.q[k].data())...},
        scale_(hn::Set(FloatTag(), table.scale)),
        square_(hn::Set(FloatTag(), table.square)),
        slope_(hn::Set(FloatTag(), table.slope)) {}

  const Column<kRows> centre_, base_;
  const Column<kRows> q_[kDegree];
  const Floats scale_, square_, slope_;
};

template <std::size_t kCount>
HWY_INLINE void load_vectors(const float* from, Floats (&to)[kCount]) {
  for (std::size_t u = 0; u < kCount; ++u) to[u] = hn::LoadU(FloatTag(), from + u * kFloatLanes);
}
template <std::size_t kCount>
HWY_INLINE void store_times(const Floats (&from)[kCount], const float* upstream, float* to) {
  const FloatTag tag;
  for (std::size_t u = 0; u < kCount; ++u) {
    const std::size_t at = u * kFloatLanes;
    hn::StoreU(upstream == nullptr ? from[u] : hn::Mul(from[u], hn::LoadU(tag, upstream + at)), tag, to + at);
  }
}

// `count` elements on all rows, wherever they are.
using RunRows = void (*)(const FittedTable& table, const float* x, const float* upstream, float* y,
                         std::size_t count);
template <std::size_t kRows, std::size_t kDegree, bool kAddsSlope>
HWY_NOINLINE void run_rows(const FittedTable& table, const float* x, const float* upstream, float* y,
                           std::size_t count) {
  // 32 rows take two registers a number: only two vectors find room beside them.
  constexpr std::size_t kCount = kRows == 32 && kVectors > 2 ? 2 : kVectors;
  const FittedRows<kRows, kDegree, kAddsSlope> rows(table);
  for (std::size_t i = 0; i < count; i += kCount * kFloatLanes) {
    Floats in[kCount], out[kCount];
    load_vectors(x + i, in);
    rows(in, out);
    store_times(out, upstream == nullptr ? nullptr : upstream + i, y + i);
  }
}

// Groups in the first 16 rows look up those alone: half the permutations and fewer coefficients, the same
// bits.
template <std::size_t kNearDegree, bool kAddsSlope>
std::size_t run_groups(const FittedTable& table, RunRows run_all, const float* x, const float* upstream,
                       float* y, std::size_t count) {
  const IndexTag whole;
  const FittedRows<FittedTable::kNearRows, kNearDegree, kAddsSlope> near_rows(table);
  const Indices near = hn::BitCast(whole, hn::Set(FloatTag(), table.near));
  const Indices reach = hn::BitCast(whole, hn::Set(FloatTag(), table.reach));
  std::size_t i = 0;
  for (; i + kGroup <= count; i += kGroup) {
    Floats in[kVectors], out[kVectors];
    load_vectors(x + i, in);
    const float* factor = upstream == nullptr ? nullptr : upstream + i;
    // Compared as integers, NaN and infinity are the largest.
    Indices largest = hn::BitCast(whole, hn::Abs(in[0]));
    for (std::size_t u = 1; u < kVectors; ++u) largest = hn::Max(largest, hn::BitCast(whole, hn::Abs(in[u])));
    if (HWY_LIKELY(hn::AllTrue(whole, hn::Lt(largest, near)))) {
      near_rows(in, out);
      store_times(out, factor, y + i);
    } else if (hn::AllTrue(whole, hn::Lt(largest, reach))) {
      run_all(table, x + i, factor, y + i, kGroup);
    } else {
      break;
    }
  }
  return i;
}

inline RunRows rows_of(const FittedTable& table) {
  constexpr RunRows kRuns[2][3][2] = {
      {{run_rows<16, 5, false>, run_rows<16, 5, true>},
       {run_rows<16, 6, false>, run_rows<16, 6, true>},
       {run_rows<16, 7, false>, run_rows<16, 7, true>}},
      {{run_rows<32, 5, false>, run_rows<32, 5, true>},
       {run_rows<32, 6, false>, run_rows<32, 6, true>},
       {run_rows<32, 7, false>, run_rows<32, 7, true>}},
  };
  return kRuns[table.rows == 32][table.degree - FittedTable::kMinDegree][table.adds_slope];
}

inline std::size_t run_inside(const FittedTable& table, const float* x, const float* upstream, float* y,
                              std::size_t count) {
  constexpr decltype(&run_groups<5, false>) kRuns[3][2] = {{run_groups<5, false>, run_groups<5, true>},
                                                           {run_groups<6, false>, run_groups<6, true>},
                                                           {run_groups<7, false>, run_groups<7, true>}};
  return kRuns[table.near_degree - FittedTable::kMinDegree][table.adds_slope](table, rows_of(table), x,
                                                                              upstream, y, count);
}
inline void run_everywhere(const FittedTable& table, const float* x, const float* upstream, float* y,
                           std::size_t count) {
  rows_of(table)(table, x, upstream, y, count);
}

}  // namespace fitted
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
