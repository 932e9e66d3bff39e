// The user's formula with learned parameters: values and gradients by hand, sharing, files, mistakes.
#include "keratin/layers/parametric_activation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "keratin/activations/backend.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"

namespace keratin {
namespace {

namespace K = keratin::backend;
using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.7, .seed = 4};
const auto kSwish = [](auto x, auto beta) { return x * K::sigmoid(beta * x); };

TEST(ParametricActivation, ComputesTheFormulaWithItsParameters) {
  const ParametricActivation layer(
      kSwish, {.parameters = {{.name = "beta", .initializer = initializers::Constant{2}, .shared = true}},
               .dtype = kF64});
  const Tensor y = layer(Tensor::of({{-1.0, 0.5}}, kF64));
  EXPECT_NEAR(y.values<double>()[0], -1 / (1 + std::exp(2.0)), 1e-15);
  EXPECT_NEAR(y.values<double>()[1], 0.5 / (1 + std::exp(-1.0)), 1e-15);
  EXPECT_EQ(layer.count_params(), 1);
}

TEST(ParametricActivation, SharesParametersAsToldAndFromOneLengthToTheNext) {
  const auto params = [](const ActivationParameter& parameter) {
    const ParametricActivation layer("x * p", {.parameters = {parameter}});
    layer.build({Shape::kUnknown, 3, 4, 5});
    return layer.count_params();
  };
  EXPECT_EQ(params({.name = "p"}), 60);
  EXPECT_EQ(params({.name = "p", .shared_axes = AxisList{1, 2}}), 5);
  EXPECT_EQ(params({.name = "p", .shared = true}), 1);
  // More elements than a block of the tape holds, each channel with its own number.
  const ParametricActivation layer("x * p + q", {.parameters = {{.name = "p", .shared_axes = AxisList{1}},
                                                                {.name = "q", .initializer = "zeros"}},
                                                 .dtype = kF64});
  layer.build({Shape::kUnknown, 50, 7});
  layer.set_weights({Tensor::arange(7, kF64).expand_dims(0), Tensor::arange(350, kF64).reshape({50, 7})});
  const Tensor y = layer(Tensor::full({3, 50, 7}, 2, kF64));
  for (std::size_t i = 0; i < 3 * 350; ++i)
    ASSERT_EQ(y.values<double>()[i], 2.0 * static_cast<double>(i % 7) + static_cast<double>(i % 350)) << i;
}

TEST(ParametricActivation, GradientsMatchCentralDifferences) {
  const Tensor x = values_away_from({4, 3, 2}, {0});
  expect_gradients_match(
      "swish",
      [] {
        return ParametricActivation(
            kSwish, {.parameters = {{.name = "beta", .initializer = kNormal}}, .dtype = kF64});
      },
      x);
  expect_gradients_match(
      "shared and per channel",
      [] {
        return ParametricActivation(
            "a * tanh(b * x) + where(x > 0, b * x, a * x * x)",
            {.parameters = {{.name = "a", .initializer = kNormal, .shared = true},
                            {.name = "b", .initializer = kNormal, .shared_axes = AxisList{1}}},
             .dtype = kF64});
      },
      x);
}

TEST(ParametricActivation, HasSecondDerivatives) {
  const ParametricActivation layer(
      "exp(b * x)",
      {.parameters = {{.name = "b", .initializer = initializers::Constant{0.5}, .shared = true}},
       .dtype = kF64});
  layer.build({1, 1});
  const Tensor x = Tensor::of({2.0}, kF64).reshape({1, 1}).watched();
  Tensor slope;
  {
    const RecordGradients recording;
    const Tensor target[] = {x};
    slope = gradients(layer(x), target).front();
  }
  // b·e^(bx), whose derivatives are b²·e^(bx) and (1 + bx)·e^(bx).
  EXPECT_NEAR(slope.item(), 0.5 * std::exp(1.0), 1e-15);
  const Tensor target[] = {x};
  EXPECT_NEAR(gradients(slope, target).front().item(), 0.25 * std::exp(1.0), 1e-15);
  EXPECT_NEAR(gradients(slope, layer.variables()).front().item(), 2 * std::exp(1.0), 1e-14);
}

TEST(ParametricActivation, ComesBackFromItsConfigAsData) {
  const ParametricActivation layer(kSwish, {.parameters = {{.name = "beta",
                                                            .initializer = initializers::Constant{1.5},
                                                            .regularizer = regularizers::L2{0.1},
                                                            .constraint = "non_neg",
                                                            .shared_axes = AxisList{1}}}});
  const Config config = layer.serialize();
  EXPECT_EQ(config["config"]["formula"], "x * sigmoid(beta * x)");
  const Layer again = layers::deserialize(config);
  EXPECT_EQ(again.serialize(), config);
  const Tensor x = Tensor::of({-1.0, 0.5, 2.0, 3.0}).reshape({1, 2, 2});
  layer(x);
  again(x);
  EXPECT_EQ(again.count_params(), 2);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(again(x).values<float>()[i], layer(x).values<float>()[i]);
}

TEST(ParametricActivation, IsAnActivationOfOtherLayersToo) {
  const Dense layer(
      3, {.activation = ParametricActivation(kSwish, {.parameters = {{.name = "beta", .shared = true}}})});
  layer.build({Shape::kUnknown, 2});
  EXPECT_EQ(layer.count_params(), 2 * 3 + 3 + 1);
}

TEST(ParametricActivation, SaysWhatDoesNotFit) {
  EXPECT_THAT(message_of([] { ParametricActivation("beta * x"); }), HasSubstr("a known name"));
  EXPECT_THAT(message_of([] {
                ParametricActivation(Expr::parameter(1) * Expr::input(), {.parameters = {{.name = "a"}}});
              }),
              HasSubstr("takes 2, options name 1"));
  EXPECT_THAT(message_of([] { ParametricActivation{kSwish}; }), HasSubstr("the options name 0"));
  EXPECT_THAT(message_of([] {
                ParametricActivation("x * a", {.parameters = {{.name = "a"}, {.name = "a"}}});
              }),
              HasSubstr("\"a\""));
  EXPECT_THAT(message_of([] {
                ParametricActivation("x * a", {.parameters = {{.name = "a", .shared_axes = AxisList{0}}}});
              }),
              HasSubstr("axis 0 is the batch"));
  const ParametricActivation layer("x * a", {.parameters = {{.name = "a"}}});
  layer.build({Shape::kUnknown, 3});
  EXPECT_THROW(layer(Tensor::zeros({2, 4})), ShapeError);
}

}  // namespace
}  // namespace keratin
