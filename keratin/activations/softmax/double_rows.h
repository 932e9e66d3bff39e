// Softmax and log_softmax of f64 rows, compiled for each instruction set. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::activations::detail {

/// On one row of `length` elements, on this thread: exponentials, sums and what follows from them in two
/// parts, rounded once, and gradients that cancel by 2^-53 of their terms. The same bits on every instruction
/// set. The result may be any of the inputs. Rows with NaN or +inf, or nothing but −inf, are NaN throughout.
struct DoubleSoftmaxKernels {
  void (*softmax)(const double* x, double* y, std::int64_t length);
  void (*log_softmax)(const double* x, double* y, std::int64_t length);
  /// From x, not from y, whose rounding would stay in the result where upstream − Σ cancels.
  void (*softmax_gradient)(const double* x, const double* upstream, double* out, std::int64_t length);
  void (*log_softmax_gradient)(const double* x, const double* upstream, double* out, std::int64_t length);
};

/// Those of the instruction set in use.
const DoubleSoftmaxKernels& double_softmax_kernels();

}  // namespace keratin::inline v0::activations::detail
