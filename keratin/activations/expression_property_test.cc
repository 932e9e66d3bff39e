// Random expressions, each written three times at once: as an Expr, which is simplified and run on the tape;
// as text, which MPFR evaluates; and as plain dual numbers in long double, which carry how much the tape may
// be off.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/expression_function.h"
#include "keratin/core/float_env.h"
#include "tools/accuracy/oracle.h"

namespace keratin {
namespace {

namespace K = backend;
using Real = long double;

constexpr Real kUnit = 0x1p-53L;

// A number and its slope, with bounds of what rounding may have done to them in double (first order). The
// branches that led here tell points apart between which a kink lies.
struct Tracked {
  Real value, slope;
  Real value_error = 0, slope_error = 0;
  std::uint64_t branches = 1;
  bool is_decided = true;
};

struct Slopes {
  Real value, first, second;
};

Tracked joined(Tracked result, const Tracked& a, const Tracked& b) {
  result.branches = a.branches * 0x9E3779B97F4A7C15u + b.branches;
  result.is_decided = a.is_decided && b.is_decided;
  return result;
}

Tracked sum(const Tracked& a, const Tracked& b, int sign) {
  const Real value = a.value + sign * b.value, slope = a.slope + sign * b.slope;
  return joined({value, slope, a.value_error + b.value_error + kUnit * std::fabs(value),
                 a.slope_error + b.slope_error + kUnit * std::fabs(slope)},
                a, b);
}

Tracked product(const Tracked& a, const Tracked& b) {
  const Real value = a.value * b.value, one = a.value * b.slope, other = a.slope * b.value;
  const auto size = [](Real x, Real y) { return std::fabs(x * y); };
  return joined({value, one + other,
                 size(a.value_error, b.value) + size(a.value, b.value_error) + kUnit * std::fabs(value),
                 size(a.value_error, b.slope) + size(a.value, b.slope_error) + size(a.slope_error, b.value) +
                     size(a.slope, b.value_error) + 2 * kUnit * (std::fabs(one) + std::fabs(other))},
                a, b);
}

// A function off by `units` of max(its value, least), its slope alike.
Tracked applied(const Tracked& a, const Slopes& f, int units, Real least = 0) {
  Tracked y = a;
  y.value = f.value;
  y.slope = f.first * a.slope;
  y.value_error = std::fabs(f.first) * a.value_error + units * kUnit * std::fmax(std::fabs(f.value), least);
  y.slope_error = std::fabs(f.first) * a.slope_error + std::fabs(f.second * a.slope) * a.value_error +
                  units * kUnit * std::fmax(std::fabs(f.first), least) * std::fabs(a.slope);
  return y;
}

Tracked chosen(const Tracked& a, const Tracked& b, bool takes_b, const Tracked& yes, const Tracked& no) {
  Tracked y = takes_b ? no : yes;
  y.branches = (y.branches + a.branches * 31 + b.branches * 17) * 2 + (takes_b ? 1 : 0);
  y.is_decided = a.is_decided && b.is_decided && yes.is_decided && no.is_decided &&
                 std::fabs(a.value - b.value) > 4 * (a.value_error + b.value_error);
  return y;
}

// One expression in its three forms.
struct Written {
  Expr expr;
  std::string text;
  std::function<Tracked(Real)> run;
};

struct Function {
  Expr (*expr)(const Expr&);
  const char* text;  // of u; null where MPFR's formulas have no word for it
  Slopes (*slopes)(Real);
  int units;
  Real least = 0;
};

Real logistic(Real u) { return 1 / (1 + std::exp(-u)); }
constexpr Real kRootPi = 1 / std::numbers::inv_sqrtpi_v<Real>;

// Units as tape_math and simd state them. Built-ins in an expression are off by 16 units of max(1, value), as
// expression_test holds them to; their second derivatives are below 2.
const Function kFunctions[] = {
    {[](const Expr& x) { return K::exp(x); }, "exp(u)",
     [](Real u) {
       return Slopes{std::exp(u), std::exp(u), std::exp(u)};
     },
     3},
    {[](const Expr& x) { return K::expm1(x); }, "(exp(u) - 1)",
     [](Real u) {
       return Slopes{std::expm1(u), std::exp(u), std::exp(u)};
     },
     3},
    {[](const Expr& x) { return K::log(x); }, "log(u)",
     [](Real u) {
       return Slopes{std::log(u), 1 / u, -1 / (u * u)};
     },
     3},
    {[](const Expr& x) { return K::log1p(x); }, "log(1 + u)",
     [](Real u) {
       return Slopes{std::log1p(u), 1 / (1 + u), -1 / ((1 + u) * (1 + u))};
     },
     4},
    {[](const Expr& x) { return K::sqrt(x); }, "sqrt(u)",
     [](Real u) {
       return Slopes{std::sqrt(u), 0.5L / std::sqrt(u), -0.25L / (u * std::sqrt(u))};
     },
     3},
    {[](const Expr& x) { return K::tanh(x); }, "tanh(u)",
     [](Real u) {
       const Real t = std::tanh(u), slope = 1 / (std::cosh(u) * std::cosh(u));
       return Slopes{t, slope, -2 * t * slope};
     },
     4},
    {[](const Expr& x) { return K::erf(x); }, "erf(u)",
     [](Real u) {
       const Real slope = 2 / kRootPi * std::exp(-u * u);
       return Slopes{std::erf(u), slope, -2 * u * slope};
     },
     4},
    {[](const Expr& x) { return K::sigmoid(x); }, "(1/(1 + exp(-u)))",
     [](Real u) {
       const Real s = logistic(u), slope = s * logistic(-u);
       return Slopes{s, slope, slope * (1 - 2 * s)};
     },
     4},
    {[](const Expr& x) { return K::softplus(x); }, "log(1 + exp(u))",
     [](Real u) {
       return Slopes{std::fmax(u, 0) + std::log1p(std::exp(-std::fabs(u))), logistic(u),
                     logistic(u) * logistic(-u)};
     },
     4},
    {[](const Expr& x) { return K::silu(x); }, "(u/(1 + exp(-u)))",
     [](Real u) {
       const Real s = logistic(u);
       return Slopes{u * s, s * (1 + u * logistic(-u)), 2};
     },
     16, 1},
    {[](const Expr& x) { return K::gelu(x); }, "(u*(1 + erf(u/sqrt(2)))/2)",
     [](Real u) {
       const Real cdf = std::erfc(-u / std::numbers::sqrt2_v<Real>) / 2;
       return Slopes{u * cdf, cdf + u * std::exp(-u * u / 2) / (kRootPi * std::numbers::sqrt2_v<Real>), 2};
     },
     16, 1},
    {[](const Expr& x) { return K::pow(x, 3); }, "(u*u*u)",
     [](Real u) {
       return Slopes{u * u * u, 3 * u * u, 6 * u};
     },
     4},
    {[](const Expr& x) { return K::reciprocal(x); }, "(1/u)",
     [](Real u) {
       return Slopes{1 / u, -1 / (u * u), 2 / (u * u * u)};
     },
     3},
    {[](const Expr& x) { return K::sin(x); }, nullptr,
     [](Real u) {
       return Slopes{std::sin(u), std::cos(u), -std::sin(u)};
     },
     2},
    {[](const Expr& x) { return K::cos(x); }, nullptr,
     [](Real u) {
       return Slopes{std::cos(u), -std::sin(u), -std::cos(u)};
     },
     2},
    {[](const Expr& x) { return K::atan(x); }, nullptr,
     [](Real u) {
       const Real slope = 1 / (1 + u * u);
       return Slopes{std::atan(u), slope, -2 * u * slope * slope};
     },
     4},
    {[](const Expr& x) { return K::sinh(x); }, nullptr,
     [](Real u) {
       return Slopes{std::sinh(u), std::cosh(u), std::sinh(u)};
     },
     3},
};

std::string with_argument(std::string_view text, const std::string& argument) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // The only letter u that stands alone is the argument.
    const bool stands_alone =
        text[i] == 'u' && (i == 0 || !std::isalpha(static_cast<unsigned char>(text[i - 1])));
    stands_alone ? result += argument : result += text[i];
  }
  return result;
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}

  Written number(int depth) {
    if (depth == 0) return pick(3) == 0 ? constant() : input();
    const std::uint32_t kind = pick(9);
    // In this order with every compiler.
    const Written a = number(depth - 1);
    if (kind >= 5) return function_of(kFunctions[pick(std::size(kFunctions))], a);
    const Written b = number(depth - 1);
    const bool is_first = pick(2) == 0;
    if (kind < 2) return sum_of(a, b, is_first ? 1 : -1);
    if (kind < 4) return product_of(a, b);
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
    return {sign > 0 ? a.expr + b.expr : a.expr - b.expr, text_of({"(", a, sign > 0 ? " + " : " - ", b, ")"}),
            [a = a.run, b = b.run, sign](Real x) { return sum(a(x), b(x), sign); }};
  }
  static Written product_of(const Written& a, const Written& b) {
    return {a.expr * b.expr, text_of({"(", a, "*", b, ")"}),
            [a = a.run, b = b.run](Real x) { return product(a(x), b(x)); }};
  }
  static Written function_of(const Function& f, const Written& a) {
    return {f.expr(a.expr), f.text == nullptr || a.text.empty() ? "" : with_argument(f.text, a.text),
            [&f, a = a.run](Real x) {
              const Tracked u = a(x);
              return applied(u, f.slopes(u.value), f.units, f.least);
            }};
  }
  static Written extreme_of(const Written& a, const Written& b, bool is_maximum) {
    return {is_maximum ? K::maximum(a.expr, b.expr) : K::minimum(a.expr, b.expr),
            text_of({is_maximum ? "max(" : "min(", a, ", ", b, ")"}),
            [a = a.run, b = b.run, is_maximum](Real x) {
              const Tracked one = a(x), other = b(x);
              return chosen(one, other, (one.value < other.value) == is_maximum, one, other);
            }};
  }
  static Written where_of(const Written& a, const Written& b, const Written& yes, const Written& no) {
    return {K::where(a.expr < b.expr, yes.expr, no.expr),
            text_of({"(", a, " < ", b, " ? ", yes, " : ", no, ")"}),
            [a = a.run, b = b.run, yes = yes.run, no = no.run](Real x) {
              const Tracked one = a(x), other = b(x);
              return chosen(one, other, !(one.value < other.value), yes(x), no(x));
            }};
  }

  // A part of a text: words, or an expression whose text may be missing, and then is of the whole.
  struct Part {
    Part(const char* words) : text(words) {}
    Part(const Written& written) : text(written.text), is_missing(written.text.empty()) {}
    std::string text;
    bool is_missing = false;
  };
  static std::string text_of(const std::vector<Part>& parts) {
    std::string text;
    for (const Part& part : parts) {
      if (part.is_missing) return "";
      text += part.text;
    }
    return text;
  }

  std::mt19937 random_;
};

