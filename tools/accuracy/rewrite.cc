// One pass from the leaves up; rules look at a node whose operands are already rewritten.
#include "tools/accuracy/rewrite.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace keratin::accuracy {
namespace {

using Node = std::unique_ptr<Formula>;

Node copy(const Formula& f) {
  auto node = std::make_unique<Formula>();
  node->kind = f.kind;
  node->text = f.text;
  for (const Node& operand : f.operands) node->operands.push_back(copy(*operand));
  return node;
}

Node number(const char* digits) {
  auto node = std::make_unique<Formula>();
  node->kind = "number";
  node->text = digits;
  return node;
}

bool is_number(const Formula& f, double value) {
  return f.kind == "number" && std::strtod(f.text.c_str(), nullptr) == value;
}

template <class... Operands>
Node make(std::string kind, Operands... operands) {
  auto node = std::make_unique<Formula>();
  node->kind = std::move(kind);
  (node->operands.push_back(std::move(operands)), ...);
  return node;
}

Node negate(Node f) {
  if (f->kind == "neg") return std::move(f->operands[0]);
  return make("neg", std::move(f));
}
Node add(Node a, Node b) {
  if (is_number(*a, 0)) return b;
  if (is_number(*b, 0)) return a;
  if (b->kind == "neg") return make("-", std::move(a), std::move(b->operands[0]));
  return make("+", std::move(a), std::move(b));
}
Node multiply(Node a, Node b) {
  if (is_number(*a, 0) || is_number(*b, 1)) return a;
  if (is_number(*b, 0) || is_number(*a, 1)) return b;
  return make("*", std::move(a), std::move(b));
}

bool same(const Formula& a, const Formula& b) {
  if (a.kind != b.kind || a.text != b.text || a.operands.size() != b.operands.size()) return false;
  for (std::size_t i = 0; i < a.operands.size(); ++i) {
    if (!same(*a.operands[i], *b.operands[i])) return false;
  }
  return true;
}

// The operand of 1 + function(operand), or null.
const Formula* one_plus(const Formula& f, std::string_view function) {
  if (f.kind != "+" || !is_number(*f.operands[0], 1) || f.operands[1]->kind != function) return nullptr;
  return f.operands[1]->operands[0].get();
}

// b of root = sqrt(u^2 + b), or null.
const Formula* under_root(const Formula& root, const Formula& u) {
  if (root.kind != "sqrt" || root.operands[0]->kind != "+") return nullptr;
  const Formula& square = *root.operands[0]->operands[0];
  if (square.kind != "^" || !same(*square.operands[0], u) || !is_number(*square.operands[1], 2))
    return nullptr;
  return root.operands[0]->operands[1].get();
}

// u + sqrt(u^2 + b)
Node plus_root(const Formula& u, const Formula& root, const Formula& b) {
  return make("?", make("<", copy(u), number("0")), make("/", copy(b), make("-", copy(root), copy(u))),
              make("+", copy(u), copy(root)));
}

Node apply_rules(Node f) {
  if (f->operands.empty()) return f;
  const Formula& a = *f->operands[0];
  if (f->operands.size() == 1) {
    if (f->kind == "log") {
      if (const Formula* u = one_plus(a, "exp")) return make("softplus", copy(*u));
    }
    return f;
  }
  const Formula& b = *f->operands[1];
  if (f->kind == "-") {
    if (a.kind == "exp" && is_number(b, 1)) return make("expm1", copy(*a.operands[0]));
    if (b.kind == "tanh" && same(a, *b.operands[0])) return make("tanh_rest", copy(a));
  } else if (f->kind == "+") {
    if (const Formula* u = one_plus(*f, "erf")) return make("erfc", negate(copy(*u)));
    if (const Formula* u = one_plus(*f, "tanh")) {
      return make("*", number("2"), make("logistic", make("*", number("2"), copy(*u))));
    }
    if (const Formula* under = under_root(b, a)) return plus_root(a, b, *under);
    if (is_number(a, 1) && b.kind == "/") {
      const Formula &u = *b.operands[0], &root = *b.operands[1];
      if (const Formula* under = under_root(root, u))
        return make("/", plus_root(u, root, *under), copy(root));
    }
  } else if (f->kind == "/") {
    if (const Formula* u = one_plus(b, "exp")) return multiply(copy(a), make("logistic", negate(copy(*u))));
    if (const Formula* u = one_plus(b, "abs"); u != nullptr && same(a, *u)) return make("softsign", copy(a));
  }
  return f;
}

// The derivative of a function of one operand there.
Node outer_slope(const Formula& f) {
  const Formula& u = *f.operands[0];
  const auto square = [](Node node) { return make("^", std::move(node), number("2")); };
  if (f.kind == "neg") return negate(number("1"));
  if (f.kind == "abs") return make("?", make("<", copy(u), number("0")), negate(number("1")), number("1"));
  if (f.kind == "exp") return copy(f);
  if (f.kind == "expm1") return make("exp", copy(u));
  if (f.kind == "softplus") return make("logistic", copy(u));
  if (f.kind == "logistic") return make("*", copy(f), make("logistic", negate(copy(u))));
  if (f.kind == "tanh") return make("sech2", copy(u));
  if (f.kind == "tanh_rest") return square(make("tanh", copy(u)));
  if (f.kind == "erfc") return negate(make("gauss", copy(u)));
  if (f.kind == "sqrt") return make("/", number("1"), make("*", number("2"), copy(f)));
  if (f.kind == "softsign") {
    return make("/", number("1"), square(make("+", number("1"), make("abs", copy(u)))));
  }
  throw std::invalid_argument("the derivative of " + f.kind);
}

Node inner_slope(const Formula& f) {
  const Formula& a = *f.operands[0];
  if (f.operands.size() == 1) {
    Node slope = differentiate(a);
    if (is_number(*slope, 0)) return slope;
    if (f.kind == "neg") return negate(std::move(slope));
    if (slope->kind == "neg") return negate(multiply(outer_slope(f), std::move(slope->operands[0])));
    return multiply(outer_slope(f), std::move(slope));
  }
  const Formula& b = *f.operands[1];
  if (f.kind == "?") {
    Node yes = differentiate(b), no = differentiate(*f.operands[2]);
    return make("?", copy(a), std::move(yes), std::move(no));
  }
  if (f.kind == "+") return add(differentiate(a), differentiate(b));
  if (f.kind == "-") {
    Node slope = differentiate(b);
    return is_number(*slope, 0) ? differentiate(a) : add(differentiate(a), negate(std::move(slope)));
  }
  if (f.kind == "*") {
    return add(multiply(differentiate(a), copy(b)), multiply(copy(a), differentiate(b)));
  }
  if (f.kind == "/") {
    Node slope = differentiate(b);
    if (is_number(*slope, 0)) {
      Node top = differentiate(a);
      return is_number(*top, 0) ? std::move(top) : make("/", std::move(top), copy(b));
    }
    Node rest = multiply(copy(a), make("/", std::move(slope), copy(b)));
    return make("/", add(differentiate(a), negate(std::move(rest))), copy(b));
  }
  if (f.kind == "^" && is_number(b, 2)) return multiply(make("*", number("2"), copy(a)), differentiate(a));
  if (f.kind == "^" && is_number(b, 3)) {
    return multiply(make("*", number("3"), make("^", copy(a), number("2"))), differentiate(a));
  }
  if (f.kind == "min") return make("?", make("<=", copy(a), copy(b)), differentiate(a), differentiate(b));
  if (f.kind == "max") return make("?", make("<=", copy(b), copy(a)), differentiate(a), differentiate(b));
  throw std::invalid_argument("the derivative of " + f.kind);
}

}  // namespace

Node rewrite(const Formula& f) {
  Node node = std::make_unique<Formula>();
  node->kind = f.kind;
  node->text = f.text;
  for (const Node& operand : f.operands) node->operands.push_back(rewrite(*operand));
  return apply_rules(std::move(node));
}

Node differentiate(const Formula& f) {
  if (f.operands.empty()) return number(f.kind == "name" && f.text == "x" ? "1" : "0");
  return inner_slope(f);
}

}  // namespace keratin::accuracy
