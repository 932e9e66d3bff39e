#include "keratin/activations/fitted/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/expression_function.h"
#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

using testing::HasSubstr;
namespace K = backend;

const Expr x = Expr::input();

const ExpressionFunction& expression_of(const ActivationFn& activation) {
  return dynamic_cast<const ExpressionFunction&>(activation.function());
}

struct Smooth {
  const char* name;
  Expr expression;
  // Independent of the tapes: the C library in long double.
  long double (*value)(long double);
};

long double softplus(long double v) { return std::log1p(std::exp(v)); }
long double sigmoid(long double v) { return 1 / (1 + std::exp(-v)); }

const std::vector<Smooth>& smooth_functions() {
  static const std::vector<Smooth> functions = {
      {"x*sigmoid(1.702x)", x * K::sigmoid(1.702 * x), [](long double v) { return v * sigmoid(1.702L * v); }},
      {"x*tanh(softplus(2x))", x * K::tanh(K::softplus(2 * x)),
       [](long double v) { return v * std::tanh(softplus(2 * v)); }},
      {"twenty nodes",
       K::tanh(0.7 * x + 0.3) * K::sigmoid(x) + x * x / (1 + x * x) * K::exp(-0.1 * x * x) - 0.2 * K::sin(x) +
           K::log1p(K::exp(0.5 * x)),
       [](long double v) {
         return std::tanh(0.7L * v + 0.3L) * sigmoid(v) + v * v / (1 + v * v) * std::exp(-0.1L * v * v) -
                0.2L * std::sin(v) + softplus(0.5L * v);
       }},
      {"atan", K::atan(x) * 1.5, [](long double v) { return 1.5L * std::atan(v); }},
      {"1 + tanh", 1 + K::tanh(x), [](long double v) { return 1 + std::tanh(v); }},
  };
  return functions;
}

double ulp(double v) {
  return std::fabs(v) < 0x1p-126 ? 0x1p-149 : std::ldexp(1.0, std::ilogb(std::fabs(v)) - 23);
}

// Every 4,999th float, in the order of their bits.
std::vector<float> floats_below(float reach) {
  std::vector<float> values;
  for (std::uint32_t bits = 1; bits < std::bit_cast<std::uint32_t>(reach); bits += 4999) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-std::bit_cast<float>(bits));
  }
  return values;
}

TEST(Fit, SmoothFunctionsRunOnATableWithinTwoAndAHalfUlp) {
  const FloatEnvironment environment;
  for (const Smooth& smooth : smooth_functions()) {
    const ActivationFn activation = smooth.expression;
    const auto& tables = expression_of(activation).tables();
    ASSERT_TRUE(tables.value && tables.gradient) << smooth.name << "\n" << explain(activation);
    const std::vector<float> in = floats_below(tables.value->reach);
    std::vector<float> out(in.size());
    activation.elementwise()->forward(in.data(), out.data(), in.size());
    double worst = 0;
    float at = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const auto exact = static_cast<double>(smooth.value(static_cast<long double>(in[i])));
      const double error = std::fabs(static_cast<double>(out[i]) - exact) / ulp(exact);
      if (error > worst) worst = error, at = in[i];
    }
    RecordProperty(smooth.name, std::to_string(worst));
    EXPECT_LE(worst, 2.5) << smooth.name << " at " << at << "\n" << explain(activation);
    EXPECT_GE(tables.value->reach, 4) << smooth.name;
  }
}

TEST(Fit, GradientsOfTablesAreThoseOfTheTape) {
  const FloatEnvironment environment;
  for (const Smooth& smooth : smooth_functions()) {
    const ActivationFn fitted = smooth.expression;
    const std::vector<float> in = floats_below(expression_of(fitted).tables().gradient->reach);
    const std::vector<float> ones(in.size(), 1.0f);
    const std::vector<double> wide(in.begin(), in.end()), wide_ones(in.size(), 1.0);
    std::vector<float> got(in.size());
    std::vector<double> expected(in.size());
    fitted.elementwise()->gradient(in.data(), ones.data(), got.data(), in.size());
    fitted.elementwise()->gradient(wide.data(), wide_ones.data(), expected.data(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], 2.5 * ulp(expected[i])) << smooth.name << " at " << in[i];
    }
  }
}

TEST(Fit, KinksPolesJumpsAndFastOscillationStayOnTheTape) {
  const std::pair<const char*, Expr> rows[] = {
      {"kink", K::abs(x - 0.3) * K::exp(-x * x)},
      {"kink of the slope", K::where(x > 0.7, 0.5 * K::square(x - 0.7), 0) + K::tanh(x)},
      {"jump", K::where(x > 1, K::exp(x), K::sin(x))},
      {"pole", 1 / (x - 0.9)},
      {"fast oscillation", K::sin(60 * x)},
      {"not finite", K::log(x)},
      {"not finite above", K::exp(400 * x)},
  };
  for (const auto& [name, expression] : rows) {
    const ActivationFn activation = expression;
    EXPECT_FALSE(expression_of(activation).tables().value) << name;
    EXPECT_THAT(explain(activation), HasSubstr("no table fits")) << name;
  }
}

