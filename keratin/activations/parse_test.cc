#include "keratin/activations/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/get.h"
#include "keratin/core/error.h"

namespace keratin {
namespace {

using activations::parse;
using testing::HasSubstr;
namespace K = backend;

const Expr x = Expr::input();

TEST(Parse, ReadsTheLanguage) {
  const std::pair<const char*, Expr> rows[] = {
      {"x", x},
      {"x * sigmoid(1.702 * x)", x * K::sigmoid(1.702 * x)},
      {" 1+x*2 - x / 4", 1 + x * 2 - x / 4},
      {"x - 1 - 2", x - 1 - 2},
      {"x / 2 / 3", x / 2 / 3},
      {"-x^2", -(x * x)},
      {"2^-1 * x", 0.5 * x},
      {"x ** 3", K::pow(x, 3)},
      {"x^2^3", K::pow(x, 8)},
      {"-2 * -x", 2 * x},
      {"+x + .5e1 + 1e-3 + 1E+2", x + 5 + 1e-3 + 100},
      {"sqrt(2 / pi) * x", std::sqrt(2 / std::acos(-1.0)) * x},
      {"log(e) * exp(x)", K::exp(x)},
      {"x > 0 ? x : 0.1 * x", K::where(x > 0, x, 0.1 * x)},
      {"x < -1 ? -1 : x > 1 ? 1 : x", K::where(x < -1, -1, K::where(x > 1, 1, x))},
      {"where(x >= 1 and not(x == 2) or x != 3, 1, x)", K::where((x >= 1 && !(x == 2)) || x != 3, 1, x)},
      {"where(!(x <= 1) && x < 2 || x > 5, 1, x)", K::where((!(x <= 1) && x < 2) || x > 5, 1, x)},
      {"where(1 < 2, x, 5)", x},
      {"elu(x, alpha=0.5)", K::elu(x, 0.5)},
      {"elu(x, 0.5)", K::elu(x, 0.5)},
      {"relu(x, 0.1, 6, 0.5)", K::relu(x, 0.1, 6, 0.5)},
      {"relu(x, alpha=0.1, max_value=None)", K::relu(x, 0.1)},
      {"gelu(x, approximate=true)", K::gelu(x, true)},
      {"gelu(x, True)", K::gelu(x, true)},
      {"linear(x) + 1", x + 1},
      {"2 * silu'(2 * x)", K::silu(2 * x).derivative()},
      {"t = tanh(x); t * t + t", K::tanh(x) * K::tanh(x) + K::tanh(x)},
      {"max(x, min(1, abs(x)))", K::maximum(x, K::minimum(1, K::abs(x)))},
      {"clip(x, -1, 2) + ceil(x)", K::clip(x, -1, 2) - K::floor(-x)},
      {"rsqrt(1 + square(x)) * reciprocal(x) * tan(x)",
       K::rsqrt(1 + K::square(x)) * K::reciprocal(x) * K::tan(x)},
  };
  for (const auto& [text, expected] : rows)
    EXPECT_TRUE(parse(text).is_same(expected)) << text << " gave " << parse(text).to_string();
}

// What each framework's documentation says that the function computes.
TEST(Parse, UnderstandsTheFrameworksOfThePage) {
  const std::pair<const char*, Expr> rows[] = {
      {"K.tanh(x)", K::tanh(x)},
      {"tf.nn.silu(x)", K::silu(x)},
      {"tf.nn.leaky_relu(x)", K::leaky_relu(x, 0.2)},
      {"tf.nn.leaky_relu(x, alpha=0.3)", K::leaky_relu(x, 0.3)},
      {"tf.math.softplus(x)", K::softplus(x)},
      {"tf.math.rint(tf.exp(x))", K::round(K::exp(x))},
      {"tf.where(tf.greater(x, 0), x, tf.multiply(0.1, x))", K::where(x > 0, x, 0.1 * x)},
      {"tf.clip_by_value(x, -1, 1)", K::clip(x, -1, 1)},
      {"T.tanh(x)", K::tanh(x)},
      {"T.nnet.elu(x)", K::elu(x)},
      {"T.nnet.relu(x, 0.2)", K::where(x > 0, x, 0.2 * x)},
      {"pt.expit(x)", K::sigmoid(x)},
      {"pytensor.tensor.math.log1pexp(x)", K::softplus(x)},
      {"T.switch(T.lt(x, 0), T.sqr(x), T.arctan(x))", K::where(x < 0, x * x, K::atan(x))},
      {"theano.tensor.nnet.hard_sigmoid(x)", K::hard_sigmoid(x)},
      {"pytensor.tensor.log1p(pt.exp(x)) + T.sgn(x)", K::log1p(K::exp(x)) + K::sign(x)},
      {"cntk.ops.leaky_relu(x)", K::leaky_relu(x, 0.01)},
      {"C.element_select(C.greater(x, 0), x, C.negate(x))", K::where(x > 0, x, -x)},
      {"cntk.hard_sigmoid(x, alpha=0.2, beta=0.5)", K::clip(0.2 * x + 0.5, 0, 1)},
  };
  for (const auto& [text, expected] : rows)
    EXPECT_TRUE(parse(text).is_same(expected)) << text << " gave " << parse(text).to_string();
}

TEST(Parse, NamesOfOtherFrameworksAreActivations) {
  EXPECT_EQ(activations::get("tf.nn.silu").name(), "silu");
  EXPECT_EQ(activations::get("T.nnet.softplus").name(), "softplus");
  EXPECT_EQ(activations::get("tf.nn.softmax").name(), "softmax");
  EXPECT_EQ(activations::get("tf.exp").name(), "exponential");
  EXPECT_EQ(activations::get("K.sin").name(), "sin(x)");
  EXPECT_EQ(activations::serialize(activations::get("cntk.ops.leaky_relu")),
            activations::serialize(activations::LeakyRelu{.negative_slope = 0.01}));
  EXPECT_THROW(activations::get("tf.nn.silu(x)+tf.nn.silu"), ValueError);
  EXPECT_THROW(activations::get("torch.relu"), ValueError);
  // A file of Keras never holds one.
  EXPECT_THROW(activations::get("tf.nn.silu", Generation::keras3), ValueError);
}

// ---- random expressions

class RandomExpression {
 public:
  explicit RandomExpression(std::uint32_t seed) : random_(seed) {}

