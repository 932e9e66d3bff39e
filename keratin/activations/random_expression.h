// Random expressions for tests, each written three times at once: as an Expr, which is simplified and run on
// the tape; as text, which MPFR evaluates; and as plain dual numbers in long double, which carry how much the
// tape may be off. Every operation is among them but parameters and stop_gradient, whose slopes are not those
// of a formula of x. Of the built-ins silu and gelu stand for all, which bounds_test.cc holds to MPFR.
#pragma once

#include <cctype>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "keratin/activations/tracked_functions.h"

namespace keratin::random_expression {

// One expression in its three forms.
struct Written {
  Expr expr;
  std::string text;
  std::function<Tracked(Real)> run;
};

inline std::string with_argument(std::string_view text, const std::string& argument) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // The only letter u that stands alone is the argument.
    const bool stands_alone =
        text[i] == 'u' && (i == 0 || !std::isalpha(static_cast<unsigned char>(text[i - 1])));
    stands_alone ? result += argument : result += text[i];
  }
  return result;
}

/// Expressions from a seed, the same with every compiler.
class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}

  Written number(int depth) {
    if (depth == 0) return pick(3) == 0 ? constant() : input();
    const std::uint32_t kind = pick(12);
    // In this order with every compiler.
    const Written a = number(depth - 1);
    if (kind >= 7) return function_of(kFunctions[pick(std::size(kFunctions))], a);
    if (kind == 6) return stepped_of(kStepped[pick(std::size(kStepped))], a);
    const Written b = number(depth - 1);
    const bool is_first = pick(2) == 0;
    if (kind < 2) return sum_of(a, b, is_first ? 1 : -1);
    if (kind < 4) return product_of(a, b);
    if (kind == 4) return quotient_of(a, b);
    if (is_first) return extreme_of(a, b, pick(2) == 0);
    const Written yes = number(depth - 1), no = number(depth - 1);
    return where_of(a, b, yes, no);
  }

 private:
  std::uint32_t pick(std::size_t below) { return random_() % static_cast<std::uint32_t>(below); }

  static Written input() {
    return {Expr::input(), "x", [](Real x) { return Tracked{x, 1}; }};
  }
  Written constant() {
    constexpr std::pair<double, const char*> kConstants[] = {
        {0.5, "0.5"}, {1, "1"}, {2, "2"}, {-1, "(-1)"}, {-0.75, "(-0.75)"}, {3, "3"}, {0, "0"}};
    const auto [value, text] = kConstants[pick(std::size(kConstants))];
    return {Expr(value), text, [value = value](Real) { return Tracked{value, 0}; }};
  }
  static Written sum_of(const Written& a, const Written& b, int sign) {
    return {sign > 0 ? a.expr + b.expr : a.expr - b.expr,
            text_of({"(", a.text, sign > 0 ? " + " : " - ", b.text, ")"}),
            [a = a.run, b = b.run, sign](Real x) { return sum(a(x), b(x), sign); }};
  }
  static Written product_of(const Written& a, const Written& b) {
    return {a.expr * b.expr, text_of({"(", a.text, "*", b.text, ")"}),
            [a = a.run, b = b.run](Real x) { return product(a(x), b(x)); }};
  }
  static Written function_of(const Function& f, const Written& a) {
    return {f.expr(a.expr), with_argument(f.text, a.text), [&f, a = a.run](Real x) {
              const Tracked u = a(x);
              return applied(u, f.slopes(u.value), f.units, f.least);
            }};
  }
  static Written extreme_of(const Written& a, const Written& b, bool is_maximum) {
    return {is_maximum ? K::maximum(a.expr, b.expr) : K::minimum(a.expr, b.expr),
            text_of({is_maximum ? "max(" : "min(", a.text, ", ", b.text, ")"}),
            [a = a.run, b = b.run, is_maximum](Real x) {
              const Tracked one = a(x), other = b(x);
              return chosen(one, other, (one.value < other.value) == is_maximum, one, other);
            }};
  }
  // With every comparison and every way to join two: rounding never decides what is compared.
  Written where_of(const Written& a, const Written& b, const Written& yes, const Written& no) {
    struct Condition {
      BoolExpr (*expr)(const Expr&, const Expr&);
      const char* text;  // of a and b
      bool (*run)(Real, Real);
    };
    static const Condition kConditions[] = {
        {[](const Expr& p, const Expr& q) { return p < q; }, "a < b", [](Real p, Real q) { return p < q; }},
        {[](const Expr& p, const Expr& q) { return p <= q; }, "a <= b", [](Real p, Real q) { return p < q; }},
        {[](const Expr& p, const Expr& q) { return p == q; }, "a == b", [](Real, Real) { return false; }},
        {[](const Expr& p, const Expr& q) { return p != q; }, "a != b", [](Real, Real) { return true; }},
        {[](const Expr& p, const Expr& q) { return !(p < q); }, "b <= a",
         [](Real p, Real q) { return q < p; }},
        {[](const Expr& p, const Expr& q) { return p < q && !(q == p); }, "a < b && a != b",
         [](Real p, Real q) { return p < q; }},
        {[](const Expr& p, const Expr& q) { return p < q || p == q; }, "a < b || a == b",
         [](Real p, Real q) { return p < q; }},
    };
    const Condition& condition = kConditions[pick(std::size(kConditions))];
    std::string words;
    for (const char c : std::string_view(condition.text)) {
      c == 'a' ? words += a.text : c == 'b' ? words += b.text : words += c;
    }
    return {K::where(condition.expr(a.expr, b.expr), yes.expr, no.expr),
            text_of({"(", words, " ? ", yes.text, " : ", no.text, ")"}),
            [a = a.run, b = b.run, yes = yes.run, no = no.run, takes = condition.run](Real x) {
              const Tracked one = a(x), other = b(x);
              return chosen(one, other, !takes(one.value, other.value), yes(x), no(x));
            }};
  }
  static Written quotient_of(const Written& a, const Written& b) {
    return {a.expr / b.expr, text_of({"(", a.text, "/", b.text, ")"}),
            [a = a.run, b = b.run](Real x) { return quotient(a(x), b(x)); }};
  }
  static Written stepped_of(const Stepped& f, const Written& a) {
    return {f.expr(a.expr), with_argument(f.text, a.text), [&f, a = a.run](Real x) {
              const Tracked u = a(x);
              Tracked y = applied(u, f.slopes(u.value), 1);
              y.branches =
                  y.branches * 31 + static_cast<std::uint64_t>(static_cast<std::int64_t>(f.piece(u.value)));
              y.is_decided = u.is_decided && f.distance(u.value) > 4 * u.value_error;
              return y;
            }};
  }

  static std::string text_of(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text += part;
    return text;
  }

  std::mt19937 random_;
};

}  // namespace keratin::random_expression
