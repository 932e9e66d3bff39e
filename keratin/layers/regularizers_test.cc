#include "keratin/layers/regularizers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using namespace regularizers;
using ::testing::HasSubstr;

TEST(Regularizers, ThePenaltiesAreTheSumsOfTheirFormulas) {
  const Tensor w = Tensor::of({{1, -2}, {3, 0.5}}, DType::float64);
  // Σ|w| = 6.5, Σw² = 14.25; the tolerance is one rounding of the product.
  EXPECT_NEAR(Regularizer(L1{0.1})(w).item(), 0.65, 2e-16);
  EXPECT_NEAR(Regularizer(L2{0.1})(w).item(), 1.425, 3e-16);
  EXPECT_NEAR(Regularizer(L1L2{0.1, 0.2})(w).item(), 0.65 + 2.85, 1e-15);
  EXPECT_EQ(Regularizer(L1L2{})(w).item(), 0);
  EXPECT_NEAR(Regularizer("l2")(w).item(), 0.1425, 1e-16);
  EXPECT_EQ(Regularizer("l1l2")(w).item(), 0);
  EXPECT_NEAR(Regularizer("l1_l2")(w).item(), 0.2075, 1e-16);
  EXPECT_EQ(Regularizer(L2{0.1})(w.astype(DType::float32)).dtype(), DType::float32);
}

TEST(Regularizers, OrthogonalMeasuresTheCosinesBetweenRowsOrColumns) {
  // Rows (3, 4) and (1, 0): cosine 0.6. Columns (3, 1) and (4, 0): cosine 3/√10.
  const Tensor w = Tensor::of({{3, 4}, {1, 0}}, DType::float64);
  // One pair; each counts twice in the matrix and half in the formula. A few roundings: 1e-15.
  EXPECT_NEAR(Regularizer(OrthogonalRegularizer{0.5})(w).item(), 0.3, 1e-15);
  EXPECT_NEAR(Regularizer(OrthogonalRegularizer{0.5, "columns"})(w).item(), 0.5 * 3 / std::sqrt(10.0), 1e-15);
  EXPECT_THROW(Regularizer(OrthogonalRegularizer{})(Tensor::zeros({3})), ShapeError);
}

TEST(Regularizers, ThePenaltyIsRecorded) {
  const RecordGradients on;
  const Tensor w = Tensor::of({1, -2, 3}, DType::float64).watched();
  const Tensors targets = {w};
  const Tensor l2 = gradients(Regularizer(L2{0.1})(w), targets)[0];
  const Tensor l1 = gradients(Regularizer(L1{0.1})(w), targets)[0];
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(l2.at({i}), 0.2 * w.at({i}), 2e-16);
    EXPECT_EQ(l1.at({i}), w.at({i}) > 0 ? 0.1 : -0.1);
  }
}

TEST(Regularizers, NothingIsNoRegularizer) {
  for (const Regularizer& none : {Regularizer(), Regularizer(std::nullopt), Regularizer(nullptr)}) {
    EXPECT_FALSE(none);
    EXPECT_FALSE(none(Tensor::zeros({2})).is_defined());
    EXPECT_TRUE(none.serialize().is_null());
  }
  EXPECT_FALSE(deserialize(nullptr));
}

// As Keras writes them (3.15.1; tf-keras 2.21 writes the same but for the rounding of numbers to float32).
TEST(Regularizers, AreWrittenAndReadAsKerasDoes) {
  const std::pair<Regularizer, const char*> rows[] = {
      {L2{0.02},
       R"({"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.02}, "registered_name": null})"},
      {L1{0.009999999776482582},
       R"({"module": "keras.regularizers", "class_name": "L1", "config": {"l1": 0.009999999776482582}, "registered_name": null})"},
      {L1L2{0.005, 0.01},
       R"({"module": "keras.regularizers", "class_name": "L1L2", "config": {"l1": 0.005, "l2": 0.01}, "registered_name": null})"},
      {OrthogonalRegularizer{},
       R"({"module": "keras.regularizers", "class_name": "OrthogonalRegularizer", "config": {"factor": 0.01, "mode": "rows"}, "registered_name": null})"}};
  for (const auto& [regularizer, text] : rows) {
    EXPECT_EQ(regularizer.serialize().dump(), Config::parse(text).dump());
    EXPECT_EQ(deserialize(Config::parse(text)).serialize().dump(), Config::parse(text).dump());
  }
  const Config old = Config::parse(R"({"class_name": "L2", "config": {"l": 0.5}})");
  EXPECT_EQ(deserialize(old, Generation::keras2).serialize()["config"]["l2"], 0.5);
}

TEST(Regularizers, MistakesAreNamed) {
  EXPECT_THAT(message_of<ValueError>([] { Regularizer("l3"); }), HasSubstr("\"l3\""));
  EXPECT_THAT(message_of<ValueError>([] { Regularizer(L1{-1}); }), HasSubstr("l1=-1"));
  EXPECT_THAT(message_of<ValueError>([] {
                Regularizer(L1L2{0, std::numeric_limits<double>::infinity()});
              }),
              HasSubstr("l2=inf"));
  EXPECT_THAT(message_of<ValueError>([] { Regularizer(L2{std::numeric_limits<double>::quiet_NaN()}); }),
              HasSubstr("l2=nan"));
  EXPECT_THAT(message_of<ValueError>([] { Regularizer(OrthogonalRegularizer{.mode = "row"}); }),
              HasSubstr("Did you mean \"rows\"?"));
  EXPECT_THAT(message_of<ValueError>(
                  [] { deserialize(Config::parse(R"({"class_name": "L1", "config": {"l1": "a"}})")); }),
              HasSubstr("L1 config: \"l1\" is a number, received \"a\""));
}

}  // namespace
}  // namespace keratin
