#include "keratin/layers/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"

namespace keratin {
namespace {

using keratin::testing::values_away_from;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// The convention of Keras: 0 for x, and nothing for alpha.
TEST(Layers, PReLUHasNoGradientAtZeroAndKeepsItsSign) {
  for (const bool is_recorded : {false, true}) {
    const PReLU layer({.alpha_initializer = initializers::Constant{0.25}});
    const Tensor x = Tensor::of({{-2, -0.0, 0, 3}}).watched();
    Tensor y, alpha;
    {
      const RecordGradients on;
      y = layer(x);
      alpha = layer.variables()[0].tensor();
    }
    EXPECT_EQ(values_of(y), (std::vector<double>{-0.5, 0, 0, 3}));
    EXPECT_TRUE(std::signbit(y.at({0, 1})));
    const RecordGradients on(is_recorded);
    const Tensors targets = {x, alpha};
    const Tensors found = gradients(y, targets);
    EXPECT_EQ(values_of(found[0]), (std::vector<double>{0.25, 0, 0, 1})) << is_recorded;
    EXPECT_EQ(values_of(found[1]), (std::vector<double>{-2, 0, 0, 0})) << is_recorded;
  }
}

// d/dx of (y²)' = 2·alpha²·x is 2·alpha²: the gradient's own record.
TEST(Layers, PReLUHasSecondDerivatives) {
  const RecordGradients on;
  const PReLU layer({.alpha_initializer = initializers::Constant{0.25}});
  const Tensors x = {Tensor::of({{-2, 3}}).watched()};
  const Tensor first = gradients(ops::square(layer(x[0])), x)[0];
  EXPECT_EQ(values_of(first), (std::vector<double>{-0.25, 6}));
  EXPECT_EQ(values_of(gradients(first, x)[0]), (std::vector<double>{0.125, 2}));
}

TEST(Layers, PReLUHasOneAlphaForEachSharedAxis) {
  const std::pair<std::optional<AxisList>, Shape> rows[] = {
      {std::nullopt, {8, 8, 3}}, {AxisList{1, 2}, {1, 1, 3}}, {1, {1, 8, 3}}, {AxisList{3}, {8, 8, 1}}};
  for (const auto& [axes, shape] : rows) {
    const PReLU layer({.shared_axes = axes});
    layer.build({2, 8, 8, 3});
    EXPECT_EQ(layer.variables()[0].shape(), shape);
  }
  // As Keras takes them from a file: the shape without its batch axis, indexed by axis − 1.
  for (const auto& [axis, shape] : {std::pair<int, Shape>{0, {3, 1}}, std::pair<int, Shape>{-1, {1, 4}}}) {
    Config config = Config::object();
    config["shared_axes"] = {axis};
    const PReLU layer = PReLU::from_config(config);
    layer.build({2, 3, 4});
    EXPECT_EQ(layer.variables()[0].shape(), shape);
  }
  const PReLU open({.shared_axes = AxisList{1}});
  open.build({Shape::kUnknown, Shape::kUnknown, 3});
  EXPECT_EQ(values_of(open(Tensor::full({2, 7, 3}, -1))).size(), 42U);
}

TEST(Layers, MaskedSoftmaxFollowsItsGeneration) {
  const Tensor x = Tensor::of({{1, 2, 3}, {1, 2, 3}});
  Tensor mask = Tensor::full({2, 3}, 0, DType::boolean);
  mask.mutable_values<bool>()[0] = mask.mutable_values<bool>()[2] = true;
  const Softmax keras3;
  const double first = 1 / (1 + std::exp(2.0));
  const std::vector<double> y3 = values_of(keras3(x, {.mask = mask}));
  EXPECT_FLOAT_EQ(static_cast<float>(y3[0]), static_cast<float>(first));
  EXPECT_EQ(y3[1], 0);
  EXPECT_EQ((std::vector<double>(y3.begin() + 3, y3.end())), (std::vector<double>{0, 0, 0}));
  const Layer keras2 = layers::deserialize(
      Config::parse(R"({"class_name": "Softmax", "config": {"axis": -1}})"), Generation::keras2);
  const std::vector<double> y2 = values_of(keras2(x, {.mask = mask}));
  EXPECT_FLOAT_EQ(static_cast<float>(y2[0]), static_cast<float>(first));
  // 1, 2, 3 lowered by 1e9 are one float: uniform.
  for (std::size_t i = 3; i < 6; ++i) EXPECT_FLOAT_EQ(static_cast<float>(y2[i]), 1.0F / 3);
  // A mask of numbers counts from 0.5 on, in Keras 3.
  EXPECT_EQ(values_of(keras3(x, {.mask = Tensor::of({0.9, 0.1, 0.6})})),
            values_of(keras3(x, {.mask = mask.slice(0, 0, 1)})));
  EXPECT_THROW(keras3(x, {.mask = Tensor::zeros({2, 2, 3})}), ShapeError);
  EXPECT_THROW(keras3(x, {.mask = Tensor::zeros({2})}), ShapeError);
  // The other generation's file carries the semantics along.
  const Layer again = layers::deserialize(keras2.serialize(Generation::keras3), Generation::keras3);
  EXPECT_EQ(values_of(again(x, {.mask = mask})), y2);
  const Layer keras3_again = layers::deserialize(keras3.serialize(Generation::keras2), Generation::keras2);
  EXPECT_EQ(values_of(keras3_again(x, {.mask = mask})), y3);
}

TEST(Layers, ReLUFollowsKerasCodeAtItsThreshold) {
  const Tensor x = Tensor::of({-2, 0.5, 1, 3});
  // Keras 3.15: where(x > threshold, min(x, max), slope·(x − threshold)).
  const std::vector<double> y = values_of(ReLU({.max_value = 2, .negative_slope = 0.5, .threshold = 0.5})(x));
  EXPECT_EQ(y, (std::vector<double>{-1.25, 0, 1, 2}));
  EXPECT_EQ(values_of(ThresholdedReLU({.theta = 1})(x)), (std::vector<double>{0, 0, 0, 3}));
}

TEST(Layers, IdentityGivesWhatItGets) {
  const Tensor x = Tensor::arange(6).reshape({2, 3});
  EXPECT_EQ(values_of(Identity()(x)), values_of(x));
  EXPECT_EQ(Identity()(x.astype(DType::int32)).dtype(), DType::int32);
  // What Keras 3.15.1 writes.
  EXPECT_EQ(Identity({.name = "same"}).serialize().at("config").at("name"), "same");
  EXPECT_EQ(Identity().serialize().at("config").size(), 3u);
}

TEST(Layers, FlattenAndReshapeMoveElementsAsKerasDoes) {
  const Tensor x = Tensor::arange(12).reshape({1, 2, 3, 2});
  EXPECT_EQ(values_of(Flatten()(x)), values_of(x));
  EXPECT_EQ(values_of(Flatten({.data_format = "channels_first"})(x)),
            (std::vector<double>{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
  EXPECT_EQ(Flatten()(Tensor::zeros({3})).shape(), (Shape{3, 1}));
  EXPECT_EQ(Flatten().compute_output_shape({Shape::kUnknown, 4, 5}), (Shape{Shape::kUnknown, 20}));
  EXPECT_EQ(Reshape({-1, 2})(x).shape(), (Shape{1, 6, 2}));
  EXPECT_EQ(Reshape({3, -1})(Tensor::zeros({0, 6})).shape(), (Shape{0, 3, 2}));
  EXPECT_EQ(Reshape({-1}).compute_output_shape({Shape::kUnknown, Shape::kUnknown, 5}),
            (Shape{Shape::kUnknown, Shape::kUnknown}));
  EXPECT_EQ(Flatten()(Tensor::arange(4, DType::int32).reshape({2, 2})).dtype(), DType::int32);
}

// The page's example: the same layer three ways.
TEST(Layers, AnActivationOfItsOwnAndOneInTheLayerHaveTheSameBits) {
  for (const char* name : {"tanh", "gelu", "selu", "softmax"}) {
    const RecordGradients on;
    const Dense plain(64, {.kernel_initializer = initializers::GlorotUniform{.seed = 1}});
    const Dense fused(64, {.activation = name, .kernel_initializer = initializers::GlorotUniform{.seed = 1}});
    const Activation after(name);
    const Tensor x = values_away_from({37, 20}, {}).astype(DType::float32).watched();
    const Tensor one = after(plain(x)), two = fused(x);
    EXPECT_EQ(values_of(one), values_of(two)) << name;
    const Tensors first = {x, plain.variables()[0].tensor(), plain.variables()[1].tensor()};
    const Tensors second = {x, fused.variables()[0].tensor(), fused.variables()[1].tensor()};
    const Tensor upstream = values_away_from({37, 64}, {}, 9).astype(DType::float32);
    const Tensors a = gradients(one, first, upstream), b = gradients(two, second, upstream);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(values_of(a[i]), values_of(b[i])) << name << ", target " << i;
  }
}

// What Keras 3 refuses (golden kind `error`), where the class is ours.
TEST(Layers, MistakesInArgumentsNameTheValue) {
  const Tensor x3 = Tensor::zeros({2, 3, 4}), x2 = Tensor::zeros({2, 3});
  const auto prelu = [](std::initializer_list<std::int64_t> axes) {
    return PReLU({.shared_axes = AxisList(axes)});
  };
  const std::pair<std::string, const char*> rows[] = {
      {message_of([] { Dense(0); }), "units=0"},
      {message_of([] { Dense(-1); }), "units=-1"},
      {message_of([] { Dense(3, {.activation = "relux"}); }), "\"relux\""},
      {message_of([] { Dense(3, {.activation = "Tanh"}); }), "\"Tanh\""},
      {message_of([] { Dense(3, {.activation = ""}); }), "\"\""},
      {message_of([] { Dense(3, {.kernel_initializer = "glorott"}); }), "\"glorott\""},
      {message_of([] { Dense(3, {.kernel_regularizer = "l3"}); }), "\"l3\""},
      {message_of([] { Dense(3, {.kernel_constraint = "abc"}); }), "\"abc\""},
      {message_of([] { Dense(3, {.name = "a/b"}); }), "name=\"a/b\""},
      {message_of([] { Dense(3, {.dtype = DType::float16}); }), "dtype=float16"},
      {message_of([] { Activation("zelu"); }), "Did you mean \""},
      {message_of([] { ReLU({.max_value = -1}); }), "max_value=-1"},
      {message_of([] { ReLU({.negative_slope = -0.1}); }), "negative_slope=-0.1"},
      {message_of([] { ReLU({.threshold = -1}); }), "threshold=-1"},
      {message_of([] { LeakyReLU({.negative_slope = -0.1}); }), "negative_slope=-0.1"},
      {message_of([] { ThresholdedReLU({.theta = -1}); }), "theta=-1"},
      {message_of([] { Dropout(1.5); }), "rate=1.5"},
      {message_of([] { Dropout(-0.1); }), "rate=-0.1"},
      {message_of([] { Dropout(std::nan("")); }), "rate=nan"},
      {message_of([] { AlphaDropout(1.2); }), "rate=1.2"},
      {message_of([] { Flatten({.data_format = "abc"}); }), "data_format=\"abc\""},
      {message_of([] {
         Reshape({-1, -1});
       }),
       "target_shape=(-1, -1)"},
      {message_of([&] {
         Reshape({5, 2})(x3);
       }),
       "target_shape=(5, 2) holds, received shape (2, 3, 4)"},
      {message_of([&] { Dense(3)(Tensor::zeros({4})); }), "rank 2 or more, received shape (4,)"},
      {message_of([&] { Dense(3)(Tensor::zeros({})); }), "received shape ()"},
      {message_of([&] {
         Dense(3).build({Shape::kUnknown, Shape::kUnknown});
       }),
       "(None, None)"},
      {message_of([&] { prelu({3})(x3); }), "shared axis 3, received shape (2, 3, 4)"},
      {message_of([&] { prelu({0}); }), "received 0"},
      {message_of([&] { prelu({-1}); }), "received -1"},
      {message_of([&] {
         PReLU().build({Shape::kUnknown, Shape::kUnknown});
       }),
       "(None, None)"},
      {message_of([&] { Softmax({.axis = 3})(x3); }), "3"},
      {message_of([&] {
         Dropout(0.5, {.noise_shape = Shape{2, 5}})(x2, {.training = true});
       }),
       "(2, 5)"},
      {message_of([&] { AlphaDropout(1)(x2, {.training = true}); }), "rate=1"},
      {message_of([&] { Dense(3)(Tensor()); }), "undefined"},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
}

TEST(Layers, AnInputOfAnotherShapeNamesTheLayerAndBothShapes) {
  const Dense dense(3, {.name = "stem"});
  dense(Tensor::zeros({2, 5}));
  EXPECT_EQ(message_of([&] {
              dense(Tensor::zeros({2, 6}));
            }),
            "dense: an input whose last axis is 5, received shape (2, 6).\n"
            "  Layer \"stem\", built for (None, 5). Feed that many features, or build a new layer.");
  const PReLU prelu;
  prelu(Tensor::zeros({2, 3, 4}));
  EXPECT_THAT(message_of([&] {
                prelu(Tensor::zeros({2, 3, 5}));
              }),
              HasSubstr("(3, 4), received shape (2, 3, 5)"));
}

TEST(Layers, SettingWeightsChecksAllBeforeItChangesAny) {
  const Dense dense(4, {.name = "d"});
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4}), Tensor::zeros({4})});
              }),
              HasSubstr("0 weights, received 2"));
  dense.build({2, 3});
  const std::vector<double> before = values_of(dense.get_weights()[0]);
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4})});
              }),
              HasSubstr("2 weights, received 1"));
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4}), Tensor::zeros({5})});
              }),
              HasSubstr("\"bias\", of shape (4,), received (5,)"));
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({4, 3}), Tensor::zeros({4})});
              }),
              HasSubstr("\"kernel\", of shape (3, 4), received (4, 3)"));
  EXPECT_EQ(values_of(dense.get_weights()[0]), before);
  dense.set_weights({Tensor::zeros({3, 4}), Tensor::full({4}, 2)});
  EXPECT_EQ(values_of(dense(Tensor::zeros({1, 3}))), (std::vector<double>{2, 2, 2, 2}));
}

TEST(Layers, InputsAreConvertedToTheLayersDtype) {
  const Dense dense(2);
  EXPECT_EQ(dense(Tensor::full({1, 2}, 1, DType::float64)).dtype(), DType::float32);
  EXPECT_EQ(dense(Tensor::full({1, 2}, 1, DType::int32)).dtype(), DType::float32);
  const Dense wide(2, {.dtype = DType::float64});
  EXPECT_EQ(wide(Tensor::full({1, 2}, 1)).dtype(), DType::float64);
}

}  // namespace
}  // namespace keratin
