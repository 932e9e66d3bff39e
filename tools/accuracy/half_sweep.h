// f16 and bf16: every bit pattern, each result to be the nearest.
#pragma once

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// Adds all 65,536 inputs to a row whose names, bound and hashes are set, as sweep_floats does. The variant's
/// parameters are already rounded to the type.
void sweep_halves(const Variant& variant, const Plan& plan, Row& row);

}  // namespace keratin::accuracy
