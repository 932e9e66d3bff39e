// What optimizers do around their rules: averages, accumulation, loss scales, exclusions; and every config.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/layers.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Tensor tensor(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}
Values to_vector(const Tensor& a) {
  const auto values = a.values<double>();
  return {values.begin(), values.end()};
}

const std::vector<Values> kGradients{{0.5, -1.5, 2, 0},
                                     {0.25, 1, -3, 0.125},
                                     {-1, 0.75, 0.5, -0.25},
                                     {2, -0.5, 1.5, 0.5},
                                     {0.125, -4, -0.25, 1}};
const Values kStart{1, -2, 0.5, 0.25};

void run(Optimizer& optimizer, const std::vector<Variable>& variables, double scale = 1) {
  for (const Values& g : kGradients) {
    Values scaled = g;
    for (double& value : scaled) value *= scale;
    optimizer.apply(variables, Tensors{tensor(scaled)});
  }
}

TEST(OptimizerAverages, TakeTheWeightsPlaceInTheEnd) {
  // By hand: weights 1, .975, …; the average halves the distance at each step, from the weight before the
  // first step (Keras 2) or after it (Keras 3).
  const std::vector<std::pair<Generation, Values>> cases{
      {Generation::keras3, {0.92890625, -1.8859375, 0.46875, 0.211328125}},
      {Generation::keras2, {0.9296875, -1.88828125, 0.471875, 0.211328125}}};
  for (const auto& [generation, expected] : cases) {
    Optimizer optimizer = SGD(0.05, {.use_ema = true, .ema_momentum = 0.5, .generation = generation});
    const std::vector<Variable> variables{Variable(tensor(kStart), "w")};
    run(optimizer, variables);
    EXPECT_NEAR(variables[0].value().at({0}), 0.90625, 1e-15);
    optimizer.finalize_variable_values(variables);
    const Values got = to_vector(variables[0].value());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-15);
  }
}

TEST(OptimizerAverages, AreWhatFitLeaves) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false, .kernel_initializer = initializers::Ones()})};
  // Loss w² at x = 1, so a step of rate 1/4 halves w: 1, 1/2, 1/4, with averages 1/2, 3/8.
  model.compile({.optimizer = SGD(0.25, {.use_ema = true, .ema_momentum = 0.5}), .loss = "mse"});
  model.fit(Tensor::full({2, 1}, 1), Tensor::zeros({2, 1}), {.batch_size = 1});
  EXPECT_EQ(model.get_weights()[0].item(), 0.375);
}

// As above: averages 1/2, 3/8 in the first epoch, from w = 1/4 on 1/4, 5/32 in the second.
TEST(OptimizerAverages, AreWhatValidationSeesWithSwapEMAWeights) {
  for (const bool on_epoch : {false, true}) {
    Sequential model{Input({1}), Dense(1, {.use_bias = false, .kernel_initializer = initializers::Ones()})};
    model.compile({.optimizer = SGD(0.25, {.use_ema = true, .ema_momentum = 0.5}), .loss = "mse"});
    const Tensor x = Tensor::full({2, 1}, 1), y = Tensor::zeros({2, 1});
    std::vector<double> seen;
    const auto see = [&](TrainingRun& run, std::int64_t, const Metrics&) {
      seen.push_back(run.model.get_weights()[0].item());
    };
    const History history = model.fit(
        x, y,
        {.batch_size = 1,
         .epochs = 2,
         .callbacks = {SwapEMAWeights({.swap_on_epoch = on_epoch}), LambdaCallback({.on_epoch_end = see})},
         .validation_data = {x, y}});
    EXPECT_EQ(history["val_loss"], (std::vector<double>{9.0 / 64, 25.0 / 1024}));
    EXPECT_EQ(history["loss"], (std::vector<double>{(1 + 0.25) / 2, (1.0 / 16 + 1.0 / 64) / 2}));
    EXPECT_EQ(seen, on_epoch ? (std::vector<double>{0.375, 5.0 / 32}) : (std::vector<double>{0.25, 0.0625}));
    EXPECT_EQ(model.get_weights()[0].item(), 5.0 / 32);
  }
}

