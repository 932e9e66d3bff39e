#include "keratin/training/learning_rate.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/core/error.h"

namespace keratin {
namespace {

using namespace optimizers::schedules;

constexpr std::array<std::int64_t, 7> kSteps{0, 1, 4, 5, 7, 12, 33};

struct Case {
  const char* name;
  LearningRate rate;
  std::array<double, 7> expected;  // at kSteps, by the formulas in 40 digits (mpmath)
};

std::vector<Case> cases() {
  return {
      {"ExponentialDecay",
       ExponentialDecay{0.1, 5, 0.7},
       {0.1, 0.093114991509483768839, 0.075175864665004554903, 0.07, 0.060692811506678640519,
        0.042484968054675048363, 0.0094983258426999068278}},
      {"ExponentialDecay in stairs",
       ExponentialDecay{0.1, 5, 0.7, true},
       {0.1, 0.1, 0.1, 0.07, 0.07, 0.049, 0.0117649}},
      {"InverseTimeDecay",
       InverseTimeDecay{0.1, 5, 0.5},
       {0.1, 0.090909090909090909091, 0.071428571428571428571, 0.066666666666666666667,
        0.058823529411764705882, 0.045454545454545454545, 0.023255813953488372093}},
      {"InverseTimeDecay in stairs",
       InverseTimeDecay{0.1, 5, 0.5, true},
       {0.1, 0.1, 0.1, 0.066666666666666666667, 0.066666666666666666667, 0.05, 0.025}},
      {"PiecewiseConstantDecay",
       PiecewiseConstantDecay{{1, 5, 12}, {0.4, 0.3, 0.2, 0.1}},
       {0.4, 0.4, 0.3, 0.3, 0.2, 0.2, 0.1}},
      {"PolynomialDecay",
       PolynomialDecay{0.1, 10, 0.01, 2},
       {0.1, 0.0829, 0.0424, 0.0325, 0.0181, 0.01, 0.01}},
      {"PolynomialDecay in cycles",
       PolynomialDecay{0.1, 10, 0.01, 2, true},
       {0.1, 0.0829, 0.0424, 0.0325, 0.0181, 0.0244, 0.01275625}},
      {"CosineDecay",
       CosineDecay{0.1, 10, 0.1},
       {0.1, 0.097797543233281910745, 0.068905764746872634085, 0.055, 0.028549663646838709187, 0.01, 0.01}},
      {"CosineDecay after a warm-up",
       CosineDecay{.initial_learning_rate = 0.1,
                   .decay_steps = 10,
                   .alpha = 0.1,
                   .warmup_target = 0.3,
                   .warmup_steps = 5},
       {0.1, 0.14, 0.26, 0.3, 0.27421729424061790225, 0.085648990940516127562, 0.03}},
      {"CosineDecayRestarts",
       CosineDecayRestarts{0.1, 4, 2, 0.5, 0.1},
       {0.1, 0.086819805153394638598, 0.055, 0.053287289481503952013, 0.041110377228214519864, 0.0325,
        0.020585807111959497042}},
      {"CosineDecayRestarts of one length",
       CosineDecayRestarts{0.1, 4, 1, 0.5},
       {0.1, 0.08535533905932737622, 0.05, 0.04267766952966368811, 0.00732233047033631189, 0.0125,
        0.00033341929320049756336}},
      {"a function",
       [](std::int64_t step) { return 1.0 / static_cast<double>(step + 1); },
       {1, 1.0 / 2, 1.0 / 5, 1.0 / 6, 1.0 / 8, 1.0 / 13, 1.0 / 34}},
      {"a number", 0.25, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25}},
  };
}

TEST(LearningRates, FollowTheFormulas) {
  // A dozen operations on numbers up to 1, pow and cos within an ULP.
  for (const Case& c : cases())
    for (std::size_t i = 0; i < kSteps.size(); ++i)
      EXPECT_NEAR(c.rate(kSteps[i]), c.expected[i], 20 * 0x1p-53) << c.name << " at step " << kSteps[i];
}

TEST(LearningRates, ComeBackFromTheirConfigs) {
  for (const Case& c : cases()) {
    if (std::string(c.name) == "a function") {
      EXPECT_THROW(c.rate.serialize(), ValueError);
    } else if (c.rate.is_schedule()) {
      const LearningRate again = deserialize(c.rate.serialize());
      EXPECT_EQ(again.serialize(), c.rate.serialize()) << c.name;
      EXPECT_EQ(again(7), c.rate(7)) << c.name;
    }
  }
  // As Keras 3.15.1 writes it.
  EXPECT_EQ(LearningRate(CosineDecay{0.1, 15, 0.1}).serialize().dump(),
            R"({"module":"keras.optimizers.schedules","class_name":"CosineDecay","config":)"
            R"({"initial_learning_rate":0.1,"decay_steps":15,"alpha":0.1,"name":"CosineDecay",)"
            R"("warmup_target":null,"warmup_steps":0},"registered_name":null})");
}

TEST(LearningRates, MistakesAreNamed) {
  EXPECT_THROW(LearningRate(std::nan("")), ValueError);
  EXPECT_THROW(LearningRate(ExponentialDecay{0.1, 0, 0.7}), ValueError);
  EXPECT_THROW(LearningRate(CosineDecayRestarts{0.1, -1}), ValueError);
  EXPECT_THROW(LearningRate(PiecewiseConstantDecay{{1, 2}, {0.1, 0.2}}), ValueError);
  EXPECT_THROW(LearningRate(PiecewiseConstantDecay{{2, 2}, {0.1, 0.2, 0.3}}), ValueError);
  EXPECT_THROW(deserialize(Config::parse(R"({"class_name": "CosineDcay", "config": {}})")), ValueError);
  EXPECT_THROW(deserialize(Config::parse(R"({"class_name": "CosineDecay", "config": {"steps": 3}})")),
               ValueError);
  EXPECT_THROW(
      deserialize(Config::parse(R"({"class_name": "CosineDecay", "config": {"decay_steps": "many"}})")),
      ValueError);
}

}  // namespace
}  // namespace keratin
