// A row times a matrix, for one sample. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::detail {

/// Columns are padded to a multiple of this: a vector of AVX-512.
inline constexpr std::int64_t kColumnStep = 16;

/// y[j] = bias[j] + x[0]·kernel[0][j] + x[1]·kernel[1][j] + …, `columns` a multiple of kColumnStep. No fused
/// multiply-adds: every instruction set gives the same bits.
void row_times_matrix(const float* x, const float* kernel, const float* bias, std::int64_t in,
                      std::int64_t columns, float* y);

}  // namespace keratin::inline v0::detail
