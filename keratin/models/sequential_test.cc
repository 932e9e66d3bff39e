#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"
#include "keratin/models/model.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

std::vector<std::string> names_of(const Model& model) {
  std::vector<std::string> names;
  for (const Layer& layer : model.layers()) names.push_back(layer.name());
  return names;
}

Tensor some_input(const Shape& shape) {
  return ops::reshape(Tensor::arange(shape.size()), shape) * 0.125 - 1.0;
}

TEST(Sequential, CallsItsLayersInOrder) {
  const Dense first(4, {.activation = "tanh"}), second(2);
  const Sequential model{Input({3}), first, second};
  EXPECT_TRUE(model.is_built());
  const Tensor x = some_input({5, 3});
  EXPECT_EQ(values_of(model(x)), values_of(second(first(x))));
  EXPECT_EQ(model.compute_output_shape({Shape::kUnknown, 3}), (Shape{Shape::kUnknown, 2}));
  EXPECT_EQ(model.count_params(), 3 * 4 + 4 + 4 * 2 + 2);
  EXPECT_EQ(model.variables()[2], second.variables()[0]);
}

TEST(Sequential, IsBuiltByTheFirstTensorWithoutAnInput) {
  const Sequential model{Dense(4), Flatten(), Dense(2)};
  EXPECT_FALSE(model.is_built());
  EXPECT_THROW(model.count_params(), StateError);
  EXPECT_EQ(model(some_input({5, 3, 2})).shape(), (Shape{5, 2}));
  EXPECT_TRUE(model.is_built());
  EXPECT_EQ(model(some_input({7, 3, 2})).shape(), (Shape{7, 2}));
  EXPECT_EQ(model.body().built_shape, (Shape{Shape::kUnknown, 3, 2}));
}

// The paths are Keras's (layers/testdata/lora.json, written by make_lora.py).
TEST(Sequential, WeightsOfLoraLieInTheModelWheneverTheyAreMade) {
  const Dense first(3, {.lora_rank = 1, .name = "first"}), second(2, {.name = "second"});
  const Sequential model({Input({4}), first, second}, "net");
  second.enable_lora(1);
  std::vector<std::string> paths;
  for (const Variable& variable : model.variables()) paths.push_back(variable.path());
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/lora.json");
  EXPECT_EQ(paths, Config::parse(file).at("paths").get<std::vector<std::string>>());
  EXPECT_EQ(model.trainable_variables().size(), 6U);
}

TEST(Sequential, LayersComeAndGo) {
  Sequential model;
  model.add(Input({3}));
  model.add(Dense(4, {.name = "a"}));
  model.add(Dense(2, {.name = "b"}));
  EXPECT_THAT(names_of(model), ElementsAre("a", "b"));
  EXPECT_EQ(model(some_input({1, 3})).shape(), (Shape{1, 2}));
  model.pop();
  EXPECT_EQ(model(some_input({1, 3})).shape(), (Shape{1, 4}));
  model.add(Dense(5, {.name = "b"}));
  EXPECT_EQ(model(some_input({1, 3})).shape(), (Shape{1, 5}));
  EXPECT_EQ(model.get_layer("a").class_name(), "Dense");
  EXPECT_EQ(model.get_layer(-1).name(), "b");
  EXPECT_EQ(model.get_layer(0).name(), "a");
}

TEST(Sequential, ModelsStandInsideModels) {
  const Sequential inner({Dense(4, {.activation = PReLU()}), Dense(3)}, "inner");
  const Sequential outer{Input({6}), inner, Dense(2)};
  EXPECT_TRUE(inner.is_built());
  EXPECT_EQ(outer.variables().size(), 7U);
  EXPECT_EQ(outer.variables()[2].shape(), (Shape{4}));
  outer.set_trainable(false);
  EXPECT_TRUE(inner.trainable_variables().empty());
  const Sequential loaded = Sequential::from_config(outer.serialize());
  loaded.set_weights(outer.get_weights());
  const Tensor x = some_input({3, 6});
  EXPECT_EQ(values_of(loaded(x)), values_of(outer(x)));
  EXPECT_EQ(layers::deserialize(inner.serialize()).class_name(), "Sequential");
}

TEST(Sequential, ACopySharesTheWeightsAndACloneDoesNot) {
  const Sequential model({Input({3}), Dense(2, {.activation = PReLU({.alpha_initializer = "ones"})})}, "m");
  const Sequential same = model, other = model.clone();
  EXPECT_EQ(other.name(), "m");
  EXPECT_EQ(names_of(other), names_of(model));
  const Tensor x = some_input({4, 3});
  EXPECT_EQ(values_of(other(x)), values_of(model(x)));
  for (Variable variable : model.variables()) variable.assign(Tensor::full(variable.shape(), 0.5));
  EXPECT_EQ(values_of(same(x)), values_of(model(x)));
  EXPECT_NE(values_of(other(x)), values_of(model(x)));
}

