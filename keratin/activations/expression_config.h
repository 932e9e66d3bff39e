// Expressions as data in files. Internal.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/expression.h"
#include "keratin/core/config.h"

namespace keratin::inline v0 {
class ExpressionFunction;
}

namespace keratin::inline v0::detail {

/// {"formula": for people, "nodes": what is read, "tables": {"value", "gradient"}, where it has them}: each
/// node is "x", a number, or [operation, inputs…, parameters], an input the place of an earlier node; the
/// last is the result.
Config expression_config(const ExpressionFunction& function);
/// ValueError, naming the node, for anything that expression_config does not write; also for more than 10,000
/// nodes or a depth of more than 1,000, or tables that are not the expression's. Hostile input costs no more
/// than its own size.
ActivationFn expression_from_config(const Config& config);

}  // namespace keratin::inline v0::detail
