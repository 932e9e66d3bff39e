#include "keratin/activations/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_config.h"
#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/get.h"
#include "keratin/activations/trace.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"
#include "keratin/simd/dispatch.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

using testing::HasSubstr;
namespace K = backend;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

static_assert(!std::is_convertible_v<BoolExpr, bool>);
static_assert(!std::is_convertible_v<Expr, double>);

const Expr x = Expr::input();

TEST(Expression, PrintsAsTheFormula) {
  const std::pair<Expr, const char*> rows[] = {
      {x * K::sigmoid(1.702 * x), "x * sigmoid(1.702 * x)"},
      {(x + 1) * (x - 2), "(1 + x) * (x - 2)"},
      {x - (x - K::exp(x)), "x - (x - exp(x))"},
      {x / (x / 3), "x / (x / 3)"},
      {-x * K::tanh(x), "-(x * tanh(x))"},
      {-(x + 1), "-(1 + x)"},
      {x + -3, "x - 3"},
      {x - -3, "3 + x"},
      {K::where(x > 0 && x <= 2, x, 0.5 * x), "where(0 < x and x <= 2, x, 0.5 * x)"},
      {K::where(!(x == 1), x, 1), "where(not(x == 1), x, 1)"},
      {K::elu(x, 0.5), "elu(x, alpha=0.5)"},
      {K::gelu(x, true), "gelu(x, approximate=true)"},
      {K::pow(x, 3), "pow(x, 3)"},
      {K::clip(x, -1, 1.5), "clip(x, -1, 1.5)"},
      {K::maximum(x, 0.1 * x), "maximum(x, 0.1 * x)"},
      {K::sigmoid(2 * x).derivative(), "2 * sigmoid'(2 * x)"},
  };
  for (const auto& [expression, text] : rows) EXPECT_EQ(expression.to_string(), text);
}

TEST(Expression, LongFormulasNameWhatTheyUseTwice) {
  Expr e = K::tanh(x);
  for (int i = 0; i < 30; ++i) e = e * e + x;
  const std::string text = e.to_string();
  EXPECT_LT(text.size(), 1500u);
  EXPECT_THAT(text, HasSubstr("t2 = x + t1 * t1; "));
  EXPECT_EQ(e.size(), 2u + 60u);
}

TEST(Expression, EqualOnesAreOneObjectHoweverWritten) {
  EXPECT_TRUE((x * 2).is_same(2 * x));
  EXPECT_TRUE((x + K::exp(x)).is_same(K::exp(x) + x));
  EXPECT_TRUE(K::elu(x, 0.5).is_same(K::elu(x, {.alpha = 0.5})));
  EXPECT_FALSE(K::elu(x, 0.5).is_same(K::elu(x)));
  EXPECT_FALSE((x - 1).is_same(1 - x));
}

TEST(Expression, SimplifiesWhatIsExact) {
  const std::pair<Expr, Expr> rows[] = {
      {x + 0, x},
      {0 + x, x},
      {x - 0, x},
      {1 * x, x},
      {x / 1, x},
      {-(-x), x},
      {-1 * x, -x},
      {0 - x, -x},
      {x - (-x), x + x},
      {(-x) * (-x), x * x},
      {3 * (-x), -3 * x},
      {0.5 * (2 * x), x},
      {x / 4, 0.25 * x},
      {K::abs(-x), K::abs(x)},
      {K::abs(K::abs(x)), K::abs(x)},
      {K::pow(x, 1), x},
      {K::pow(x, 2), x * x},
      {K::pow(x, 0.5), K::sqrt(x)},
      {K::maximum(x, x), x},
      {K::where(Expr(1) < 2, x, -x), x},
      {K::where(x > 0, x, x), x},
      {K::where(!(!(x > 0)), x, 1), K::where(x > 0, x, 1)},
      {K::exp(Expr(0)), Expr(1)},
      {Expr(2) + 3, Expr(5)},
      {K::sqrt(Expr(2)) * x, std::sqrt(2.0) * x},
  };
  for (const auto& [written, simple] : rows)
    EXPECT_TRUE(written.is_same(simple)) << written.to_string() << " | " << simple.to_string();
  // NaN at infinity, or rounded otherwise: left as they are.
  EXPECT_EQ((0 * x).to_string(), "0 * x");
  EXPECT_EQ((x - x).to_string(), "x - x");
  EXPECT_EQ((0.1 * (0.1 * x)).to_string(), "0.1 * (0.1 * x)");
  EXPECT_EQ((x / 3).to_string(), "x / 3");
}

