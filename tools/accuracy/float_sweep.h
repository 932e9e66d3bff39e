// f32 over many bit patterns, all 2^32 if wanted, on several threads: the fast oracle decides almost all of
// them, MPFR the rest.
#pragma once

#include <functional>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// y[i] = f(x[i]), or f'(x[i]), on the instruction set in use.
using FloatKernel = std::function<void(const float* x, float* y, std::size_t n)>;

/// Adds the plan's bit patterns to a row whose names, bound and hashes are set: runs the kernel on each of
/// the plan's instruction sets, hashes, and judges the results of the last. The variant's parameters are
/// already rounded to f32. std::runtime_error where MPFR finds the fast oracle beyond its own error bound.
void sweep_floats(const Variant& variant, const Plan& plan, const FloatKernel& kernel, Row& row);

/// The kernel of the registry.
FloatKernel float_kernel(const Variant& variant, Direction direction);

}  // namespace keratin::accuracy
