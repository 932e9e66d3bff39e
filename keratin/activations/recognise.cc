// Which expressions are built-ins in other words.
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <numbers>
#include <unordered_map>
#include <utility>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"

namespace keratin::inline v0::detail {
namespace {

namespace K = keratin::backend;

struct Pattern {
  NodePtr shape;  // x stands for any expression
  std::shared_ptr<const ActivationFunction> function;
};

void add(std::vector<Pattern>& patterns, const ActivationFn& function,
         std::initializer_list<Expr> spellings) {
  for (const Expr& spelling : spellings) patterns.push_back({spelling.shared(), function.shared()});
}

// Spellings that people use; sums and products of two are matched in either order.
std::vector<Pattern> make_patterns() {
  using namespace activations;
  const Expr x = Expr::input();
  const double root = std::numbers::sqrt2, scale = std::sqrt(2 / std::numbers::pi);
  std::vector<Pattern> all;
  add(all, Sigmoid{}, {1 / (1 + K::exp(-x)), 0.5 * (1 + K::tanh(0.5 * x)), 0.5 * K::tanh(0.5 * x) + 0.5});
  add(all, Softplus{}, {K::log(1 + K::exp(x)), K::log1p(K::exp(x))});
  add(all, LogSigmoid{}, {-K::softplus(-x), K::log(K::sigmoid(x))});
  add(all, Silu{}, {x * K::sigmoid(x), x / (1 + K::exp(-x))});
  add(all, Mish{}, {x * K::tanh(K::softplus(x))});
  add(all, Softsign{}, {x / (1 + K::abs(x))});
  add(all, TanhShrink{}, {x - K::tanh(x)});
  add(all, Relu{}, {K::maximum(x, 0), K::where(x > 0, x, 0), K::where(x >= 0, x, 0)});
  add(all, Relu6{}, {K::minimum(K::relu(x), 6), K::clip(x, 0, 6)});
  add(all, Elu{},
      {K::where(x > 0, x, K::expm1(x)), K::where(x > 0, x, K::exp(x) - 1), K::where(x >= 0, x, K::expm1(x)),
       K::where(x >= 0, x, K::exp(x) - 1)});
  for (const Expr& erf : {K::erf(x / root), K::erf(x * (1 / root)), K::erf(x * std::sqrt(0.5))}) {
    add(all, Gelu{},
        {0.5 * x * (1 + erf), 0.5 * (x * (1 + erf)), x * (0.5 * (1 + erf)), x * (0.5 * erf + 0.5)});
  }
  const double cubic = 0.044715;
  for (const Expr& inner : {scale * (x + cubic * (x * x * x)), scale * (x + cubic * K::pow(x, 3)),
                            scale * (x + cubic * x * x * x), scale * (x * (1 + cubic * (x * x))),
                            scale * x * (1 + cubic * (x * x)), scale * x * (1 + cubic * x * x)}) {
    const Expr tanh = K::tanh(inner);
    add(all, Gelu{.approximate = true},
        {0.5 * x * (1 + tanh), 0.5 * (x * (1 + tanh)), x * (0.5 * (1 + tanh))});
  }
  add(all, HardTanh{}, {K::clip(x, -1, 1)});
  return all;
}

bool is_near(double a, double b) {
  // sqrt(2 / pi) and 0.7978845608028654 may differ by a rounding or two, and mean the same.
  return a == b || std::fabs(a - b) <= 4 * std::numeric_limits<double>::epsilon() * std::fabs(a);
}

// Whether `node` is `pattern` with x replaced by one expression, which is then `*bound`.
bool matches(const ExprNode& pattern, const NodePtr& node, NodePtr* bound) {
  if (pattern.op == ExprOp::input) {
    if (*bound == nullptr) *bound = node;
    return *bound == node;
  }
  if (pattern.op != node->op) return false;
  if (pattern.is_constant()) return is_near(pattern.value, node->value);
  if (pattern.function != nullptr && !is_same_activation(*pattern.function, *node->function)) return false;
  const auto inputs_match = [&](std::array<std::size_t, 3> order) {
    const NodePtr before = *bound;
    for (std::size_t i = 0; i < order.size() && pattern.inputs[i] != nullptr; ++i) {
      if (matches(pattern.input(i), node->inputs[order[i]], bound)) continue;
      *bound = before;
      return false;
    }
    return true;
  };
  return inputs_match({0, 1, 2}) || (op_info(pattern.op).is_commutative && inputs_match({1, 0, 2}));
}

NodePtr recognised_node(const NodePtr& node, const std::vector<Pattern>& patterns) {
  for (const Pattern& pattern : patterns) {
    NodePtr bound;
    if (!matches(*pattern.shape, node, &bound) || bound == nullptr || bound->is_constant()) continue;
    return make_function(ExprOp::function, pattern.function, bound);
  }
  return node;
}

}  // namespace

Expr recognised(const Expr& expression) {
  static const std::vector<Pattern> patterns = make_patterns();
  std::unordered_map<const ExprNode*, NodePtr> made;
  for (const NodePtr& node : topological_order(expression.shared())) {
    const auto of = [&](std::size_t i) {
      return node->inputs[i] == nullptr ? NodePtr() : made.at(node->inputs[i].get());
    };
    NodePtr again = node;
    if (node->function != nullptr) {
      again = make_function(node->op, node->function, of(0));
    } else if (op_info(node->op).inputs != 0) {
      again = make_node(node->op, of(0), of(1), of(2));
    }
    made[node.get()] = recognised_node(again, patterns);
  }
  return Expr(made.at(expression.shared().get()));
}

}  // namespace keratin::inline v0::detail
