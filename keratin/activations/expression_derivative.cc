// The derivative of an expression: tangents carried from x to the root.
//
// Forward rather than in reverse: with one input and one output it costs the same, and a branch that K::where
// does not take cannot turn the taken one into NaN, as 0 · inf does when gradients are pushed back.
#include <numbers>
#include <unordered_map>

#include "keratin/activations/expression.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/trace.h"

namespace keratin::inline v0 {
namespace {

// Null stands for a derivative of 0 everywhere.
using Tangents = std::unordered_map<const ExprNode*, detail::NodePtr>;

Expr zero_or(const detail::NodePtr& tangent) { return tangent == nullptr ? Expr(0) : Expr(tangent); }
Expr node(ExprOp op, const Expr& a) { return Expr(detail::make_node(op, a.shared())); }
Expr select(const BoolExpr& condition, const Expr& a, const Expr& b) {
  return Expr(detail::make_node(ExprOp::select, condition.shared(), a.shared(), b.shared()));
}

// f'(u) for y = f(u).
Expr slope(const detail::NodePtr& y_node) {
  const Expr y(y_node), u(y_node->inputs[0]);
  switch (y_node->op) {
    case ExprOp::negative:
      return -1;
    case ExprOp::absolute:
      return node(ExprOp::sign, u);
    case ExprOp::sqrt:
      return 0.5 / y;
    case ExprOp::exp:
      return y;
    case ExprOp::expm1:
      return node(ExprOp::exp, u);
    case ExprOp::log:
      return 1 / u;
    case ExprOp::log1p:
      return 1 / (1 + u);
    case ExprOp::sin:
      return node(ExprOp::cos, u);
    case ExprOp::cos:
      return -node(ExprOp::sin, u);
    case ExprOp::sinh:
      return node(ExprOp::cosh, u);
    case ExprOp::cosh:
      return node(ExprOp::sinh, u);
    case ExprOp::atan:
      return 1 / (1 + u * u);
    case ExprOp::erf:
      return 2 * std::numbers::inv_sqrtpi * node(ExprOp::gauss, u);
    case ExprOp::erfc:
      return -2 * std::numbers::inv_sqrtpi * node(ExprOp::gauss, u);
    case ExprOp::gauss:
      return -2 * (u * y);
    case ExprOp::tanh:
      return node(ExprOp::tanh_slope, u);
    case ExprOp::tanh_slope:
      return -2 * (node(ExprOp::tanh, u) * y);
    case ExprOp::sigmoid:
      // sigmoid(-u), not 1 - sigmoid(u), which has lost every digit where sigmoid is near 1.
      return y * node(ExprOp::sigmoid, -u);
    case ExprOp::softplus:
      return node(ExprOp::sigmoid, u);
    case ExprOp::power: {
      const Expr exponent(y_node->inputs[1]);
      return exponent * Expr(detail::make_node(ExprOp::power, u.shared(), (exponent - 1).shared()));
    }
    case ExprOp::clip:
      return select(Expr(y_node->inputs[1]) <= u && u <= Expr(y_node->inputs[2]), 1, 0);
    case ExprOp::function:
      return Expr(detail::make_function(ExprOp::derivative, y_node->function, u.shared()));
    case ExprOp::derivative:
      return Expr(detail::rebuild(Expr(detail::traced(*y_node->function, true)).derivative().shared(),
                                  u.shared(), false));
    default:
      return 0;
  }
}

detail::NodePtr tangent_of_binary(const detail::NodePtr& y, const detail::NodePtr& da,
                                  const detail::NodePtr& db) {
  const Expr a(y->inputs[0]), b(y->inputs[1]);
  switch (y->op) {
    case ExprOp::add:
      return (zero_or(da) + zero_or(db)).shared();
    case ExprOp::subtract:
      return (zero_or(da) - zero_or(db)).shared();
    case ExprOp::multiply:
      if (da == nullptr) return (a * Expr(db)).shared();
      if (db == nullptr) return (b * Expr(da)).shared();
      if (a.is_same(b)) return (2 * (a * Expr(da))).shared();
      return (a * Expr(db) + b * Expr(da)).shared();
    case ExprOp::divide:
      if (db == nullptr) return (Expr(da) / b).shared();
      if (da == nullptr) return (-(Expr(y) * Expr(db)) / b).shared();
      return ((Expr(da) - Expr(y) * Expr(db)) / b).shared();
    default: {  // minimum, maximum
      const BoolExpr a_counts = y->op == ExprOp::minimum ? a < b : b < a;
      const Expr one = zero_or(da), other = zero_or(db);
      return select(a == b, 0.5 * (one + other), select(a_counts, one, other)).shared();
    }
  }
}

detail::NodePtr tangent_of(const detail::NodePtr& y, const Tangents& tangents) {
  const detail::ExprOpInfo& operation = detail::op_info(y->op);
  if (operation.inputs == 0 || operation.is_condition) return nullptr;
  const auto of = [&](std::size_t i) { return tangents.at(y->inputs[i].get()); };
  if (y->op == ExprOp::select) {
    const detail::NodePtr a = of(1), b = of(2);
    if (a == nullptr && b == nullptr) return nullptr;
    // Built-ins let NaN through as where(u == u, y, u): so do their derivatives of every order.
    const ExprNode& condition = *y->inputs[0];
    const bool is_nan_guard = condition.op == ExprOp::equal && condition.inputs[0] == condition.inputs[1] &&
                              condition.inputs[0] == y->inputs[2];
    if (is_nan_guard) return select(BoolExpr(y->inputs[0]), zero_or(a), Expr(y->inputs[2])).shared();
    return select(BoolExpr(y->inputs[0]), zero_or(a), zero_or(b)).shared();
  }
  const detail::NodePtr da = of(0);
  if (operation.inputs == 2 && y->op != ExprOp::power) {
    const detail::NodePtr db = of(1);
    return da == nullptr && db == nullptr ? nullptr : tangent_of_binary(y, da, db);
  }
  if (da == nullptr || y->op == ExprOp::floor || y->op == ExprOp::round || y->op == ExprOp::sign ||
      y->op == ExprOp::stop_gradient)
    return nullptr;
  return (slope(y) * Expr(da)).shared();
}

Expr derivative_of(const detail::NodePtr& root, const detail::NodePtr& variable) {
  Tangents tangents;
  for (const detail::NodePtr& y : detail::topological_order(root))
    tangents[y.get()] = y == variable ? detail::make_constant(1) : tangent_of(y, tangents);
  return zero_or(tangents.at(root.get()));
}

}  // namespace

Expr Expr::derivative() const { return derivative_of(node_, detail::make_input()); }

Expr Expr::derivative_by(std::size_t parameter) const {
  return derivative_of(node_, detail::make_parameter(parameter));
}

}  // namespace keratin::inline v0
