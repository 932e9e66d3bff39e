// f64 over many inputs of every binade, on several threads: long double decides almost all of them, MPFR the
// rest.
#pragma once

#include <cstdint>
#include "tools/accuracy/sweep.h"
#include "tools/accuracy/workers.h"

namespace keratin::accuracy {

/// How many inputs plan.samples makes.
std::uint64_t double_inputs(const Plan& plan);

/// Adds plan.samples inputs a binade, 20 times as many from 2^-40 to 2^9, to a row whose names, bound and
/// hashes are set: runs the kernel on each of the plan's instruction sets, hashes, and judges the results of
/// the last. max_ulp is right to 2^-6. std::runtime_error where MPFR finds the long doubles beyond their own
/// error bound.
void sweep_doubles(const Variant& variant, const Plan& plan, const Kernel<double>& kernel, Row& row);

}  // namespace keratin::accuracy
