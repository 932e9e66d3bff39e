// Products of floats on oneDNN's sgemm.
#include <dnnl.h>

#include <algorithm>
#include <string>

#include "keratin/core/error.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/one_openmp_thread.h"

namespace keratin::inline v0::ops::detail {

// sgemm rather than the matmul primitive: as fast where it matters (docs/design/dense.md), and it has no
// primitive to create for each new shape, no packed copy of the weights to keep true to them, no scratchpad
// to manage.
void gemm_block(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<float>& a,
                const Matrix<float>& b, float* c, std::int64_t c_leading) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_leading, n, 0.0F);
    return;
  }
  const OneOpenMpThread single;
  const dnnl_status_t status = dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, 1.0F,
                                          a.data, a.leading, b.data, b.leading, 0.0F, c, c_leading);
  if (status == dnnl_out_of_memory)
    throw ValueError("matmul", "expects memory to arrange its operands in", "the system has none",
                     "Use smaller batches or layers.");
  if (status != dnnl_success)
    throw StateError("matmul", "expects oneDNN to multiply",
                     "it answered with status " + std::to_string(static_cast<int>(status)));
}

}  // namespace keratin::inline v0::ops::detail
