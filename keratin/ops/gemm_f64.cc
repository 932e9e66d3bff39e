// Products of doubles, which oneDNN does not have: blocked and packed, in a fixed order, without fused
// multiply-adds, so every machine and number of threads gives the same bits.
#include <algorithm>
#include <array>

#include "keratin/ops/gemm.h"
#include "keratin/ops/scratch.h"

namespace keratin::inline v0::ops::detail {
namespace {

// Tiles of 64 x 64 results over 256 terms: both packed operands (128 KiB each) stay in L2.
constexpr std::int64_t kTile = 64, kDepth = 256;
// Results kept in registers: eight SSE2 registers of the sixteen.
constexpr std::int64_t kRows = 4, kColumns = 4;

// Strips of `width` rows of op(a) (columns of op(b)) next to each other, term by term, padded with zeros.
void pack(const double* from, std::int64_t step, std::int64_t term_step, std::int64_t count,
          std::int64_t terms, std::int64_t width, double* to) {
  for (std::int64_t first = 0; first < count; first += width) {
    const std::int64_t present = std::min(width, count - first);
    for (std::int64_t t = 0; t < terms; ++t) {
      const double* x = from + first * step + t * term_step;
      for (std::int64_t i = 0; i < width; ++i) *to++ = i < present ? x[i * step] : 0.0;
    }
  }
}

using Block = std::array<std::array<double, kColumns>, kRows>;

Block multiply_strips(const double* a, const double* b, std::int64_t terms) {
  Block sums{};
  for (std::int64_t t = 0; t < terms; ++t, a += kRows, b += kColumns)
    for (std::size_t i = 0; i < kRows; ++i)
      for (std::size_t j = 0; j < kColumns; ++j) sums[i][j] += a[i] * b[j];
  return sums;
}

void multiply_tile(std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix<double>& a,
                   const Matrix<double>& b, double* c, std::int64_t c_leading) {
  thread_local Scratch scratch;
  auto* packed_a = scratch.get_array<double>(2 * kTile * kDepth);
  double* packed_b = packed_a + kTile * kDepth;
  const std::int64_t a_row = a.transposed ? 1 : a.leading, a_term = a.transposed ? a.leading : 1;
  const std::int64_t b_column = b.transposed ? b.leading : 1, b_term = b.transposed ? 1 : b.leading;
  for (std::int64_t begin = 0; begin < k; begin += kDepth) {
    const std::int64_t terms = std::min(kDepth, k - begin);
    pack(a.data + begin * a_term, a_row, a_term, rows, terms, kRows, packed_a);
    pack(b.data + begin * b_term, b_column, b_term, columns, terms, kColumns, packed_b);
    for (std::int64_t i = 0; i < rows; i += kRows) {
      for (std::int64_t j = 0; j < columns; j += kColumns) {
        const Block sums = multiply_strips(packed_a + i * terms, packed_b + j * terms, terms);
        for (std::int64_t y = 0; y < std::min(kRows, rows - i); ++y)
          for (std::int64_t x = 0; x < std::min(kColumns, columns - j); ++x) {
            double& out = c[(i + y) * c_leading + j + x];
            const double sum = sums[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
            out = begin == 0 ? sum : out + sum;
          }
      }
    }
  }
}

}  // namespace

void gemm_block(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<double>& a,
                const Matrix<double>& b, double* c, std::int64_t c_leading) {
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_leading, n, 0.0);
    return;
  }
  for (std::int64_t i = 0; i < m; i += kTile)
    for (std::int64_t j = 0; j < n; j += kTile)
      multiply_tile(std::min(kTile, m - i), std::min(kTile, n - j), k, a.from(i, 0), b.from(0, j),
                    c + i * c_leading + j, c_leading);
}

}  // namespace keratin::inline v0::ops::detail