  Expr number(int depth) {
    if (depth == 0) return pick(3) == 0 ? Expr(constant()) : x;
    switch (pick(14)) {
      case 0:
        return number(depth - 1) + number(depth - 1);
      case 1:
        return number(depth - 1) - number(depth - 1);
      case 2:
        return number(depth - 1) * number(depth - 1);
      case 3:
        return number(depth - 1) / number(depth - 1);
      case 4:
        return -number(depth - 1);
      case 5:
        return K::pow(number(depth - 1), constant());
      case 6:
        return K::where(condition(depth - 1), number(depth - 1), number(depth - 1));
      case 7:
        return K::clip(number(depth - 1), -1.5, 2);
      case 8:
        return K::maximum(number(depth - 1), number(depth - 1));
      case 9:
        return K::elu(number(depth - 1), 0.25 + pick(4));
      case 10:
        return K::gelu(number(depth - 1), pick(2) == 0);
      case 11:
        return K::erf(number(depth - 1)) + K::exp(number(depth - 1));
      case 12:
        return K::silu(number(depth - 1));
      default:
        return K::tanh(number(depth - 1));
    }
  }

 private:
  std::uint32_t pick(std::uint32_t below) { return random_() % below; }
  double constant() {
    constexpr double kConstants[] = {0, 1, -1, 2, -3, 0.5, -0.1, 1.702, 1e-300, -2.5e17};
    return kConstants[pick(10)];
  }
  BoolExpr condition(int depth) {
    const Expr a = number(depth), b = number(depth);
    switch (depth == 0 ? pick(4) : pick(7)) {
      case 0:
        return a < b;
      case 1:
        return a <= b;
      case 2:
        return a == b;
      case 3:
        return a != b;
      case 4:
        return condition(depth - 1) && condition(depth - 1);
      case 5:
        return condition(depth - 1) || condition(depth - 1);
      default:
        return !condition(depth - 1);
    }
  }

