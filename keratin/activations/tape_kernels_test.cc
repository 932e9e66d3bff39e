#include "keratin/activations/tape_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Real = long double;

std::vector<double> run(ExprOp op, std::vector<double> x, double constant = 0) {
  const FloatEnvironment environment;
  const std::size_t count = x.size();
  x.resize((count + 7) / 8 * 8);
  const std::vector<double> constants(8, constant);
  detail::block_kernel(op)({x.data()}, {constants.data(), 0}, {}, x.data(), x.size());
  x.resize(count);
  return x;
}

// |y - exact| in units of the last place of the exact value; subnormal results in that of the smallest.
double ulp(Real exact, double y) {
  if (std::isnan(exact) || std::isnan(y)) return std::isnan(exact) == std::isnan(y) ? 0 : kInf;
  if (std::isinf(y) || std::isinf(static_cast<double>(exact)))
    return static_cast<double>(exact) == y ? 0 : kInf;
  const int exponent = exact == 0 ? -1022 : std::max(std::ilogb(exact), -1022);
  return static_cast<double>(std::fabs(y - exact) / std::ldexp(Real(1), exponent - 52));
}

// Magnitudes spread evenly over the exponents of [2^low, 2^high], both signs.
std::vector<double> sweep(int low, int high, std::size_t count, bool negative) {
  std::vector<double> values;
  std::uint64_t state = 7;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double fraction = static_cast<double>(i) / static_cast<double>(count);
    const int exponent = low + static_cast<int>(fraction * (high - low));
    const double mantissa = 1 + static_cast<double>(state >> 12) * 0x1p-52;
    values.push_back(std::ldexp(negative && (state & 2048) != 0 ? -mantissa : mantissa, exponent));
  }
  return values;
}

struct Row {
  const char* name;
  ExprOp op;
  // 64 bits, from the C library: its errors of an ulp of their own are 2^-11 of ours.
  Real (*exact)(Real);
  int low, high;
  bool negative;
  double max_ulp;
};

// The bounds that tape_math.inl states; simd/math_test.cc has the other functions.
const Row kRows[] = {
    {"sin", ExprOp::sin, std::sin, -40, 29, true, 1},
    {"sin, huge", ExprOp::sin, std::sin, 30, 1020, true, 1},
    {"sin, subnormal", ExprOp::sin, std::sin, -1074, -1000, true, 0.5},
    {"cos", ExprOp::cos, std::cos, -40, 29, true, 1},
    {"cos, huge", ExprOp::cos, std::cos, 30, 1020, true, 1},
    {"atan", ExprOp::atan, std::atan, -40, 60, true, 2.5},
    {"atan, around 1", ExprOp::atan, std::atan, -3, 3, true, 2.5},
    {"sinh", ExprOp::sinh, std::sinh, -40, 10, true, 2},
    {"sinh, around 1", ExprOp::sinh, std::sinh, -3, 7, true, 2},
    {"cosh", ExprOp::cosh, std::cosh, -40, 10, true, 2},
};

TEST(TapeKernels, FunctionsMeetTheirBoundOnEveryInstructionSet) {
  for (const Row& row : kRows) {
    const std::vector<double> x = sweep(row.low, row.high, 40'000, row.negative);
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scoped(isa);
      const std::vector<double> y = run(row.op, x);
      double worst = 0, worst_x = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulp(row.exact(x[i]), y[i]);
        if (error > worst) worst = error, worst_x = x[i];
      }
      EXPECT_LE(worst, row.max_ulp) << row.name << " of " << worst_x << " on " << simd::name(isa);
    }
  }
}

TEST(TapeKernels, PowersMeetTheirBound) {
  struct Power {
    double exponent;
    bool negative;
  };
  for (const Power& power : {Power{3, true}, Power{-2, true}, Power{7, true}, Power{0.25, false},
                             Power{-1.5, false}, Power{2.7, false}, Power{101, true}}) {
    const int high = static_cast<int>(1000 / std::fabs(power.exponent)), low = -high;
    const std::vector<double> x = sweep(std::max(low, -60), std::min(high, 60), 20'000, power.negative);
    const std::vector<double> y = run(ExprOp::power, x, power.exponent);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real exact = std::pow(Real(x[i]), Real(power.exponent));
      // log's 0.95 and exp's 0.8 ulp, the first grown by |c ln x|; by squaring half an ulp a product.
      const double grown = std::fabs(power.exponent * std::log(std::fabs(x[i])));
      const double bound = std::max(1.0 + 2 * grown, std::fabs(power.exponent));
      ASSERT_LE(ulp(exact, y[i]), bound) << x[i] << "^" << power.exponent;
    }
  }
}