// After two steps w = 1/4, its average 3/8.
TEST(OptimizerAverages, AreWhatEvaluateAndPredictSeeWithSwapEMAWeights) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false, .kernel_initializer = initializers::Ones()})};
  model.compile({.optimizer = SGD(0.25, {.use_ema = true, .ema_momentum = 0.5}), .loss = "mse"});
  const Tensor x = Tensor::full({1, 1}, 1), y = Tensor::zeros({1, 1});
  for (int step = 0; step < 2; ++step) model.train_on_batch(x, y);
  EXPECT_EQ(model.evaluate(x, y, {.callbacks = {SwapEMAWeights()}}).loss(), 9.0 / 64);
  EXPECT_EQ(model.predict(x, {.callbacks = {SwapEMAWeights()}}).item(), 0.375);
  EXPECT_EQ(model.predict(x).item(), 0.25);
  model.compile({.optimizer = SGD(0.25), .loss = "mse"});
  EXPECT_THROW(model.predict(x, {.callbacks = {SwapEMAWeights()}}), ValueError);
}

TEST(OptimizerAverages, AreTheModelsAfterAnEarlyEndToo) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false, .kernel_initializer = initializers::Ones()})};
  model.compile({.optimizer = SGD(0.25, {.use_ema = true, .ema_momentum = 0.5}), .loss = "mse"});
  const auto stop = [](TrainingRun& run, std::int64_t, const Metrics&) { run.stop_training = true; };
  model.fit(Tensor::full({2, 1}, 1), Tensor::zeros({2, 1}),
            {.batch_size = 1,
             .epochs = 5,
             .callbacks = {SwapEMAWeights({.swap_on_epoch = true}), LambdaCallback({.on_epoch_end = stop})}});
  EXPECT_EQ(model.get_weights()[0].item(), 0.375);
}

TEST(OptimizerAverages, ChangePlacesWithTheWeightsAndLetNoStepBetween) {
  Optimizer optimizer = SGD(0.05, {.use_ema = true, .ema_momentum = 0.5});
  const std::vector<Variable> variables{Variable(tensor(kStart), "w")};
  run(optimizer, variables);
  const Values weights = to_vector(variables[0].value());
  optimizer.swap_averages(variables);
  EXPECT_NEAR(variables[0].value().at({0}), 0.92890625, 1e-15);
  EXPECT_THROW(run(optimizer, variables), ValueError);
  optimizer.swap_averages(variables);
  EXPECT_EQ(to_vector(variables[0].value()), weights);
  Optimizer plain = SGD(0.05);
  EXPECT_THROW(plain.swap_averages(variables), ValueError);
  Sequential model{Input({1}), Dense(1)};
  model.compile({.optimizer = plain, .loss = "mse"});
  EXPECT_THROW(model.fit(Tensor::zeros({2, 1}), Tensor::zeros({2, 1}), {.callbacks = {SwapEMAWeights()}}),
               ValueError);
}

TEST(OptimizerLossScale, IsTakenOutOfTheGradientsBeforeTheyAreClipped) {
  for (const double scale : {1024.0, 0.25}) {
    Optimizer plain = SGD(0.05, {.clipnorm = 1.5});
    Optimizer scaled = SGD(0.05, {.clipnorm = 1.5, .loss_scale_factor = scale});
    EXPECT_EQ(scaled.loss_scale(), scale);
    const std::vector<Variable> a{Variable(tensor(kStart), "a")}, b{Variable(tensor(kStart), "b")};
    run(plain, a);
    run(scaled, b, scale);
    EXPECT_EQ(to_vector(a[0].value()), to_vector(b[0].value()));
  }
}

TEST(LossScaleOptimizer, HalvesAfterAGradientThatIsNotFiniteAndChangesNothingElse) {
  LossScaleOptimizer optimizer(SGD(0.5), {.initial_scale = 8, .dynamic_growth_steps = 2});
  const std::vector<Variable> variables{Variable(tensor({1}), "w")};
  const auto step = [&](double g) { optimizer.apply(variables, Tensors{tensor({g})}); };
  step(8 * 0.25);
  EXPECT_EQ(variables[0].value().item(), 0.875);
  EXPECT_EQ(optimizer.loss_scale(), 8);
  step(std::numeric_limits<double>::infinity());
  EXPECT_EQ(variables[0].value().item(), 0.875);
  EXPECT_EQ(optimizer.iterations(), 1);
  EXPECT_EQ(optimizer.loss_scale(), 4);
  step(0);
  EXPECT_EQ(optimizer.loss_scale(), 4);
  step(0);
  EXPECT_EQ(optimizer.loss_scale(), 8);
  step(std::nan(""));
  EXPECT_EQ(optimizer.loss_scale(), 4);
  EXPECT_THROW(LossScaleOptimizer(static_cast<const Optimizer&>(optimizer)), ValueError);
}

