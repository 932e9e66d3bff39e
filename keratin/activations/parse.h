// Formulas as text to expressions: for command lines, files, and names of other frameworks.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "keratin/activations/expression.h"
#include "keratin/core/export.h"

namespace keratin::inline v0::activations {

/// The expression of a formula of x, as in `parse("x * sigmoid(1.702 * x)")`; reads what Expr::to_string
/// writes and gives the same expression. The language:
///   + - * / with the usual binding, ^ or ** for powers with a constant exponent, numbers, pi, e, inf, nan;
///   < <= > >= == !=, and or not (&& || !), c ? a : b or where(c, a, b);
///   every built-in activation with its parameters, `elu(x, alpha=0.5)`, and its derivative, `silu'(x)`;
///   the functions of keratin::backend, and those of TensorFlow, Theano and CNTK under their names and with
///   their defaults: `tf.nn.leaky_relu(x)`, `T.nnet.elu(x)`, `cntk.ops.leaky_relu(x)`;
///   `t = tanh(x); t * t` names what is used twice.
/// ValueError says at which character it stops making sense. At most 64 KiB, nested at most 1,000 deep, and
/// the limits of Expr.
KERATIN_API Expr parse(std::string_view formula);
/// The same with names for parameters: the first is Expr::parameter(0). ValueError for one that is no name,
/// or that means something already.
KERATIN_API Expr parse(std::string_view formula, std::span<const std::string> parameters);

}  // namespace keratin::inline v0::activations
