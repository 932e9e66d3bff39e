#include "keratin/ops/gemm.h"

#include <algorithm>

#include "keratin/core/parallel.h"

namespace keratin::inline v0::ops::detail {

Blocking blocking_of(std::int64_t m, std::int64_t n, bool b_transposed) noexcept {
  if (b_transposed) return {std::min<std::int64_t>(m, 256), std::min<std::int64_t>(n, 128)};
  const std::int64_t eighth = (m / 8 + 63) / 64 * 64;
  return {std::min(m, std::clamp<std::int64_t>(eighth, 64, 256)), std::min<std::int64_t>(n, 512)};
}

std::int64_t blocks_per_chunk(const Blocking& blocking, std::int64_t k) noexcept {
  constexpr std::int64_t kMultiplyAdds = 1 << 20;
  return std::max<std::int64_t>(
      1, kMultiplyAdds / (blocking.rows * blocking.columns * std::max<std::int64_t>(k, 1)));
}

template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c,
          std::int64_t c_leading) {
  if (m == 0 || n == 0) return;
  const Blocking block = blocking_of(m, n, b.transposed);
  const std::int64_t across = (n - 1) / block.columns + 1, down = (m - 1) / block.rows + 1;
  parallel_for(across * down, blocks_per_chunk(block, k), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int64_t i = place / across * block.rows, j = place % across * block.columns;
      gemm_block(std::min(block.rows, m - i), std::min(block.columns, n - j), k, a.from(i, 0), b.from(0, j),
                 c + i * c_leading + j, c_leading);
    }
  });
}

template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<float>&, const Matrix<float>&,
                   float*, std::int64_t);
template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<double>&, const Matrix<double>&,
                   double*, std::int64_t);

}  // namespace keratin::inline v0::ops::detail