TEST(LossScaleOptimizer, OfKeras2StopsAtOne) {
  LossScaleOptimizer optimizer(SGD(0.5), {.initial_scale = 1.5, .generation = Generation::keras2});
  const std::vector<Variable> variables{Variable(tensor({1}), "w")};
  optimizer.apply(variables, Tensors{tensor({std::nan("")})});
  EXPECT_EQ(optimizer.loss_scale(), 1);
}

TEST(LossScaleOptimizer, TrainsAsTheOneInsideWould) {
  const auto trained = [](const Optimizer& optimizer) {
    Sequential model{Input({2}), Dense(1, {.kernel_initializer = initializers::Ones()})};
    model.compile({.optimizer = optimizer, .loss = "mse"});
    model.fit(Tensor::of({{1, 2}, {3, -1}}), Tensor::of({0, 1}).reshape({2, 1}),
              {.batch_size = 2, .epochs = 5});
    return model.get_weights()[0].at({0, 0});
  };
  // The scale is a power of two and nothing overflows: the same bits.
  EXPECT_EQ(trained(LossScaleOptimizer(Adam(0.1))), trained(Adam(0.1)));
  EXPECT_NE(trained(Adam(0.1)), 1);
}

TEST(OptimizerWeightDecay, LeavesOutWhatIsExcluded) {
  Optimizer optimizer = SGD(0.5, {.weight_decay = 0.5});
  const std::vector<Variable> variables{Variable(tensor({1}), "kernel"), Variable(tensor({1}), "bias"),
                                        Variable(tensor({1}), "gamma")};
  optimizer.exclude_from_weight_decay({variables[2]}, {"bias"});
  const Tensors gradients{tensor({0}), tensor({0}), tensor({0})};
  optimizer.apply(variables, gradients);
  EXPECT_EQ(variables[0].value().item(), 0.75);
  EXPECT_EQ(variables[1].value().item(), 1);
  EXPECT_EQ(variables[2].value().item(), 1);
  Optimizer copy = optimizer.clone();
  copy.apply(variables, gradients);
  EXPECT_EQ(variables[1].value().item(), 1);
}

TEST(OptimizerAccumulation, CountsUpdatesAndKeepsWhatIsCollected) {
  Optimizer optimizer = SGD(1.0, {.gradient_accumulation_steps = 4});
  const std::vector<Variable> variables{Variable(tensor({0}), "w")};
  for (const double g : {1.0, 2.0, 3.0}) optimizer.apply(variables, Tensors{tensor({g})});
  EXPECT_EQ(optimizer.iterations(), 0);
  EXPECT_EQ(variables[0].value().item(), 0);
  ASSERT_EQ(optimizer.state().size(), 1u);
  EXPECT_EQ(optimizer.state()[0].role, "gradient_accumulator");
  EXPECT_EQ(optimizer.state()[0].value.item(), 6);
  optimizer.apply(variables, Tensors{tensor({6})});
  EXPECT_EQ(optimizer.iterations(), 1);
  EXPECT_EQ(variables[0].value().item(), -3);
  EXPECT_EQ(optimizer.state()[0].value.item(), 0);
}

// As Keras 3.15.1's serialize writes them with default arguments.
const std::vector<std::pair<std::string, std::string>> kConfigs{
    {"AdamW", R"("weight_decay":0.004,...,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07,"amsgrad":false)"},
    {"Adamax", R"("weight_decay":null,...,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07)"},
    {"Nadam", R"("weight_decay":null,...,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07)"},
    {"Adagrad", R"("weight_decay":null,...,"initial_accumulator_value":0.1,"epsilon":1e-07)"},
    {"Adadelta", R"("weight_decay":null,...,"rho":0.95,"epsilon":1e-07)"},
    {"Ftrl", R"("weight_decay":null,...,"learning_rate_power":-0.5,"initial_accumulator_value":0.1,)"
             R"("l1_regularization_strength":0.0,"l2_regularization_strength":0.0,)"
             R"("l2_shrinkage_regularization_strength":0.0,"beta":0.0)"},
    {"Lion", R"("weight_decay":null,...,"beta_1":0.9,"beta_2":0.99)"},
    {"Lamb", R"("weight_decay":null,...,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07)"},
    {"Adafactor", R"("weight_decay":null,...,"beta_2_decay":-0.8,"epsilon_1":1e-30,"epsilon_2":0.001,)"
                  R"("clip_threshold":1.0,"relative_step":true)"}};

