// Reads formulas by recursive descent: one function a level of precedence.
#include "tools/accuracy/formula.h"

#include <stdexcept>

namespace keratin::accuracy {
namespace {

using Node = std::unique_ptr<Formula>;

Node leaf(std::string kind, std::string_view text) {
  auto node = std::make_unique<Formula>();
  node->kind = std::move(kind);
  node->text = text;
  return node;
}

template <class... Operands>
Node make(std::string kind, Operands... operands) {
  Node node = leaf(std::move(kind), {});
  (node->operands.push_back(std::move(operands)), ...);
  return node;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Node parse() {
    Node node = conditional();
    skip_spaces();
    if (at_ != text_.size()) fail("expects the end");
    return node;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument("formula \"" + std::string(text_) + "\": " + what + " at character " +
                                std::to_string(at_));
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(std::string_view token) {
    skip_spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  void require(std::string_view token) {
    if (!accept(token)) fail("expects \"" + std::string(token) + "\"");
  }

  Node conditional() {
    Node condition = either();
    if (!accept("?")) return condition;
    Node yes = conditional();
    require(":");
    return make("?", std::move(condition), std::move(yes), conditional());
  }
  Node either() {
    Node node = both();
    while (accept("||")) node = make("||", std::move(node), both());
    return node;
  }
  Node both() {
    Node node = comparison();
    while (accept("&&")) node = make("&&", std::move(node), comparison());
    return node;
  }
  Node comparison() {
    Node node = sum();
    for (const char* sign : {"<=", ">=", "==", "!=", "<", ">"}) {
      if (accept(sign)) return make(sign, std::move(node), sum());
    }
    return node;
  }
  Node sum() {
    Node node = product();
    while (true) {
      if (accept("+")) {
        node = make("+", std::move(node), product());
      } else if (accept("-")) {
        node = make("-", std::move(node), product());
      } else {
        return node;
      }
    }
  }
  Node product() {
    Node node = sign();
    while (true) {
      if (accept("*")) {
        node = make("*", std::move(node), sign());
      } else if (accept("/")) {
        node = make("/", std::move(node), sign());
      } else {
        return node;
      }
    }
  }
  Node sign() {
    if (accept("-")) return make("neg", sign());
    return power();
  }
  Node power() {
    Node node = atom();
    if (accept("^")) return make("^", std::move(node), sign());
    return node;
  }
  Node atom() {
    if (accept("(")) {
      Node node = conditional();
      require(")");
      return node;
    }
    skip_spaces();
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ > start) return leaf("number", text_.substr(start, at_ - start));
    while (at_ < text_.size() && (is_letter(text_[at_]) || (at_ > start && is_digit(text_[at_])))) ++at_;
    if (at_ == start) fail("expects a number or a name");
    const std::string_view name = text_.substr(start, at_ - start);
    if (!accept("(")) return leaf("name", name);
    Node node = leaf(std::string(name), {});
    do {
      node->operands.push_back(conditional());
    } while (accept(","));
    require(")");
    return node;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Formula> parse_formula(std::string_view text) { return Parser(text).parse(); }

}  // namespace keratin::accuracy
