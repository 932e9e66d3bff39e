// Sums down the middle axis of a row-major (outer, count, inner) array. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::ops::detail {

/// out[o, i] = (Σ over r of in[o, r, i]) / divisor, added up in double, pairwise above blocks of 128 terms,
/// and rounded once to Out. The order of additions depends on the three sizes alone. The caller holds a
/// FloatEnvironment.
template <class In, class Out>
void sum_blocks(const In* in, std::int64_t outer, std::int64_t count, std::int64_t inner, double divisor,
                Out* out);

/// totals[i] = Σ over r < count of in[r * inner + i], on the calling thread.
template <class T>
void sum_columns(const T* in, std::int64_t count, std::int64_t inner, double* totals);

extern template void sum_blocks(const float*, std::int64_t, std::int64_t, std::int64_t, double, float*);
extern template void sum_blocks(const double*, std::int64_t, std::int64_t, std::int64_t, double, double*);
extern template void sum_blocks(const double*, std::int64_t, std::int64_t, std::int64_t, double, float*);
extern template void sum_columns(const float*, std::int64_t, std::int64_t, double*);
extern template void sum_columns(const double*, std::int64_t, std::int64_t, double*);

}  // namespace keratin::inline v0::ops::detail
