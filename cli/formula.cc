// Formula: read by the library's grammar, printed by precedence.
#include "cli/formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "keratin/activations/formula_syntax.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::cli {
namespace {

constexpr int kChoice = 1, kFirstBinary = 2, kUnary = 7, kPower = 8, kPrimary = 9;

/// Of binary operators; longer ones first where one begins another.
constexpr std::array<std::pair<std::string_view, int>, 13> kBinary = {{{"||", kFirstBinary},
                                                                       {"&&", 3},
                                                                       {"<=", 4},
                                                                       {">=", 4},
                                                                       {"==", 4},
                                                                       {"!=", 4},
                                                                       {"<", 4},
                                                                       {">", 4},
                                                                       {"+", 5},
                                                                       {"-", 5},
                                                                       {"*", 6},
                                                                       {"/", 6},
                                                                       {"^", kPower}}};

int precedence(const Formula::Node& node) {
  if (node.op == "?") return kChoice;
  if (node.op == "neg") return kUnary;
  // A printed minus sign binds like one.
  if (node.op == "number") return node.number < 0 ? kUnary : kPrimary;
  for (const auto& [op, level] : kBinary) {
    if (node.op == op && node.inputs.size() == 2) return level;
  }
  return kPrimary;
}

Formula read(std::string_view text) {
  using activations::detail::SyntaxKind;
  std::vector<Formula> made;
  for (const auto& node : activations::detail::parse_syntax(text)) {
    std::vector<Formula> inputs;
    for (const std::uint32_t place : node.operands) inputs.push_back(made[place]);
    const std::string word(node.text);
    switch (node.kind) {
      case SyntaxKind::number:
        // As it is written, which is how it prints.
        made.push_back(Formula(
            std::make_shared<const Formula::Node>(Formula::Node{"number", *parse_double(word), word, {}})));
        break;
      case SyntaxKind::name:
        made.push_back(Formula::variable(word));
        break;
      case SyntaxKind::unary:
        made.push_back(word == "+" ? inputs[0]
                                   : Formula::apply(word == "-" ? "neg" : word, std::move(inputs)));
        break;
      case SyntaxKind::call:
      case SyntaxKind::binary:
      case SyntaxKind::choice:
        made.push_back(Formula::apply(word, std::move(inputs)));
        break;
      default:
        activations::detail::fail_formula(text, node.at, "operators, numbers, names and functions alone",
                                          "Write it as in \"x > 0 ? x : alpha*(exp(x) - 1)\".");
    }
  }
  return made.back();
}

std::string print(const Formula& formula, int least) {
  const Formula::Node& node = formula.node();
  const int own = precedence(node);
  std::string text;
  if (node.op == "name") {
    text = node.name;
  } else if (node.op == "number") {
    text = node.name.empty() ? to_text(node.number) : node.name;
  } else if (node.op == "?") {
    text = fmt::format("{} ? {} : {}", print(node.inputs[0], kFirstBinary), print(node.inputs[1], kChoice),
                       print(node.inputs[2], kChoice));
  } else if (node.op == "neg") {
    text = "-" + print(node.inputs[0], kUnary);
  } else if (own < kPrimary) {
    const bool spaced = own < 6;
    const char* space = spaced ? " " : "";
    // a - (b - c) and a/(b*c) keep their parentheses, a^b is right-associative over a primary.
    const int left = own == kPower ? kPrimary : own, right = own == kPower ? kUnary : own + 1;
    text = fmt::format("{}{}{}{}{}", print(node.inputs[0], left), space, node.op, space,
                       print(node.inputs[1], right));
  } else {
    std::vector<std::string> arguments;
    for (const Formula& input : node.inputs) arguments.push_back(print(input, kChoice));
    text = fmt::format("{}({})", node.op, fmt::join(arguments, ", "));
  }
  return own < least ? "(" + text + ")" : text;
}

double evaluate_node(const Formula::Node& node, const std::vector<double>& in) {
  using Rule = double (*)(const std::vector<double>&);
  using V = const std::vector<double>&;
  static const std::map<std::string_view, Rule> kRules = {
      {"neg", [](V v) { return -v[0]; }},
      {"+", [](V v) { return v[0] + v[1]; }},
      {"-", [](V v) { return v[0] - v[1]; }},
      {"*", [](V v) { return v[0] * v[1]; }},
      {"/", [](V v) { return v[0] / v[1]; }},
      {"^", [](V v) { return std::pow(v[0], v[1]); }},
      {"<", [](V v) { return double(v[0] < v[1]); }},
      {">", [](V v) { return double(v[0] > v[1]); }},
      {"<=", [](V v) { return double(v[0] <= v[1]); }},
      {">=", [](V v) { return double(v[0] >= v[1]); }},
      {"==", [](V v) { return double(v[0] == v[1]); }},
      {"!=", [](V v) { return double(v[0] != v[1]); }},
      {"&&", [](V v) { return double(v[0] != 0 && v[1] != 0); }},
      {"||", [](V v) { return double(v[0] != 0 || v[1] != 0); }},
      {"abs", [](V v) { return std::abs(v[0]); }},
      {"sqrt", [](V v) { return std::sqrt(v[0]); }},
      {"exp", [](V v) { return std::exp(v[0]); }},
      {"log", [](V v) { return std::log(v[0]); }},
      {"tanh", [](V v) { return std::tanh(v[0]); }},
      {"erf", [](V v) { return std::erf(v[0]); }},
      {"min", [](V v) { return std::min(v[0], v[1]); }},
      {"max", [](V v) { return std::max(v[0], v[1]); }},
  };
  const auto rule = kRules.find(node.op);
  if (rule == kRules.end()) {
    throw ValueError("formula", "one of the functions that formulas know", "\"" + node.op + "\"", "");
  }
  return rule->second(in);
}

}  // namespace

Formula Formula::parse(std::string_view text) { return read(text); }

Formula Formula::constant(double value) {
  return Formula(std::make_shared<const Node>(Node{"number", value, {}, {}}));
}

Formula Formula::variable(std::string name) {
  return Formula(std::make_shared<const Node>(Node{"name", 0, std::move(name), {}}));
}

Formula Formula::apply(std::string op, std::vector<Formula> inputs) {
  return Formula(std::make_shared<const Node>(Node{std::move(op), 0, {}, std::move(inputs)}));
}

std::string Formula::to_string() const { return print(*this, kChoice); }

double Formula::evaluate(const std::function<double(std::string_view)>& variable) const {
  if (node_->op == "number") return node_->number;
  if (node_->op == "name") {
    if (node_->name == "pi") return 3.14159265358979323846;
    if (node_->name == "inf") return std::numeric_limits<double>::infinity();
    return variable(node_->name);
  }
  if (node_->op == "?")
    return node_->inputs[node_->inputs[0].evaluate(variable) != 0 ? 1 : 2].evaluate(variable);
  std::vector<double> inputs;
  for (const Formula& input : node_->inputs) inputs.push_back(input.evaluate(variable));
  return evaluate_node(*node_, inputs);
}

}  // namespace keratin::cli