TEST(Expression, ComputesWhatTheFormulaSays) {
  const auto f = 0.5 * x * (1 + K::tanh(x)) - K::where(x > 1, K::square(x), K::log1p(K::abs(x)));
  for (const double v : {-3.0, -0.5, 0.0, 0.7, 1.0, 2.5}) {
    const double expected = 0.5 * v * (1 + std::tanh(v)) - (v > 1 ? v * v : std::log1p(std::fabs(v)));
    // Eight operations of at most an ulp each on numbers below 8.
    EXPECT_NEAR(f.evaluate(v), expected, 8 * 8 * 0x1p-53) << v;
  }
  EXPECT_EQ(K::clip(x, -1, 2).evaluate(5), 2);
  EXPECT_EQ(K::minimum(x, 3).evaluate(5), 3);
  EXPECT_EQ(K::pow(x, -2).evaluate(-2), 0.25);
  EXPECT_EQ(K::round(x).evaluate(2.5), 2);
  EXPECT_EQ(K::reciprocal(x).evaluate(4), 0.25);
  EXPECT_EQ(K::rsqrt(x).evaluate(4), 0.5);
  EXPECT_TRUE(std::isnan(K::maximum(x, 0).evaluate(kNaN)));
}

// Away from kinks, where |third derivative| is moderate.
TEST(Expression, DerivativesAgreeWithCentralDifferences) {
  const Expr rows[] = {
      x * K::sigmoid(1.702 * x),
      K::tanh(x) / (1 + x * x),
      K::exp(-x * x),
      K::expm1(x) * K::log(2 + K::square(x)),
      K::log1p(K::exp(x)),
      K::sqrt(1 + K::abs(x)),
      K::sin(x) * K::cos(2 * x),
      K::tan(0.3 * x),
      K::sinh(0.5 * x) - K::cosh(0.5 * x),
      K::atan(x),
      K::erf(x),
      K::erfc(x),
      K::pow(2 + K::cos(x), 2.5),
      K::pow(x, 3),
      K::pow(3 + x * x, -1.5),
      K::rsqrt(1 + x * x),
      K::maximum(x, K::sin(x)),
      K::minimum(x * x, 1 + x),
      K::clip(x, -1.3, 1.7),
      K::where(x > 0.2, x * x, K::exp(x)),
      K::mish(x) + K::selu(2 * x),
      K::gelu(x, true) * K::gelu(x),
      K::softplus(K::silu(x)),
      K::elu(x, 0.5) / (2 + K::tanh(x)),
      K::squareplus(x),
      K::celu(x, 1.5),
      K::log_sigmoid(x),
      K::tanh_shrink(x),
      K::hard_silu(x),
      K::floor(x) + x,
      K::sign(x) * x,
      (x / (1 + x * x)) / (2 + K::sigmoid(x)),
      K::gelu(x).derivative(),
      K::mish(x).derivative(),
      K::erf(x).derivative(),
      K::tanh(x).derivative(),
  };
  constexpr double kStep = 1e-5;
  for (const Expr& f : rows) {
    const Expr slope = f.derivative();
    for (const double v : {-2.6, -1.4, -0.45, 0.35, 1.15, 2.7}) {
      const double expected = (f.evaluate(v + kStep) - f.evaluate(v - kStep)) / (2 * kStep);
      // h²/6 of third derivatives up to 50, and rounding of values up to 20 over 2h.
      EXPECT_NEAR(slope.evaluate(v), expected, 3e-9 * (1 + std::fabs(expected)))
          << f.to_string() << " at " << v;
    }
  }
}

