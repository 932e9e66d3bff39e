// The mask that a model's output carries reaches its loss and metrics. Expected values: Keras 3.15.1 (JAX).
#include <gtest/gtest.h>

#include <vector>

#include "keratin/layers/layers.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

struct Problem {
  Tensor x = Tensor::of({1, 2, 0, 0, 3, -1, 0, 0, 0, 0, 2, 1}).reshape({2, 3, 2});
  Tensor y = Tensor::of({1, 5, 2, 7, 3, -1}).reshape({2, 3, 1});
  Tensor weights = Tensor::of({{1, 2, 3}, {4, 5, 0.5}});
};

void prepare(const Model& model) {
  model.build({Shape::kUnknown, 3, 2});
  model.set_weights({Tensor::of({0.5, -0.25}).reshape({2, 1}), Tensor::of({0.125})});
}

const CompileOptions kOptions = {
    .optimizer = SGD(0.1), .loss = "mse", .metrics = {"mae"}, .weighted_metrics = {"mse"}};

TEST(MaskedTraining, MaskedStepsCountInNeitherLossNorMetrics) {
  Sequential model{Masking(), Dense(1)};
  prepare(model);
  model.compile(kOptions);
  const Problem problem;
  const Metrics plain = model.evaluate(problem.x, problem.y);
  EXPECT_FLOAT_EQ(plain["loss"], 1.4322917461395264);
  EXPECT_FLOAT_EQ(plain["mae"], 0.9583333730697632);
  EXPECT_FLOAT_EQ(plain["mse"], 1.4322917461395264);
  const Metrics weighted = model.evaluate(problem.x, problem.y, {.sample_weight = problem.weights});
  EXPECT_FLOAT_EQ(weighted["loss"], 0.8567708730697632);
  EXPECT_FLOAT_EQ(weighted["mae"], 0.9583333730697632);
  EXPECT_FLOAT_EQ(weighted["mse"], 0.5711805820465088);
}

TEST(MaskedTraining, MaskedStepsGiveNoGradient) {
  Sequential model{Masking(), Dense(1)};
  prepare(model);
  model.compile(kOptions);
  const Problem problem;
  const History history =
      model.fit(problem.x, problem.y, {.shuffle = false, .sample_weight = problem.weights});
  EXPECT_FLOAT_EQ(history["loss"][0], 0.8567708730697632);
  EXPECT_FLOAT_EQ(history["mae"][0], 0.9583333730697632);
  const Tensors weights = model.get_weights();
  EXPECT_FLOAT_EQ(weights[0].values<float>()[0], 0.5083333253860474F);
  EXPECT_FLOAT_EQ(weights[0].values<float>()[1], -0.22083333134651184F);
  EXPECT_FLOAT_EQ(weights[1].item(), 0.1458333432674408F);
}

TEST(MaskedTraining, FunctionalModelsAndTimeDistributedCarryTheMaskAsWell) {
  const Input x({3, 2});
  Model model(x, TimeDistributed(Dense(1))(Masking()(x)));
  prepare(model);
  model.compile(kOptions);
  const Problem problem;
  EXPECT_FLOAT_EQ(model.evaluate(problem.x, problem.y)["loss"], 1.4322917461395264);
}

TEST(MaskedTraining, WhatHasNoStepsLeftHasNoMask) {
  // The mean of two rows' squares, y = 0: (1·h₀² + 1·h₁²)/2, whatever steps the LSTM skipped.
  Sequential model{Embedding(4, 2, {.mask_zero = true}), LSTM(1)};
  model.compile({.optimizer = SGD(0.1), .loss = "mse"});
  const Tensor x = Tensor::of({{1, 2, 0}, {3, 0, 0}}), y = Tensor::zeros({2, 1});
  const Tensor h = model.predict(x);
  const double a = h.values<float>()[0], b = h.values<float>()[1];
  EXPECT_NEAR(model.evaluate(x, y)["loss"], (a * a + b * b) / 2, 1e-7);
}

}  // namespace
}  // namespace keratin
