// MultiOptimizer, and the paths that it goes by, against Keras 3 (testdata/multi_optimizer.json, written by
// make_multi_optimizer.py on JAX).
#include "keratin/training/multi_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/test_tools.h"
#include "keratin/core/message_of.h"
#include "keratin/io/test_folder.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

using test::wave;

using ::testing::HasSubstr;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/multi_optimizer.json");
    return Config::parse(file);
  }();
  return config;
}

Sequential net() {
  Sequential model({Input({4}), Dense(5, {.activation = "tanh", .name = "body"}),
                    Dense(3, {.activation = "tanh", .name = "middle"}), Dense(2, {.name = "head"})},
                   "net");
  Tensors weights;
  for (const Variable& variable : model.variables())
    weights.push_back(wave(variable.shape(), static_cast<double>(weights.size())));
  model.set_weights(weights);
  return model;
}

OptimizerMap map_of_four() {
  return OptimizerMap(SGD(0.125, {.momentum = 0.5}), {{"net/body/.*", Adam(0.0625, {.clipnorm = 0.5})},
                                                      {"net/head/bias", Lion(0.03125)},
                                                      {"net/head/.*", RMSprop(0.015625)}});
}

MultiOptimizer by_function() {
  return MultiOptimizer(
      [body = Adam(0.0625), rest = SGD(0.25)](const Variable& variable) -> Optimizer {
        if (variable.path().find("body") != std::string::npos) return body;
        return rest;
      },
      {.loss_scale_factor = 8});
}

FitOptions three_epochs() { return {.batch_size = 4, .epochs = 3, .shuffle = false}; }

void expect_learns(const char* name, const Optimizer& optimizer) {
  SCOPED_TRACE(name);
  const Config& expected = known().at(name);
  Sequential model = net();
  model.compile({.optimizer = optimizer, .loss = "mse"});
  const History history = model.fit(wave({12, 4}, 0.5), wave({12, 2}, 1.5), three_epochs());
  // Nine steps of float32 on both sides, whose sums run in other orders; Keras's powers of Adam's betas are
  // float32, 6e-6 off in the first update of 0.06. Lion's sign does not flip on these gradients.
  constexpr double kTolerance = 2e-5;
  for (std::size_t epoch = 0; epoch < 3; ++epoch)
    EXPECT_NEAR(history["loss"][epoch], expected.at("loss")[epoch].get<double>(), kTolerance);
  const auto weights = model.get_weights();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto values = weights[i].values<float>();
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_NEAR(values[j], expected.at("weights")[i][j].get<double>(), kTolerance) << i << " " << j;
  }
}

TEST(MultiOptimizer, LearnsWhatKerasLearns) {
  expect_learns("map", MultiOptimizer(map_of_four()));
  expect_learns("function", by_function());
  expect_learns("scaled", LossScaleOptimizer(MultiOptimizer(map_of_four()),
                                             {.initial_scale = 16, .dynamic_growth_steps = 3}));
  // A clone has taken no steps.
  const MultiOptimizer used(map_of_four());
  Sequential model = net();
  model.compile({.optimizer = used, .loss = "mse"});
  model.fit(wave({12, 4}, 0.5), wave({12, 2}, 1.5), three_epochs());
  EXPECT_EQ(used.iterations(), 9);
  expect_learns("map", used.clone());
  expect_learns("function", by_function().clone());
}

TEST(MultiOptimizer, KeepsWhatKerasKeeps) {
  Sequential model = net();
  Optimizer optimizer = MultiOptimizer(map_of_four());
  optimizer.build(model.trainable_variables());
  const Config& expected = known().at("map").at("variables");
  const std::vector<Variable> variables = optimizer.variables();
  ASSERT_EQ(variables.size(), expected.size());
  // "adam/net_body_kernel_momentum": the optimizer, then the path and the role.
  for (std::size_t i = 0; i < variables.size(); ++i)
    EXPECT_TRUE(expected[i].get<std::string>().ends_with(variables[i].name())) << variables[i].name();
  std::vector<std::string> names;
  for (const Optimizer& inner : optimizer.inner_optimizers()) names.emplace_back(inner.class_name());
  EXPECT_EQ(names, (std::vector<std::string>{"Adam", "Lion", "RMSprop", "SGD"}));
}

