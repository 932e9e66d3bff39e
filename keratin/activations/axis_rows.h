// The functions along an axis on rows that lie one after another. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/registry.h"
#include "keratin/activations/softmax/kernels.h"
#include "keratin/core/memory.h"

namespace keratin::inline v0::activations::detail {

inline bool is_softmax(AxisKind kind) { return kind == AxisKind::softmax || kind == AxisKind::log_softmax; }

/// y = f(x) for `count` rows of `length` elements (glu: in y; twice that in x) on this thread, in place
/// allowed but for glu. The caller holds a FloatEnvironment. Results of softmax and log_softmax in f32 are
/// streamed where that is asked for, never in place.
template <class T>
void forward_rows(AxisKind kind, const T* x, T* y, std::int64_t count, std::int64_t length,
                  Stores stores = Stores::cached);
/// out = d Σ upstream·y / d x, from x; `out` may be x or upstream but for glu.
template <class T>
void gradient_rows(AxisKind kind, const T* x, const T* upstream, T* out, std::int64_t count,
                   std::int64_t length);

// Those of 16-bit types are in axis_half_rows.cc.
template <>
void forward_rows(AxisKind kind, const float16* x, float16* y, std::int64_t count, std::int64_t length,
                  Stores stores);
template <>
void forward_rows(AxisKind kind, const bfloat16* x, bfloat16* y, std::int64_t count, std::int64_t length,
                  Stores stores);
template <>
void gradient_rows(AxisKind kind, const float16* x, const float16* upstream, float16* out, std::int64_t count,
                   std::int64_t length);
template <>
void gradient_rows(AxisKind kind, const bfloat16* x, const bfloat16* upstream, bfloat16* out,
                   std::int64_t count, std::int64_t length);

/// The same from y = f(x) of softmax, for f32: what a forward pass has computed need not be computed again.
void softmax_gradient_rows(const float* y, const float* upstream, float* out, std::int64_t count,
                           std::int64_t length, Stores stores = Stores::cached);

/// Room for as many rows of f32 as stay in the first cache, at least one: only longer ones need memory.
class RowsRoom {
 public:
  explicit RowsRoom(std::int64_t length)
      : rows_(std::max<std::int64_t>(1, kRoom / std::max<std::int64_t>(1, length))) {
    if (length > kRoom) memory_ = allocate(static_cast<std::size_t>(length) * sizeof(float));
  }
  std::int64_t rows() const { return rows_; }
  float* data() { return memory_ ? reinterpret_cast<float*>(memory_.get()) : block_.data(); }

 private:
  std::int64_t rows_;
  alignas(64) std::array<float, kRoom> block_;
  std::shared_ptr<std::byte> memory_;
};

}  // namespace keratin::inline v0::activations::detail
