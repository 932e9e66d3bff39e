// The operators of expressions.
#include "keratin/activations/expression.h"

#include "keratin/activations/expression_node.h"
#include "keratin/activations/tape.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0 {
namespace {

Expr binary(ExprOp op, const Expr& a, const Expr& b) {
  return Expr(detail::make_node(op, a.shared(), b.shared()));
}

BoolExpr condition(ExprOp op, detail::NodePtr a, detail::NodePtr b = {}) {
  return BoolExpr(detail::make_node(op, std::move(a), std::move(b)));
}

}  // namespace

Expr Expr::input() { return Expr(detail::make_input()); }
Expr Expr::constant(double value) { return Expr(detail::make_constant(value)); }
Expr Expr::parameter(std::size_t index) { return Expr(detail::make_parameter(index)); }

std::size_t Expr::size() const { return detail::topological_order(node_).size(); }

double Expr::evaluate(double x) const {
  const FloatEnvironment environment;
  double y = 0;
  Tape(node_).run(&x, nullptr, &y, 1);
  return y;
}

Expr operator+(const Expr& a, const Expr& b) { return binary(ExprOp::add, a, b); }
Expr operator-(const Expr& a, const Expr& b) { return binary(ExprOp::subtract, a, b); }
Expr operator*(const Expr& a, const Expr& b) { return binary(ExprOp::multiply, a, b); }
Expr operator/(const Expr& a, const Expr& b) { return binary(ExprOp::divide, a, b); }
Expr operator-(const Expr& a) { return Expr(detail::make_node(ExprOp::negative, a.shared())); }

BoolExpr operator<(const Expr& a, const Expr& b) { return condition(ExprOp::less, a.shared(), b.shared()); }
BoolExpr operator<=(const Expr& a, const Expr& b) {
  return condition(ExprOp::less_equal, a.shared(), b.shared());
}
BoolExpr operator==(const Expr& a, const Expr& b) { return condition(ExprOp::equal, a.shared(), b.shared()); }
BoolExpr operator!=(const Expr& a, const Expr& b) { return !(a == b); }
BoolExpr operator&&(const BoolExpr& a, const BoolExpr& b) {
  return condition(ExprOp::logical_and, a.shared(), b.shared());
}
BoolExpr operator||(const BoolExpr& a, const BoolExpr& b) {
  return condition(ExprOp::logical_or, a.shared(), b.shared());
}
BoolExpr operator!(const BoolExpr& a) { return condition(ExprOp::logical_not, a.shared()); }

}  // namespace keratin::inline v0