TEST(MultiOptimizer, IsWrittenAndReadAsKerasWritesIt) {
  for (const char* name : {"map", "scaled"}) {
    const Config& expected = known().at(name).at("config");
    const Optimizer read = optimizers::deserialize(expected);
    EXPECT_EQ(read.serialize().dump(), expected.dump());
    expect_learns(name, read);
  }
  EXPECT_THAT(message_of([] { by_function().serialize(); }), HasSubstr("got one of a function"));
  EXPECT_THAT(message_of([] { MultiOptimizer(map_of_four()).serialize(Generation::keras2); }),
              HasSubstr("Only Keras 3"));
  Config damaged = known().at("map").at("config");
  damaged["config"]["optimizer_map"]["class_name"] = "Map";
  EXPECT_THAT(message_of([&] { optimizers::deserialize(damaged); }), HasSubstr("expects an OptimizerMap"));
}

using MultiOptimizerFiles = io::FolderTest;

TEST_F(MultiOptimizerFiles, GoesOnFromACheckpoint) {
  const Tensor x = wave({12, 4}, 0.5), y = wave({12, 2}, 1.5);
  for (const bool from_map : {true, false}) {
    const auto make = [&] { return from_map ? MultiOptimizer(map_of_four()) : by_function(); };
    Sequential whole = net(), first = net(), second = net();
    whole.compile({.optimizer = make(), .loss = "mse"});
    whole.fit(x, y, three_epochs());
    Optimizer before = make(), after = make();
    first.compile({.optimizer = before, .loss = "mse"});
    first.fit(x, y, {.batch_size = 4, .epochs = 1, .shuffle = false});
    for (Optimizer& inner : before.inner_optimizers()) EXPECT_EQ(inner.iterations(), 3);
    save_checkpoint(first, before, folder_ / "multi.npz");
    load_checkpoint(second, after, folder_ / "multi.npz");
    second.compile({.optimizer = after, .loss = "mse"});
    second.fit(x, y, {.batch_size = 4, .epochs = 2, .shuffle = false});
    for (std::size_t i = 0; i < whole.get_weights().size(); ++i)
      EXPECT_EQ(ops::max(ops::absolute(whole.get_weights()[i] - second.get_weights()[i])).item(), 0);
  }
}

TEST(MultiOptimizer, AveragesAreThoseOfTheOptimizersThatKeepThem) {
  Sequential model = net();
  Optimizer optimizer =
      MultiOptimizer(OptimizerMap(SGD(0.1), {{"net/head/.*", SGD(0.1, {.use_ema = true})}}));
  model.compile({.optimizer = optimizer, .loss = "mse"});
  EXPECT_TRUE(optimizer.use_ema());
  model.train_on_batch(wave({12, 4}, 0.5), wave({12, 2}, 1.5));
  model.train_on_batch(wave({12, 4}, 0.5), wave({12, 2}, 1.5));
  const auto before = model.get_weights();
  const auto trainable = model.trainable_variables();
  optimizer.swap_averages(trainable);
  EXPECT_TRUE(optimizer.averages_swapped());
  const auto swapped = model.get_weights();
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(ops::max(ops::absolute(before[i] - swapped[i])).item() != 0, i >= 4) << i;
  EXPECT_THAT(message_of([&] {
                model.train_on_batch(wave({12, 4}, 0.5), wave({12, 2}, 1.5));
              }),
              HasSubstr("swap_averages"));
  optimizer.swap_averages(trainable);
  EXPECT_EQ(ops::max(ops::absolute(before[4] - model.get_weights()[4])).item(), 0);
}

