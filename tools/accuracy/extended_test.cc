// The oracle of f64 against MPFR, and its sweep against a kernel that is wrong on purpose.
#include "tools/accuracy/extended.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tools/accuracy/double_sweep.h"

namespace keratin::accuracy {
namespace {

constexpr Direction kDirections[] = {Direction::value, Direction::gradient};

// Half of them from every binade, half between 2^-12 and 2^7; both signs.
std::vector<double> spread(std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<double> x;
  while (x.size() < count) {
    std::uint64_t bits = random();
    if (x.size() % 2 == 1) bits = (bits & 0x800fffffffffffffULL) | (1011 + bits % 19) << 52;
    if (const double value = std::bit_cast<double>(bits); std::isfinite(value)) x.push_back(value);
  }
  return x;
}

Row row_of(const Variant& variant, Direction direction) {
  Row row;
  row.function = variant.function->info->name;
  row.direction = direction;
  row.type = Type::f64;
  row.hashes.assign(1, 0);
  row.bound = 1;
  return row;
}

TEST(LongDoubleOracle, KnowsEveryDefinitionAndIsRightWithinTheErrorItStates) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const std::vector<double> x = spread(ExtendedWorkspace::kSize);
  for (const activations::Function& function : activations::functions()) {
    for (const Variant& variant : variants(function)) {
      const activations::Info& info = *function.info;
      Oracle oracle(info.formula, info.derivative, names(variant));
      for (const Direction direction : kDirections) {
        const bool slope = direction == Direction::gradient;
        SCOPED_TRACE(std::string(info.name) + " " + variant.text + (slope ? " gradient" : " value"));
        const auto program = compile(info.formula, info.derivative, names(variant), slope);
        ASSERT_TRUE(program.has_value());
        ExtendedWorkspace workspace(*program);
        workspace.run(x.data(), x.size());
        std::size_t narrow = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const Extended y = workspace.result(i);
          const bool known = std::isfinite(y.error) && std::isfinite(y.value);
          // Infinite or narrow enough to prove an error of less than 1 ULP, if the result is the nearest.
          narrow += std::isinf(y.value) || y.error <= std::fabs(y.value) * 0x1p-55L + 1e-4000L;
          EXPECT_TRUE(!known || oracle.within(x[i], slope, y.value, y.error))
              << y.value << " within " << y.error << " at " << x[i];
        }
        EXPECT_GE(narrow, x.size() * 9 / 10);
      }
    }
  }
}

TEST(DoubleSweep, FindsOneResultThatIsTwoUnitsOff) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Plan plan{.samples = 3, .isas = {simd::supported_isas().back()}};
  const Variant tanh = variants(*activations::find("tanh")).front();
  for (const Direction direction : kDirections) {
    const Kernel<double> right = kernel_of<double>(tanh, direction);
    Row good = row_of(tanh, direction), bad = good;
    double victim = 0;
    sweep_doubles(
        tanh, plan,
        [&](const double* x, double* y, std::size_t n) {
          right(x, y, n);
          for (std::size_t i = 0; i < n; ++i) {
            if (std::fabs(x[i]) > 0.5 && std::fabs(x[i]) < 2) victim = x[i];
          }
        },
        good);
    EXPECT_LE(good.max_ulp, 0.52) << "at " << good.worst_input;
    EXPECT_EQ(good.inputs, double_inputs(plan));
    ASSERT_NE(victim, 0);
    sweep_doubles(
        tanh, plan,
        [&](const double* x, double* y, std::size_t n) {
          right(x, y, n);
          for (std::size_t i = 0; i < n; ++i) {
            if (x[i] == victim) y[i] = std::nextafter(std::nextafter(y[i], 2.0), 2.0);
          }
        },
        bad);
    EXPECT_GE(bad.max_ulp, 1.5);
    EXPECT_LE(bad.max_ulp, 2.5);
    EXPECT_EQ(bad.worst_input, victim);
    EXPECT_NE(bad.hashes, good.hashes);
  }
}

TEST(DoubleSweep, SeesNaNAndInfinityWhereNumbersBelong) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Plan plan{.samples = 1, .isas = {simd::supported_isas().back()}};
  const Variant relu = variants(*activations::find("relu")).front();
  for (const double poison :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Row row = row_of(relu, Direction::value);
    sweep_doubles(
        relu, plan, [&](const double*, double* y, std::size_t n) { std::fill_n(y, n, poison); }, row);
    EXPECT_GT(row.max_ulp, 1000);
    EXPECT_GE(row.not_correctly_rounded, row.inputs * 9 / 10);
  }
}

}  // namespace
}  // namespace keratin::accuracy
