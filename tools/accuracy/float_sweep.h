// f32 over many bit patterns, all 2^32 if wanted, on several threads: the fast oracle decides almost all of
// them, MPFR the rest.
#pragma once

#include "tools/accuracy/sweep.h"
#include "tools/accuracy/workers.h"

namespace keratin::accuracy {

/// Adds the plan's bit patterns to a row whose names, bound and hashes are set: runs the kernel on each of
/// the plan's instruction sets, hashes, and judges the results of the last. The variant's parameters are
/// already rounded to f32. std::runtime_error where MPFR finds the fast oracle beyond its own error bound.
void sweep_floats(const Variant& variant, const Plan& plan, const Kernel<float>& kernel, Row& row);

}  // namespace keratin::accuracy