TEST(Fit, LanesOutsideTheTableAreTheTapesAndNeighboursChangeNoBit) {
  const FloatEnvironment environment;
  const Expr expression = x * K::sigmoid(1.702 * x);
  const ActivationFn fitted = expression, exact = make_activation(expression, {.fit = false});
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<float> in = {-kInf, kInf, std::nanf(""), 100, -100, 8, -8, 0.0f, -0.0f, 1, 1e-42f, -3e38f};
  for (int i = 0; i < 1500; ++i) in.push_back(std::remainder(0.713f * static_cast<float>(i), 24.0f));
  std::vector<float> whole(in.size()), tape(in.size());
  fitted.elementwise()->forward(in.data(), whole.data(), in.size());
  exact.elementwise()->forward(in.data(), tape.data(), in.size());
  const float reach = expression_of(fitted).tables().value->reach;
  for (std::size_t i = 0; i < in.size(); ++i) {
    float alone = in[i];
    fitted.elementwise()->forward(&alone, &alone, 1);
    ASSERT_EQ(std::memcmp(&alone, &whole[i], 4), 0) << in[i];
    if (!(std::fabs(in[i]) < reach)) {
      ASSERT_EQ(std::memcmp(&tape[i], &whole[i], 4), 0) << in[i];
    }
  }
}

TEST(Fit, TheMiddleRowsAloneGiveTheBitsOfAll) {
  const FloatEnvironment environment;
  std::vector<float> in, upstream;
  for (int i = 0; i < 4096; ++i) {
    // Two thirds of the groups stay in the middle.
    in.push_back((i / 64 % 3 == 0 ? 4.1f : 2.0f) * std::sin(static_cast<float>(i) * 0.37f));
    upstream.push_back(std::cos(static_cast<float>(i)));
  }
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scoped(isa);
    for (const Smooth& smooth : smooth_functions()) {
      const ActivationFn activation = smooth.expression;
      const detail::FittedTable& table = *expression_of(activation).tables().value;
      EXPECT_GT(table.near, 2) << smooth.name;
      std::vector<float> all(in.size()), middle = in;
      detail::run_everywhere(table, in.data(), upstream.data(), all.data(), in.size());
      // In place.
      EXPECT_EQ(detail::run_inside(table, middle.data(), upstream.data(), middle.data(), in.size()),
                in.size());
      EXPECT_EQ(std::memcmp(all.data(), middle.data(), 4 * in.size()), 0) << smooth.name << simd::name(isa);
      // One number outside stops it there.
      std::vector<float> until = in;
      until[1000] = table.reach;
      const std::size_t done = detail::run_inside(table, until.data(), nullptr, middle.data(), until.size());
      EXPECT_LE(done, 1000u);
      EXPECT_GT(done, 1000u - detail::kFittedGroup);
    }
  }
}

TEST(Fit, InstructionSetsChangeNoBit) {
  const FloatEnvironment environment;
  const std::vector<float> in = floats_below(8);
  for (const Smooth& smooth : smooth_functions()) {
    const ActivationFn activation = smooth.expression;
    std::vector<float> first(in.size()), other(in.size());
    activation.elementwise()->forward(in.data(), first.data(), in.size());
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scoped(isa);
      activation.elementwise()->forward(in.data(), other.data(), in.size());
      EXPECT_EQ(std::memcmp(first.data(), other.data(), 4 * in.size()), 0) << smooth.name << simd::name(isa);
      // The fit as well.
      EXPECT_TRUE(ExpressionFunction::fitted(smooth.expression)->serialize(Generation::keras3) ==
                  activation.function().serialize(Generation::keras3));
    }
  }
}

TEST(Fit, TablesAreSavedReadBackAndChecked) {
  const ActivationFn activation = smooth_functions()[0].expression;
  const Config written = activations::serialize(activation);
  ASSERT_TRUE(written["config"].contains("tables"));
  const ActivationFn back = activations::deserialize(Config::parse(written.dump()));
  EXPECT_TRUE(activations::serialize(back) == written);  // EXPECT_EQ would print both
  EXPECT_TRUE(expression_of(back).tables().value);
  // Saved without tables, it stays without.
  Config plain = written;
  plain["config"].erase("tables");
  EXPECT_FALSE(expression_of(activations::deserialize(plain)).tables().value);

  const auto refuses = [&](auto&& damage) {
    Config damaged = written;
    damage(damaged["config"]["tables"]["value"]);
    EXPECT_THROW(activations::deserialize(damaged), ValueError);
  };
  refuses([](Config& t) { t["q"][0][1] = t["q"][0][1].get<float>() * 1.0001f; });
  refuses([](Config& t) { t["base"][3] = 1e30; });
  refuses([](Config& t) { t["base"].erase(0); });
  refuses([](Config& t) { t["q"].erase(0); });
  refuses([](Config& t) { t["rows"] = 17; });
  refuses([](Config& t) { t["rows"] = -16; });
  refuses([](Config& t) { t["degree"] = 99; });
  refuses([](Config& t) { t["reach"] = 1e30; });
  refuses([](Config& t) { t["reach"] = "8"; });
  refuses([](Config& t) { t["scale"] = nullptr; });
  refuses([](Config& t) { t["scale"] = -1; });
  refuses([](Config& t) { t.erase("centre"); });
  refuses([](Config& t) { t = Config::array(); });
}

}  // namespace
}  // namespace keratin