TEST(Sequential, GradientsReachEveryWeight) {
  const Sequential model{Input({3}), Dense(4, {.activation = "selu"}), AlphaDropout(0.1), Dense(2),
                         Activation("softmax")};
  const RecordGradients on;
  const std::vector<Variable> variables = model.variables();
  const Tensors found =
      gradients(ops::sum(ops::square(model(some_input({6, 3}), {.training = true}))), variables);
  ASSERT_EQ(found.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].shape(), variables[i].shape());
}

TEST(Sequential, ActivityPenaltiesOfLayersInsideAreCollected) {
  const Sequential inner{Dense(2, {.kernel_initializer = "ones", .activity_regularizer = "l2"})};
  const Sequential model{Input({1}), inner, Activation("linear")};
  Tensors losses;
  model(Tensor::full({2, 1}, 2), {.losses = &losses});
  ASSERT_EQ(losses.size(), 1U);
  // 0.01·Σ of four squares of 2, over a batch of 2; two float roundings.
  EXPECT_NEAR(losses[0].item(), 0.08, 1e-8);
}

TEST(Sequential, TheMaskReachesLayersUntilOneTakesTheShapeAway) {
  const Tensor x = Tensor::of({{1, 2, 3}});
  Tensor mask = Tensor::full({1, 3}, 1, DType::boolean);
  mask.mutable_values<bool>()[1] = false;
  EXPECT_EQ(values_of(Sequential{Activation("linear"), Softmax()}(x, {.mask = mask}))[1], 0);
  EXPECT_GT(values_of(Sequential{Reshape({3}), Softmax()}(x, {.mask = mask}))[1], 0);
}

// As Keras 3.15 wrote it (golden data, kind training), shortened to one layer; not compiled.
constexpr const char* kKeras3 =
    R"({"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "trainable": true, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null}, "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, 6], "dtype": "float32", "sparse": false, "ragged": false, "name": "input_layer", "optional": false}, "registered_name": null}, {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "trainable": true, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null}, "units": 8, "activation": "tanh", "use_bias": true, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null}, "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "kernel_regularizer": null, "bias_regularizer": null, "kernel_constraint": null, "bias_constraint": null, "quantization_config": null}, "registered_name": null, "build_config": {"input_shape": [null, 6]}}], "build_input_shape": [null, 6]}, "registered_name": null, "build_config": {"input_shape": [null, 6]}, "compile_config": {}})";
// And tf-keras 2.21.
constexpr const char* kKeras2 =
    R"({"class_name": "Sequential", "config": {"name": "sequential", "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_input_shape": [null, 6], "dtype": "float32", "sparse": false, "ragged": false, "name": "input_1", "optional": false}, "registered_name": null}, {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "trainable": true, "dtype": "float32", "units": 8, "activation": "hard_sigmoid", "use_bias": true, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}, "registered_name": null}, "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null, "kernel_constraint": null, "bias_constraint": null}, "registered_name": null, "build_config": {"input_shape": [null, 6]}}]}, "keras_version": "2.21.0", "backend": "tensorflow"})";

TEST(Sequential, Keras3ConfigsComeBackToTheLetter) {
  const Sequential model = Sequential::from_config(Config::parse(kKeras3));
  EXPECT_TRUE(model.is_built());
  EXPECT_EQ(model.serialize().dump(), Config::parse(kKeras3).dump());
  const Sequential from_inner = Sequential::from_config(Config::parse(kKeras3)["config"]);
  EXPECT_EQ(from_inner.serialize().dump(), Config::parse(kKeras3).dump());
}

TEST(Sequential, Keras2ConfigsComeBackWithTheirSemantics) {
  const Config given = Config::parse(kKeras2);
  const Sequential model = Sequential::from_config(given, Generation::keras2);
  EXPECT_EQ(model.serialize()["config"].dump(), given["config"].dump());
  // Keras 2's hard_sigmoid is 0.2x + 0.5.
  model.set_weights({Tensor::zeros({6, 8}), Tensor::full({8}, 1)});
  EXPECT_FLOAT_EQ(static_cast<float>(values_of(model(Tensor::zeros({1, 6})))[0]), 0.7F);
}

TEST(Sequential, TheListOfKeras22AndShapesInTheFirstLayerAreRead) {
  const Config list = Config::parse(
      R"([{"class_name": "Dense", "config": {"name": "dense_1", "trainable": true, "batch_input_shape": [null, 4],
           "dtype": "float32", "units": 3, "activation": "relu", "use_bias": true}},
          {"class_name": "Dropout", "config": {"name": "dropout_1", "rate": 0.5, "noise_shape": null, "seed": null}}])");
  Config whole = Config::object();
  whole["class_name"] = "Sequential";
  whole["config"] = list;
  const Sequential model = Sequential::from_config(whole, Generation::keras2);
  EXPECT_TRUE(model.is_built());
  EXPECT_THAT(names_of(model), ElementsAre("dense_1", "dropout_1"));
  EXPECT_EQ(model(some_input({2, 4})).shape(), (Shape{2, 3}));
  const Sequential again = Sequential::from_config(model.serialize(), Generation::keras2);
  EXPECT_EQ(again.serialize().dump(), model.serialize().dump());
}