TEST(OptimizerConfigs, ReadAsKerasWritesThemAndComeBackTheSame) {
  const std::string shared =
      R"("clipnorm":null,"global_clipnorm":null,"clipvalue":null,"use_ema":false,"ema_momentum":0.99,)"
      R"("ema_overwrite_frequency":null,"loss_scale_factor":null,"gradient_accumulation_steps":null)";
  for (const auto& [class_name, own] : kConfigs) {
    std::string arguments = own;
    arguments.replace(arguments.find("..."), 3, shared);
    const std::string text = R"({"module":"keras.optimizers","class_name":")" + class_name +
                             R"(","config":{"name":"o","learning_rate":0.001,)" + arguments +
                             R"(},"registered_name":null})";
    EXPECT_EQ(optimizers::deserialize(Config::parse(text)).serialize().dump(), text);
    Config renamed = optimizers::deserialize(class_name).serialize();
    renamed["config"]["name"] = "o";
    EXPECT_EQ(renamed.dump(), text);
  }
}

TEST(OptimizerConfigs, KeepEveryArgumentOfBothGenerations) {
  const Optimizer keras3 =
      AdamW(optimizers::schedules::CosineDecay{.initial_learning_rate = 0.1, .decay_steps = 10},
            {.weight_decay = 0.1,
             .clipvalue = 2,
             .use_ema = true,
             .ema_momentum = 0.5,
             .ema_overwrite_frequency = 7,
             .loss_scale_factor = 4,
             .gradient_accumulation_steps = 3});
  const Config config = keras3.serialize();
  EXPECT_EQ(optimizers::deserialize(config).serialize(), config);
  EXPECT_EQ(config["config"]["learning_rate"]["class_name"], "CosineDecay");
  const Config legacy =
      Nadam(0.01, {.clipnorm = 1, .generation = Generation::keras2, .legacy = true, .decay = 0.002})
          .serialize(Generation::keras2);
  EXPECT_EQ(legacy["config"]["decay"], 0.002);
  EXPECT_EQ(optimizers::deserialize(legacy, Generation::keras2).serialize(Generation::keras2), legacy);
  const Config scaled = LossScaleOptimizer(SGD(), {.initial_scale = 2}).serialize();
  EXPECT_EQ(scaled["config"]["inner_optimizer"]["class_name"], "SGD");
  EXPECT_EQ(optimizers::deserialize(scaled).serialize(), scaled);
  EXPECT_EQ(optimizers::deserialize(scaled).loss_scale(), 2);
}

TEST(OptimizerConfigs, TakeTheDefaultsOfTheirGeneration) {
  const auto epsilon_of = [](bool legacy) {
    return Adam(0.1, {.epsilon = 0, .generation = Generation::keras2, .legacy = legacy})
        .serialize(Generation::keras2)["config"]["epsilon"]
        .get<double>();
  };
  EXPECT_EQ(epsilon_of(true), 1e-7);
  EXPECT_EQ(epsilon_of(false), 0);
  EXPECT_EQ(optimizers::deserialize("lion", Generation::keras2).learning_rate(), 0.0001);
  EXPECT_EQ(optimizers::deserialize("lion").learning_rate(), 0.001);
  EXPECT_EQ(optimizers::deserialize("rmsprop", Generation::keras2)
                .serialize(Generation::keras2)["config"]["ema_overwrite_frequency"],
            100);
}

TEST(OptimizerSchedules, CountStepsFromZeroAndCannotBeOverruled) {
  Optimizer optimizer = SGD(optimizers::schedules::PiecewiseConstantDecay{{0, 1}, {1, 0.5, 0.25}});
  const std::vector<Variable> variables{Variable(tensor({0}), "w")};
  for (const double expected : {-1.0, -1.5, -1.75, -2.0}) {
    optimizer.apply(variables, Tensors{tensor({1})});
    EXPECT_EQ(variables[0].value().item(), expected);
  }
  EXPECT_THROW(optimizer.set_learning_rate(1), TypeError);
  EXPECT_EQ(optimizer.variables().size(), 1u);
}

}  // namespace
}  // namespace keratin
