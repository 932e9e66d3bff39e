// The fast oracle against MPFR, and sweeps against kernels that are wrong on purpose.
#include "tools/accuracy/bounded.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "tools/accuracy/float_sweep.h"
#include "tools/accuracy/rows.h"
#include "tools/accuracy/worst.h"

namespace keratin::accuracy {
namespace {

constexpr Direction kDirections[] = {Direction::value, Direction::gradient};

// Floats of every binade and both signs.
std::vector<float> spread(std::size_t count) {
  std::mt19937 random(1);
  std::vector<float> x;
  while (x.size() < count) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) x.push_back(value);
  }
  return x;
}

Row row_of(const Variant& variant, Direction direction) {
  Row row;
  row.function = variant.function->info->name;
  row.direction = direction;
  row.type = Type::f32;
  row.hashes.assign(1, 0);
  row.bound = 1;
  return row;
}

Variant variant_of(const char* function) { return variants(*activations::find(function)).front(); }

TEST(FastOracle, KnowsEveryDefinitionAndIsRightWithinTheErrorItStates) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const std::vector<float> x = spread(kBlockSize);
  for (const activations::Function& function : activations::functions()) {
    for (const Variant& variant : variants(function)) {
      const activations::Info& info = *function.info;
      Oracle oracle(info.formula, info.derivative, names(variant));
      for (const Direction direction : kDirections) {
        const bool slope = direction == Direction::gradient;
        SCOPED_TRACE(std::string(info.name) + " " + variant.text + " " + name(direction));
        const auto program = compile(info.formula, info.derivative, names(variant), slope);
        ASSERT_TRUE(program.has_value());
        Workspace workspace(*program);
        std::copy(x.begin(), x.end(), workspace.inputs());
        workspace.run();
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double value = workspace.values()[i], error = workspace.errors()[i];
          if (std::isinf(value)) continue;
          EXPECT_TRUE(oracle.within(static_cast<double>(x[i]), slope, value, error))
              << value << " within " << error << " at " << x[i];
          // Small enough to decide all but one float in a million.
          EXPECT_LE(error, std::fabs(value) * 0x1p-40 + 1e-70) << "at " << x[i];
        }
      }
    }
  }
}

TEST(FastOracle, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(compile("erf(x)*log(x)", "", {}, false).has_value());
  EXPECT_FALSE(compile("x^5", "", {}, false).has_value());
}

TEST(FloatSweep, FindsOneResultThatIsTwoUnitsOff) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Plan plan{.stride = 65'537, .isas = {simd::supported_isas().back()}};
  const Variant tanh = variant_of("tanh");
  for (const Direction direction : kDirections) {
    const Kernel<float> right = kernel_of<float>(tanh, direction);
    Row good = row_of(tanh, direction), bad = good;
    sweep_floats(tanh, plan, right, good);
    EXPECT_LE(good.max_ulp, 1) << "at " << good.worst_input;
    // A pattern of the plan, -0.8486787.
    const float victim = std::bit_cast<float>(65'537U * 48'951U);
    sweep_floats(
        tanh, plan,
        [&](const float* x, float* y, std::size_t n) {
          right(x, y, n);
          for (std::size_t i = 0; i < n; ++i) {
            if (x[i] == victim) y[i] = std::nextafter(std::nextafter(y[i], 2.0F), 2.0F);
          }
        },
        bad);
    EXPECT_GE(bad.max_ulp, 1.5);
    EXPECT_LE(bad.max_ulp, 2.5);
    EXPECT_EQ(bad.worst_input, static_cast<double>(victim));
    EXPECT_NE(bad.hashes, good.hashes);
    EXPECT_EQ(bad.inputs, good.inputs);
  }
}

TEST(FloatSweep, SeesNaNAndInfinityWhereNumbersBelong) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Plan plan{.stride = 65'537, .isas = {simd::supported_isas().back()}};
  const Variant softsign = variant_of("softsign");
  for (const float poison :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Row row = row_of(softsign, Direction::value);
    const float victim = std::bit_cast<float>(65'537U * 16'003U);
    const Kernel<float> right = kernel_of<float>(softsign, Direction::value);
    sweep_floats(
        softsign, plan,
        [&](const float* x, float* y, std::size_t n) {
          right(x, y, n);
          for (std::size_t i = 0; i < n; ++i) {
            if (x[i] == victim) y[i] = poison;
          }
        },
        row);
    EXPECT_GT(row.max_ulp, 1000);
    EXPECT_EQ(row.worst_input, static_cast<double>(victim));
  }
}