// The engine's dual numbers run on traced built-ins have to agree with its kernels, and so with the bound
// that those are held to.
TEST(Expression, EveryBuiltInTakenApartComputesWhatItsKernelsDo) {
  const FloatEnvironment environment;
  std::vector<double> points = {0.0,  -0.0, kInf, -kInf,  kNaN,    1,      -1,  3,    -3,   6,    2.5,
                                -2.5, 0.5,  -0.5, 1e-300, -1e-300, 5e-324, 700, -700, 1e30, -1e30};
  for (int i = -300; i <= 300; ++i) points.push_back(0.037 * i);
  for (const activations::Function& function : activations::functions()) {
    const BuiltinActivation builtin(function, function.defaults);
    for (const bool derivative : {false, true}) {
      const Expr traced(detail::traced(builtin, derivative));
      for (const double v : points) {
        const double expected =
            derivative ? function.derivative(function.defaults, v) : function.value(function.defaults, v);
        const double actual = traced.evaluate(v);
        if (std::isnan(expected)) {
          EXPECT_TRUE(std::isnan(actual)) << function.info->name << " " << v;
          continue;
        }
        // Plain doubles against wide ones: a few roundings, of the value and of the largest number on the
        // way.
        const double tolerance =
            std::isfinite(v) ? 16 * 0x1p-53 * std::fmax(std::fabs(expected), std::fabs(v) < 100 ? 1 : 0) : 0;
        if (expected == actual) continue;
        EXPECT_NEAR(actual, expected, tolerance)
            << function.info->name << (derivative ? "'" : "") << " at " << v;
      }
    }
  }
}

TEST(Expression, KnownShapesRunAsTheBuiltIn) {
  const double scale = std::sqrt(2 / std::acos(-1.0));
  const std::pair<ActivationFn, const char*> rows[] = {
      {[](auto v) { return v * K::sigmoid(v); }, "silu"},
      {[](auto v) { return K::sigmoid(v) * v; }, "silu"},
      {[](auto v) { return v / (1 + K::exp(-v)); }, "silu"},
      {[](auto v) { return v * K::tanh(K::log(1 + K::exp(v))); }, "mish"},
      {[](auto v) { return 1 / (1 + K::exp(-v)); }, "sigmoid"},
      {[](auto v) { return K::log(1.0 + K::exp(v)); }, "softplus"},
      {[](auto v) { return v / (K::abs(v) + 1); }, "softsign"},
      {[](auto v) { return K::maximum(0, v); }, "relu"},
      {[](auto v) { return K::where(v > 0, v, 0.0); }, "relu"},
      {[](auto v) { return K::minimum(K::maximum(v, 0), 6); }, "relu6"},
      {[](auto v) { return K::where(v > 0, v, K::exp(v) - 1); }, "elu"},
      {[](auto v) { return 0.5 * v * (1 + K::erf(v / std::sqrt(2.0))); }, "gelu"},
      {[scale](auto v) { return 0.5 * v * (1 + K::tanh(scale * (v + 0.044715 * v * v * v))); }, "gelu"},
      {[](auto v) { return 0.5 * v * (1 + K::tanh(0.7978845608028654 * (v + 0.044715 * K::pow(v, 3)))); },
       "gelu"},
      {[](auto v) { return v - K::tanh(v); }, "tanh_shrink"},
      {[](auto v) { return K::exp(v); }, "exponential"},
      {[](auto v) { return K::clip(v, -1, 1); }, "hard_tanh"},
      {[](auto v) { return K::elu(v, 0.25); }, "elu"},
      {[](auto v) { return v; }, "linear"},
  };
  for (const auto& [f, name] : rows) {
    EXPECT_EQ(f.name(), name);
    EXPECT_NE(dynamic_cast<const BuiltinActivation*>(&f.function()), nullptr) << name;
  }
  // Almost, but not quite.
  EXPECT_EQ(ActivationFn([](auto v) { return v * K::sigmoid(1.702 * v); }).name(), "x * sigmoid(1.702 * x)");
  EXPECT_EQ(ActivationFn([](auto v) { return 0.5 * v * (1 + K::erf(v / 1.41421)); }).name(),
            "0.5 * x * (1 + erf(x / 1.41421))");
}

TEST(Expression, ABranchThatIsNotTakenDoesNotSpoilTheGradient) {
  const Expr f = K::where(x > 0, K::sqrt(x), 0);
  EXPECT_EQ(f.derivative().evaluate(-1), 0);
  EXPECT_EQ(f.derivative().evaluate(4), 0.25);
  const Expr g = K::where(x == 0, 1, K::sin(x) / x);
  EXPECT_EQ(g.evaluate(0), 1);
  EXPECT_EQ(g.derivative().evaluate(0), 0);
}

