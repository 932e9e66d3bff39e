// What formulas mean: their syntax, node by node, to expressions.
#include "keratin/activations/parse.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/backend.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/formula_names.h"
#include "keratin/activations/formula_syntax.h"
#include "keratin/activations/get.h"
#include "keratin/activations/names.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::activations {
namespace {

using detail::FormulaNames;
using detail::SyntaxKind;
using detail::SyntaxNode;
using keratin::detail::make_node;
using keratin::detail::NodePtr;
using keratin::detail::op_info;

constexpr std::size_t kMaxLength = std::size_t{1} << 16;

// An argument of a call: an expression, or a word that only a parameter takes (true, none).
struct Argument {
  std::string_view key;
  NodePtr value;
  Config word;
  std::size_t at;
};

class Reader {
 public:
  Reader(std::string_view text, FormulaNames names) : text_(text), names_(std::move(names)) {}

  NodePtr read(bool may_be_condition) {
    const std::vector<SyntaxNode> syntax = detail::parse_syntax(text_);
    syntax_ = syntax;
    values_.reserve(syntax.size());
    for (const SyntaxNode& node : syntax) values_.push_back(value_of(node));
    if (!may_be_condition) check_number(values_.back(), syntax.back().at);
    return values_.back();
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view expected, std::string_view advice = {}) const {
    detail::fail_formula(text_, at, expected, advice);
  }

  static bool is_condition(const NodePtr& node) { return op_info(node->op).is_condition; }
  const NodePtr& check_number(const NodePtr& node, std::size_t at) const {
    if (is_condition(node)) fail(at, "a number", "This is a condition: write where(condition, a, b).");
    return node;
  }
  // A condition of constants has become one.
  const NodePtr& check_condition(const NodePtr& node, std::size_t at) const {
    if (!is_condition(node) && !node->is_constant()) fail(at, "a condition such as x > 0");
    return node;
  }
  const NodePtr& value(const SyntaxNode& node, std::size_t i) const { return values_[node.operands[i]]; }
  const NodePtr& number(const SyntaxNode& node, std::size_t i) const {
    return check_number(value(node, i), syntax_[node.operands[i]].at);
  }
  const NodePtr& condition(const SyntaxNode& node, std::size_t i) const {
    return check_condition(value(node, i), syntax_[node.operands[i]].at);
  }

  // Of a word that is an argument, null.
  NodePtr value_of(const SyntaxNode& node) {
    switch (node.kind) {
      case SyntaxKind::number:
        return keratin::detail::make_constant(*parse_double(node.text));
      case SyntaxKind::name:
        return named(node.text, node.at);
      case SyntaxKind::call:
      case SyntaxKind::derivative:
        return call(node);
      case SyntaxKind::nothing:
        return nullptr;
      case SyntaxKind::unary:
        if (node.text == "!") return make_node(ExprOp::logical_not, condition(node, 0));
        return node.text == "-" ? make_node(ExprOp::negative, number(node, 0)) : number(node, 0);
      case SyntaxKind::binary:
        return binary(node);
      case SyntaxKind::choice:
        return make_node(ExprOp::select, condition(node, 0), number(node, 1), number(node, 2));
      case SyntaxKind::assignment:
        break;
    }
    names_.insert_or_assign(std::string(node.text), value(node, 0));
    return value(node, 0);
  }

  NodePtr binary(const SyntaxNode& node) const {
    const std::string_view o = node.text;
    if (o == "||") return make_node(ExprOp::logical_or, condition(node, 0), condition(node, 1));
    if (o == "&&") return make_node(ExprOp::logical_and, condition(node, 0), condition(node, 1));
    if (o == "^") return power_of(number(node, 0), value(node, 1), syntax_[node.operands[1]].at);
    const Expr left(number(node, 0)), right(number(node, 1));
    if (o == "<") return (left < right).shared();
    if (o == "<=") return (left <= right).shared();
    if (o == ">") return (left > right).shared();
    if (o == ">=") return (left >= right).shared();
    if (o == "==") return (left == right).shared();
    if (o == "!=") return (left != right).shared();
    if (o == "+") return (left + right).shared();
    if (o == "-") return (left - right).shared();
    return (o == "*" ? left * right : left / right).shared();
  }

  NodePtr power_of(const NodePtr& base, const NodePtr& exponent, std::size_t at) const {
    if (!exponent->is_constant()) fail(at, "a constant exponent", "Write exp(b * log(a)) for a^b.");
    return make_node(ExprOp::power, base, exponent);
  }

