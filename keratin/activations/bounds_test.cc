// Every element-wise activation within its bounds: value and gradient, f32 and f64, default and other
// parameters, against its formula in MPFR; the same bits on every instruction set. tools/accuracy sweeps
// further.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "keratin/activations/registry.h"
#include "tools/accuracy/rows.h"
#include "tools/accuracy/sweep.h"
#include "tools/accuracy/worst.h"

namespace keratin::activations {
namespace {

using accuracy::Direction;
using accuracy::Plan;
using accuracy::Row;
using accuracy::Type;
using accuracy::Variant;

// Which of the stride's shares this commit tests: ./dev sets KERATIN_COMMIT to git's hash, so that a file's
// history covers many. Without it always the same.
std::uint64_t share(std::uint64_t stride) {
  const char* commit = std::getenv("KERATIN_COMMIT");
  std::uint64_t hash = 0;
  for (const char* c = commit == nullptr ? "" : commit; *c != 0; ++c)
    hash = hash * 31 + static_cast<unsigned char>(*c);
  return hash % stride;
}

class Bounds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Bounds, AreKeptWithTheSameBitsOnEveryInstructionSet) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Function& function = functions()[GetParam()];
  // A prime stride: all low bits occur. About 43,000 f32 beside the neighbourhoods, 3,000 f64.
  constexpr std::uint64_t kStride = 99'991;
  const Plan plan{.stride = kStride, .offset = share(kStride), .samples = 1, .neighbours = 8};
  for (const Variant& variant : accuracy::variants(function)) {
    for (const Direction direction : {Direction::value, Direction::gradient}) {
      for (const Type type : {Type::f32, Type::f64, Type::f16, Type::bf16}) {
        const Row row = accuracy::sweep(variant, direction, type, plan);
        SCOPED_TRACE(std::string(variant.text) + " " + name(direction) + " " + name(type));
        EXPECT_GT(row.inputs, 1000U);
        EXPECT_LE(row.max_ulp, row.bound) << "worst at " << row.worst_input;
        if (type == Type::f16 || type == Type::bf16) {
          EXPECT_EQ(row.not_correctly_rounded, 0U);
        }
        for (std::size_t i = 0; i < row.hashes.size(); ++i) {
          EXPECT_EQ(row.hashes[i], row.hashes[0]) << simd::name(plan.isas[i]) << " gives other bits";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Activations, Bounds, ::testing::Range(std::size_t{0}, kFunctionCount),
                         [](const auto& info) { return std::string(functions()[info.param].info->name); });

TEST(WorstInputs, OfEverySweepStayWithinTheirBounds) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  for (const accuracy::Worst& worst :
       accuracy::read_worst(KERATIN_SOURCE_DIR "/tools/accuracy/worst_inputs.txt")) {
    const Function* function = find(worst.function);
    ASSERT_NE(function, nullptr) << worst.function;
    for (const Variant& variant : accuracy::variants(*function)) {
      if (variant.text != worst.parameters) continue;
      SCOPED_TRACE(worst.function + " " + worst.parameters + " " + accuracy::name(worst.direction));
      const Row row = accuracy::sweep_one(variant, worst.direction, worst.type, worst.input);
      EXPECT_LE(row.max_ulp, row.bound) << "at " << worst.input;
      for (const std::uint64_t hash : row.hashes) EXPECT_EQ(hash, row.hashes[0]);
    }
  }
}

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