TEST(Expression, WhatIsStoppedIsAConstantToTheGradientAlone) {
  const Expr f = x * K::stop_gradient(x * x) + K::sin(K::stop_gradient(K::stop_gradient(x)));
  EXPECT_EQ(f.to_string(), "sin(stop_gradient(x)) + x * stop_gradient(x * x)");
  EXPECT_EQ(f.evaluate(3), 27 + std::sin(3.0));
  EXPECT_EQ(f.derivative().evaluate(3), 9);
  EXPECT_TRUE(f.derivative().derivative().is_same(Expr(0)));
  // As the straight-through estimator of Bengio, Léonard and Courville 2013 is written.
  const ActivationFn rounded = x + K::stop_gradient(K::round(x) - x);
  const RecordGradients recording;
  const Tensor at = Tensor::of({0.75, -1.25, 2}).watched(), y = rounded(at);
  EXPECT_THAT(y.values<float>(), testing::ElementsAre(1, -1, 2));
  EXPECT_THAT(y.node()->backward(Tensor::of({1, 2, 3}))[0].values<float>(), testing::ElementsAre(1, 2, 3));
}

TEST(Expression, KinksTakeTheStatedSide) {
  EXPECT_EQ(K::abs(x).derivative().evaluate(0), 0);
  EXPECT_EQ(K::maximum(x, -x).derivative().evaluate(0), 0);
  EXPECT_EQ(K::maximum(x, 0.5 * x + 1).derivative().evaluate(2), 0.75);
  EXPECT_EQ(K::clip(x, -1, 1).derivative().evaluate(1), 1);
  EXPECT_EQ(K::clip(x, -1, 1).derivative().evaluate(std::nextafter(1, 2)), 0);
  EXPECT_TRUE(K::round(x).derivative().is_same(Expr(0)));
}

TEST(ExpressionFunction, Float32OnTheTapeIsWithinFourUlp) {
  const ActivationFn f = make_activation(x * K::sigmoid(1.702 * x) + 0.1 * K::tanh(x), {.fit = false});
  EXPECT_THAT(explain(f), HasSubstr("made without fitting a table"));
  const RecordGradients recording;
  std::vector<float> values;
  for (int i = -2000; i < 2000; ++i) values.push_back(0.0137f * static_cast<float>(i));
  const Tensor narrow = Tensor::from(values, {4000}).watched(),
               wide = narrow.detach().astype(DType::float64).watched();
  const Tensor y32 = f(narrow), y64 = f(wide);
  const Tensor g32 = y32.node()->backward(Tensor::full({4000}, 1))[0];
  const Tensor g64 = y64.node()->backward(Tensor::full({4000}, 1, DType::float64))[0];
  const auto compare = [&](const Tensor& single, const Tensor& exact) {
    const auto expected = exact.values<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      // A root of size 1/4 to 2 within 1/2, 36 points: there in units of numbers between 1/4 and 1/2.
      const std::size_t before = i < 36 ? 0 : i - 36, after = std::min(i + 36, values.size() - 1);
      const bool near_root =
          std::fabs(values[i]) > 0.25f && std::signbit(expected[before]) != std::signbit(expected[after]);
      const double size = std::fmax(std::fabs(expected[i]), near_root ? 0.25 : 0x1p-126);
      const double ulp = std::ldexp(1.0, std::ilogb(size) - 23);
      // One more than at the points that were tried.
      EXPECT_LE(std::fabs(single.values<float>()[i] - expected[i]), (AdaptiveTape::kMaxUlp + 1) * ulp)
          << values[i];
    }
  };
  compare(y32.detach(), y64.detach());
  compare(g32, g64);
}