  std::mt19937 random_;
};

TEST(Parse, WhatIsPrintedReadsBackAsTheSameExpression) {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    const Expr expression = RandomExpression(seed).number(1 + static_cast<int>(seed % 5));
    const std::string text = expression.to_string();
    ASSERT_TRUE(parse(text).is_same(expression)) << seed << ": " << text << "\n" << parse(text).to_string();
    const std::string slope = expression.derivative().to_string();
    ASSERT_EQ(parse(slope).to_string(), slope) << seed;
  }
}

TEST(Parse, DeepFormulasReadBack) {
  Expr deep = x;
  for (int i = 0; i < 190; ++i) deep = K::sin(deep);
  EXPECT_TRUE(parse(deep.to_string()).is_same(deep));
  EXPECT_THROW(parse(std::string(250, '(') + "x" + std::string(250, ')')), ValueError);
  EXPECT_THROW(parse(std::string(60'000, '-') + "x"), ValueError);
  EXPECT_THROW(parse(std::string(70'000, ' ')), ValueError);
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const ValueError& error) {
    return error.what();
  }
  return "read";
}

TEST(Parse, MistakesSayWhereAndWhat) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "a number, x, or a function at character 1"},
      {"x +", "at character 4, received the end"},
      {"(x", "expects \")\" at character 3"},
      {"x x", "an operator or the end at character 3"},
      {"y", "functions are called"},
      {"tanhh(x)", "Did you mean \"tanh\"?"},
      {"torch.tanh(x)", "keras, tensorflow, theano or cntk"},
      {"x > 0", "write where(condition, a, b)"},
      {"1 + (x > 0)", "a number at character 5"},
      {"where(x, 1, 2)", "a condition such as x > 0 at character 7"},
      {"x and x", "a condition such as x > 0"},
      {"not x", "a condition"},
      {"0 < x < 1 ? 1 : 2", "an operator or the end at character 7"},
      {"x^x", "a constant exponent"},
      {"pow(x, x)", "a constant exponent"},
      {"clip(x, x, 1)", "constant limits"},
      {"clip(x, 2, 1)", "low is at most high"},
      {"softmax(x)", "look at a whole axis"},
      {"elu(x, x)", "Only the first argument may hold x"},
      {"elu()", "elu(x, …)"},
      {"elu(x, beta=1)", "it takes alpha"},
      {"elu(x, 1, 2)", "expects \")\""},
      {"exp(x, 1)", "exp with 1 argument"},
      {"exp'(x)", "a built-in activation"},
      {"cntk.hard_sigmoid(x)", "hard_sigmoid(x, alpha, beta)"},
      {"tf.nn.leaky_relu(x, gamma=1)", "leaky_relu(x, alpha=0.2)"},
      {"1.2.3", "a number at character 1"},
      {"t = x", "expects \";\""},
      {"sin(none)", "a number"},
      {"x ? 1 : 2", "a condition"},
      {"x = = 1", "a number, x, or a function"},
  };
  for (const auto& [text, expected] : rows) EXPECT_THAT(refusal(text), HasSubstr(expected)) << text;
}

TEST(Parse, InverseFunctionsOfOtherFrameworksKeepTheirDigits) {
  struct Row {
    std::vector<const char*> names;
    double (*exact)(double);
    std::vector<double> points;
  };
  const Row rows[] = {
      {{"tf.math.asin", "T.arcsin", "cntk.asin"}, std::asin, {-1, -0.999, -1e-9, 0, 0.3, 1}},
      {{"tf.acos", "pt.arccos", "C.acos"}, std::acos, {-1, -0.999, 0, 0.3, 0.9999999, 1}},
      {{"tf.math.asinh", "T.arcsinh", "cntk.asinh"}, std::asinh, {-1e200, -3, -1e-12, 0, 0.5, 40, 1e120}},
      {{"tf.math.acosh", "T.arccosh"}, std::acosh, {1, 1.0000001, 2, 50, 1e300}},
      {{"tf.math.atanh", "T.arctanh", "cntk.atanh"}, std::atanh, {-0.99999, -1e-10, 0, 0.5}},
  };
  for (const Row& row : rows) {
    for (const char* name : row.names) {
      const Expr f = activations::parse(std::string(name) + "(x)");
      for (const double x : row.points) {
        // Half a dozen roundings, none of them magnified.
        EXPECT_NEAR(f.evaluate(x), row.exact(x), 1e-15 * std::abs(row.exact(x))) << name << "(" << x << ")";
      }
    }
  }
}

TEST(Parse, GuardedAndLogicalOperationsOfTensorFlowAreUnderstood) {
  const std::pair<const char*, double> rows[] = {
      {"tf.math.divide_no_nan(x, 0)", 0},
      {"tf.math.xlogy(x - 3, 0)", 0},
      {"tf.math.xlogy(x, e)", 3},
      {"tf.math.floormod(-x, 2)", 1},
      {"tf.math.floordiv(-x, 2)", -2},
      {"tf.identity(x)", 3},
      {"K.ones_like(x)", 1},
      {"T.rad2deg(pi * x / x)", 180},
      {"pt.trunc(-1.5 * x / 2)", -2},
      // The largest number below a half, which a sum with 0.5 would round to 1.
      {"pt.round_half_away_from_zero(0.49999999999999994 * x / 3)", 0},
      {"pt.round_half_away_from_zero(-2.5 * x / 3)", -3},
      {"pt.log1mexp(-x / 3)", -0.45867514538708193},
      {"tf.where(tf.math.logical_xor(x > 1, x > 2), 1, 0)", 0},
      {"tf.where(tf.math.is_nan(0 * inf * x), 1, 0)", 1},
      {"K.switch(K.logical_and(K.greater(x, 1), K.less_equal(x, 3)), 1, 0)", 1},
  };
  for (const auto& [formula, expected] : rows)
    EXPECT_NEAR(activations::parse(formula).evaluate(3), expected, 1e-13) << formula;
}

TEST(Parse, ParametersHaveNamesAndPrintUnderThem) {
  const std::vector<std::string> names = {"beta", "gamma"};
  const Expr swish = activations::parse("gamma * x * sigmoid(beta * x)", names);
  const Expr x = Expr::input(), beta = Expr::parameter(0), gamma = Expr::parameter(1);
  EXPECT_TRUE(swish.is_same(gamma * x * backend::sigmoid(beta * x)));
  EXPECT_TRUE(activations::parse(swish.to_string(names), names).is_same(swish));
  EXPECT_EQ((x * beta).derivative().to_string(names), "beta");
  EXPECT_EQ(activations::parse("gamma * tanh(beta * x)", names).to_string(names), "gamma * tanh(beta * x)");
  EXPECT_TRUE((gamma * (x * x)).derivative_by(1).is_same(x * x));
  EXPECT_EQ(beta.derivative_by(1).to_string(), "0");
}

TEST(Parse, RefusesParametersWhoseNamesMeanSomethingElse) {
  for (const std::vector<std::string>& names : std::vector<std::vector<std::string>>{
           {"x"}, {"pi"}, {""}, {"a b"}, {"2nd"}, {"t1"}, {"a", "a"}, {"and"}})
    EXPECT_THROW(activations::parse("x", names), ValueError) << names[0];
}

TEST(Parse, FormulasWithParametersAreNoActivations) {
  const std::vector<std::string> names = {"beta"};
  EXPECT_THROW(activations::parse("beta * x", names).to_activation_fn(), ValueError);
}

TEST(Parse, DamagedFormulasAreReadOrRefusedNeverMore) {
  const std::string whole =
      "t1 = silu'(x); where(x >= 1e-3 and not(x == 2), elu(t1, alpha=0.5), -pow(x, 3)) / tf.nn.relu(x)";
  const std::string characters = "()x1.=,;'^*-<! a_";
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    refusal(whole.substr(0, i));
    for (const char c : characters) {
      std::string damaged = whole;
      damaged.insert(i, 1, c);
      refusal(damaged);
      if (i < whole.size()) damaged = whole, damaged[i] = c, refusal(damaged);
    }
  }
}

}  // namespace
}  // namespace keratin
