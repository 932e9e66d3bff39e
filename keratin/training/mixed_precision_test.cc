// Mixed precision against Keras 3 (testdata/mixed_precision.json, written by make_mixed_precision.py on JAX).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/mixed_precision.json");
    return Config::parse(file);
  }();
  return config;
}

Tensor array(const std::string& name) {
  const Config& array = known().at("arrays").at(name);
  return Tensor::from(array.at("values").get<std::vector<float>>(),
                      Shape(array.at("shape").get<std::vector<std::int64_t>>()));
}

std::vector<float> floats(const Tensor& a) {
  const Tensor single = a.astype(DType::float32).contiguous();
  const auto values = single.values<float>();
  return {values.begin(), values.end()};
}

struct WithGlobalPolicy {
  explicit WithGlobalPolicy(const char* policy) { mixed_precision::set_global_policy(policy); }
  ~WithGlobalPolicy() { mixed_precision::set_global_policy("float32"); }
};

struct Half {
  const char* policy;
  DType dtype;
  double unit;  // half the distance of 1 and the next number
};
constexpr Half kHalves[] = {{"mixed_bfloat16", DType::bfloat16, 0x1p-9},
                            {"mixed_float16", DType::float16, 0x1p-12}};

Sequential model_of(const char* policy) {
  const WithGlobalPolicy global(policy);
  Sequential model{Input({6}), Dense(12, {.activation = "tanh"}), Dense(8, {.activation = "gelu"}), Dense(2)};
  Tensors start;
  for (int i = 0; i < 6; ++i) start.push_back(array("start_" + std::to_string(i)));
  model.set_weights(start);
  return model;
}

TEST(MixedPrecision, AProductIsThatOfRoundedInputsAndWeightsRoundedAsInKeras) {
  for (const Half& half : kHalves) {
    const Config& expected = known().at("product").at(half.policy);
    const Dense layer(12, {.use_bias = false, .dtype = half.policy});
    layer.build({Shape::kUnknown, 6});
    layer.set_weights({array("start_0")});
    const Tensor y = layer(array("x"));
    EXPECT_EQ(y.dtype(), half.dtype);
    EXPECT_EQ(layer.get_weights()[0].dtype(), DType::float32);
    const auto values = floats(y);
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Six products in float32, summed in any order: below 2^-20; where that decides a tie, the next number.
      const auto wanted = expected.at("result")[i].get<double>();
      EXPECT_NEAR(values[i], wanted, 2 * half.unit * std::abs(wanted) + 0x1p-20) << half.policy << " " << i;
    }
    // Nearly all are not at a tie.
    std::size_t same = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      same += values[i] == expected.at("result")[i].get<float>();
    EXPECT_GE(same, values.size() * 95 / 100) << half.policy;
  }
}

TEST(MixedPrecision, LearnsWhatKerasLearns) {
  for (const Half& half : kHalves) {
    SCOPED_TRACE(half.policy);
    const Config& expected = known().at("learn").at(half.policy);
    Sequential model = model_of(half.policy);
    model.compile({.optimizer = SGD(0.05), .loss = "mse", .metrics = {"mae"}});
    const History history =
        model.fit(array("x"), array("y"), {.batch_size = 8, .epochs = 5, .shuffle = false});
    // A mean of 32 errors, each of some ten roundings by half.unit forward in one of five epochs, and of as
    // many in Keras, which rounds after each op: three units; weights move by a twentieth of their gradients.
    const double tolerance = 3 * half.unit;
    for (std::size_t epoch = 0; epoch < 5; ++epoch) {
      const auto loss = expected.at("loss")[epoch].get<double>();
      EXPECT_NEAR(history["loss"][epoch], loss, tolerance * loss);
      const auto mae = expected.at("mae")[epoch].get<double>();
      EXPECT_NEAR(history["mae"][epoch], mae, tolerance * mae);
    }
    const auto weights = model.get_weights();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      EXPECT_EQ(weights[i].dtype(), DType::float32);
      const auto values = floats(weights[i]);
      for (std::size_t j = 0; j < values.size(); ++j)
        EXPECT_NEAR(values[j], expected.at("weights")[i][j].get<double>(), half.unit) << i << " " << j;
    }
    EXPECT_EQ(model.predict(array("x")).dtype(), half.dtype);
  }
}

TEST(MixedPrecision, IsNotFloat32) {
  for (const Half& half : kHalves) {
    const auto mixed = floats(model_of(half.policy).predict(array("x")));
    const auto single = floats(model_of("float32").predict(array("x")));
    EXPECT_NE(mixed, single);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      const Tensor rounded = Tensor::scalar(mixed[i]).astype(half.dtype);
      EXPECT_EQ(rounded.item(), mixed[i]);  // nothing finer than the half type comes out
    }
  }
}

