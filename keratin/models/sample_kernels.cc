// Compiled once for each instruction set.
#include "keratin/models/sample_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/models/sample_kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include "keratin/simd/choose.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::detail {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void RowTimesMatrix(const float* x, const float* kernel, const float* bias, std::int64_t in,
                    std::int64_t columns, float* y) {
  const hn::CappedTag<float, kColumnStep> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  // Four sums that do not wait for each other hide the latency of the additions.
  for (; j + 4 * lanes <= columns; j += 4 * lanes) {
    auto a = hn::LoadU(d, bias + j), b = hn::LoadU(d, bias + j + lanes);
    auto c = hn::LoadU(d, bias + j + 2 * lanes), e = hn::LoadU(d, bias + j + 3 * lanes);
    const float* line = kernel + j;
    for (std::int64_t i = 0; i < in; ++i, line += columns) {
      const auto factor = hn::Set(d, x[i]);
      a = hn::Add(a, hn::Mul(factor, hn::LoadU(d, line)));
      b = hn::Add(b, hn::Mul(factor, hn::LoadU(d, line + lanes)));
      c = hn::Add(c, hn::Mul(factor, hn::LoadU(d, line + 2 * lanes)));
      e = hn::Add(e, hn::Mul(factor, hn::LoadU(d, line + 3 * lanes)));
    }
    hn::StoreU(a, d, y + j);
    hn::StoreU(b, d, y + j + lanes);
    hn::StoreU(c, d, y + j + 2 * lanes);
    hn::StoreU(e, d, y + j + 3 * lanes);
  }
  for (; j < columns; j += lanes) {
    auto sum = hn::LoadU(d, bias + j);
    const float* line = kernel + j;
    for (std::int64_t i = 0; i < in; ++i, line += columns)
      sum = hn::Add(sum, hn::Mul(hn::Set(d, x[i]), hn::LoadU(d, line)));
    hn::StoreU(sum, d, y + j);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace keratin::inline v0::detail
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::detail {

void row_times_matrix(const float* x, const float* kernel, const float* bias, std::int64_t in,
                      std::int64_t columns, float* y) {
  KERATIN_CHOOSE(simd::active_isa(), detail, RowTimesMatrix(x, kernel, bias, in, columns, y))
}

}  // namespace keratin::inline v0::detail
#endif
