// exp and log of arrays, on vectors. Internal.
#pragma once

#include <cstddef>

namespace keratin::inline v0::ops::detail {

/// y[i] = e^x[i] and y[i] = ln x[i], at most 1 ULP, the same bits on every instruction set; y may be x. float
/// is computed in double and rounded once. The caller holds a FloatEnvironment.
void exp(const float* x, float* y, std::size_t count);
void exp(const double* x, double* y, std::size_t count);
void log(const float* x, float* y, std::size_t count);
void log(const double* x, double* y, std::size_t count);

}  // namespace keratin::inline v0::ops::detail
