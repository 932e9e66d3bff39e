// Hash-consing and simplification: equal expressions become one node.
#include "keratin/activations/expression_node.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "keratin/activations/builtin.h"
#include "keratin/activations/tape.h"
#include "keratin/activations/trace.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0::detail {
namespace {

constexpr std::array<ExprOpInfo, kExprOpCount> kOperations{{
    {ExprOp::input, "x", 0, false, false},
    {ExprOp::constant, "constant", 0, false, false},
    {ExprOp::add, "+", 2, true, false},
    {ExprOp::subtract, "-", 2, false, false},
    {ExprOp::multiply, "*", 2, true, false},
    {ExprOp::divide, "/", 2, false, false},
    {ExprOp::power, "pow", 2, false, false},
    {ExprOp::minimum, "minimum", 2, true, false},
    {ExprOp::maximum, "maximum", 2, true, false},
    {ExprOp::negative, "negative", 1, false, false},
    {ExprOp::absolute, "abs", 1, false, false},
    {ExprOp::sign, "sign", 1, false, false},
    {ExprOp::floor, "floor", 1, false, false},
    {ExprOp::round, "round", 1, false, false},
    {ExprOp::sqrt, "sqrt", 1, false, false},
    {ExprOp::exp, "exp", 1, false, false},
    {ExprOp::expm1, "expm1", 1, false, false},
    {ExprOp::log, "log", 1, false, false},
    {ExprOp::log1p, "log1p", 1, false, false},
    {ExprOp::sin, "sin", 1, false, false},
    {ExprOp::cos, "cos", 1, false, false},
    {ExprOp::sinh, "sinh", 1, false, false},
    {ExprOp::cosh, "cosh", 1, false, false},
    {ExprOp::atan, "atan", 1, false, false},
    {ExprOp::erf, "erf", 1, false, false},
    {ExprOp::erfc, "erfc", 1, false, false},
    {ExprOp::gauss, "gauss", 1, false, false},
    {ExprOp::tanh, "tanh", 1, false, false},
    {ExprOp::tanh_slope, "tanh_slope", 1, false, false},
    {ExprOp::sigmoid, "sigmoid", 1, false, false},
    {ExprOp::softplus, "softplus", 1, false, false},
    {ExprOp::less, "<", 2, false, true},
    {ExprOp::less_equal, "<=", 2, false, true},
    {ExprOp::equal, "==", 2, true, true},
    {ExprOp::logical_and, "and", 2, true, true},
    {ExprOp::logical_or, "or", 2, true, true},
    {ExprOp::logical_not, "not", 1, false, true},
    {ExprOp::select, "where", 3, false, false},
    {ExprOp::clip, "clip", 3, false, false},
    {ExprOp::function, "function", 1, false, false},
    {ExprOp::derivative, "derivative", 1, false, false},
    {ExprOp::stop_gradient, "stop_gradient", 1, false, false},
    {ExprOp::parameter, "parameter", 0, false, false},
    {ExprOp::upstream, "upstream", 0, false, false},
}};

bool same_function(const ExprNode& a, const ExprNode& b) {
  if (a.function == b.function) return true;
  return a.function != nullptr && b.function != nullptr && is_same_activation(*a.function, *b.function);
}

// Inputs are interned already, so that equal ones are one pointer.
bool same_node(const ExprNode& a, const ExprNode& b) {
  return a.op == b.op && std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value) &&
         a.inputs == b.inputs && same_function(a, b);
}

std::size_t mix(std::size_t hash, std::uint64_t word) {
  return (hash ^ word) * 0x9E3779B97F4A7C15u + (hash >> 29);
}

std::size_t hash_of(const ExprNode& node) {
  std::size_t hash = mix(static_cast<std::size_t>(node.op), std::bit_cast<std::uint64_t>(node.value));
  if (node.function != nullptr) hash = mix(hash, std::hash<std::string>{}(node.function->name()));
  for (const NodePtr& input : node.inputs) hash = mix(hash, input == nullptr ? 0 : input->hash);
  return hash;
}

// The nodes alive anywhere, so that equality is a comparison of pointers. Entries of dead nodes are swept
// when their number may have reached half.
class Pool {
 public:
  NodePtr intern(ExprNode&& node) {
    node.hash = hash_of(node);
    const std::lock_guard lock(mutex_);
    auto [at, end] = nodes_.equal_range(node.hash);
    for (; at != end; ++at) {
      if (NodePtr known = at->second.lock(); known != nullptr && same_node(*known, node)) return known;
    }
    if (nodes_.size() >= sweep_at_) {
      std::erase_if(nodes_, [](const auto& entry) { return entry.second.expired(); });
      sweep_at_ = 2 * nodes_.size() + 256;
    }
    auto made = std::make_shared<const ExprNode>(std::move(node));
    nodes_.emplace(made->hash, made);
    return made;
  }