TEST(MixedPrecision, EveryKindOfLayerGivesAndTakesHalfTypes) {
  const WithGlobalPolicy global("mixed_bfloat16");
  const Input x({6, 4}), ids({6}, {.dtype = DType::int32});
  SymbolicTensor h = Add()({Conv1D(4, {3}, {.padding = "same", .activation = "relu"})(x), x});
  h = LayerNormalization()(Bidirectional(LSTM(3, {.return_sequences = true}))(h));
  const MultiHeadAttention attention(2, 3);
  h = Concatenate()({attention({h, h}), Embedding(9, 2)(ids), TimeDistributed(Dense(2))(h)});
  h = GlobalAveragePooling1D()(Dropout(0.1)(BatchNormalization()(h)));
  const SymbolicTensor inner = Dense(5, {.activation = "softmax"})(h);
  Model model({x, ids}, {inner, Dense(1)(h)});
  const Tensor values = ops::reshape(Tensor::arange(48, DType::float32, -1) * 0.03, {2, 6, 4});
  const Tensor numbers = Tensor::arange(12, DType::int32).reshape({2, 6});
  const Tensor some = ops::minimum(ops::cast(numbers, DType::float32), Tensor::scalar(8));
  for (const Tensor& y : model.predict_list({values, some})) {
    EXPECT_EQ(y.dtype(), DType::bfloat16);
    for (const float value : floats(y)) EXPECT_TRUE(std::isfinite(value));
  }
  model.compile({.optimizer = Adam(0.01), .loss = "mse"});
  const Tensors targets = {Tensor::full({2, 5}, 0.2), Tensor::full({2, 1}, 0.5)};
  const History history = model.fit({values, some}, targets, {.epochs = 30});
  EXPECT_LT(history["loss"].back(), history["loss"].front() / 2);
  for (const Variable& variable : model.variables()) EXPECT_EQ(variable.dtype(), DType::float32);
}

TEST(MixedPrecision, APolicyOfOneLayerIsItsAlone) {
  const Sequential model{Input({6}), Dense(4, {.dtype = "mixed_bfloat16"}), Dense(3)};
  EXPECT_EQ(model.layers()[0].compute_dtype(), DType::bfloat16);
  EXPECT_EQ(model.layers()[1].compute_dtype(), DType::float32);
  EXPECT_EQ(model.predict(array("x")).dtype(), DType::float32);
}

TEST(MixedPrecision, GradientsBetweenLayersAreOfTheHalfType) {
  const Dense layer(1, {.use_bias = false, .kernel_initializer = "ones", .dtype = "mixed_bfloat16"});
  const Tensor x = Tensor::of({{1, 1}});
  layer.build(x.shape());
  Tensor y;
  {
    const RecordGradients recording;
    y = layer(x.watched());
  }
  // 1 + 2^-9 is no bfloat16: the gradient arrives rounded to 1.
  const Tensor upstream = Tensor::full({1, 1}, 1, DType::bfloat16);
  const auto variables = layer.variables();
  const Tensor gradient = gradients(y, variables, upstream)[0];
  EXPECT_EQ(gradient.dtype(), DType::float32);
  EXPECT_EQ(floats(gradient), (std::vector<float>{1, 1}));
  EXPECT_THROW(gradients(y, variables, Tensor::full({1, 1}, 1)), TypeError);
}

TEST(MixedPrecision, Float16ScalesItsLossByItself) {
  for (const bool automatic : {true, false}) {
    Sequential model = model_of("mixed_float16");
    bool scales = false;
    LambdaCallback look(
        {.on_train_begin = [&](TrainingRun& run) { scales = run.optimizer.scales_itself(); }});
    model.compile({.optimizer = SGD(0.05), .loss = "mse", .auto_scale_loss = automatic});
    model.fit(array("x"), array("y"), {.callbacks = {look}});
    EXPECT_EQ(scales, automatic);
  }
  // Gradients of 2^-26 are nothing in float16, and something where the loss is scaled by 2^15.
  for (const bool automatic : {true, false}) {
    Sequential model{Input({1}), Dense(1, {.use_bias = false, .dtype = "mixed_float16"})};
    model.set_weights({Tensor::zeros({1, 1})});
    model.compile({.optimizer = SGD(1.0),
                   .loss = [](const Tensor&, const Tensor& p) { return p * 0x1p-26; },
                   .auto_scale_loss = automatic});
    model.fit(Tensor::full({1, 1}, 1), Tensor::zeros({1, 1}), {});
    EXPECT_EQ(model.get_weights()[0].item(), automatic ? -0x1p-26 : 0) << automatic;
  }
}

TEST(MixedPrecision, ConfigsNameThePolicyAsKeras) {
  const Dense layer(12, {.dtype = "mixed_bfloat16"});
  const Config config = layer.serialize().at("config").at("dtype");
  EXPECT_EQ(config.at("class_name"), "DTypePolicy");
  EXPECT_EQ(config.at("config"), Config({{"name", "mixed_bfloat16"}}));
  const Layer again = layers::deserialize(layer.serialize());
  EXPECT_EQ(again.compute_dtype(), DType::bfloat16);
  EXPECT_EQ(layers::deserialize(layer.serialize(Generation::keras2), Generation::keras2).compute_dtype(),
            DType::bfloat16);
  EXPECT_THROW(Dense(1, {.dtype = "mixed_float8"}), ValueError);
  EXPECT_THROW(Dense(1, {.dtype = DType::bfloat16}), TypeError);
}

}  // namespace
}  // namespace keratin
