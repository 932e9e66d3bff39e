#include "keratin/layers/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

TEST(Layer, NamesCountAsInKeras) {
  clear_session();
  EXPECT_EQ(Dense(1).name(), "dense");
  EXPECT_EQ(Dense(1).name(), "dense_1");
  EXPECT_EQ(Dense(1, {.name = "mine"}).name(), "mine");
  EXPECT_EQ(Dense(1).name(), "dense_2");
  EXPECT_EQ(PReLU().name(), "p_re_lu");
  EXPECT_EQ(LeakyReLU().name(), "leaky_re_lu");
  EXPECT_EQ(AlphaDropout(0.1).name(), "alpha_dropout");
  EXPECT_EQ(Input({3}).name(), "input_layer");
  clear_session();
  EXPECT_EQ(Dense(1).name(), "dense");
}

TEST(Layer, ACopyOfAHandleSharesTheWeightsAndACloneDoesNot) {
  const Dense layer(2, {.activation = PReLU({.alpha_initializer = "ones"}), .name = "d"});
  layer.build({1, 3});
  const Layer same = layer;
  const Layer other = layer.clone();
  EXPECT_EQ(other.name(), "d");
  EXPECT_EQ(other.class_name(), "Dense");
  ASSERT_EQ(layer.get_weights().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(values_of(other.get_weights()[i]), values_of(layer.get_weights()[i]));
  }
  for (Variable variable : layer.variables()) variable.assign(Tensor::full(variable.shape(), 7));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(values_of(same.get_weights()[i])[0], 7);
    EXPECT_NE(values_of(other.get_weights()[i])[0], 7);
  }
  const Tensor x = Tensor::of({{-1, -2, -3}});
  EXPECT_EQ(values_of(layer(x)), values_of(same(x)));
  EXPECT_NE(values_of(layer(x)), values_of(other(x)));
}

TEST(Layer, ACloneTakesTheTrainableFlagsAndDrawsNoRandomNumbers) {
  const Dense layer(2);
  layer.build({1, 3});
  layer.set_trainable(false);
  set_random_seed(5);
  const RandomKey expected = next_random_key();
  set_random_seed(5);
  const Layer copy = layer.clone();
  EXPECT_EQ(next_random_key().stream, expected.stream);
  EXPECT_FALSE(copy.trainable());
  EXPECT_TRUE(copy.trainable_variables().empty());
  copy.set_trainable(true);
  EXPECT_EQ(copy.trainable_variables().size(), 2U);
  EXPECT_TRUE(layer.trainable_variables().empty());
  const Layer unbuilt = Dense(2).clone();
  EXPECT_FALSE(unbuilt.is_built());
  EXPECT_EQ(unbuilt(Tensor::zeros({1, 4})).shape(), (Shape{1, 2}));
}

TEST(Layer, FreezingReachesStatefulActivations) {
  const Dense layer(2, {.activation = PReLU()});
  layer.set_trainable(false);
  layer.build({1, 3});
  EXPECT_TRUE(layer.trainable_variables().empty());
  EXPECT_EQ(layer.non_trainable_variables().size(), 3U);
  layer.set_trainable(true);
  EXPECT_EQ(layer.trainable_variables().size(), 3U);
}

TEST(Layer, AStatefulActivationBringsItsPenaltiesAndItsPart) {
  const Dense layer(
      2, {.activation = PReLU({.alpha_initializer = "ones", .alpha_regularizer = regularizers::L2{0.5}})});
  layer.build({1, 3});
  const std::vector<LayerPart> parts = layer.body().parts();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].attribute, "activation");
  EXPECT_EQ(parts[0].body->class_name(), "PReLU");
  const Tensors losses = layer.regularization_losses();
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].item(), 1);
  const Config config = layer.serialize();
  EXPECT_EQ(config["config"]["activation"]["class_name"], "PReLU");
  const Layer again = layers::deserialize(config);
  again.build({1, 3});
  again.set_weights(layer.get_weights());
  const Tensor x = Tensor::of({{-1, 2, -3}});
  EXPECT_EQ(values_of(again(x)), values_of(layer(x)));
}

TEST(Layer, RegularizationFollowsTheGenerationForFrozenWeights) {
  const Dense layer(2, {.kernel_initializer = "ones",
                        .bias_initializer = "ones",
                        .kernel_regularizer = regularizers::L1{0.5},
                        .bias_regularizer = regularizers::L2{0.25}});
  layer.build({1, 3});
  const RecordGradients on;
  ASSERT_EQ(layer.regularization_losses().size(), 2U);
  EXPECT_EQ(layer.regularization_losses()[0].item(), 3);
  EXPECT_EQ(layer.regularization_losses()[1].item(), 0.5);
  const std::vector<Variable> kernel = {layer.variables()[0]};
  const Tensor gradient = gradients(layer.regularization_losses()[0], kernel)[0];
  EXPECT_EQ(values_of(gradient), std::vector<double>(6, 0.5));
  layer.set_trainable(false);
  EXPECT_TRUE(layer.regularization_losses(Generation::keras3).empty());
  EXPECT_EQ(layer.regularization_losses(Generation::keras2).size(), 2U);
}