constexpr double kPoints[] = {-3.7, -1.3, -0.62, -0.11, 0.07, 0.55, 0.93, 1.9, 4.1};

// Where rounding may have decided a branch, or grown beyond first order, there is nothing to compare with.
bool is_comparable(const Tracked& y) {
  return y.is_decided && std::isfinite(y.value) && std::isfinite(y.slope) && std::fabs(y.value) < 1e12L &&
         std::fabs(y.slope) < 1e12L && y.value_error < 1e-7L && y.slope_error < 1e-7L;
}
// The second order, and the digits that long double itself loses.
Real allowed(Real error) { return 2 * error + 1e-300L; }

template <class Check>
void for_each_random_expression(const Check& check) {
  const FloatEnvironment environment;
  int compared = 0;
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    const Written written = Random(seed).number(1 + static_cast<int>(seed % 5));
    for (const double x : kPoints) {
      const Tracked y = written.run(x);
      if (!is_comparable(y)) continue;
      check(written, x, y);
      ++compared;
      if (testing::Test::HasFailure()) {
        FAIL() << "seed " << seed << " at " << x << ": " << written.expr.to_string() << "\n" << written.text;
      }
    }
  }
  // A third of all are NaN, overflow, or lie on a kink.
  EXPECT_GT(compared, 3000);
}

