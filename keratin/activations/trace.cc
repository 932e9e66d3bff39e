#include "keratin/activations/trace.h"

#include <hwy/base.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "keratin/activations/builtin.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/tape.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/coefficients.h"
#include "keratin/simd/constant.h"
#include "keratin/simd/value.h"

namespace keratin::inline v0::simd::trace {

// The value type that definitions are run on here: every operation makes a node.
struct Traced {
  using IsKeratinValue = void;
  Expr expr;
};
struct TracedMask {
  BoolExpr condition;
};

Traced make(ExprOp op, const Traced& a) { return {Expr(keratin::detail::make_node(op, a.expr.shared()))}; }

Traced like(const Traced&, Constant c) { return {Expr(c.hi)}; }
Traced operator+(const Traced& a, const Traced& b) { return {a.expr + b.expr}; }
Traced operator-(const Traced& a, const Traced& b) { return {a.expr - b.expr}; }
Traced operator*(const Traced& a, const Traced& b) { return {a.expr * b.expr}; }
Traced operator/(const Traced& a, const Traced& b) { return {a.expr / b.expr}; }
Traced operator-(const Traced& a) { return {-a.expr}; }
TracedMask operator<(const Traced& a, const Traced& b) { return {a.expr < b.expr}; }
TracedMask operator<=(const Traced& a, const Traced& b) { return {a.expr <= b.expr}; }
TracedMask operator>(const Traced& a, const Traced& b) { return {a.expr > b.expr}; }
TracedMask operator>=(const Traced& a, const Traced& b) { return {a.expr >= b.expr}; }
TracedMask operator==(const Traced& a, const Traced& b) { return {a.expr == b.expr}; }
TracedMask operator&&(const TracedMask& a, const TracedMask& b) { return {a.condition && b.condition}; }
TracedMask operator||(const TracedMask& a, const TracedMask& b) { return {a.condition || b.condition}; }
TracedMask operator!(const TracedMask& a) { return {!a.condition}; }
Traced where(const TracedMask& mask, const Traced& a, const Traced& b) {
  return {Expr(
      keratin::detail::make_node(ExprOp::select, mask.condition.shared(), a.expr.shared(), b.expr.shared()))};
}
Traced abs(const Traced& a) { return make(ExprOp::absolute, a); }
Traced sqrt(const Traced& a) { return make(ExprOp::sqrt, a); }
Traced exp(const Traced& a) { return make(ExprOp::exp, a); }
Traced expm1(const Traced& a) { return make(ExprOp::expm1, a); }
Traced log(const Traced& a) { return make(ExprOp::log, a); }
Traced log1p(const Traced& a) { return make(ExprOp::log1p, a); }
Traced erf(const Traced& a) { return make(ExprOp::erf, a); }
Traced erfc(const Traced& a) { return make(ExprOp::erfc, a); }
Traced gauss(const Traced& a) { return make(ExprOp::gauss, a); }
Traced tanh(const Traced& a) { return make(ExprOp::tanh, a); }
Traced tanh_slope(const Traced& a) { return make(ExprOp::tanh_slope, a); }
Traced sigmoid(const Traced& a) { return make(ExprOp::sigmoid, a); }
Traced softplus(const Traced& a) { return make(ExprOp::softplus, a); }

#include "keratin/simd/mixed.inl"

#include "keratin/simd/dual.inl"

namespace definitions {

using activations::FastKernel;
using activations::FastKernels;
using activations::Info;
using activations::kNone;
using activations::kOneRounding;
using activations::Parameter;
using activations::parameter;
using activations::ParameterKind;
#define KERATIN_DEFINITION(name) KERATIN_DEFINITION_FILE(name)
#define KERATIN_ACTIVATION(name, Struct)
#include "keratin/activations/definitions/list.inc"

}  // namespace definitions

template <class D>
Traced trace(const void* parameters, const Traced& x, bool derivative) {
  const D& definition = *static_cast<const D*>(parameters);
  if (!derivative) return definition(x);
  if constexpr (requires { definition.derivative(x); }) {
    return definition.derivative(x);
  } else {
    return definition(Dual<Traced>{x, like(x, 1)}).slope;
  }
}

Traced trace(activations::Index index, const void* parameters, const Traced& x, bool derivative) {
  switch (index) {
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) \
  case activations::Index::name:         \
    return trace<definitions::Struct>(parameters, x, derivative);
#include "keratin/activations/definitions/list.inc"
    case activations::Index::count:
      break;
  }
  return x;
}

}  // namespace keratin::inline v0::simd::trace

namespace keratin::inline v0::detail {
namespace {

double run_tape(const Expr& expression, double x) {
  double y = 0;
  Tape(expression.shared()).run(&x, nullptr, &y, 1);
  return y;
}

double run_kernel(const BuiltinActivation& builtin, bool derivative, double x) {
  const activations::Function& function = builtin.definition();
  return derivative ? function.derivative(builtin.parameters(), x) : function.value(builtin.parameters(), x);
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

Expr where(const BoolExpr& condition, const Expr& a, const Expr& b) {
  return Expr(make_node(ExprOp::select, condition.shared(), a.shared(), b.shared()));
}

}  // namespace

NodePtr traced(const ActivationFunction& function, bool derivative) {
  const auto* builtin = dynamic_cast<const BuiltinActivation*>(&function);
  if (builtin == nullptr) {
    throw TypeError("expression", "it is made of built-in functions", "\"" + function.name() + "\" is none");
  }
  const FloatEnvironment environment;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Expr x = Expr::input();
  Expr y = simd::trace::trace(builtin->definition().index, builtin->parameters(), {x}, derivative).expr;
  // The kernels keep NaN, and take every definition to its limit where infinities would meet: inf - inf,
  // 0·inf.
  if (!std::isnan(run_tape(y, std::numeric_limits<double>::quiet_NaN()))) y = where(x == x, y, x);
  for (const double end : {-kInfinity, kInfinity}) {
    const double limit = run_kernel(*builtin, derivative, end);
    if (!same_bits(run_tape(y, end), limit)) y = where(x == end, limit, y);
  }
  return y.shared();
}

}  // namespace keratin::inline v0::detail
