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

// What tf-keras 2.21 makes of kernels that count up from 0, and from 100 for the second filter.
TEST(Constraints, RadialOnesAreEqualAlongRings) {
  const std::pair<std::int64_t, std::vector<double>> rows[] = {
      {2, {0, 0, 0, 0}},
      {3, {4, 4, 4, 4, 0, 4, 4, 4, 4}},
      {4, {15, 15, 15, 15, 15, 5, 5, 15, 15, 5, 5, 15, 15, 15, 15, 15}},
      {5,
       {18, 18, 18, 18, 18, 18, 12, 12, 12, 18, 18, 12, 6, 12, 18, 18, 12, 12, 12, 18, 18, 18, 18, 18, 18}}};
  for (const auto& [n, expected] : rows) {
    std::vector<double> counting;
    for (std::int64_t i = 0; i < n * n; ++i) {
      for (const double from : {0.0, 100.0}) counting.push_back(static_cast<double>(i) + from);
    }
    const Tensor w = Constraint("radial_constraint")(Tensor::from(counting, {n, n, 1, 2}));
    for (std::int64_t i = 0; i < n * n; ++i) {
      for (std::int64_t filter = 0; filter < 2; ++filter) {
        EXPECT_EQ(w.at({i / n, i % n, 0, filter}),
                  expected[static_cast<std::size_t>(i)] + static_cast<double>(100 * filter))
            << n << ", " << i;
      }
    }
  }
  const Constraint radial(RadialConstraint{});
  for (const Shape& shape : {Shape{3, 3}, Shape{3, 5, 1, 1}, Shape{1, 1, 2, 2}})
    EXPECT_THROW(radial(Tensor::zeros(shape)), ShapeError);
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
      {RadialConstraint{},
       R"({"module": "keras.constraints", "class_name": "RadialConstraint", "config": {}, "registered_name": null})"},
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
