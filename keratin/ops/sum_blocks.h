// Sums down the middle axis of a row-major (outer, count, inner) array. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::ops::detail {

/// out[o, i] = (Σ over r of in[o, r, i]) / divisor, added up in double, pairwise above blocks of 128 terms,
/// and rounded once to T. The order of additions depends on the three sizes alone. The caller holds a
/// FloatEnvironment.
template <class T>
void sum_blocks(const T* in, std::int64_t outer, std::int64_t count, std::int64_t inner, double divisor,
                T* out);

extern template void sum_blocks(const float*, std::int64_t, std::int64_t, std::int64_t, double, float*);
extern template void sum_blocks(const double*, std::int64_t, std::int64_t, std::int64_t, double, double*);

/// The sum of `count` numbers `step` apart, in double, pairwise.
template <class T>
double pairwise_sum(const T* in, std::int64_t count);

extern template double pairwise_sum(const float*, std::int64_t);
extern template double pairwise_sum(const double*, std::int64_t);

}  // namespace keratin::inline v0::ops::detail
