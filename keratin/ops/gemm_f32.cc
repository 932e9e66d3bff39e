// Products of floats on oneDNN.
#include <dnnl.h>

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/onednn.h"

namespace keratin::inline v0::ops::detail {
namespace {

constexpr std::int64_t kRows = 128;

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<float>& a, const Matrix<float>& b,
          float* c, std::int64_t c_leading) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_leading, n, 0.0F);
    return;
  }
  parallel_for(m, kRows, [&](std::int64_t begin, std::int64_t end) {
    const OneOpenMpThread single;
    const dnnl_status_t status =
        dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', end - begin, n, k, 1.0F,
                   a.data + begin * (a.transposed ? 1 : a.leading), a.leading, b.data, b.leading, 0.0F,
                   c + begin * c_leading, c_leading);
    if (status != dnnl_success) throw StateError("matmul", "expects oneDNN to multiply", "it failed");
  });
}

}  // namespace keratin::inline v0::ops::detail