TEST(ExpressionProperties, TheTapeComputesWhatMpfrDoesOfTheFormulaAsWritten) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  std::string last;
  std::optional<accuracy::Oracle> oracle;
  int judged = 0;
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    if (written.text.empty()) return;
    if (last != written.text) oracle.emplace(last = written.text, "", accuracy::Names{});
    ++judged;
    EXPECT_TRUE(oracle->within(x, false, written.expr.evaluate(x), allowed(y.value_error))) << "value";
    EXPECT_TRUE(oracle->within(x, true, written.expr.derivative().evaluate(x), allowed(y.slope_error)))
        << "slope";
    // Rewritten into built-ins where it is one.
    EXPECT_TRUE(oracle->within(x, false, detail::recognised(written.expr).evaluate(x),
                               allowed(y.value_error + 16 * kUnit)))
        << "recognised";
  });
  EXPECT_GT(judged, 1500);
}

TEST(ExpressionProperties, GradientsAgreeWithDualNumbers) {
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    EXPECT_NEAR(written.expr.evaluate(x), static_cast<double>(y.value),
                static_cast<double>(allowed(y.value_error)));
    EXPECT_NEAR(written.expr.derivative().evaluate(x), static_cast<double>(y.slope),
                static_cast<double>(allowed(y.slope_error)));
  });
}

TEST(ExpressionProperties, GradientsAgreeWithCentralDifferences) {
  int compared = 0;
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    // Halving the step quarters the error of a difference: what they differ by bounds it, where no kink lies
    // between.
    Real difference[3], largest = 0;
    for (int i = 0; i < 3; ++i) {
      const Real step = std::ldexp(1.0L, -12 - i);
      const Tracked after = written.run(x + step), before = written.run(x - step);
      if (!is_comparable(after) || !is_comparable(before) || after.branches != y.branches ||
          before.branches != y.branches)
        return;
      difference[i] = (after.value - before.value) / (2 * step);
      largest = std::fmax(largest, std::fmax(std::fabs(after.value), after.value_error / kUnit));
    }
    const Real unsure = std::fabs(difference[0] - difference[1]) + std::fabs(difference[1] - difference[2]);
    if (unsure > 1e-3L * std::fmax(1, std::fabs(y.slope))) return;
    // 2^-63 of the largest number on the way, over the smallest step.
    const Real rounding = 8 * std::ldexp(largest, -63 + 14);
    EXPECT_NEAR(written.expr.derivative().evaluate(x), static_cast<double>(difference[2]),
                static_cast<double>(unsure + rounding + allowed(y.slope_error)));
    ++compared;
  });
  EXPECT_GT(compared, 2500);
}

}  // namespace
}  // namespace keratin