TEST(Layer, TheActivityPenaltyIsDividedByTheBatch) {
  const Dense layer(2, {.kernel_initializer = "ones", .activity_regularizer = regularizers::L2{0.5}});
  Tensors losses;
  layer(Tensor::of({{1, 1}, {2, 0}, {1, 1}, {0, 2}}), {.losses = &losses});
  ASSERT_EQ(losses.size(), 1U);
  // Eight outputs of 2: 0.5·8·4 / 4.
  EXPECT_EQ(losses[0].item(), 4);
  layer(Tensor::of({{1, 1}}));
  EXPECT_EQ(losses.size(), 1U);
}

TEST(Layer, CountingWeightsNeedsABuiltLayer) {
  const Dense layer(4);
  EXPECT_THROW(layer.count_params(), StateError);
  layer.build({Shape::kUnknown, 3});
  EXPECT_EQ(layer.count_params(), 16);
  EXPECT_EQ(Dropout(0.5).count_params(), 0);
}

TEST(Layer, AFailedBuildLeavesTheLayerUnbuilt) {
  const Dense layer(
      4, {.kernel_initializer = initializers::Identity{}, .bias_initializer = initializers::Identity{}});
  EXPECT_THROW(layer.build({1, 3}), ShapeError);
  EXPECT_FALSE(layer.is_built());
  EXPECT_TRUE(layer.get_weights().empty());
}

TEST(Layer, ThreadsThatCallANewLayerBuildItOnce) {
  const Dense layer(8, {.activation = "tanh"});
  const Tensor x = Tensor::full({4, 16}, 0.5);
  std::vector<std::vector<double>> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = values_of(layer(x)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(layer.get_weights().size(), 2U);
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

// A layer of a user's own, as the README tells: y = scale·x, scale trained; a counter that is not.
class Scale : public Layer {
 public:
  class Body final : public LayerBody {
   public:
    explicit Body(double start) : start_(start) {}
    std::string_view class_name() const override { return "Scale"; }
    void build(const Shape& input) override {
      seen_ = add_weight({}, "seen", "zeros", {}, {}, false);
      scale_ = add_weight({input.back()}, "scale", initializers::Constant{start_});
    }
    Tensor call(const Tensor& x, const CallContext&) const override { return x * scale_.tensor(); }
    Config config(Generation) const override {
      Config config = Config::object();
      config["start"] = start_;
      return config;
    }

   private:
    double start_;
    Variable scale_, seen_;
  };
  explicit Scale(double start) : Layer(std::make_shared<Body>(start)) {}
};

TEST(Layer, AUsersLayerTrainsIsClonedAndLoadedOnceItIsRegistered) {
  static const bool registered = layers::register_class("Scale", [](const Config& config, Generation) {
    Layer layer = Scale(config.value("start", 1.0));
    layer.body().name = config["name"].get<std::string>();
    return layer;
  });
  EXPECT_TRUE(registered);
  EXPECT_THROW(layers::register_class("Scale", {}), ValueError);
  const Scale layer(3);
  const RecordGradients on;
  const Tensor x = Tensor::of({{1, 2}}).watched();
  const Tensor y = layer(x);
  EXPECT_EQ(values_of(y), (std::vector<double>{3, 6}));
  // Trainable first, whatever the order of making.
  EXPECT_EQ(layer.variables()[0].name(), "scale");
  EXPECT_EQ(layer.variables()[1].name(), "seen");
  const std::vector<Variable> scale = {layer.variables()[0]};
  EXPECT_EQ(values_of(gradients(y, scale)[0]), (std::vector<double>{1, 2}));
  const Layer copy = layer.clone();
  EXPECT_EQ(values_of(copy(x)), values_of(y));
  EXPECT_FALSE(copy.variables()[0] == layer.variables()[0]);
  EXPECT_EQ(layers::deserialize(layer.serialize()).name(), layer.name());
}

TEST(Layer, ElementwiseLayersAreFusedAsActivations) {
  const ActivationFn leaky = LeakyReLU({.negative_slope = 0.5});
  EXPECT_NE(leaky.elementwise(), nullptr);
  EXPECT_EQ(leaky.stateful(), nullptr);
  const Dense layer(1, {.activation = leaky, .kernel_initializer = "ones"});
  EXPECT_EQ(layer(Tensor::of({{-4, 1}})).item(), -1.5);
  EXPECT_EQ(layer.serialize()["config"]["activation"]["config"]["negative_slope"], 0.5);
  EXPECT_NE(ActivationFn(Softmax()).stateful(), nullptr);
}

TEST(Layer, ActivationsAreFoundByTheNamesOfLayers) {
  for (const char* name : {"LeakyReLU", "PReLU", "ELU", "ReLU", "Softmax"}) {
    EXPECT_EQ(activations::get(std::string_view(name), Generation::keras2).name(), name);
  }
}

}  // namespace
}  // namespace keratin
