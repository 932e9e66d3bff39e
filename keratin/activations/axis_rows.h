// The functions along an axis on rows that lie one after another. Internal.
#pragma once

#include <cstdint>

#include "keratin/activations/axis_functions.h"

namespace keratin::inline v0::activations::detail {

/// y = f(x) for `count` rows of `length` elements (glu: in y; twice that in x) on this thread, in place
/// allowed but for glu. The caller holds a FloatEnvironment.
template <class T>
void forward_rows(AxisKind kind, const T* x, T* y, std::int64_t count, std::int64_t length);
/// out = d Σ upstream·y / d x, from x; `out` may be x or upstream but for glu.
template <class T>
void gradient_rows(AxisKind kind, const T* x, const T* upstream, T* out, std::int64_t count,
                   std::int64_t length);

// Those of 16-bit types are in axis_half_rows.cc.
template <>
void forward_rows(AxisKind kind, const float16* x, float16* y, std::int64_t count, std::int64_t length);
template <>
void forward_rows(AxisKind kind, const bfloat16* x, bfloat16* y, std::int64_t count, std::int64_t length);
template <>
void gradient_rows(AxisKind kind, const float16* x, const float16* upstream, float16* out, std::int64_t count,
                   std::int64_t length);
template <>
void gradient_rows(AxisKind kind, const bfloat16* x, const bfloat16* upstream, bfloat16* out,
                   std::int64_t count, std::int64_t length);

/// The same from y = f(x) of softmax, for f32: what a forward pass has computed need not be computed again.
void softmax_gradient_rows(const float* y, const float* upstream, float* out, std::int64_t count,
                           std::int64_t length);

/// Rows a chunk of a parallel loop takes.
inline std::int64_t rows_grain(std::int64_t length) { return length >= 16384 ? 1 : 16384 / (length + 1) + 1; }

}  // namespace keratin::inline v0::activations::detail
