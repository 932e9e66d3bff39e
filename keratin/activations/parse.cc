// Formulas by recursive descent: operators by their binding, then signs and powers, then atoms.
#include "keratin/activations/parse.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
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
#include "keratin/activations/get.h"
#include "keratin/activations/names.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::activations {
namespace {

using keratin::detail::make_node;
using keratin::detail::NodePtr;
using keratin::detail::op_info;

constexpr std::size_t kMaxLength = std::size_t{1} << 16;
constexpr int kMaxNesting = 200;  // 2 KB of stack each: threads may have 512 KB in all.

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct Operator {
  std::string_view token;
  int binding;
};
// A token before those it begins with. Comparisons do not chain.
constexpr int kOr = 1, kAnd = 2, kComparison = 3, kSum = 4, kProduct = 5;
constexpr Operator kOperators[] = {
    {"||", kOr},         {"or", kOr},         {"&&", kAnd},        {"and", kAnd},      {"<=", kComparison},
    {">=", kComparison}, {"==", kComparison}, {"!=", kComparison}, {"<", kComparison}, {">", kComparison},
    {"+", kSum},         {"-", kSum},         {"*", kProduct},     {"/", kProduct},
};

// An argument of a call: an expression, or a word that only a parameter takes (true, none).
struct Argument {
  std::string key;
  NodePtr value;
  Config word;
  std::size_t at;
};

class Parser {
 public:
  using Names = detail::FormulaNames;
  Parser(std::string_view text, Names names, int nesting)
      : text_(text), names_(std::move(names)), nesting_(nesting) {}

  NodePtr parse() {
    while (const auto name = accept_assignment()) {
      NodePtr value = expression();
      require(";");
      names_.insert_or_assign(*name, std::move(value));
    }
    const std::size_t start = at_;
    NodePtr result = expression();
    skip_spaces();
    if (at_ != text_.size()) fail(at_, "an operator or the end");
    // As part of a formula it may be a condition.
    if (nesting_ == 0) check_number(result, start);
    return result;
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view expected, std::string_view advice = {}) const {
    constexpr std::size_t kShown = 30;
    const std::string received =
        at >= text_.size() ? "the end" : fmt::format("\"{}\"", text_.substr(at, kShown));
    throw ValueError("formula", fmt::format("expects {} at character {}", expected, at + 1),
                     fmt::format("received {} in \"{}\"", received, text_.substr(0, 60)), advice);
  }

  // ---- tokens

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool is_next(std::string_view token) {
    skip_spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    const std::size_t end = at_ + token.size();
    return !is_letter(token[0]) || end == text_.size() || (!is_letter(text_[end]) && !is_digit(text_[end]));
  }
  bool accept(std::string_view token) {
    if (!is_next(token)) return false;
    at_ += token.size();
    return true;
  }
  void require(std::string_view token) {
    if (!accept(token)) fail(at_, fmt::format("\"{}\"", token));
  }
  // A name, with dots where it stands in a package.
  std::string_view accept_name() {
    skip_spaces();
    std::size_t end = at_;
    while (end < text_.size() &&
           (is_letter(text_[end]) || (end > at_ && (is_digit(text_[end]) || text_[end] == '.'))))
      ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end;
    return name;
  }
  // `name =`, but not `name ==`.
  std::optional<std::string> accept_assignment() {
    const std::size_t start = at_;
    const std::string_view name = accept_name();
    if (!name.empty() && is_next("=") && !is_next("==")) {
      require("=");
      return std::string(name);
    }
    at_ = start;
    return std::nullopt;
  }

  // ---- numbers and conditions

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

  // ---- grammar

  NodePtr expression() {
    const std::size_t start = at_;
    NodePtr result = binary(kOr);
    if (accept("?")) {
      check_condition(result, start);
      const std::size_t yes_at = at_;
      NodePtr yes = check_number(expression(), yes_at);
      require(":");
      const std::size_t no_at = at_;
      NodePtr no = check_number(expression(), no_at);
      return make_node(ExprOp::select, result, yes, no);
    }
    return result;
  }

