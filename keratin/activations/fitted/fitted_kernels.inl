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
using keratin::detail::kFittedBlock;

constexpr std::size_t kFloatLanes = hn::MaxLanes(FloatTag());
// The row stands in the low bits of a float whose spacing is one row.
constexpr float kMagic = 0x1.8p23f;

inline bool is_inside(const FittedTable& table, const float* x) {
  const FloatTag tag;
  const IndexTag whole;
  // Compared as integers, NaN and infinity are the largest.
  Indices largest = hn::Zero(whole);
  for (std::size_t i = 0; i < kFittedBlock; i += kFloatLanes)
    largest = hn::Max(largest, hn::BitCast(whole, hn::Abs(hn::LoadU(tag, x + i))));
  return hn::AllTrue(whole, hn::Lt(largest, hn::BitCast(whole, hn::Set(tag, table.reach))));
}

template <std::size_t kRows, std::size_t kDegree, bool kThroughZero>
class Kernel {
 public:
  explicit HWY_INLINE Kernel(const FittedTable& table) : Kernel(table, std::make_index_sequence<kDegree>()) {}

  HWY_INLINE void run(const float* x, const float* upstream, float* y) const {
    // In lockstep: latency is what limits one vector alone, registers what limits many.
    constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? (kRows == 16 ? 4 : 2) : 1;
    const FloatTag tag;
    for (std::size_t j = 0; j < kFittedBlock; j += kVectors * kFloatLanes) {
      Floats d[kVectors], q[kVectors];
      Indices row[kVectors];
      for (std::size_t u = 0; u < kVectors; ++u) {
        const Floats v = hn::LoadU(tag, x + j + u * kFloatLanes);
        row[u] = hn::BitCast(IndexTag(), fused(v, fused(hn::Abs(v), square_, scale_), hn::Set(tag, kMagic)));
        d[u] = hn::Sub(v, centre_[row[u]]);
        q[u] = q_[kDegree - 1][row[u]];
      }
      for (std::size_t k = kDegree - 1; k-- > 0;) {
        for (std::size_t u = 0; u < kVectors; ++u) q[u] = fused(q[u], d[u], q_[k][row[u]]);
      }
      for (std::size_t u = 0; u < kVectors; ++u) {
        Floats base = base_[row[u]], factor = q[u];
        if constexpr (kThroughZero) {
          const auto zero =
              hn::RebindMask(tag, hn::Eq(row[u], hn::BitCast(IndexTag(), hn::Set(tag, kMagic))));
          base = hn::IfThenElse(zero, hn::Mul(d[u], q[u]), base);
          factor = hn::IfThenElse(zero, slope_, factor);
        }
        Floats result = fused(d[u], factor, base);
        if (upstream != nullptr) result = hn::Mul(result, hn::LoadU(tag, upstream + j + u * kFloatLanes));
        hn::StoreU(result, tag, y + j + u * kFloatLanes);
      }
    }
  }

 private:
  template <std::size_t... k>
  HWY_INLINE Kernel(const FittedTable& table, std::index_sequence<k...>)
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

template <std::size_t kRows, std::size_t kDegree>
void run(const FittedTable& table, const float* x, const float* upstream, float* y) {
  if (table.through_zero) {
    Kernel<kRows, kDegree, true>(table).run(x, upstream, y);
  } else {
    Kernel<kRows, kDegree, false>(table).run(x, upstream, y);
  }
}

inline void run_block(const FittedTable& table, const float* x, const float* upstream, float* y) {
  constexpr decltype(&run<16, 5>) kRuns[2][3] = {{run<16, 5>, run<16, 6>, run<16, 7>},
                                                 {run<32, 5>, run<32, 6>, run<32, 7>}};
  kRuns[table.rows == 32][table.degree - FittedTable::kMinDegree](table, x, upstream, y);
}

}  // namespace fitted
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
