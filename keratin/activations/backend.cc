#include "keratin/activations/backend.h"

#include <string>
#include <unordered_map>

#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0::backend::detail {
namespace {

using keratin::detail::make_constant;
using keratin::detail::make_node;

Expr node(ExprOp op, const Expr& x) { return Expr(make_node(op, x.shared())); }
Expr node(ExprOp op, const Expr& a, const Expr& b) { return Expr(make_node(op, a.shared(), b.shared())); }

constexpr std::string_view kUnary[] = {"abs",  "negative", "square", "sqrt",         "rsqrt", "reciprocal",
                                       "exp",  "expm1",    "log",    "log1p",        "sin",   "cos",
                                       "tan",  "sinh",     "cosh",   "atan",         "erf",   "erfc",
                                       "sign", "floor",    "round",  "stop_gradient"};

const ElementwiseFunction& elementwise(const ActivationFn& function) {
  if (function.elementwise() != nullptr) return *function.elementwise();
  throw TypeError("backend", "a function of one number", "\"" + function.name() + "\" is none");
}

template <class T>
T apply_number(const ActivationFn& function, T x) {
  const FloatEnvironment environment;
  elementwise(function).forward(&x, &x, 1);
  return x;
}

}  // namespace

std::span<const std::string_view> unary_names() noexcept { return kUnary; }

// What is no activation: an operation of expressions, or a few of them.
Expr trace(std::string_view name, const Expr& x) {
  if (name == "square") return x * x;
  if (name == "rsqrt") return 1 / node(ExprOp::sqrt, x);
  if (name == "reciprocal") return 1 / x;
  if (name == "tan") return node(ExprOp::sin, x) / node(ExprOp::cos, x);
  const auto op = keratin::detail::find_expr_op(name);
  if (!op) throw ValueError("backend", "a function of this list", "received \"" + std::string(name) + "\"");
  return node(*op, x);
}

const ActivationFn& function_of(std::string_view name) {
  static const auto functions = [] {
    std::unordered_map<std::string_view, ActivationFn> made;
    for (const std::string_view unary : kUnary)
      made.emplace(unary, make_activation(trace(unary, Expr::input()), {.fit = false}));
    return made;
  }();
  return functions.at(name);
}

Tensor apply(const ActivationFn& function, const Tensor& x) { return function(x); }
float apply(const ActivationFn& function, float x) { return apply_number(function, x); }
double apply(const ActivationFn& function, double x) { return apply_number(function, x); }

Expr apply(const ActivationFn& function, const Expr& x) {
  if (function.is_linear()) return x;
  const auto& activation = function.shared();
  if (const auto* expression = dynamic_cast<const ExpressionFunction*>(activation.get())) {
    return Expr(keratin::detail::rebuild(expression->expression().shared(), x.shared(), false));
  }
  if (dynamic_cast<const BuiltinActivation*>(activation.get()) == nullptr) {
    throw TypeError("expression", "built-in functions and expressions",
                    "\"" + function.name() + "\" is neither");
  }
  return Expr(keratin::detail::make_function(ExprOp::function, activation, x.shared()));
}

Expr clip(const Expr& x, double low, double high) {
  if (!(low <= high))
    throw ValueError("clip", "low is at most high",
                     "received low=" + Expr(low).to_string() + " and high=" + Expr(high).to_string());
  return Expr(make_node(ExprOp::clip, x.shared(), make_constant(low), make_constant(high)));
}
Expr power(const Expr& x, double exponent) { return node(ExprOp::power, x, Expr(exponent)); }
Expr maximum(const Expr& a, const Expr& b) { return node(ExprOp::maximum, a, b); }
Expr minimum(const Expr& a, const Expr& b) { return node(ExprOp::minimum, a, b); }
Expr where(const BoolExpr& condition, const Expr& a, const Expr& b) {
  return Expr(make_node(ExprOp::select, condition.shared(), a.shared(), b.shared()));
}

}  // namespace keratin::inline v0::backend::detail
