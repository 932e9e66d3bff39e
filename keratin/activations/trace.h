// Built-ins taken apart into the operations of expressions. Internal.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/expression_node.h"

namespace keratin::inline v0::detail {

/// A built-in's definition, or its derivative, run on an expression of x: what the kernels compute, limits at
/// ±infinity and NaN included.
NodePtr traced(const ActivationFunction& builtin, bool derivative);

}  // namespace keratin::inline v0::detail
