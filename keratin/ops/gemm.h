// Matrix products, the layer under matmul and dense: oneDNN for float, plain blocks for double. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::ops::detail {

/// A matrix in memory, row-major or, `transposed`, column-major; `leading` elements from one row (column) to
/// the next.
template <class T>
struct Matrix {
  const T* data;
  std::int64_t leading;
  bool transposed = false;

  /// The part from a row and column on.
  Matrix from(std::int64_t row, std::int64_t column) const noexcept {
    const std::int64_t offset = transposed ? column * leading + row : row * leading + column;
    return {data + offset, leading, transposed};
  }
};

/// c = a·b: (m, k)·(k, n), c row-major with `c_leading` elements from row to row; overlaps nothing. k = 0
/// gives zeros. On the calling thread. The caller holds a FloatEnvironment.
void gemm_block(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<float>& a,
                const Matrix<float>& b, float* c, std::int64_t c_leading);
void gemm_block(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<double>& a,
                const Matrix<double>& b, double* c, std::int64_t c_leading);

/// Rows and columns of the blocks into which a product is cut. They depend on its shape alone.
struct Blocking {
  std::int64_t rows;
  std::int64_t columns;
};

/// The blocks for an (m, n) product. Measured on Zen 4 (docs/design/dense.md): a row-major b is read in
/// place, best in strips of 512 columns; 64 rows hide that where b fits into the caches, large products want
/// more of them. A transposed b is copied by each call, which only many rows pay for.
Blocking blocking_of(std::int64_t m, std::int64_t n, bool b_transposed) noexcept;

/// Blocks of a chunk of a parallel loop, each of 2·rows·columns·k flops: at least some twenty microseconds.
std::int64_t blocks_per_chunk(const Blocking& blocking, std::int64_t k) noexcept;

/// The same product in parallel over blocks. The result does not depend on the number of threads.
template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c,
          std::int64_t c_leading);

extern template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<float>&,
                          const Matrix<float>&, float*, std::int64_t);
extern template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<double>&,
                          const Matrix<double>&, double*, std::int64_t);

}  // namespace keratin::inline v0::ops::detail
