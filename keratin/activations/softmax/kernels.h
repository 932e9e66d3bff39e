// Softmax and log_softmax of f32 rows, compiled for each instruction set. Internal.
#pragma once

#include <cstdint>

#include "keratin/core/dtype.h"

namespace keratin::inline v0::activations::detail {

/// Columns [begin, end) of a matrix of `length` rows of `inner` numbers.
struct ColumnRange {
  std::int64_t length, inner, begin, end;
};

/// A 16-bit type to f32 and back, rounded to nearest even.
template <class H>
struct HalfConversion {
  void (*widen)(const H* x, float* y, std::int64_t count);
  void (*narrow)(const float* x, H* y, std::int64_t count);
};

/// Numbers that stay in the first cache: as many rows as they hold are computed at once, at least one.
inline constexpr std::int64_t kRoom = 2048;

/// On `count` rows of `length` > 0 elements that lie one after another, on this thread; the result may be any
/// of the inputs. The same bits on every instruction set, and for a row whatever its neighbours. With
/// `streams` results of long rows go past the caches, never in place; softmax's do where it is given room for
/// 2·max(kRoom, length rounded up to 16) numbers, from a line of 64 bytes on.
struct SoftmaxKernels {
  void (*softmax)(const float* x, float* y, std::int64_t count, std::int64_t length, float* room);
  void (*log_softmax)(const float* x, float* y, std::int64_t count, std::int64_t length, bool streams);
  /// out = y·(upstream − Σ y·upstream), where y = softmax(x).
  void (*softmax_gradient)(const float* y, const float* upstream, float* out, std::int64_t count,
                           std::int64_t length, bool streams);
  /// out = upstream − y·Σ upstream, where y = softmax(x).
  void (*log_softmax_gradient)(const float* y, const float* upstream, float* out, std::int64_t count,
                               std::int64_t length, bool streams);
  /// The same down each column of a matrix, a number at a time; y may not be x here. Bits may differ from
  /// those of rows, but depend on the column alone as well.
  void (*softmax_columns)(const float* x, float* y, const ColumnRange& range);
  void (*log_softmax_columns)(const float* x, float* y, const ColumnRange& range);
  void (*softmax_gradient_columns)(const float* y, const float* upstream, float* out,
                                   const ColumnRange& range);
  void (*log_softmax_gradient_columns)(const float* y, const float* upstream, float* out,
                                       const ColumnRange& range);
  HalfConversion<float16> f16;
  HalfConversion<bfloat16> bf16;
};

/// Those of the instruction set in use.
const SoftmaxKernels& softmax_kernels();

/// What the kernels leave rows to that hold NaN, +inf, nothing but −inf, or a largest element beyond ±2^11:
/// one row in f64, rounded once. y may be x.
void exact_softmax_row(const float* x, float* y, std::int64_t length);
void exact_log_softmax_row(const float* x, float* y, std::int64_t length);

/// And for columns that hold |x| beyond 60: one, `inner` numbers from element to element, through a kernel
/// for rows.
void column_as_row(void (*in_place)(float* row, std::int64_t length), const float* x, float* y,
                   std::int64_t length, std::int64_t inner);

}  // namespace keratin::inline v0::activations::detail
