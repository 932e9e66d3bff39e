// Expressions as formulas to typeset.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/builtin.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/expression_node.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

using detail::NodePtr;

// How tightly an operation binds; an operand of lower binding gets parentheses.
enum Binding { kAny, kOr, kAnd, kComparison, kSum, kSign, kProduct, kPower, kAtom };

// What is used twice stands twice: about a page.
constexpr std::uint64_t kLargestTree = 4000;

std::uint64_t tree_size(const NodePtr& root) {
  std::unordered_map<const ExprNode*, std::uint64_t> sizes;
  for (const NodePtr& node : detail::topological_order(root)) {
    std::uint64_t size = 1;
    for (const NodePtr& input : node->inputs) {
      if (input != nullptr) size += sizes.at(input.get());
    }
    sizes[node.get()] = std::min(size, kLargestTree + 1);
  }
  return sizes.at(root.get());
}

// "1.5e-7" as 1.5 \cdot 10^{-7}.
std::string number(double value) {
  if (value != value) return "\\mathrm{NaN}";
  std::string text = to_text(value);
  if (text == "inf") return "\\infty";
  if (text == "-inf") return "-\\infty";
  const std::size_t exponent = text.find('e');
  if (exponent == std::string::npos) return text;
  std::string power = text.substr(exponent + 1);
  const bool is_negative = power[0] == '-';
  power.erase(0, power.find_first_of("123456789"));
  if (is_negative) power.insert(0, 1, '-');
  return fmt::format("{} \\cdot 10^{{{}}}", text.substr(0, exponent), power);
}

// A name in upright letters, as \tanh has them.
std::string operator_name(std::string_view name) {
  std::string text;
  for (const char c : name) text += c == '_' ? std::string("\\_") : std::string(1, c);
  return fmt::format("\\operatorname{{{}}}", text);
}

class Writer {
 public:
  explicit Writer(std::span<const std::string> parameters) : parameters_(parameters) {}

  std::string write(const ExprNode& node, Binding outside) const {
    const auto [text, own] = body(node);
    return own < outside ? fmt::format("\\left({}\\right)", text) : text;
  }

 private:
  struct Text {
    std::string text;
    Binding binding;
  };

  Text body(const ExprNode& node) const {
    const auto of = [&](std::size_t i, Binding outside) { return write(node.input(i), outside); };
    switch (node.op) {
      case ExprOp::input:
        return {"x", kAtom};
      case ExprOp::parameter:
        return {parameter(static_cast<std::size_t>(node.value)), kAtom};
      case ExprOp::constant: {
        const std::string text = number(node.value);
        // A sign or a power of ten does not go into an exponent's base.
        return {text, text[0] == '-' ? kSign : text.find('^') != std::string::npos ? kProduct : kAtom};
      }
      case ExprOp::add:
        return {of(0, kSum) + " + " + of(1, kSign), kSum};
      case ExprOp::subtract:
        return {of(0, kSum) + " - " + of(1, kProduct), kSum};
      case ExprOp::multiply:
        return multiply(node);
      case ExprOp::divide:
        return {fmt::format("\\frac{{{}}}{{{}}}", of(0, kAny), of(1, kAny)), kProduct};
      case ExprOp::negative:
        return {"-" + of(0, kProduct), kSign};
      case ExprOp::power:
        return {fmt::format("{}^{{{}}}", of(0, kAtom), of(1, kAny)), kPower};
      case ExprOp::sqrt:
        return {fmt::format("\\sqrt{{{}}}", of(0, kAny)), kAtom};
      case ExprOp::exp:
        return {fmt::format("e^{{{}}}", of(0, kAny)), kPower};
      case ExprOp::gauss:
        return {fmt::format("e^{{-{}^{{2}}}}", of(0, kAtom)), kPower};
      case ExprOp::expm1:
        return {fmt::format("e^{{{}}} - 1", of(0, kAny)), kSum};
      case ExprOp::log1p:
        return {fmt::format("\\ln\\left(1 + {}\\right)", of(0, kSign)), kAtom};
      case ExprOp::tanh_slope:
        return {fmt::format("1 - \\tanh^{{2}}\\left({}\\right)", of(0, kAny)), kSum};
      case ExprOp::absolute:
        return {fmt::format("\\left|{}\\right|", of(0, kAny)), kAtom};
      case ExprOp::floor:
        return {fmt::format("\\left\\lfloor {}\\right\\rfloor", of(0, kAny)), kAtom};
      case ExprOp::less:
        return {of(0, kSum) + " < " + of(1, kSum), kComparison};
      case ExprOp::less_equal:
        return {of(0, kSum) + " \\le " + of(1, kSum), kComparison};
      case ExprOp::equal:
        return {of(0, kSum) + " = " + of(1, kSum), kComparison};
      case ExprOp::logical_and:
        return {of(0, kAnd) + " \\land " + of(1, kComparison), kAnd};
      case ExprOp::logical_or:
        return {of(0, kOr) + " \\lor " + of(1, kAnd), kOr};
      case ExprOp::logical_not:
        return {"\\lnot " + of(0, kAtom), kSign};
      case ExprOp::select:
        return {
            fmt::format("\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{otherwise}} \\end{{cases}}",
                        of(1, kAny), of(0, kAny), of(2, kAny)),
            kSum};
      default:
        return call(node);
    }
  }