  NodePtr binary(int lowest) {
    skip_spaces();
    const std::size_t left_at = at_;
    NodePtr left = sign();
    int highest = kProduct;
    while (true) {
      const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators), [&](const Operator& o) {
        return lowest <= o.binding && o.binding <= highest && is_next(o.token);
      });
      if (found == std::end(kOperators)) return left;
      at_ += found->token.size();
      skip_spaces();
      const std::size_t right_at = at_;
      const NodePtr right = binary(found->binding + 1);
      left = apply(*found, left, left_at, right, right_at);
      if (found->binding == kComparison) highest = kAnd;
    }
  }

  NodePtr apply(const Operator& o, const NodePtr& a, std::size_t a_at, const NodePtr& b,
                std::size_t b_at) const {
    if (o.binding <= kAnd) {
      return make_node(o.binding == kOr ? ExprOp::logical_or : ExprOp::logical_and, check_condition(a, a_at),
                       check_condition(b, b_at));
    }
    const Expr left(check_number(a, a_at)), right(check_number(b, b_at));
    if (o.token == "<") return (left < right).shared();
    if (o.token == "<=") return (left <= right).shared();
    if (o.token == ">") return (left > right).shared();
    if (o.token == ">=") return (left >= right).shared();
    if (o.token == "==") return (left == right).shared();
    if (o.token == "!=") return (left != right).shared();
    if (o.token == "+") return (left + right).shared();
    if (o.token == "-") return (left - right).shared();
    return (o.token == "*" ? left * right : left / right).shared();
  }

  // Every recursion passes here.
  NodePtr sign() {
    if (++nesting_ > kMaxNesting) fail(at_, fmt::format("at most {} levels of nesting", kMaxNesting));
    NodePtr result;
    if (accept("-")) {
      const std::size_t at = at_;
      result = make_node(ExprOp::negative, check_number(sign(), at));
    } else if (accept("+")) {
      const std::size_t at = at_;
      result = check_number(sign(), at);
    } else if (accept("not") || (!is_next("!=") && accept("!"))) {
      const std::size_t at = at_;
      result = make_node(ExprOp::logical_not, check_condition(sign(), at));
    } else {
      result = power();
    }
    --nesting_;
    return result;
  }

  NodePtr power() {
    skip_spaces();
    const std::size_t base_at = at_;
    const NodePtr base = atom();
    if (!accept("^") && !accept("**")) return base;
    const std::size_t at = at_;
    const NodePtr exponent = sign();  // binds tighter than the sign before it, looser than one after it
    return power_of(check_number(base, base_at), exponent, at);
  }
  NodePtr power_of(const NodePtr& base, const NodePtr& exponent, std::size_t at) const {
    if (!exponent->is_constant()) fail(at, "a constant exponent", "Write exp(b * log(a)) for a^b.");
    return make_node(ExprOp::power, base, exponent);
  }

  NodePtr atom() {
    skip_spaces();
    const std::size_t start = at_;
    if (accept("(")) {
      NodePtr inside = expression();
      require(")");
      return inside;
    }
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) return number();
    const std::string_view name = accept_name();
    if (name.empty()) fail(start, "a number, x, or a function");
    const bool is_derivative = text_.substr(at_, 1) == "'";
    if (is_derivative) ++at_;
    if (accept("(")) return call(name, is_derivative, start);
    if (is_derivative) fail(at_, "\"(\"");
    return named(name, start);
  }

  NodePtr number() {
    std::size_t end = at_;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        while (exponent < text_.size() && is_digit(text_[exponent])) ++exponent;
        end = exponent;
      }
    }
    const auto value = parse_double(text_.substr(at_, end - at_));
    if (!value) fail(at_, "a number");
    at_ = end;
    return keratin::detail::make_constant(*value);
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

  NodePtr call(std::string_view name, bool is_derivative, std::size_t start) {
    std::vector<Argument> arguments;
    if (!accept(")")) {
      do {
        arguments.push_back(argument());
      } while (accept(","));
      require(")");
    }
    const auto place = detail::qualified(name);
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

  Argument argument() {
    skip_spaces();
    Argument result{accept_assignment().value_or(""), nullptr, nullptr, at_};
    constexpr std::string_view kTrue[] = {"true", "True"}, kFalse[] = {"false", "False"},
                               kNothing[] = {"none", "None", "null"};
    const auto accept_any = [this](const auto& words) {
      return std::any_of(std::begin(words), std::end(words), [this](auto word) { return accept(word); });
    };
    if (accept_any(kTrue)) {
      result.word = true;
    } else if (accept_any(kFalse)) {
      result.word = false;
    } else if (!accept_any(kNothing)) {
      result.value = expression();
    }
    return result;
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
      const std::string key = given.key.empty() ? std::string(function.parameters[i - 1].name) : given.key;
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
    Names bound;
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
    return Parser(function.formula, std::move(bound), nesting_ + 1).parse();
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
  Names names_;
  std::size_t at_ = 0;
  int nesting_;
};

}  // namespace

// As part of another formula, which may be a condition.
NodePtr detail::parse_bound(std::string_view formula, FormulaNames names) {
  return Parser(formula, std::move(names), 1).parse();
}

Expr parse(std::string_view formula) { return parse(formula, {}); }

Expr parse(std::string_view formula, std::span<const std::string> parameters) {
  if (formula.size() > kMaxLength) {
    throw ValueError("formula", "at most 65536 characters", fmt::format("received {}", formula.size()),
                     "Write it as a lambda, or as a function of tensors.");
  }
  Parser::Names names{{"x", keratin::detail::make_input()}};
  for (const std::string& name : parameters) {
    const bool is_name =
        !name.empty() && is_letter(name[0]) &&
        std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
    constexpr std::string_view kTaken[] = {"pi", "e",   "inf",  "nan",   "and",
                                           "or", "not", "true", "false", "none"};
    // What printed formulas call what they use twice.
    const bool is_printed =
        name.size() > 1 && name[0] == 't' && std::all_of(name.begin() + 1, name.end(), is_digit);
    if (!is_name || is_printed || std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken) ||
        !names.emplace(name, keratin::detail::make_parameter(names.size() - 1)).second) {
      throw ValueError("formula", "parameters with names of their own: letters, digits, _",
                       "received \"" + name + "\"", "Choose another, such as beta.");
    }
  }
  return Expr(Parser(formula, std::move(names), 0).parse());
}

}  // namespace keratin::inline v0::activations