 private:
  std::mutex mutex_;
  std::unordered_multimap<std::size_t, std::weak_ptr<const ExprNode>> nodes_;
  std::size_t sweep_at_ = 256;
};

Pool& pool() {
  // Never destroyed: expressions in other static objects may outlive this one.
  static Pool* const pool = new Pool;
  return *pool;
}

// An order of nodes that does not depend on when they were made, so that formulas always print alike:
// constants first, then shallow before deep. Equal inputs are one pointer, so one path is followed down.
int compare(const ExprNode& a, const ExprNode& b) {
  if (&a == &b) return 0;
  if (a.is_constant() != b.is_constant()) return a.is_constant() ? -1 : 1;
  if (a.depth != b.depth) return a.depth < b.depth ? -1 : 1;
  // Parameters before x, as factors are written.
  if (a.depth == 0 && a.op != b.op) return a.op > b.op ? -1 : 1;
  if (a.op != b.op) return a.op < b.op ? -1 : 1;
  if (a.value != b.value) return a.value < b.value ? -1 : 1;
  if (a.function != nullptr && !same_function(a, b)) {
    const int order = a.function->name().compare(b.function->name());
    if (order != 0) return order;
  }
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    if (a.inputs[i] == b.inputs[i]) continue;
    return a.inputs[i] == nullptr ? -1 : b.inputs[i] == nullptr ? 1 : compare(*a.inputs[i], *b.inputs[i]);
  }
  return 0;
}

NodePtr raw(ExprOp op, NodePtr a, NodePtr b, NodePtr c,
            std::shared_ptr<const ActivationFunction> function = {}) {
  ExprNode node{
      .op = op, .function = std::move(function), .inputs = {std::move(a), std::move(b), std::move(c)}};
  for (const NodePtr& input : node.inputs) {
    if (input != nullptr) node.depth = std::max(node.depth, input->depth + 1);
  }
  if (node.depth > kMaxExprDepth) {
    throw ValueError("expression", "at most 1000 operations may be nested", "this one is deeper",
                     "Write a long sum or product as a balanced one, or as a function of tensors.");
  }
  return pool().intern(std::move(node));
}

// The value of an operation on constants, computed by the code that runs it on data.
NodePtr fold(const NodePtr& node) {
  double value = 0;
  Tape(node).run(&value, nullptr, &value, 1);
  return make_constant(value);
}

bool is_power_of_two(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(std::fabs(value), &exponent);
  return mantissa == 0.5 && exponent > -1000 && exponent < 1000;
}

bool is_negation(const NodePtr& node) { return node->op == ExprOp::negative; }

NodePtr simplify_add(const NodePtr& a, const NodePtr& b) {
  if (a->is_constant(0)) return b;
  if (b->is_constant(0)) return a;
  if (is_negation(b)) return make_node(ExprOp::subtract, a, b->inputs[0]);
  if (is_negation(a)) return make_node(ExprOp::subtract, b, a->inputs[0]);
  // One way to write it, or the formula would read back as another expression.
  if (a->is_constant() && a->value < 0) return make_node(ExprOp::subtract, b, make_constant(-a->value));
  return nullptr;
}

NodePtr simplify_subtract(const NodePtr& a, const NodePtr& b) {
  if (b->is_constant(0)) return a;
  if (a->is_constant(0)) return make_node(ExprOp::negative, b);
  if (is_negation(b)) return make_node(ExprOp::add, a, b->inputs[0]);
  if (b->is_constant() && b->value < 0) return make_node(ExprOp::add, a, make_constant(-b->value));
  return nullptr;
}

