// Random orthogonal matrices by QR. Internal.
#pragma once

#include <cstdint>
#include <vector>

#include "keratin/core/random.h"

namespace keratin::inline v0::detail {

/// Columns of an m×n matrix, n <= m, one after the other.
struct Columns {
  std::int64_t m = 0, n = 0;
  std::vector<double> values;

  double* column(std::int64_t j) { return values.data() + j * m; }
  const double* column(std::int64_t j) const { return values.data() + j * m; }
};

/// Replaces A by the Q of its QR decomposition whose R has a positive diagonal: unique, and uniformly (Haar)
/// distributed where A is normal (Mezzadri 2007). Householder, in double; no zero column may be in A.
void orthonormalize(Columns& a);

/// m×n with orthonormal columns, uniformly distributed.
Columns random_orthonormal(std::int64_t m, std::int64_t n, RandomKey key);

}  // namespace keratin::inline v0::detail