  NodePtr named(std::string_view name, std::size_t at) const {
    if (const auto known = names_.find(name); known != names_.end()) return known->second;
    constexpr std::pair<std::string_view, double> kConstants[] = {
        {"pi", std::numbers::pi},
        {"e", std::numbers::e},
        {"inf", kNone},
        {"nan", std::numeric_limits<double>::quiet_NaN()}};
    for (const auto& [constant, value] : kConstants) {
      if (constant == name) return keratin::detail::make_constant(value);
    }
    fail(at, "a known name", "The input is x; functions are called, as in tanh(x).");
  }

  // ---- calls

  NodePtr call(const SyntaxNode& node) const {
    std::vector<Argument> arguments;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const SyntaxNode& argument = syntax_[node.operands[i]];
      arguments.push_back({node.keys[i], value(node, i), nullptr, argument.at});
      if (argument.kind != SyntaxKind::nothing) continue;
      if (argument.text[0] == 't' || argument.text[0] == 'T') arguments.back().word = true;
      if (argument.text[0] == 'f' || argument.text[0] == 'F') arguments.back().word = false;
    }
    const std::size_t start = node.at;
    const bool is_derivative = node.kind == SyntaxKind::derivative;
    const auto place = detail::qualified(node.text);
    if (!place) fail(start, "a function of keras, tensorflow, theano or cntk");
    const detail::Named builtin = detail::find_name(place->name, std::nullopt);
    if (builtin.axis_kind) {
      fail(start, "a function of one number",
           "softmax and kin look at a whole axis: use them by their name.");
    }
    if (is_derivative && builtin.function == nullptr) fail(start, "a built-in activation before \"'\"");
    if (const auto* formula = detail::find_formula_function(*place))
      return call_formula(*formula, arguments, start);
    if (builtin.function != nullptr) return call_builtin(*builtin.function, is_derivative, arguments, start);
    return call_operation(*place, arguments, start);
  }

  const NodePtr& number_of(const Argument& argument) const {
    if (argument.value == nullptr) fail(argument.at, "a number");
    return check_number(argument.value, argument.at);
  }