// `a` is a constant where one of the two is. 0·x stays: it is NaN at infinity.
NodePtr simplify_multiply(const NodePtr& a, const NodePtr& b) {
  if (a->is_constant(1)) return b;
  if (a->is_constant(-1)) return make_node(ExprOp::negative, b);
  if (is_negation(a) && is_negation(b)) return make_node(ExprOp::multiply, a->inputs[0], b->inputs[0]);
  if (a->is_constant() && is_negation(b)) {
    return make_node(ExprOp::multiply, make_constant(-a->value), b->inputs[0]);
  }
  if (is_negation(b)) return make_node(ExprOp::negative, make_node(ExprOp::multiply, a, b->inputs[0]));
  if (is_negation(a)) return make_node(ExprOp::negative, make_node(ExprOp::multiply, a->inputs[0], b));
  // Only where the product is exact, so that no result changes but by an overflow less.
  if (a->is_constant() && b->op == ExprOp::multiply && b->input(0).is_constant()) {
    const double product = a->value * b->input(0).value;
    if (std::isnormal(product) && std::fma(a->value, b->input(0).value, -product) == 0) {
      return make_node(ExprOp::multiply, make_constant(product), b->inputs[1]);
    }
  }
  return nullptr;
}

NodePtr simplify_divide(const NodePtr& a, const NodePtr& b) {
  if (b->is_constant(1)) return a;
  if (b->is_constant(-1)) return make_node(ExprOp::negative, a);
  if (b->is_constant() && is_power_of_two(b->value)) {
    return make_node(ExprOp::multiply, make_constant(1 / b->value), a);
  }
  return nullptr;
}

NodePtr simplify_power(const NodePtr& a, const NodePtr& b) {
  if (b->is_constant(1)) return a;
  if (b->is_constant(2)) return make_node(ExprOp::multiply, a, a);
  if (b->is_constant(0.5)) return make_node(ExprOp::sqrt, a);
  if (b->is_constant(-1)) return make_node(ExprOp::divide, make_constant(1), a);
  return nullptr;
}

// Conditions of constants are the constants 1 and 0, which never leave make_node: select takes them.
NodePtr simplify_condition(ExprOp op, const NodePtr& a, const NodePtr& b) {
  const auto truth = [](bool value) { return make_constant(value ? 1 : 0); };
  if (op == ExprOp::logical_not) {
    if (a->is_constant()) return truth(a->value == 0);
    return a->op == ExprOp::logical_not ? a->inputs[0] : nullptr;
  }
  if (op == ExprOp::logical_and || op == ExprOp::logical_or) {
    if (a == b) return a;
    const bool decides = op == ExprOp::logical_or;
    if (a->is_constant()) return (a->value != 0) == decides ? a : b;
    if (b->is_constant()) return (b->value != 0) == decides ? b : a;
    return nullptr;
  }
  if (!a->is_constant() || !b->is_constant()) return nullptr;
  if (op == ExprOp::less) return truth(a->value < b->value);
  if (op == ExprOp::less_equal) return truth(a->value <= b->value);
  return truth(a->value == b->value);
}