TEST(MultiOptimizer, MistakesAreNamed) {
  OptimizerMap map = map_of_four();
  EXPECT_THAT(message_of([&] { map.set("net/head/.*", SGD(0.1)); }), HasSubstr("\"net/head/.*\" again"));
  EXPECT_THAT(message_of([&] { map.set("net/(", SGD(0.1)); }), HasSubstr("\"net/(\""));
  EXPECT_THAT(message_of([&] { map.set("x", LossScaleOptimizer("adam")); }),
              HasSubstr("LossScaleOptimizer inside"));
  EXPECT_THAT(message_of([&] { map.set("x", MultiOptimizer(map_of_four())); }),
              HasSubstr("MultiOptimizer inside"));
  map.set(".*kernel", SGD(0.1));
  EXPECT_THAT(message_of([&] { map["net/body/kernel"]; }), HasSubstr("\".*kernel\" match"));
  EXPECT_EQ(map["net/head/bias"].class_name(), "Lion");
  EXPECT_EQ(map["net/middle/bias"].class_name(), "SGD");
  Optimizer optimizer = MultiOptimizer(map_of_four());
  EXPECT_THAT(message_of([&] { optimizer.learning_rate(); }), HasSubstr("inner_optimizers()"));
  EXPECT_THAT(message_of([&] { optimizer.set_learning_rate(1); }), HasSubstr("inner_optimizers()"));
  Sequential model = net();
  model.compile(
      {.optimizer = MultiOptimizer([](const Variable&) -> Optimizer { return LossScaleOptimizer("adam"); }),
       .loss = "mse"});
  EXPECT_THAT(message_of([&] {
                model.train_on_batch(wave({12, 4}, 0.5), wave({12, 2}, 1.5));
              }),
              HasSubstr("LossScaleOptimizer inside"));
}

std::vector<std::string> paths_of(const Model& model) {
  std::vector<std::string> paths;
  for (const Variable& variable : model.variables()) paths.push_back(variable.path());
  return paths;
}

TEST(VariablePaths, AreThoseOfKeras) {
  const Config& expected = known().at("paths");
  clear_session();
  EXPECT_EQ(Config(paths_of(Sequential({Input({4}), Dense(3), PReLU()}, "net"))), expected.at("sequential"));
  Sequential late({Dense(3, {.name = "a"}), Sequential({Dense(2, {.name = "c"})}, "b")}, "late");
  late.build({Shape::kUnknown, 4});
  EXPECT_EQ(Config(paths_of(late)), expected.at("late"));
  EXPECT_EQ(paths_of(late.clone()), paths_of(late));

  const Input x({5, 3}), inner({2});
  SymbolicTensor h = Bidirectional(LSTM(2, {.return_sequences = true}), {.name = "both"})(x);
  h = MultiHeadAttention(2, 2, {.name = "attention"})({h, h});
  h = GRU(3, {.name = "gru"})(h);
  h = Sequential({Input({3}), Dense(3, {.name = "e"})}, "d")(h);
  h = TimeDistributed(Dense(2, {.name = "g"}), {.name = "f"})(Reshape({3, 1})(h));
  h = SimpleRNN(2, {.name = "simple"})(h);
  h = BatchNormalization({.name = "norm"})(h);
  h = Model(inner, Dense(2, {.name = "deep"})(inner), "sub")(h);
  EXPECT_EQ(Config(paths_of(Model(x, h))), expected.at("functional"));

  const Input images({2, 4, 4, 1});
  h = ConvLSTM2D(2, 2, {.return_sequences = true})(images);
  EXPECT_EQ(Config(paths_of(Model(images, ConvLSTM2D(1, 2)(h)))), expected.at("images"));

  // Layers that are cloned by way of their configs, too.
  const Sequential deep(
      {Embedding(4, 2), Bidirectional(LSTM(2, {.return_sequences = true})), BatchNormalization(), GRU(2)},
      "deep");
  const Sequential outer({deep, Dense(1)}, "outer");
  outer.build({Shape::kUnknown, 3});
  EXPECT_EQ(paths_of(outer).front(), "outer/deep/embedding/embeddings");
  EXPECT_EQ(paths_of(outer.clone()), paths_of(outer));
}

}  // namespace
}  // namespace keratin
