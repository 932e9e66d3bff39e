// Formula::derivative: the rules of calculus, simplified as they are applied.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/formula.h"
#include "keratin/core/error.h"

namespace keratin::cli {
namespace {

Formula number(double value) { return Formula::constant(value); }

bool is(const Formula& f, double value) { return f.node().op == "number" && f.node().number == value; }
bool is(const Formula& f, std::string_view op) { return f.node().op == op; }
bool same(const Formula& a, const Formula& b) { return a.to_string() == b.to_string(); }

Formula negative(const Formula& a) {
  if (is(a, "neg")) return a.node().inputs[0];
  if (is(a, "number")) return number(-a.node().number);
  return Formula::apply("neg", {a});
}

Formula plus(const Formula& a, const Formula& b) {
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (is(b, "neg")) return Formula::apply("-", {a, b.node().inputs[0]});
  return Formula::apply("+", {a, b});
}

Formula minus(const Formula& a, const Formula& b) {
  if (is(b, 0)) return a;
  if (is(a, 0)) return negative(b);
  if (is(b, "neg")) return plus(a, b.node().inputs[0]);
  // a - (a - c) is c.
  if (is(b, "-") && same(a, b.node().inputs[0])) return b.node().inputs[1];
  return Formula::apply("-", {a, b});
}

Formula over(const Formula& a, const Formula& b);

Formula times(const Formula& a, const Formula& b) {
  if (is(a, 0) || is(b, 0)) return number(0);
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  if (is(a, -1)) return negative(b);
  if (is(b, -1)) return negative(a);
  if (is(a, "neg")) return negative(times(a.node().inputs[0], b));
  if (is(b, "neg")) return negative(times(a, b.node().inputs[0]));
  // (1/c)·b is b/c, a·(1/c) is a/c, and alpha·(f/alpha) is f.
  if (is(a, "/") && is(a.node().inputs[0], 1)) return over(b, a.node().inputs[1]);
  if (is(b, "/")) {
    const Formula &top = b.node().inputs[0], &bottom = b.node().inputs[1];
    if (same(a, bottom)) return top;
    if (is(top, 1)) return over(a, bottom);
  }
  return Formula::apply("*", {a, b});
}

Formula over(const Formula& a, const Formula& b) {
  if (is(a, 0)) return number(0);
  if (is(b, 1)) return a;
  if (is(a, "neg")) return negative(over(a.node().inputs[0], b));
  return Formula::apply("/", {a, b});
}

Formula power(const Formula& a, const Formula& exponent) {
  return is(exponent, 1) ? a : Formula::apply("^", {a, exponent});
}

Formula choose(const Formula& condition, const Formula& yes, const Formula& no) {
  return same(yes, no) ? yes : Formula::apply("?", {condition, yes, no});
}

Formula of_quotient(const Formula& a, const Formula& b, const Formula& da, const Formula& db) {
  if (is(db, 0)) return over(da, b);
  return over(minus(times(da, b), times(a, db)), power(b, number(2)));
}

/// f'(u), without the inner derivative.
std::optional<Formula> outer(const std::string& op, const Formula& whole, const Formula& u) {
  if (op == "exp") return whole;
  if (op == "log") return over(number(1), u);
  if (op == "sqrt") return over(number(1), times(number(2), whole));
  if (op == "tanh") return minus(number(1), power(whole, number(2)));
  if (op == "erf") {
    const Formula bell = Formula::apply("exp", {negative(power(u, number(2)))});
    return times(over(number(2), Formula::apply("sqrt", {Formula::variable("pi")})), bell);
  }
  if (op == "abs") return choose(Formula::apply("<", {u, number(0)}), number(-1), number(1));
  return std::nullopt;
}

Formula derive(const Formula& f) {
  const Formula::Node& node = f.node();
  if (node.op == "number") return number(0);
  if (node.op == "name") return number(node.name == "x" ? 1 : 0);
  if (node.op == "?") return choose(node.inputs[0], derive(node.inputs[1]), derive(node.inputs[2]));
  const Formula& a = node.inputs[0];
  const Formula da = derive(a);
  if (node.op == "neg") return negative(da);
  if (const std::optional<Formula> rule = outer(node.op, f, a)) return times(da, *rule);
  if (node.inputs.size() == 2) {
    const Formula& b = node.inputs[1];
    const Formula db = derive(b);
    if (node.op == "+") return plus(da, db);
    if (node.op == "-") return minus(da, db);
    if (node.op == "*") return plus(times(da, b), times(a, db));
    if (node.op == "/") return of_quotient(a, b, da, db);
    if (node.op == "min") return choose(Formula::apply("<", {a, b}), da, db);
    if (node.op == "max") return choose(Formula::apply(">", {a, b}), da, db);
    if (node.op == "^" && is(b, "number")) {
      return times(times(b, power(a, number(b.node().number - 1))), da);
    }
  }
  throw ValueError("formula", "something that has a derivative", "\"" + f.to_string() + "\"", "");
}

}  // namespace

Formula Formula::derivative() const { return derive(*this); }

}  // namespace keratin::cli
