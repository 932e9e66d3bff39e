#include "keratin/activations/adaptive_tape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

namespace K = backend;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const Expr x = Expr::input();

struct Row {
  const char* name;
  Expr expression;
  // Independent of the tapes: the C library with 64 bits.
  long double (*value)(long double);
  float least_reach;
};

long double sigmoid(long double v) { return 1 / (1 + std::exp(-v)); }

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"abs(x)*sigmoid(x)", K::abs(x) * K::sigmoid(x),
       [](long double v) { return std::fabs(v) * sigmoid(v); }, 16},
      {"where(x > 0, x, 0.1x² + 0.5x)", K::where(x > 0, x, 0.1 * x * x + 0.5 * x),
       [](long double v) { return v > 0 ? v : 0.1L * v * v + 0.5L * v; }, 1e10f},
      {"max(x, -2x) - min(1, x²)/4", K::maximum(x, -2 * x) - K::minimum(1, x * x) / 4,
       [](long double v) { return std::fmax(v, -2 * v) - std::fmin(1.0L, v * v) / 4; }, 1e10f},
      {"(2 - 3x)/(1 + x²)", (2 - 3 * x) / (1 + x * x),
       [](long double v) { return (2 - 3 * v) / (1 + v * v); }, 1e10f},
      {"clip(x, -1, 2)*atan(x)", K::clip(x, -1, 2) * K::atan(x),
       [](long double v) { return std::fmin(std::fmax(v, -1.0L), 2.0L) * std::atan(v); }, 1e10f},
      {"sqrt(1 + |x|)*sign(x)", K::sqrt(1 + K::abs(x)) * K::sign(x),
       [](long double v) { return v == 0 ? v : std::copysign(std::sqrt(1 + std::fabs(v)), v); }, 1e10f},
  };
  return all;
}

// In units of the last place of the exact value, or of `least`.
double error_of(float y, long double exact, long double least) {
  if (y == static_cast<float>(exact)) return 0;  // both may be infinite
  const auto size = static_cast<double>(std::fmax(std::fabs(exact), least));
  const double ulp = size < 0x1p-126 ? 0x1p-149 : std::ldexp(1.0, std::ilogb(size) - 23);
  return static_cast<double>(std::fabs(static_cast<long double>(y) - exact)) / ulp;
}

// Every 49,999th float below `reach`, of both signs.
std::vector<float> floats_below(float reach) {
  std::vector<float> values;
  for (std::uint32_t bits = 0; bits < std::bit_cast<std::uint32_t>(reach); bits += 49'999) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-std::bit_cast<float>(bits));
  }
  return values;
}

std::vector<float> run(const AdaptiveTape& tape, const std::vector<float>& in) {
  std::vector<float> out(in.size());
  tape.run(in.data(), nullptr, out.data(), in.size());
  return out;
}

TEST(AdaptiveTape, Float32IsWithinFourUlpOnEveryFloatTried) {
  const FloatEnvironment environment;
  for (const Row& row : rows()) {
    const AdaptiveTape tape(row.expression.shared());
    EXPECT_GE(tape.reach(), row.least_reach) << row.name << ": " << tape.explain();
    const std::vector<float> in = floats_below(std::numeric_limits<float>::max()), out = run(tape, in);
    double worst = 0;
    float at = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      // At the roots but 0, 2/3 and -5, the unit is a quarter of max(1, |root|).
      const long double root = in[i] < 0 ? -5.0L : 2.0L / 3, size = std::fmax(1.0L, std::fabs(root));
      const bool near_root = std::fabs(in[i] - root) < std::fmax(0.5L, std::fabs(root) / 2);
      const double error = error_of(out[i], row.value(in[i]), near_root ? size / 4 : 0);
      if (error > worst) worst = error, at = in[i];
    }
    // One more than what is measured at the points tried: others may be off by more.
    EXPECT_LE(worst, AdaptiveTape::kMaxUlp + 1) << row.name << " at " << at << ": " << tape.explain();
  }
}

TEST(AdaptiveTape, WhereFloat32LosesDigitsItIsComputedInDouble) {
  const FloatEnvironment environment;
  // sigmoid(-30) of a rounded product would be off by 2^5 ULP; sums that cancel lose everything.
  const AdaptiveTape quick((x * K::sigmoid(1.702 * x)).shared()), shrunk((x - K::atan(x)).shared()),
      raised((1 + K::tanh(x)).shared());
  for (const float v : {-40.0f, -21.3f, -13.7f}) {
    const long double exact = v * sigmoid(1.702L * v);
    // Double, rounded once.
    EXPECT_LE(error_of(run(quick, {v})[0], exact, 0), 0.51) << v;
  }
  for (const float v : {1e-3f, 0.01f, -0.2f}) {
    EXPECT_LE(error_of(run(shrunk, {v})[0], v - std::atan(static_cast<long double>(v)), 0), 0.51) << v;
  }
  EXPECT_LE(error_of(run(raised, {-6})[0], 2 * sigmoid(-12), 0), 0.51);
  EXPECT_EQ(shrunk.reach(), 0);
  EXPECT_THAT(shrunk.explain(), testing::HasSubstr("in double, rounded once"));
}