TEST(ExpressionFunction, EveryLengthAndPlaceGivesTheSameBits) {
  const ActivationFn f = [](auto v) { return K::sin(v) * K::sigmoid(2 * v) + K::where(v > 1, v, -v); };
  std::vector<float> in(1000), whole(1000), slope(1000), upstream(1000);
  for (std::size_t i = 0; i < in.size(); ++i) {
    in[i] = std::remainder(0.713f * static_cast<float>(i), 10.0f);
    upstream[i] = 1 + 0.01f * static_cast<float>(i % 17);
  }
  const FloatEnvironment environment;
  f.elementwise()->forward(in.data(), whole.data(), 1000);
  f.elementwise()->gradient(in.data(), upstream.data(), slope.data(), 1000);
  for (std::size_t count : {0u, 1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 255u, 256u, 257u, 513u}) {
    for (std::size_t begin : {0u, 1u, 3u}) {
      std::vector<float> y(count + 1, 77.0f),
          in_place(in.begin() + static_cast<std::ptrdiff_t>(begin),
                   in.begin() + static_cast<std::ptrdiff_t>(begin + count));
      f.elementwise()->forward(in.data() + begin, y.data(), count);
      EXPECT_EQ(std::memcmp(y.data(), whole.data() + begin, count * sizeof(float)), 0) << count;
      EXPECT_EQ(y[count], 77.0f);
      in_place.reserve(count + 1);  // memcmp takes no null
      f.elementwise()->forward(in_place.data(), in_place.data(), count);
      EXPECT_EQ(std::memcmp(in_place.data(), whole.data() + begin, count * sizeof(float)), 0) << count;
      std::copy_n(upstream.begin() + static_cast<std::ptrdiff_t>(begin), count, y.begin());
      f.elementwise()->gradient(in.data() + begin, y.data(), y.data(), count);
      EXPECT_EQ(std::memcmp(y.data(), slope.data() + begin, count * sizeof(float)), 0) << count;
    }
  }
}

TEST(ExpressionFunction, ThreadsAndInstructionSetsChangeNoBit) {
  const ActivationFn f = [](auto v) { return K::atan(v) * K::mish(v) + K::pow(1 + v * v, 0.3); };
  const Tensor in = Tensor::arange(60'000, DType::float64, -30'000);
  std::vector<double> first;
  const int before = num_threads();
  for (const simd::Isa isa : simd::supported_isas()) {
    for (const int threads : {1, 3}) {
      const simd::ScopedIsa scoped(isa);
      set_num_threads(threads);
      const Tensor y = f(in);
      const auto values = y.values<double>();
      if (first.empty()) first.assign(values.begin(), values.end());
      EXPECT_EQ(std::memcmp(first.data(), values.data(), values.size_bytes()), 0) << simd::name(isa);
    }
  }
  set_num_threads(before);
}