  NodePtr call_builtin(const Function& function, bool is_derivative, const std::vector<Argument>& arguments,
                       std::size_t start) const {
    if (arguments.empty() || !arguments[0].key.empty())
      fail(start, fmt::format("{}(x, …)", function.info->name));
    Config parameters = Config::object();
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      const Argument& given = arguments[i];
      if (given.key.empty() && i > function.parameters.size()) fail(given.at, "\")\"");
      if (given.value != nullptr && !given.value->is_constant())
        fail(given.at, "a constant", "Only the first argument may hold x.");
      const std::string key(given.key.empty() ? function.parameters[i - 1].name : given.key);
      parameters[key] = given.value == nullptr ? given.word : Config(constant_config(given.value->value));
    }
    const ActivationFn made = make(function.info->name, parameters);
    const NodePtr& input = number_of(arguments[0]);
    if (made.is_linear()) return is_derivative ? keratin::detail::make_constant(1) : input;
    return keratin::detail::make_function(is_derivative ? ExprOp::derivative : ExprOp::function,
                                          made.shared(), input);
  }
  static Config constant_config(double value) {
    // JSON has no infinity.
    return std::isfinite(value) ? Config(value) : Config(to_text(value));
  }

  NodePtr call_formula(const detail::FormulaFunction& function, const std::vector<Argument>& arguments,
                       std::size_t start) const {
    FormulaNames bound;
    std::size_t position = 0;
    for (std::string_view rest = function.parameters; !rest.empty(); ++position) {
      const std::size_t comma = rest.find(", ");
      const std::string_view parameter = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
      const std::size_t equals = parameter.find('=');
      const std::string_view name = parameter.substr(0, equals);
      const bool has_default = equals != std::string_view::npos;
      const Argument* given = nullptr;
      if (position < arguments.size() && arguments[position].key.empty()) given = &arguments[position];
      for (const Argument& candidate : arguments) {
        if (candidate.key == name) given = &candidate;
      }
      if (given == nullptr && !has_default)
        fail(start, fmt::format("{}({})", function.name, function.parameters));
      if (given != nullptr && given->value == nullptr) fail(given->at, "a number");
      bound[std::string(name)] =
          given != nullptr ? given->value
                           : keratin::detail::make_constant(*parse_double(parameter.substr(equals + 1)));
    }
    if (arguments.size() > position) fail(start, fmt::format("{}({})", function.name, function.parameters));
    for (const Argument& given : arguments) {
      if (!given.key.empty() && !bound.contains(given.key))
        fail(start, fmt::format("{}({})", function.name, function.parameters));
    }
    return detail::parse_bound(function.formula, std::move(bound));
  }

  NodePtr call_operation(detail::QualifiedName name, const std::vector<Argument>& arguments,
                         std::size_t start) const {
    const auto names = backend::detail::unary_names();
    const bool is_unary = std::find(names.begin(), names.end(), name.name) != names.end();
    const auto op = keratin::detail::find_expr_op(name.name);
    const std::size_t inputs = is_unary ? 1 : op ? op_info(*op).inputs : 0;
    if (inputs == 0 || (op && (*op == ExprOp::function || *op == ExprOp::derivative))) {
      fail_unknown(name, start);
    }
    if (arguments.size() != inputs) {
      fail(start, fmt::format("{} with {} argument{}", name.name, inputs, inputs == 1 ? "" : "s"));
    }
    for (const Argument& given : arguments) {
      if (!given.key.empty()) fail(given.at, "arguments in order");
      if (given.value == nullptr) fail(given.at, "a number");
    }
    if (is_unary) return backend::detail::trace(name.name, Expr(number_of(arguments[0]))).shared();
    if (*op == ExprOp::select) {
      return make_node(*op, check_condition(arguments[0].value, arguments[0].at), number_of(arguments[1]),
                       number_of(arguments[2]));
    }
    if (*op == ExprOp::power)
      return power_of(number_of(arguments[0]), number_of(arguments[1]), arguments[1].at);
    if (*op == ExprOp::clip) {
      const NodePtr &low = number_of(arguments[1]), &high = number_of(arguments[2]);
      if (!low->is_constant() || !high->is_constant()) fail(start, "clip with constant limits");
      return backend::detail::clip(Expr(number_of(arguments[0])), low->value, high->value).shared();
    }
    return make_node(*op, number_of(arguments[0]), inputs > 1 ? number_of(arguments[1]) : nullptr);
  }

  [[noreturn]] void fail_unknown(detail::QualifiedName name, std::size_t start) const {
    std::vector<std::string_view> known = detail::formula_function_names(name.package);
    for (const std::string_view other : detail::all_names(std::nullopt)) known.push_back(other);
    for (const std::string_view other : backend::detail::unary_names()) known.push_back(other);
    for (const char* other : {"pow", "clip", "where", "maximum", "minimum"}) known.emplace_back(other);
    fail(start, "a known function", did_you_mean(name.name, known));
  }

  std::string_view text_;
  FormulaNames names_;
  std::span<const SyntaxNode> syntax_;
  std::vector<NodePtr> values_;
};

}  // namespace

// As part of another formula, which may be a condition.
NodePtr detail::parse_bound(std::string_view formula, FormulaNames names) {
  return Reader(formula, std::move(names)).read(true);
}

Expr parse(std::string_view formula) { return parse(formula, {}); }

Expr parse(std::string_view formula, std::span<const std::string> parameters) {
  if (formula.size() > kMaxLength) {
    throw ValueError("formula", "at most 65536 characters", fmt::format("received {}", formula.size()),
                     "Write it as a lambda, or as a function of tensors.");
  }
  FormulaNames names{{"x", keratin::detail::make_input()}};
  for (const std::string& name : parameters) {
    const bool is_name = !name.empty() && detail::is_formula_letter(name[0]) &&
                         std::all_of(name.begin(), name.end(), [](char c) {
                           return detail::is_formula_letter(c) || detail::is_formula_digit(c);
                         });
    constexpr std::string_view kTaken[] = {"pi", "e",   "inf",  "nan",   "and",
                                           "or", "not", "true", "false", "none"};
    // What printed formulas call what they use twice.
    const bool is_printed = name.size() > 1 && name[0] == 't' &&
                            std::all_of(name.begin() + 1, name.end(), detail::is_formula_digit);
    if (!is_name || is_printed || std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken) ||
        !names.emplace(name, keratin::detail::make_parameter(names.size() - 1)).second) {
      throw ValueError("formula", "parameters with names of their own: letters, digits, _",
                       "received \"" + name + "\"", "Choose another, such as beta.");
    }
  }
  return Expr(Reader(formula, std::move(names)).read(false));
}

}  // namespace keratin::inline v0::activations