NodePtr simplify(ExprOp op, const NodePtr& a, const NodePtr& b, const NodePtr& c) {
  switch (op) {
    case ExprOp::add:
      return simplify_add(a, b);
    case ExprOp::subtract:
      return simplify_subtract(a, b);
    case ExprOp::multiply:
      return simplify_multiply(a, b);
    case ExprOp::divide:
      return simplify_divide(a, b);
    case ExprOp::power:
      return simplify_power(a, b);
    case ExprOp::minimum:
    case ExprOp::maximum:
      return a == b ? a : nullptr;
    case ExprOp::negative:
      return is_negation(a) ? a->inputs[0] : nullptr;
    case ExprOp::absolute:
      if (is_negation(a)) return make_node(ExprOp::absolute, a->inputs[0]);
      return a->op == ExprOp::absolute ? a : nullptr;
    case ExprOp::stop_gradient:
      return a->op == ExprOp::stop_gradient ? a : nullptr;
    case ExprOp::select:
      if (a->is_constant()) return a->value != 0 ? b : c;
      return b == c ? b : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

const ExprOpInfo& op_info(ExprOp op) noexcept { return kOperations[static_cast<std::size_t>(op)]; }

std::optional<ExprOp> find_expr_op(std::string_view name) noexcept {
  const auto* found =
      std::find_if(kOperations.begin(), kOperations.end(), [&](const auto& op) { return op.name == name; });
  if (found == kOperations.end()) return std::nullopt;
  return found->op;
}

NodePtr make_node(ExprOp op, NodePtr a, NodePtr b, NodePtr c) {
  const ExprOpInfo& operation = op_info(op);
  if (operation.is_commutative && compare(*a, *b) > 0) std::swap(a, b);
  if (operation.is_condition) {
    NodePtr simpler = simplify_condition(op, a, b);
    return simpler != nullptr ? simpler : raw(op, std::move(a), std::move(b), std::move(c));
  }
  const bool all_constant =
      a->is_constant() && (b == nullptr || b->is_constant()) && (c == nullptr || c->is_constant());
  // -ffast-math callers flush subnormals and hosts change the rounding: not here.
  const FloatEnvironment environment;
  if (all_constant && op == ExprOp::select) return a->value != 0 ? b : c;
  if (all_constant) return fold(raw(op, std::move(a), std::move(b), std::move(c)));
  NodePtr simpler = simplify(op, a, b, c);
  return simpler != nullptr ? simpler : raw(op, std::move(a), std::move(b), std::move(c));
}

NodePtr make_constant(double value) {
  // One NaN, so that equal traces are equal.
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  ExprNode node;
  node.op = ExprOp::constant;
  node.value = value;
  return pool().intern(std::move(node));
}

NodePtr make_input(ExprOp op) {
  ExprNode node;
  node.op = op;
  return pool().intern(std::move(node));
}

NodePtr make_parameter(std::size_t index) {
  if (index >= kMaxExprParameters) {
    throw ValueError("expression", "parameters have numbers 0 to 15", "received " + std::to_string(index));
  }
  ExprNode node;
  node.op = ExprOp::parameter;
  node.value = static_cast<double>(index);
  return pool().intern(std::move(node));
}

std::size_t parameter_count(const NodePtr& root) {
  std::size_t count = 0;
  for (const NodePtr& node : topological_order(root)) {
    if (node->op == ExprOp::parameter) count = std::max(count, static_cast<std::size_t>(node->value) + 1);
  }
  return count;
}

NodePtr make_function(ExprOp op, std::shared_ptr<const ActivationFunction> function, NodePtr a) {
  const bool is_constant = a->is_constant();
  NodePtr node = raw(op, std::move(a), {}, {}, std::move(function));
  const FloatEnvironment environment;
  return is_constant ? fold(node) : node;
}

NodePtr rebuild(const NodePtr& root, const NodePtr& input, bool expand) {
  std::unordered_map<const ExprNode*, NodePtr> made;
  for (const NodePtr& node : topological_order(root)) {
    const auto of = [&](std::size_t i) {
      return node->inputs[i] == nullptr ? NodePtr() : made.at(node->inputs[i].get());
    };
    NodePtr& result = made[node.get()];
    if (node->op == ExprOp::input) {
      result = input;
    } else if (op_info(node->op).inputs == 0) {
      result = node;
    } else if (node->function == nullptr) {
      result = make_node(node->op, of(0), of(1), of(2));
    } else if (expand) {
      result = rebuild(traced(*node->function, node->op == ExprOp::derivative), of(0), false);
    } else {
      result = make_function(node->op, node->function, of(0));
    }
  }
  return made.at(root.get());
}

NodePtr without_stops(const NodePtr& root) {
  const std::vector<NodePtr> order = topological_order(root);
  if (std::none_of(order.begin(), order.end(), [](const auto& n) { return n->op == ExprOp::stop_gradient; }))
    return root;
  std::unordered_map<const ExprNode*, NodePtr> made;
  for (const NodePtr& node : order) {
    const auto of = [&](std::size_t i) {
      return node->inputs[i] == nullptr ? NodePtr() : made.at(node->inputs[i].get());
    };
    NodePtr& result = made[node.get()];
    if (node->op == ExprOp::stop_gradient) {
      result = of(0);
    } else if (op_info(node->op).inputs == 0) {
      result = node;
    } else {
      result = node->function == nullptr ? make_node(node->op, of(0), of(1), of(2))
                                         : make_function(node->op, node->function, of(0));
    }
  }
  return made.at(root.get());
}

std::vector<NodePtr> topological_order(const NodePtr& root) {
  std::vector<NodePtr> order;
  std::unordered_set<const ExprNode*> seen{root.get()};
  struct Visit {
    NodePtr node;
    std::size_t next;
  };
  std::vector<Visit> path{{root, 0}};
  while (!path.empty()) {
    Visit& top = path.back();
    if (top.next < top.node->inputs.size() && top.node->inputs[top.next] != nullptr) {
      NodePtr child = top.node->inputs[top.next++];
      if (seen.insert(child.get()).second) path.push_back({std::move(child), 0});
      continue;
    }
    order.push_back(std::move(top.node));
    path.pop_back();
  }
  if (order.size() > kMaxExprNodes) {
    throw ValueError("expression", "it may have at most 10000 operations",
                     std::to_string(order.size()) + " arrived", "Write it as a function of tensors.");
  }
  return order;
}

}  // namespace keratin::inline v0::detail