  // A number beside a number wants a dot, all else a thin space.
  Text multiply(const ExprNode& node) const {
    if (node.inputs[0] == node.inputs[1]) return {write(node.input(0), kAtom) + "^{2}", kPower};
    const std::string left = write(node.input(0), kProduct), right = write(node.input(1), kPower);
    const bool digits = right[0] >= '0' && right[0] <= '9';
    return {left + (digits ? " \\cdot " : "\\,") + right, kProduct};
  }

  static std::string function_name(const ExprNode& node) {
    switch (node.op) {
      case ExprOp::minimum:
        return "\\min";
      case ExprOp::maximum:
        return "\\max";
      case ExprOp::log:
        return "\\ln";
      case ExprOp::sin:
      case ExprOp::cos:
      case ExprOp::sinh:
      case ExprOp::cosh:
      case ExprOp::tanh:
        return "\\" + std::string(detail::op_info(node.op).name);
      case ExprOp::atan:
        return "\\arctan";
      case ExprOp::sigmoid:
        return "\\sigma";
      case ExprOp::sign:
        return "\\operatorname{sgn}";
      default:
        break;
    }
    const std::string name =
        node.function != nullptr ? node.function->name() : std::string(detail::op_info(node.op).name);
    const std::string text = name == "tanh" ? "\\tanh" : name == "sigmoid" ? "\\sigma" : operator_name(name);
    return node.op == ExprOp::derivative ? text + "'" : text;
  }

  Text call(const ExprNode& node) const {
    std::string arguments;
    for (const NodePtr& input : node.inputs) {
      if (input != nullptr) arguments += (arguments.empty() ? "" : ",\\, ") + write(*input, kAny);
    }
    if (node.function != nullptr) {
      const Config parameters = detail::parameters_of(*node.function);
      for (const auto& [key, value] : parameters.items()) {
        arguments += fmt::format(",\\, {}={}", operator_name(key),
                                 value.is_number_float() ? number(value.get<double>())
                                                         : fmt::format("\\text{{{}}}", value.dump()));
      }
    }
    return {fmt::format("{}\\left({}\\right)", function_name(node), arguments), kAtom};
  }

  // beta as \beta.
  std::string parameter(std::size_t index) const {
    if (index >= parameters_.size()) return fmt::format("p_{{{}}}", index);
    const std::string& name = parameters_[index];
    for (const char* greek : {"alpha", "beta", "gamma", "delta", "epsilon", "theta", "kappa", "lambda", "mu",
                              "rho", "sigma", "tau", "omega"}) {
      if (name == greek) return "\\" + name;
    }
    return name.size() == 1 ? name : operator_name(name);
  }

  std::span<const std::string> parameters_;
};

}  // namespace

std::string Expr::to_latex(std::span<const std::string> parameters) const {
  if (tree_size(node_) > kLargestTree) {
    throw ValueError("expression", "at most 4000 operations to typeset", "this one has more when written out",
                     "Print it as text: what is used twice gets a name there.");
  }
  return Writer(parameters).write(*node_, kAny);
}

}  // namespace keratin::inline v0
