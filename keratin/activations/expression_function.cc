#include "keratin/activations/expression_function.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_config.h"
#include "keratin/activations/expression_node.h"
#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

// x may be anything here: the gradient that arrives is multiplied last, so that it meets f' rounded once.
Expr times_upstream(const Expr& derivative) {
  return Expr(detail::make_input(ExprOp::upstream)) * derivative;
}

class TensorFunction final : public ActivationFunction {
 public:
  explicit TensorFunction(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}

  std::string name() const override { return "function of tensors"; }
  Tensor apply(const Tensor& x, bool) const override { return function_(x); }
  Config serialize(Generation) const override {
    throw ValueError("activation", "what a file can hold: a name, parameters, a formula",
                     "this is a function of tensors, which is code",
                     "Write it element by element as [](auto x) { … }, or as a layer of its own.");
  }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

}  // namespace

ExpressionFunction::ExpressionFunction(Expr expression)
    : expression_(std::move(expression)),
      value_(detail::recognised(expression_).shared()),
      gradient_(times_upstream(detail::recognised(expression_).derivative()).shared()) {}

Config ExpressionFunction::serialize(Generation) const {
  Config object = Config::object();
  object["module"] = "keratin";
  object["class_name"] = "Expression";
  object["config"] = detail::expression_config(expression_);
  object["registered_name"] = "keratin>Expression";
  return object;
}

void ExpressionFunction::forward(const float* x, float* y, std::size_t count) const {
  value_.run(x, nullptr, y, count);
}
void ExpressionFunction::forward(const double* x, double* y, std::size_t count) const {
  value_.run(x, nullptr, y, count);
}
void ExpressionFunction::gradient(const float* x, const float* upstream, float* out,
                                  std::size_t count) const {
  gradient_.run(x, upstream, out, count);
}
void ExpressionFunction::gradient(const double* x, const double* upstream, double* out,
                                  std::size_t count) const {
  gradient_.run(x, upstream, out, count);
}

ActivationFn make_activation(const Expr& expression) {
  if (detail::op_info(expression.node().op).is_condition) {
    throw ValueError("expression", "an activation gives a number", "this is a condition", "Use K::where.");
  }
  const Expr known = detail::recognised(expression);
  const ExprNode& node = known.node();
  if (node.op == ExprOp::input) return {};
  if (node.op == ExprOp::exp && node.input(0).op == ExprOp::input) return activations::Exponential{};
  if (node.op == ExprOp::function && node.input(0).op == ExprOp::input) return ActivationFn(node.function);
  return ActivationFn(std::make_shared<const ExpressionFunction>(expression));
}

ActivationFn make_activation(std::function<Tensor(const Tensor&)> function) {
  if (function == nullptr) {
    throw ValueError("activation", "a function of tensors", "it is empty", "Give one, or \"linear\".");
  }
  return ActivationFn(std::make_shared<const TensorFunction>(std::move(function)));
}

ActivationFn Expr::to_activation_fn() const { return make_activation(*this); }

namespace detail {

ActivationFn activation_from_traces(const Expr& first, const Expr& second) {
  if (!first.is_same(second)) {
    throw ValueError(
        "activation", "a lambda that computes the same whenever it is called",
        fmt::format("it gave {} and then {}", first.to_string(), second.to_string()),
        "It is traced once and may not count its calls or draw random numbers: take a layer for that.");
  }
  return make_activation(first);
}

}  // namespace detail
}  // namespace keratin::inline v0