TEST(AdaptiveTape, InstructionSetsLengthsAndNeighboursChangeNoBit) {
  const FloatEnvironment environment;
  std::vector<float> in;
  for (int i = -700; i < 700; ++i) in.push_back(0.0371f * static_cast<float>(i));
  in.insert(in.end(), {kInf, -kInf, kNaN, 0.0f, -0.0f, 1e-42f, 3e38f});
  for (const Row& row : rows()) {
    for (const bool gradient : {false, true}) {
      Expr expression = row.expression;
      if (gradient) expression = Expr(detail::make_input(ExprOp::upstream)) * row.expression.derivative();
      const AdaptiveTape tape(expression.shared());
      std::vector<float> upstream(in.size()), first;
      std::iota(upstream.begin(), upstream.end(), 0.5f);
      for (const simd::Isa isa : simd::supported_isas()) {
        const simd::ScopedIsa scoped(isa);
        std::vector<float> y(in.size());
        tape.run(in.data(), upstream.data(), y.data(), in.size());
        if (first.empty()) first = y;
        for (std::size_t i = 0; i < in.size(); ++i) {
          if (std::isnan(y[i]) && std::isnan(first[i])) continue;
          ASSERT_EQ(std::bit_cast<std::uint32_t>(y[i]), std::bit_cast<std::uint32_t>(first[i]))
              << row.name << " at " << in[i] << " on " << simd::name(isa);
        }
      }
      for (const std::size_t count : {std::size_t{1}, std::size_t{127}, std::size_t{128}, std::size_t{513}}) {
        // In place of x, and of the upstream gradient.
        std::vector<float> y(in.begin() + 5, in.begin() + 5 + static_cast<std::ptrdiff_t>(count));
        tape.run(y.data(), upstream.data() + 5, y.data(), count);
        EXPECT_EQ(std::memcmp(y.data(), first.data() + 5, count * sizeof(float)), 0) << row.name << count;
        std::copy_n(upstream.begin() + 5, count, y.begin());
        tape.run(in.data() + 5, y.data(), y.data(), count);
        EXPECT_EQ(std::memcmp(y.data(), first.data() + 5, count * sizeof(float)), 0) << row.name << count;
      }
    }
  }
}

// Every step, in each place that its accumulator may have: against the double tape.
TEST(SingleTape, EveryOperationInEveryPlaceComputesWhatTheDoubleTapeDoes) {
  const FloatEnvironment environment;
  const Expr a = K::exp(x), b = K::sin(x), c = x * x;
  const Expr all[] = {a + b,
                      a - b,
                      b - (a + 1),
                      (a + 1) - b,
                      a * b,
                      (a + 1) / (c + 2),
                      a / (b + 3),
                      K::minimum(a, b + c),
                      K::maximum(b + c, a),
                      a * b + c,
                      c + a * b,
                      a * b - c,
                      c - a * b,
                      (x + 3) * b - a,
                      a - (x + 3) * b,
                      (x + 1) - a * b,
                      a * b - (x + 1),
                      K::where(x + a > 2, a, b),
                      K::where(x > 0.5, b + 1, a),
                      K::where(x > 0.5, a, b + 1),
                      K::where(2 < x + a, b, x),
                      K::where(x <= 0.25 || a + x >= 3, a, x),
                      K::where(!(x + 1 <= 1) && b + 1 > a - 1, a, x),
                      K::where(x + 1 == 1, a, b),
                      K::clip(a - 1, -0.5, 2),
                      K::floor(x * 3) + K::round(a) + K::sign(b),
                      K::sqrt(K::abs(x - 1)) * -(x + 1),
                      K::square(a + 1) * (a + 1) + (a + 1),
                      K::pow(c + 1, 1.5),
                      K::mish(x) + K::elu(x, 0.5) * K::tanh(x).derivative(),
                      K::sigmoid(2 * x).derivative() * (1 + a),
                      K::gelu(x).derivative(),
                      x,
                      Expr(2.5)};
  std::vector<float> in;
  for (int i = -160; i <= 160; ++i) in.push_back(static_cast<float>(i) / 64);
  const std::vector<double> wide(in.begin(), in.end());
  for (const Expr& e : all) {
    std::vector<float> y(in.size());
    std::vector<double> exact(in.size());
    SingleTape(e.shared()).run(in.data(), nullptr, y.data(), in.size());
    Tape(e.shared()).run(wide.data(), nullptr, exact.data(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      // Three factors within 1.5 ULP and a few roundings, of numbers below 16 or of the result.
      ASSERT_NEAR(y[i], exact[i], 8 * 0x1p-24 * std::fmax(16, std::fabs(exact[i])))
          << e.to_string() << " at " << in[i];
    }
  }
}

TEST(AdaptiveTape, TheErrorOfPolynomialsThatWereRefusedIsNotReported) {
  // x² - 2x + 1 loses all digits next to 1, where (x - 1)² is right: two roundings, one of them twice.
  const AdaptiveTape tape(K::where(x > 0, K::square(x - 1), x).shared());
  EXPECT_EQ(tape.reach(), kInf) << tape.explain();
  EXPECT_THAT(tape.explain(), testing::HasSubstr("passes in float32"));
  EXPECT_LE(tape.max_ulp(), 2) << tape.explain();
}

TEST(SingleTape, FewPassesComputeALongExpression) {
  // tanh, sigmoid and the arithmetic around them: the product goes into the sum, the chain ends in the
  // result.
  const Expr e = K::tanh(x) * K::sigmoid(x) + K::where(x > 0, x * x, 0.5 * x - 1);
  EXPECT_LE(SingleTape(e.shared()).instructions(), 5u);
  // A slope is multiplied by its factor on the way.
  const Expr slope = Expr(detail::make_input(ExprOp::upstream)) * K::mish(x).derivative();
  EXPECT_EQ(SingleTape(slope.shared()).instructions(), 1u);
}

}  // namespace
}  // namespace keratin