TEST(Sequential, MistakesAreNamed) {
  const auto named = [](const char* name) { return Dense(2, {.name = name}); };
  const Sequential model({Input({4}), named("first"), named("second")}, "m");
  const Tensor x5 = Tensor::zeros({2, 5});
  Sequential empty({}, "empty"), copy({Input({4}), named("first")}, "copy");
  const std::pair<std::string, const char*> rows[] = {
      {message_of([&] {
         Sequential({Input({2}), named("a"), named("a")});
       }),
       "a second \"a\""},
      {message_of([&] { copy.add(named("first")); }), "a second \"first\""},
      {message_of([&] { copy.add(copy); }), "received \"copy\" itself"},
      {message_of([&] { copy.add(Input({2}, {.name = "late"})); }), "\"late\" after \"first\""},
      {message_of([&] { empty.pop(); }), "\"empty\" has none"},
      {message_of([&] { model.get_layer("secnd"); }), "Did you mean \"second\"?"},
      {message_of([&] { model.get_layer("zzz"); }), R"(one of "first", "second", received "zzz")"},
      {message_of([&] { model.get_layer(9); }), "2 layers, received 9"},
      {message_of([&] { model(x5); }), "shape (None, 4), received shape (2, 5)"},
      {message_of([&] { model(Tensor::zeros({4})); }), "received shape (4,)"},
      {message_of([&] {
         Sequential({Input({4}), Reshape({3, 2})});
       }),
       "target_shape=(3, 2)"},
      {message_of(
           [] { Sequential::from_config(Config::parse(R"({"class_name": "Functional", "config": {}})")); }),
       "\"Functional\""},
      {message_of([] { Sequential::from_config(Config::parse(R"({"name": "m"})")); }), "\"layers\""},
      {message_of([] { Sequential::from_config(Config::parse(R"({"layers": [], "x": 1})")); }), "\"x\": 1"},
      {message_of([] { Sequential::from_config(Config::parse(R"({"layers": [{"class_name": "Foo"}]})")); }),
       "\"Foo\""},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
  EXPECT_THAT(names_of(copy), ElementsAre("first"));
}

TEST(Sequential, ALayerThatDoesNotFitLeavesTheModelAsItWas) {
  Sequential model{Input({4}), Dense(3)};
  const Dense wrong(2, {.kernel_initializer = initializers::Identity{}, .bias_initializer = "identity"});
  EXPECT_THROW(model.add(wrong), ShapeError);
  EXPECT_THROW(model.add(Reshape({7})), ShapeError);
  const Dense elsewhere(2);
  elsewhere.build({Shape::kUnknown, 9});
  EXPECT_THROW(model.add(elsewhere), ShapeError);
  EXPECT_EQ(model.layers().size(), 1U);
  EXPECT_EQ(model(some_input({2, 4})).shape(), (Shape{2, 3}));
}

TEST(Sequential, ManyThreadsCallOneModelFromTheFirstCallOn) {
  const Sequential model{Dense(32, {.activation = "gelu"}), Dense(16, {.activation = PReLU()}), Dense(4),
                         Activation("softmax")};
  const Tensor x = some_input({16, 8});
  std::vector<std::vector<double>> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) result = values_of(model(x));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

// The paths that Keras 3.15.1 gives.
TEST(Sequential, WeightsInModelsInsideHaveThePathsOfKeras) {
  const auto paths = [](const Model& model) {
    std::string all;
    for (const Variable& variable : model.variables())
      if (variable.name() == "kernel") all += (all.empty() ? "" : " ") + variable.path();
    return all;
  };
  const auto inner = [] { return Sequential({Dense(3, {.name = "d"})}, "inner"); };
  const Dense last(1, {.name = "e"});
  const Sequential with_input({Input({4}), Dense(3, {.name = "d"})}, "inner");
  EXPECT_EQ(paths(Sequential({Input({4}), with_input, last}, "outer")), "inner/d/kernel outer/e/kernel");
  const Sequential built({inner(), Dense(1, {.name = "e"})}, "outer");
  built.build({Shape::kUnknown, 4});
  EXPECT_EQ(paths(built), "outer/inner/d/kernel outer/e/kernel");
  EXPECT_EQ(paths(Sequential({Input({4}), inner()}, "outer")), "outer/inner/d/kernel");
  const Input x({4});
  EXPECT_EQ(paths(Model(x, inner()(x), "outer")), "inner/d/kernel");
  const Model f(x, Dense(2, {.name = "e"})(x), "f");
  const Sequential around({f}, "outer");
  around.build({Shape::kUnknown, 4});
  EXPECT_EQ(paths(around), "e/kernel");
}

}  // namespace
}  // namespace keratin
