// Every element-wise activation within its bounds: value and gradient, f32 and f64, default and other
// parameters, against its formula in MPFR; the same bits on every instruction set. tools/accuracy sweeps
// further.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "keratin/activations/registry.h"
#include "tools/accuracy/sweep.h"

namespace keratin::activations {
namespace {

using accuracy::Direction;
using accuracy::Plan;
using accuracy::Row;
using accuracy::Type;
using accuracy::Variant;

class Bounds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Bounds, AreKeptWithTheSameBitsOnEveryInstructionSet) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Function& function = functions()[GetParam()];
  // A prime stride: all low bits occur. About 2,000 f32 beside the neighbourhoods, 3,000 f64.
  const Plan plan{.stride = 1'999'993, .certify = 16, .samples = 1, .neighbours = 8};
  for (const Variant& variant : accuracy::variants(function)) {
    for (const Direction direction : {Direction::value, Direction::gradient}) {
      for (const Type type : {Type::f32, Type::f64}) {
        const Row row = accuracy::sweep(variant, direction, type, plan);
        SCOPED_TRACE(variant.text + (direction == Direction::value ? " value" : " gradient") +
                     (type == Type::f32 ? " f32" : " f64"));
        EXPECT_GT(row.certified, 1000U);
        EXPECT_LE(row.max_ulp, row.bound) << "worst at " << row.worst_input;
        for (std::size_t i = 0; i < row.hashes.size(); ++i) {
          EXPECT_EQ(row.hashes[i], row.hashes[0]) << simd::name(plan.isas[i]) << " gives other bits";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Activations, Bounds, ::testing::Range(std::size_t{0}, kFunctionCount),
                         [](const auto& info) { return std::string(functions()[info.param].info->name); });

TEST(BoundsOracle, KnowsPublishedValues) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  // DLMF 7.23 and Abramowitz & Stegun, table 26.1: Phi(1) = 0.84134 47460 68543; tanh(1), ln(2).
  accuracy::Oracle gelu("x/2*(1 + erf(x/sqrt(2)))", "", {});
  EXPECT_NEAR(gelu.value(1, 0.0).expected, 0.841344746068543, 1e-15);
  accuracy::Oracle tanh("tanh(x)", "", {});
  EXPECT_NEAR(tanh.value(1, 0.0).expected, 0.761594155955765, 1e-15);
  EXPECT_NEAR(tanh.derivative(0, 0.0).expected, 1, 0);
  accuracy::Oracle softplus("log(1 + exp(x))", "", {});
  EXPECT_NEAR(softplus.value(0, 0.0).expected, 0.693147180559945, 1e-15);
  EXPECT_EQ(softplus.value(1e300, 0.0).expected, 1e300);
  // One ULP off is one ULP.
  EXPECT_NEAR(softplus.value(0, std::nextafter(softplus.value(0, 0.0).expected, 1)).ulp, 1, 0.5);
  EXPECT_TRUE(std::isinf(softplus.value(0, std::numeric_limits<double>::quiet_NaN()).ulp));
}

}  // namespace
}  // namespace keratin::activations