TEST(TapeKernels, LimitsAndSignsOfZeroAreKept) {
  struct Case {
    ExprOp op;
    double x, y;
  };
  const double half_pi = std::acos(0.0);
  const Case cases[] = {
      {ExprOp::sin, -0.0, -0.0},
      {ExprOp::sin, kInf, kNaN},
      {ExprOp::cos, 0, 1},
      {ExprOp::cos, -kInf, kNaN},
      {ExprOp::atan, -0.0, -0.0},
      {ExprOp::atan, kInf, half_pi},
      {ExprOp::atan, -kInf, -half_pi},
      {ExprOp::sinh, -0.0, -0.0},
      {ExprOp::sinh, -kInf, -kInf},
      {ExprOp::sinh, 711, kInf},
      {ExprOp::cosh, -kInf, kInf},
      {ExprOp::cosh, 711, kInf},
      {ExprOp::cosh, 0, 1},
      {ExprOp::exp, -kInf, 0},
      {ExprOp::exp, kInf, kInf},
      {ExprOp::log, 0, -kInf},
      {ExprOp::log, -1, kNaN},
      {ExprOp::log, kInf, kInf},
      {ExprOp::log1p, -1, -kInf},
      {ExprOp::log1p, -2, kNaN},
      {ExprOp::sqrt, -1, kNaN},
      {ExprOp::sqrt, -0.0, -0.0},
      {ExprOp::sign, -0.0, -0.0},
      {ExprOp::sign, -kInf, -1},
      {ExprOp::floor, -0.5, -1},
      {ExprOp::floor, 1e300, 1e300},
      {ExprOp::floor, -kInf, -kInf},
      {ExprOp::round, 0.5, 0},
      {ExprOp::round, 1.5, 2},
      {ExprOp::round, 2.5, 2},
      {ExprOp::round, -0.25, -0.0},
      {ExprOp::round, 0x1p60, 0x1p60},
      {ExprOp::absolute, -0.0, 0.0},
      {ExprOp::negative, 0.0, -0.0},
      {ExprOp::gauss, kInf, 0},
      {ExprOp::erf, -kInf, -1},
  };
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scoped(isa);
    for (const Case& c : cases) {
      const double y = run(c.op, {c.x})[0];
      if (std::isnan(c.y)) {
        EXPECT_TRUE(std::isnan(y)) << detail::op_info(c.op).name << "(" << c.x << ") on " << simd::name(isa);
      } else {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(y), std::bit_cast<std::uint64_t>(c.y))
            << detail::op_info(c.op).name << "(" << c.x << ") = " << y << " on " << simd::name(isa);
      }
    }
    for (std::size_t op = 0; op < kExprOpCount; ++op) {
      const auto operation = static_cast<ExprOp>(op);
      const detail::ExprOpInfo& info = detail::op_info(operation);
      if (info.inputs != 1 || info.is_condition || detail::block_kernel(operation) == nullptr) continue;
      EXPECT_TRUE(std::isnan(run(operation, {kNaN})[0])) << info.name << "(nan) on " << simd::name(isa);
    }
  }
}

TEST(TapeKernels, InstructionSetsAndNeighboursChangeNoBit) {
  const std::vector<double> x = sweep(-30, 40, 4096, true);
  for (std::size_t op = 0; op < kExprOpCount; ++op) {
    const auto operation = static_cast<ExprOp>(op);
    const detail::ExprOpInfo& info = detail::op_info(operation);
    if (info.inputs != 1 || info.is_condition || detail::block_kernel(operation) == nullptr) continue;
    std::vector<double> first;
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scoped(isa);
      const std::vector<double> y = run(operation, x);
      if (first.empty()) first = y;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(first[i]) && std::isnan(y[i])) continue;
        ASSERT_EQ(std::bit_cast<std::uint64_t>(y[i]), std::bit_cast<std::uint64_t>(first[i]))
            << info.name << "(" << x[i] << ") on " << simd::name(isa);
      }
    }
    // Each alone, in another lane.
    for (std::size_t i = 5; i < x.size(); i += 97) {
      const double alone = run(operation, {1, 2, x[i]})[2];
      if (std::isnan(alone) && std::isnan(first[i])) continue;
      ASSERT_EQ(std::bit_cast<std::uint64_t>(alone), std::bit_cast<std::uint64_t>(first[i])) << info.name;
    }
  }
}

TEST(TapeKernels, MinimumAndMaximumKeepNaNOnEitherSide) {
  for (const ExprOp op : {ExprOp::minimum, ExprOp::maximum}) {
    EXPECT_TRUE(std::isnan(run(op, {kNaN}, 1)[0]));
    EXPECT_TRUE(std::isnan(run(op, {1}, kNaN)[0]));
  }
  EXPECT_EQ(run(ExprOp::minimum, {-kInf}, 1)[0], -kInf);
  EXPECT_EQ(run(ExprOp::maximum, {3}, 1)[0], 3);
}

}  // namespace
}  // namespace keratin
