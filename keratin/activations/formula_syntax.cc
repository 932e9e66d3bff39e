// By recursive descent: operators by their binding, then signs and powers, then atoms.
#include "keratin/activations/formula_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::activations::detail {
namespace {

using Place = std::uint32_t;

constexpr int kMaxNesting = 200;  // A few hundred bytes of stack each: threads may have 512 KB in all.

struct Operator {
  std::string_view token;
  int binding;
  std::string_view name;
};
// A token before those it begins with. Comparisons do not chain.
constexpr int kOr = 1, kAnd = 2, kComparison = 3, kSum = 4, kProduct = 5;
constexpr Operator kOperators[] = {
    {"||", kOr, "||"},         {"or", kOr, "||"},         {"&&", kAnd, "&&"},
    {"and", kAnd, "&&"},       {"<=", kComparison, "<="}, {">=", kComparison, ">="},
    {"==", kComparison, "=="}, {"!=", kComparison, "!="}, {"<", kComparison, "<"},
    {">", kComparison, ">"},   {"+", kSum, "+"},          {"-", kSum, "-"},
    {"*", kProduct, "*"},      {"/", kProduct, "/"},
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<SyntaxNode> parse() {
    while (const auto name = accept_assignment()) {
      const std::size_t at = at_;
      const Place value = expression();
      require(";");
      add({SyntaxKind::assignment, *name, at, {value}});
    }
    expression();
    skip_spaces();
    if (at_ != text_.size()) fail(at_, "an operator or the end");
    return std::move(nodes_);
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view expected) const {
    fail_formula(text_, at, expected);
  }

  Place add(SyntaxNode node) {
    nodes_.push_back(std::move(node));
    return static_cast<Place>(nodes_.size() - 1);
  }

  // ---- tokens

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  static bool is_word(char c) { return is_formula_letter(c) || is_formula_digit(c); }
  bool is_next(std::string_view token) {
    skip_spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    const std::size_t end = at_ + token.size();
    return !is_formula_letter(token[0]) || end == text_.size() || !is_word(text_[end]);
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
    while (end < text_.size() && (is_formula_letter(text_[end]) ||
                                  (end > at_ && (is_formula_digit(text_[end]) || text_[end] == '.'))))
      ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end;
    return name;
  }
  // `name =`, but not `name ==`.
  std::optional<std::string_view> accept_assignment() {
    const std::size_t start = at_;
    const std::string_view name = accept_name();
    if (!name.empty() && is_next("=") && !is_next("==")) {
      require("=");
      return name;
    }
    at_ = start;
    return std::nullopt;
  }

  // ---- grammar

  Place expression() {
    skip_spaces();
    const std::size_t start = at_;
    const Place first = binary(kOr);
    if (!accept("?")) return first;
    const Place yes = expression();
    require(":");
    const Place no = expression();
    return add({SyntaxKind::choice, "?", start, {first, yes, no}});
  }

  Place binary(int lowest) {
    skip_spaces();
    const std::size_t start = at_;
    Place left = sign();
    int highest = kProduct;
    while (true) {
      const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators), [&](const Operator& o) {
        return lowest <= o.binding && o.binding <= highest && is_next(o.token);
      });
      if (found == std::end(kOperators)) return left;
      at_ += found->token.size();
      const Place right = binary(found->binding + 1);
      left = add({SyntaxKind::binary, found->name, start, {left, right}});
      if (found->binding == kComparison) highest = kAnd;
    }
  }

  // Every recursion passes here.
  Place sign() {
    if (++nesting_ > kMaxNesting) fail(at_, fmt::format("at most {} levels of nesting", kMaxNesting));
    skip_spaces();
    const std::size_t start = at_;
    std::string_view mark;
    if (accept("-")) {
      mark = "-";
    } else if (accept("+")) {
      mark = "+";
    } else if (accept("not") || (!is_next("!=") && accept("!"))) {
      mark = "!";
    }
    const Place operand = mark.empty() ? power() : sign();
    --nesting_;
    return mark.empty() ? operand : add({SyntaxKind::unary, mark, start, {operand}});
  }

  Place power() {
    skip_spaces();
    const std::size_t start = at_;
    const Place base = atom();
    if (!accept("^") && !accept("**")) return base;
    // The exponent binds tighter than the sign before the base, looser than one of its own.
    const Place exponent = sign();
    return add({SyntaxKind::binary, "^", start, {base, exponent}});
  }

  Place atom() {
    skip_spaces();
    const std::size_t start = at_;
    if (accept("(")) {
      const Place inside = expression();
      require(")");
      nodes_[inside].at = start;
      return inside;
    }
    if (at_ < text_.size() && (is_formula_digit(text_[at_]) || text_[at_] == '.')) return number();
    const std::string_view name = accept_name();
    if (name.empty()) fail(start, "a number, x, or a function");
    const bool is_derivative = text_.substr(at_, 1) == "'";
    if (is_derivative) ++at_;
    if (accept("(")) return call({is_derivative ? SyntaxKind::derivative : SyntaxKind::call, name, start});
    if (is_derivative) fail(at_, "\"(\"");
    return add({SyntaxKind::name, name, start});
  }

  Place number() {
    const std::size_t start = at_;
    std::size_t end = at_;
    while (end < text_.size() && (is_formula_digit(text_[end]) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
      if (exponent < text_.size() && is_formula_digit(text_[exponent])) {
        while (exponent < text_.size() && is_formula_digit(text_[exponent])) ++exponent;
        end = exponent;
      }
    }
    const std::string_view digits = text_.substr(start, end - start);
    if (!parse_double(digits)) fail(start, "a number");
    at_ = end;
    return add({SyntaxKind::number, digits, start});
  }

  Place call(SyntaxNode node) {
    if (!accept(")")) {
      do {
        node.keys.push_back(accept_assignment().value_or(""));
        node.operands.push_back(argument());
      } while (accept(","));
      require(")");
    }
    return add(std::move(node));
  }
  Place argument() {
    skip_spaces();
    const std::size_t start = at_;
    for (const std::string_view word : {"true", "True", "false", "False", "none", "None", "null"}) {
      if (accept(word)) return add({SyntaxKind::nothing, word, start});
    }
    return expression();
  }

  std::string_view text_;
  std::vector<SyntaxNode> nodes_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

std::vector<SyntaxNode> parse_syntax(std::string_view text) { return Parser(text).parse(); }

void fail_formula(std::string_view text, std::size_t at, std::string_view expected, std::string_view advice) {
  constexpr std::size_t kShown = 30;
  const std::string received = at >= text.size() ? "the end" : fmt::format("\"{}\"", text.substr(at, kShown));
  throw ValueError("formula", fmt::format("expects {} at character {}", expected, at + 1),
                   fmt::format("received {} in \"{}\"", received, text.substr(0, 60)), advice);
}

}  // namespace keratin::inline v0::activations::detail
