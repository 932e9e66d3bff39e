// Expressions as formulas to read.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/builtin.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/expression_node.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

using detail::NodePtr;

// How tightly an operation binds; an operand of lower binding gets parentheses.
enum Binding { kAny, kOr, kAnd, kComparison, kSum, kProduct, kSign, kAtom };

Binding binding_of(const ExprNode& node) {
  switch (node.op) {
    case ExprOp::add:
    case ExprOp::subtract:
      return kSum;
    case ExprOp::multiply:
    case ExprOp::divide:
      return kProduct;
    case ExprOp::negative:
      return kSign;
    case ExprOp::constant:
      return node.value < 0 ? kSign : kAtom;
    case ExprOp::less:
    case ExprOp::less_equal:
    case ExprOp::equal:
      return kComparison;
    case ExprOp::logical_and:
      return kAnd;
    case ExprOp::logical_or:
      return kOr;
    default:
      return kAtom;
  }
}

// Formulas longer than this, written as a tree, name what they use twice.
constexpr std::uint64_t kLongTree = 64;

class Printer {
 public:
  Printer(const NodePtr& root, std::span<const std::string> parameters) : parameters_(parameters) {
    std::unordered_map<const ExprNode*, std::uint64_t> tree_size;
    std::unordered_map<const ExprNode*, int> uses;
    const std::vector<NodePtr> order = detail::topological_order(root);
    for (const NodePtr& node : order) {
      std::uint64_t size = 1;
      for (const NodePtr& input : node->inputs) {
        if (input == nullptr) break;
        size += tree_size[input.get()];
        ++uses[input.get()];
      }
      tree_size[node.get()] = std::min<std::uint64_t>(size, 1u << 30);
    }
    const bool is_long = tree_size[root.get()] > kLongTree;
    for (const NodePtr& node : order) {
      if (is_long && node != root && uses[node.get()] > 1 && tree_size[node.get()] > 2) {
        const std::string text = print(*node, kAny);
        const std::string& name = names_[node.get()] = fmt::format("t{}", names_.size() + 1);
        text_ += fmt::format("{} = {}; ", name, text);
      }
    }
    text_ += print(*root, kAny);
  }

  std::string take() { return std::move(text_); }

 private:
  // With names for what is shared the recursion is no deeper than the expression, at most kMaxExprDepth.
  std::string print(const ExprNode& node, Binding outside) const {
    if (const auto named = names_.find(&node); named != names_.end()) return named->second;
    const Binding own = binding_of(node);
    std::string text = body(node, own);
    return own < outside ? fmt::format("({})", text) : text;
  }

  std::string body(const ExprNode& node, Binding own) const {
    const detail::ExprOpInfo& operation = detail::op_info(node.op);
    if (node.op == ExprOp::constant) return to_text(node.value);
    if (node.op == ExprOp::parameter) {
      const auto index = static_cast<std::size_t>(node.value);
      return index < parameters_.size() ? parameters_[index] : fmt::format("p{}", index);
    }
    if (operation.inputs == 0) return std::string(operation.name);
    if (node.op == ExprOp::negative) return fmt::format("-{}", print(node.input(0), kSign));
    if (node.op == ExprOp::equal && node.input(0).is_constant()) {
      return fmt::format("{} == {}", print(node.input(1), kSum), to_text(node.input(0).value));
    }
    if (own != kAtom) {
      // a - (b - c) and a / (b / c) need their parentheses; a + (b + c) keeps them too: it rounds otherwise.
      const auto tighter = static_cast<Binding>(own + 1);
      // Comparisons do not chain.
      const Binding left = own == kComparison ? tighter : own;
      return fmt::format("{} {} {}", print(node.input(0), left), operation.name,
                         print(node.input(1), tighter));
    }
    return call(node);
  }

  std::string call(const ExprNode& node) const {
    std::string name(detail::op_info(node.op).name);
    if (node.function != nullptr) name = node.function->name();
    if (node.op == ExprOp::derivative) name += "'";
    std::string arguments;
    for (const NodePtr& input : node.inputs) {
      if (input != nullptr) arguments += (arguments.empty() ? "" : ", ") + print(*input, kAny);
    }
    if (node.function != nullptr) {
      const Config parameters = detail::parameters_of(*node.function);
      for (const auto& [key, value] : parameters.items()) {
        const std::string text = value.is_number_float() ? to_text(value.get<double>()) : value.dump();
        arguments += fmt::format(", {}={}", key, text);
      }
    }
    return fmt::format("{}({})", name, arguments);
  }

  std::span<const std::string> parameters_;
  std::unordered_map<const ExprNode*, std::string> names_;
  std::string text_;
};

}  // namespace

std::string Expr::to_string(std::span<const std::string> parameters) const {
  return Printer(node_, parameters).take();
}

}  // namespace keratin::inline v0
