// Functions along an axis over whole arrays of rows: split over the threads where they are long, streamed
// past the caches where they are longer than those. Internal.
#pragma once

#include <cstdint>

#include "keratin/activations/axis_rows.h"

namespace keratin::inline v0::activations::detail {

/// forward_rows over all threads.
template <class T>
void run_forward_rows(AxisKind kind, const T* x, T* y, std::int64_t count, std::int64_t length);
/// gradient_rows over all threads.
template <class T>
void run_gradient_rows(AxisKind kind, const T* x, const T* upstream, T* out, std::int64_t count,
                       std::int64_t length);
/// softmax_gradient_rows over all threads.
void run_softmax_gradient_rows(const float* y, const float* upstream, float* out, std::int64_t count,
                               std::int64_t length);

/// Rows a chunk of a parallel loop takes.
inline std::int64_t rows_grain(std::int64_t length) { return length >= 16384 ? 1 : 16384 / (length + 1) + 1; }

}  // namespace keratin::inline v0::activations::detail
