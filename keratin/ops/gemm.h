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
};

/// c = a·b: (m, k)·(k, n), c row-major with `c_leading` elements from row to row; overlaps nothing. Parallel
/// over fixed blocks of rows and columns that depend on m, n and k alone, so the result does not depend on
/// the number of threads. k = 0 gives zeros. The caller holds a FloatEnvironment.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<float>& a, const Matrix<float>& b,
          float* c, std::int64_t c_leading);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<double>& a, const Matrix<double>& b,
          double* c, std::int64_t c_leading);

}  // namespace keratin::inline v0::ops::detail