TEST(FloatSweep, GivesTheSameRowOnOneThreadAndOnThree) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Variant gelu = variant_of("gelu");
  Plan plan{.stride = 10'007, .isas = {simd::supported_isas().back()}};
  Row one = row_of(gelu, Direction::value), three = one;
  sweep_floats(gelu, plan, kernel_of<float>(gelu, Direction::value), one);
  plan.threads = 3;
  sweep_floats(gelu, plan, kernel_of<float>(gelu, Direction::value), three);
  EXPECT_EQ(one.hashes, three.hashes);
  EXPECT_EQ(one.inputs, three.inputs);
  EXPECT_NEAR(one.max_ulp, three.max_ulp, 0x1p-20);
}

TEST(HashOfResults, DependsOnEveryWordAndPlaceButNotOnTheKindOfNaN) {
  std::vector<std::uint32_t> words(100);
  for (std::uint32_t i = 0; i < words.size(); ++i) words[i] = 0x3f800000U + i;
  const std::uint64_t before = hash_words(words);
  std::swap(words[3], words[99]);
  EXPECT_NE(hash_words(words), before);
  std::swap(words[3], words[99]);
  words[99] ^= 1;
  EXPECT_NE(hash_words(words), before);
  words[99] = 0x7fc00000U;
  const std::uint64_t quiet = hash_words(words);
  words[99] = 0xffc00001U;
  EXPECT_EQ(hash_words(words), quiet);
}

TEST(RowFile, KeepsWhatIsThereAndTakesRowsOfOtherPlansForOthers) {
  const std::string path = testing::TempDir() + "keratin_accuracy_rows.json";
  std::remove(path.c_str());
  const Variant tanh = variant_of("tanh");
  const simd::Isa best = simd::supported_isas().back();
  const Plan plan{.stride = 1, .isas = {best}}, sample{.stride = 3, .isas = {best}};
  Row row = row_of(tanh, Direction::value);
  row.max_ulp = 0.75;
  RowFile(path, false).add(row, plan, nullptr);
  const RowFile resumed(path, true);
  const auto* found = resumed.find(tanh, Direction::value, Type::f32, plan, best);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->at("max_ulp"), 0.75);
  EXPECT_EQ(resumed.find(tanh, Direction::gradient, Type::f32, plan, best), nullptr);
  EXPECT_EQ(resumed.find(tanh, Direction::value, Type::f32, sample, best), nullptr);
  // Errors found on one instruction set are those of all with the same bits.
  EXPECT_EQ(resumed.find_judged(tanh, Direction::value, Type::f32, plan), found);
  EXPECT_EQ(resumed.find_judged(tanh, Direction::gradient, Type::f32, plan), nullptr);
  EXPECT_EQ(RowFile(path, false).find(tanh, Direction::value, Type::f32, plan, best), nullptr);
  std::remove(path.c_str());
}

TEST(WorstInputs, AreWrittenOnceAndReadBack) {
  const std::string path = testing::TempDir() + "keratin_accuracy_worst.txt";
  std::remove(path.c_str());
  Row row = row_of(variant_of("elu"), Direction::gradient);
  row.parameters = "alpha=0.3";
  row.worst_input = -0x1.8p-130;
  row.max_ulp = 0.5;
  append_worst(path, row);
  row.max_ulp = 0.9;
  append_worst(path, row);
  append_worst(path, row);
  const std::vector<Worst> worst = read_worst(path);
  ASSERT_EQ(worst.size(), 1U);
  EXPECT_EQ(worst[0].function, "elu");
  EXPECT_EQ(worst[0].parameters, "alpha=0.3");
  EXPECT_EQ(worst[0].direction, Direction::gradient);
  EXPECT_EQ(worst[0].type, Type::f32);
  EXPECT_EQ(worst[0].input, -0x1.8p-130);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace keratin::accuracy
