// Products by Einstein's rule.
#pragma once

#include <string_view>

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops {

/// "abc,cd->abd": one letter an axis; what both have and the result has not is summed over, and so is what
/// one alone has; recorded where a gradient is wanted. Two operands, no "...", no letter twice in one of
/// them. ValueError for an equation that is not of that form, ShapeError for sizes that differ. It is one
/// matmul between transposes.
KERATIN_API Tensor einsum(std::string_view equation, const Tensor& a, const Tensor& b);

}  // namespace keratin::inline v0::ops