TEST(ExpressionFunction, TracingFromManyThreadsConcurrentlyGivesTheSameExpressions) {
  const std::string expected = (x * K::sigmoid(3 * x) + K::exp(-x * x)).to_string();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const ActivationFn f = [](auto v) { return v * K::sigmoid(3 * v) + K::exp(-v * v); };
        wrong[t] += f.name() != expected || f(Tensor::of({0}, DType::float64)).item() != 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

TEST(ExpressionFunction, LambdasThatChangeAreRefused) {
  int calls = 0;
  EXPECT_THAT(message_of<ValueError>([&] { ActivationFn f = [&calls](auto v) { return v * ++calls; }; }),
              HasSubstr("it gave x and then 2 * x"));
  EXPECT_THROW(make_activation(std::function<Tensor(const Tensor&)>()), ValueError);
}

TEST(ExpressionFunction, CapturedValuesAreReadWhenTraced) {
  double slope = 0.5;
  const ActivationFn f = [&slope](auto v) { return K::where(v > 0, v, slope * v); };
  slope = 9;
  EXPECT_EQ(f(Tensor::of({-4})).item(), -2);
}

TEST(ExpressionFunction, ConstantsAreFunctionsToo) {
  const ActivationFn f = [](auto) { return 2.5; };
  const RecordGradients recording;
  const Tensor y = f(Tensor::of({-4, 1}).watched());
  EXPECT_EQ(y.at({1}), 2.5);
  EXPECT_EQ(y.node()->backward(Tensor::of({1, 1}))[0].at({0}), 0);
}

TEST(ExpressionFunction, TooDeepExpressionsAreRefused) {
  EXPECT_THAT(message_of<ValueError>([] {
                Expr e = x;
                for (int i = 0; i < 5000; ++i) e = K::sin(e);
              }),
              HasSubstr("at most 1000 operations may be nested"));
  // As deep as it may be: compiled, printed, derived and run.
  Expr e = x;
  for (int i = 0; i < 300; ++i) e = K::sin(e);
  EXPECT_GT(e.derivative().to_string().size(), 300u);
  EXPECT_LT(std::fabs(e.evaluate(1)), 1);
}

TEST(ExpressionConfig, IsReadBackAsTheSameExpression) {
  const Expr rows[] = {x * K::sigmoid(1.702 * x),
                       K::where((x > 0 && x < 3) || !(x == -1), K::elu(x, 0.5), K::gelu(x, true) / 3),
                       K::clip(K::pow(x, 2.5), -1, 1) + K::maximum(x, K::erfc(x)) - K::hard_sigmoid(x, 3),
                       K::mish(x).derivative() * K::mish(x).derivative().derivative(),
                       1 / (x - 2) + kInf * x};
  for (const Expr& e : rows) {
    const ActivationFn f = e;
    const Config written = activations::serialize(f);
    EXPECT_EQ(written["class_name"], "Expression");
    const ActivationFn g = activations::deserialize(Config::parse(written.dump()));
    EXPECT_EQ(g.name(), f.name());
    EXPECT_EQ(activations::serialize(g), written);
    const auto* back = dynamic_cast<const ExpressionFunction*>(&g.function());
    ASSERT_NE(back, nullptr);
    EXPECT_TRUE(back->expression().is_same(e));
  }
}

TEST(ExpressionConfig, HasAStableForm) {
  const Config config = detail::expression_config(ExpressionFunction(x * K::sigmoid(1.702 * x)));
  const std::string expected =
      "{\"formula\":\"x * sigmoid(1.702 * x)\","
      "\"nodes\":[\"x\",1.702,[\"*\",1,0],[\"sigmoid\",2],[\"*\",0,3]]}";
  EXPECT_EQ(config.dump(), expected);
}

TEST(ExpressionConfig, DamagedOnesAreRefusedByNode) {
  for (const char* nodes : {"[]",
                            "{}",
                            "[[]]",
                            "[\"y\"]",
                            "[[\"nope\", 0]]",
                            "[\"x\", [\"sin\", 1]]",
                            "[\"x\", [\"sin\", -1]]",
                            "[\"x\", [\"sin\", 0.5]]",
                            "[\"x\", [\"sin\", 0, 0]]",
                            "[\"x\", [\"+\", 0]]",
                            "[\"x\", [\"<\", 0, 0]]",
                            "[\"x\", [\"<\", 0, 0], [\"sin\", 1]]",
                            "[\"x\", [\"where\", 0, 0, 0]]",
                            "[\"x\", [\"pow\", 0, 0]]",
                            "[\"x\", [\"clip\", 0, 0, 0]]",
                            "[\"x\", [\"upstream\"]]",
                            "[\"x\", [\"constant\"]]",
                            "[\"x\", [\"elu\", 0, {\"beta\": 1}]]",
                            "[\"x\", [\"elu\", 0, {}, 1]]",
                            "[\"x\", [\"softmax\", 0]]",
                            "[\"x\", [\"hard_sigmoid\", 0, {\"limit\": -1}]]",
                            "[null]",
                            "[true]",
                            "[\"x\", [\"function\", 0]]"}) {
    EXPECT_THROW(detail::expression_from_config({{"nodes", Config::parse(nodes)}}), ValueError) << nodes;
  }
  EXPECT_THROW(detail::expression_from_config(Config(3)), ValueError);
  EXPECT_THROW(detail::expression_from_config(Config::object()), ValueError);
  Config deep = Config::array({"x"});
  for (int i = 0; i < 2000; ++i) deep.push_back(Config::array({"sin", i}));
  EXPECT_THAT(message_of<ValueError>([&] {
                detail::expression_from_config({{"nodes", deep}});
              }),
              HasSubstr("may be nested"));
  Config many = Config::array();
  for (int i = 0; i < 10'001; ++i) many.push_back(i);
  EXPECT_THAT(message_of<ValueError>([&] {
                detail::expression_from_config({{"nodes", many}});
              }),
              HasSubstr("it holds 10001"));
  EXPECT_THAT(message_of<ValueError>([] {
                detail::expression_from_config({{"nodes", Config::parse("[\"x\", [\"sin\", 1]]")}});
              }),
              HasSubstr("node 1 of the config"));
}

}  // namespace
}  // namespace keratin
