// Formulas: against the kernels, which compute the same functions in another way.
#include "cli/formula.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "cli/activation_page.h"
#include "keratin/activations/registry.h"
#include "keratin/core/error.h"

namespace keratin::cli {
namespace {

using activations::Function;

/// The variables of a formula at the function's defaults.
auto variables(const Function& function, double x) {
  return [&function, x](std::string_view name) {
    if (name == "x") return x;
    for (const activations::Parameter& parameter : function.parameters) {
      if (parameter.name == name) return parameter.get(function.defaults);
    }
    ADD_FAILURE() << "unknown variable " << name;
    return std::numeric_limits<double>::quiet_NaN();
  };
}

TEST(Formula, OfEveryFunctionGivesItsValuesAndSlopes) {
  for (const Function& function : activations::functions()) {
    const Formula value = Formula::parse(function.info->formula);
    const Formula slope = value.derivative();
    const Formula read_again = Formula::parse(slope.to_string());
    for (double x = -5.97; x < 6; x += 0.13) {  // off the kinks, which are at halves
      SCOPED_TRACE(std::string(function.info->name) + " at " + std::to_string(x) + ": " + slope.to_string());
      // exp(x) - 1 and 1 + erf lose up to three digits to cancellation on this range: 1e-16·1e3, and as much
      // again.
      const double tolerance = 1e-12;
      EXPECT_NEAR(value.evaluate(variables(function, x)), function.value(function.defaults, x), tolerance);
      EXPECT_NEAR(slope.evaluate(variables(function, x)), function.derivative(function.defaults, x),
                  10 * tolerance);
      EXPECT_EQ(read_again.evaluate(variables(function, x)), slope.evaluate(variables(function, x)));
    }
  }
}

TEST(Formula, PrintsWithTheFewestParentheses) {
  for (const char* text :
       {"x", "-x", "a - (b - c)", "a - b - c", "a/(b*c)", "a/b*c", "(a + b)*c", "x^2", "(-x)^2", "-x^2",
        "x > 0 ? x : a ? b : c", "(x > 0 ? 1 : 2)*x", "a && (b || c)", "min(x, 1)", "exp(-x)"}) {
    EXPECT_EQ(Formula::parse(text).to_string(), text);
  }
}

TEST(Formula, DerivesAsAPersonWould) {
  const auto derivative = [](const char* text) { return Formula::parse(text).derivative().to_string(); };
  EXPECT_EQ(derivative("x"), "1");
  EXPECT_EQ(derivative("tanh(x)"), "1 - tanh(x)^2");
  EXPECT_EQ(derivative("x - tanh(x)"), "tanh(x)^2");
  EXPECT_EQ(derivative("exp(-x)"), "-exp(-x)");
  EXPECT_EQ(derivative("x > 0 ? x : alpha*(exp(x/alpha) - 1)"), "x > 0 ? 1 : exp(x/alpha)");
  EXPECT_EQ(derivative("x > 0 ? x : alpha*x"), "x > 0 ? 1 : alpha");
}

TEST(Formula, RefusesWhatIsNone) {
  for (const char* text : {"", "x +", "(x", "x)", "1..2", "a ? b", "x > ", "exp(x", "2x"}) {
    EXPECT_THROW(Formula::parse(text), ValueError) << text;
  }
}

TEST(ActivationPages, FindEveryKinkOfTheKerasPage) {
  // keras.io: relu and leaky_relu bend at 0, relu6 at 0 and 6, hard_sigmoid at ±2.5; the derivative there as
  // Keras takes it.
  const auto kinks = [](const char* name) { return kinks_text(find_activation_page(name)); };
  EXPECT_EQ(kinks("relu"), "x = 0: 0 (0 on the left, 1 on the right)");
  EXPECT_EQ(kinks("relu6"),
            "x = 0: 0 (0 on the left, 1 on the right); x = 6: 0 (1 on the left, 0 on the right)");
  EXPECT_EQ(
      kinks("hard_sigmoid"),
      "x = -2.5: 0.2 (0 on the left, 0.2 on the right); x = 2.5: 0.2 (0.2 on the left, 0 on the right)");
  EXPECT_EQ(kinks("hard_shrink"),
            "x = -0.5: 0 (1 on the left, 0 on the right); x = 0.5: 0 (0 on the left, 1 on the right)");
  for (const char* smooth :
       {"gelu", "silu", "mish", "tanh", "sigmoid", "softplus", "exponential", "elu", "softsign"}) {
    EXPECT_EQ(kinks(smooth), "none") << smooth;
  }
}

}  // namespace
}  // namespace keratin::cli
