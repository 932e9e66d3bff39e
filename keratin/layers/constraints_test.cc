#include "keratin/layers/constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"

namespace keratin {
namespace {

using namespace constraints;
using ::testing::HasSubstr;

// Columns of norm 5, 0.5 and 0.
Tensor weights() { return Tensor::of({{3, 0.3, 0}, {4, 0.4, 0}}, DType::float64); }

double norm(const Tensor& w, std::int64_t column) { return std::hypot(w.at({0, column}), w.at({1, column})); }

TEST(Constraints, BringEachColumnToItsNorm) {
  struct Row {
    Constraint constraint;
    double first, second;
  };
  const Row rows[] = {
      {MaxNorm{2}, 2, 0.5},
      {MinMaxNorm{1, 2}, 2, 1},
      {MinMaxNorm{.min_value = 1, .max_value = 2, .rate = 0.25}, 0.25 * 2 + 0.75 * 5, 0.25 + 0.375},
      {UnitNorm{}, 1, 1}};
  for (const Row& row : rows) {
    const Tensor w = row.constraint(weights());
    // Keras divides by n + 1e-7: relative 2e-8 of a norm of 5, 2e-7 of 0.5.
    EXPECT_NEAR(norm(w, 0), row.first, row.first * 2.1e-8);
    EXPECT_NEAR(norm(w, 1), row.second, row.second * 2.1e-7);
    EXPECT_EQ(norm(w, 2), 0);
  }
}

TEST(Constraints, NormsFollowTheAxis) {
  const Tensor rows = Constraint(UnitNorm{.axis = 1})(weights());
  EXPECT_NEAR(std::hypot(rows.at({0, 0}), rows.at({0, 1})), 1, 4e-8);
  const Tensor all = Constraint(UnitNorm{.axis = {0, 1}})(weights());
  EXPECT_NEAR(std::hypot(norm(all, 0), norm(all, 1)), 1, 2.1e-8);
  EXPECT_THROW(Constraint(UnitNorm{.axis = 2})(weights()), ShapeError);
}

TEST(Constraints, NonNegCutsAtZero) {
  const Tensor w = Constraint("non_neg")(Tensor::of({-1, 0, 2}));
  EXPECT_EQ(w.at({0}), 0);
  EXPECT_EQ(w.at({1}), 0);
  EXPECT_EQ(w.at({2}), 2);
}

TEST(Constraints, NothingLeavesTheWeightAlone) {
  const Tensor w = weights();
  EXPECT_EQ(Constraint()(w).data(), w.data());
  EXPECT_TRUE(Constraint(std::nullopt).serialize().is_null());
}

// As both Keras write them.
TEST(Constraints, AreWrittenAndReadAsKerasDoes) {
  const std::pair<Constraint, const char*> rows[] = {
      {MaxNorm{0.8},
       R"({"module": "keras.constraints", "class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": 0}, "registered_name": null})"},
      {"NonNeg",
       R"({"module": "keras.constraints", "class_name": "NonNeg", "config": {}, "registered_name": null})"},
      {"unit_norm",
       R"({"module": "keras.constraints", "class_name": "UnitNorm", "config": {"axis": 0}, "registered_name": null})"},
      {MinMaxNorm{.min_value = 0.5, .axis = {0, 1}},
       R"({"module": "keras.constraints", "class_name": "MinMaxNorm", "config": {"min_value": 0.5, "max_value": 1.0, "rate": 1.0, "axis": [0, 1]}, "registered_name": null})"}};
  for (const auto& [constraint, text] : rows) {
    EXPECT_EQ(constraint.serialize().dump(), Config::parse(text).dump());
    EXPECT_EQ(deserialize(Config::parse(text)).serialize().dump(), Config::parse(text).dump());
  }
  for (const char* old : {"maxnorm", "max_norm", "MaxNorm"}) {
    EXPECT_EQ(Constraint(old).serialize()["class_name"], "MaxNorm");
  }
}

TEST(Constraints, AnUnknownNameGetsTheNearest) {
  try {
    Constraint("min_max_nrm");
    FAIL();
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Did you mean \"MinMaxNorm\"?"));
  }
  EXPECT_THROW(deserialize(3.5), ValueError);
}

}  // namespace
}  // namespace keratin
