#include "keratin/activations/piecewise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "keratin/activations/adaptive_tape.h"
#include "keratin/activations/backend.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

namespace K = backend;
using detail::piecewise_polynomial;
using testing::HasSubstr;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const Expr x = Expr::input();

struct Row {
  const char* name;
  Expr expression;
  std::size_t pieces;
  // Independent of expressions: plain C++ with 64 bits.
  long double (*value)(long double);
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"kink", K::where(x > 0, x, 0.1 * x * x + 0.5 * x), 2,
       [](long double v) { return v > 0 ? v : 0.1L * v * v + 0.5L * v; }},
      {"leaky", K::maximum(x, 0.125 * x), 2, [](long double v) { return v > 0 ? v : v / 8; }},
      {"squared relu", K::square(K::relu(x)), 2, [](long double v) { return v > 0 ? v * v : 0; }},
      {"cube", K::pow(x, 3) - x, 1, [](long double v) { return v * v * v - v; }},
      {"hard swish", x * K::clip(x / 8 + 0.5, 0, 1), 3,
       [](long double v) { return v * std::fmin(std::fmax(v / 8 + 0.5L, 0), 1); }},
      {"between", K::where(x > -2 && !(x >= 1), 1 - x, 0.25 * x), 3,
       [](long double v) { return v > -2 && v < 1 ? 1 - v : v / 4; }},
      {"four", K::where(x < -1, x + 2, K::where(x <= 0, x * x, K::minimum(2 * x, x + 3))), 4,
       [](long double v) { return v < -1   ? v + 2
                                  : v <= 0 ? v * v
                                           : std::fmin(2 * v, v + 3); }},
      // The kink is no float: 1/3.
      {"third", K::where(3 * x < 1, 2 - x, x), 2, [](long double v) { return 3 * v < 1 ? 2 - v : v; }},
  };
  return all;
}

std::vector<float> points() {
  std::vector<float> all = {0.0f, -0.0f, 1e-45f, -1e-45f, 1e-20f, 3e9f, -3e9f};
  for (const float kink : {-4.0f, -2.0f, -1.0f, 1.0f / 3, 1.0f, 3.0f, 4.0f}) {
    for (const float v : {kink, std::nextafter(kink, kInf), std::nextafter(kink, -kInf)}) all.push_back(v);
  }
  for (int i = -90; i < 90; ++i) all.push_back(0.0731f * static_cast<float>(i));
  return all;
}

TEST(PiecewisePolynomial, EveryPieceComputesTheFormulaUpToItsKinks) {
  const FloatEnvironment environment;
  const std::vector<float> in = points();
  for (const Row& row : rows()) {
    const auto f = piecewise_polynomial(row.expression.shared());
    ASSERT_TRUE(f) << row.name;
    EXPECT_EQ(f->pieces, row.pieces) << row.name;
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scoped(isa);
      std::vector<float> y(in.size());
      EXPECT_TRUE(detail::run_piecewise(*f, in.data(), nullptr, y.data(), in.size()));
      for (std::size_t i = 0; i < in.size(); ++i) {
        const long double v = in[i], exact = row.value(v);
        // Three roundings of steps, and of as many coefficients, on numbers no larger than these.
        const long double size = 1 + std::fabs(v) * (1 + std::fabs(v) * (1 + std::fabs(v)));
        EXPECT_NEAR(static_cast<long double>(y[i]), exact, std::fmin(6 * 0x1p-24L * size, 1e-5L * size))
            << row.name << " at " << in[i];
      }
    }
  }
}

TEST(PiecewisePolynomial, ActivationsRunThemWithinThreeUlpAndZerosKeepTheirSign) {
  const FloatEnvironment environment;
  for (const Row& row : rows()) {
    const AdaptiveTape tape(row.expression.shared());
    EXPECT_THAT(tape.explain(), HasSubstr("polynomial")) << row.name;
    EXPECT_LE(tape.max_ulp(), AdaptiveTape::kMaxUlp);
    const std::vector<float> in = {0.0f, -0.0f, kInf, -kInf, kNaN, 1.5f};
    const std::vector<double> wide(in.begin(), in.end());
    std::vector<float> y(in.size());
    std::vector<double> exact(in.size());
    tape.run(in.data(), nullptr, y.data(), in.size());
    tape.run(wide.data(), nullptr, exact.data(), in.size());
    for (std::size_t i = 0; i < 5; ++i) {
      const auto rounded = static_cast<float>(exact[i]);
      if (std::isnan(rounded) && std::isnan(y[i])) continue;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(y[i]), std::bit_cast<std::uint32_t>(rounded))
          << row.name << " at " << in[i];
    }
  }
}

TEST(PiecewisePolynomial, GradientsMultiplyWhatArrives) {
  const Expr slope = Expr(detail::make_input(ExprOp::upstream)) * rows()[0].expression.derivative();
  const auto f = piecewise_polynomial(slope.shared());
  ASSERT_TRUE(f);
  EXPECT_TRUE(f->takes_upstream);
  const float in[] = {-2, 3}, upstream[] = {10, 20};
  float y[2];
  EXPECT_TRUE(detail::run_piecewise(*f, in, upstream, y, 2));
  EXPECT_FLOAT_EQ(y[0], 10 * (0.5f - 0.4f));
  EXPECT_EQ(y[1], 20);
}

TEST(PiecewisePolynomial, SaysWhereANumberIsNotFinite) {
  const auto f = piecewise_polynomial(rows()[0].expression.shared());
  for (const std::size_t bad : {std::size_t{0}, std::size_t{64}, std::size_t{200}}) {
    for (const float value : {kInf, -kInf, kNaN}) {
      std::vector<float> in(201, 3e38f), y(201);
      EXPECT_TRUE(detail::run_piecewise(*f, in.data(), nullptr, y.data(), in.size()));
      in[bad] = value;
      EXPECT_FALSE(detail::run_piecewise(*f, in.data(), nullptr, y.data(), in.size())) << bad;
    }
  }
}

TEST(PiecewisePolynomial, OthersAreNone) {
  const Expr upstream(detail::make_input(ExprOp::upstream));
  const std::pair<const char*, Expr> others[] = {
      {"no polynomial", K::where(x > 0, x, K::exp(x))},
      {"a quotient", K::where(x > 0, x, 1 / (1 + x * x))},
      {"degree 4", K::where(x > 0, x * x * (x * x), x)},
      {"a kink of curves", K::minimum(1, x * x)},
      {"five pieces", K::clip(x, -1, 1) + 2 * K::clip(x, -2, 2)},
      {"a value of its own at the kink", K::where(x == 0, 7, x) + K::where(x > 0, x, 0)},
      {"the mean of both sides", upstream * K::maximum(x, 0.5 * x).derivative()},
      {"rounding", K::floor(x)},
      {"a kink beyond every float", K::where(x < 1e300, x, 2 * x)},
      {"a coefficient beyond every float", 1e300 * x},
  };
  for (const auto& [name, expression] : others)
    EXPECT_FALSE(piecewise_polynomial(expression.shared())) << name;
}

}  // namespace
}  // namespace keratin
