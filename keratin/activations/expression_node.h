// What an expression is made of: operations, hash-consed. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/expression.h"

namespace keratin::inline v0 {

/// The operations. To add one: here, in kOperations, its kernel in tape_kernels, its derivative.
enum class ExprOp : std::uint8_t {
  input,
  constant,
  add,
  subtract,
  multiply,
  divide,
  power,  // the second input a constant
  minimum,
  maximum,
  negative,
  absolute,
  sign,
  floor,
  round,
  sqrt,
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  sinh,
  cosh,
  atan,
  erf,
  erfc,
  // What built-ins and derivatives are made of.
  gauss,  // exp(-x²)
  tanh,
  tanh_slope,  // 1 - tanh²
  sigmoid,
  softplus,
  less,
  less_equal,
  equal,
  logical_and,
  logical_or,
  logical_not,
  select,         // condition ? a : b
  clip,           // x, low, high: the last two constants
  function,       // a built-in
  derivative,     // of a built-in
  stop_gradient,  // the value alone: tapes never see it
  parameter,      // another variable, its number in `value`
  upstream,       // the gradient that arrives, in tapes alone
};
inline constexpr std::size_t kExprOpCount = static_cast<std::size_t>(ExprOp::upstream) + 1;

namespace detail {

struct ExprOpInfo {
  ExprOp op;
  std::string_view name;  // in formulas and files
  std::size_t inputs;
  bool is_commutative;
  bool is_condition;  // gives true or false
};
const ExprOpInfo& op_info(ExprOp op) noexcept;
/// The operation of that name, or nothing.
std::optional<ExprOp> find_expr_op(std::string_view name) noexcept;

using NodePtr = std::shared_ptr<const ExprNode>;

/// The node of an operation on these inputs, simplified: maybe another operation altogether.
NodePtr make_node(ExprOp op, NodePtr a, NodePtr b = {}, NodePtr c = {});
NodePtr make_constant(double value);
NodePtr make_input(ExprOp op = ExprOp::input);
/// ValueError for a number of kMaxExprParameters or more.
NodePtr make_parameter(std::size_t index);
/// How many parameters it takes: one more than the highest number in it, 0 without any.
std::size_t parameter_count(const NodePtr& root);
/// A built-in, or its derivative, of `a`. `function` has to be a BuiltinActivation.
NodePtr make_function(ExprOp op, std::shared_ptr<const ActivationFunction> function, NodePtr a);
/// What tapes run: stop_gradient(a) replaced by a.
NodePtr without_stops(const NodePtr& root);
/// Every node that `root` needs, each once and after its inputs. ValueError for more than kMaxNodes.
std::vector<NodePtr> topological_order(const NodePtr& root);
/// `root` with x replaced by `input` and, where `expand` is set, built-ins by what they are made of.
NodePtr rebuild(const NodePtr& root, const NodePtr& input, bool expand);

inline constexpr std::uint32_t kMaxExprDepth = 1000;
inline constexpr std::size_t kMaxExprNodes = 10'000;
inline constexpr std::size_t kMaxExprParameters = 16;

}  // namespace detail

struct ExprNode {
  ExprOp op = ExprOp::input;
  std::uint32_t depth = 0;
  double value = 0;                                    // constant, parameter
  std::shared_ptr<const ActivationFunction> function;  // function, derivative
  std::array<detail::NodePtr, 3> inputs;
  std::size_t hash = 0;

  bool is_constant() const noexcept { return op == ExprOp::constant; }
  bool is_constant(double wanted) const noexcept { return is_constant() && value == wanted; }
  const ExprNode& input(std::size_t i) const noexcept { return *inputs[i]; }
};

}  // namespace keratin::inline v0
