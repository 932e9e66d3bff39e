// Convolutions and pooling: gradients, shapes, mistakes. Values come from the golden data.
#include "keratin/layers/convolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keratin/activations/backend.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/pooling.h"
#include "keratin/layers/prelu.h"
#include "keratin/ops/conv.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.5, .seed = 4};

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

TEST(Convolution, PredictionsFollowTheKernelHoweverItChanges) {
  const Tensor x = values_away_from({3, 6, 6, 2}, {}).astype(DType::float32);
  const Conv2D layer(4, 3, {.kernel_initializer = kNormal});
  layer(x);
  Variable kernel = layer.variables().front();
  const auto expect_fresh = [&](const std::string& after) {
    const Tensor fresh = ops::conv(x, kernel.value().clone(), {}, {}, {}, {3, 4, 4, 4});
    EXPECT_EQ(values_of(layer(x)), values_of(fresh)) << after;
    EXPECT_EQ(values_of(layer(x)), values_of(fresh)) << after << ", again";
  };
  expect_fresh("the build");
  kernel.mutable_value().mutable_values<float>()[5] += 1;
  expect_fresh("a change in place");
  kernel.assign(kernel.value() * Tensor::scalar(2));
  expect_fresh("assign");
  {
    const RecordGradients on;
    layer(x, {.training = true});
  }
  kernel.mutable_value().mutable_values<float>()[7] -= 1;
  expect_fresh("a step of training");
}

TEST(Convolution, GradientsMatchCentralDifferences) {
  const Tensor line = values_away_from({2, 6, 4}, {}), image = values_away_from({2, 4, 5, 2}, {}),
               first = values_away_from({1, 2, 4, 4}, {}), volume = values_away_from({1, 3, 3, 2, 2}, {});
  expect_gradients_match(
      "Conv1D causal, in groups",
      [] {
        return Conv1D(4, 3,
                      {.padding = "causal",
                       .dilation_rate = 2,
                       .groups = 2,
                       .activation = "tanh",
                       .kernel_initializer = kNormal,
                       .bias_initializer = kNormal,
                       .dtype = kF64});
      },
      line);
  expect_gradients_match(
      "Conv2D same, strides",
      [] {
        return Conv2D(3, {2, 3},
                      {.strides = 2,
                       .padding = "same",
                       .activation = "sigmoid",
                       .kernel_initializer = kNormal,
                       .dtype = kF64});
      },
      image);
  expect_gradients_match(
      "Conv2D of channels_first, softmax",
      [] {
        return Conv2D(3, 2,
                      {.data_format = "channels_first",
                       .activation = "softmax",
                       .kernel_initializer = kNormal,
                       .dtype = kF64});
      },
      first);
  expect_gradients_match(
      "Conv2D pointwise", [] { return Conv2D(3, 1, {.kernel_initializer = kNormal, .dtype = kF64}); }, image);
  expect_gradients_match(
      "Conv3D", [] { return Conv3D(2, 2, {.kernel_initializer = kNormal, .dtype = kF64}); }, volume);
  expect_gradients_match(
      "Conv2DTranspose",
      [] {
        return Conv2DTranspose(2, 3,
                               {.strides = 2,
                                .padding = "same",
                                .activation = "softplus",
                                .kernel_initializer = kNormal,
                                .dtype = kF64});
      },
      image);
  expect_gradients_match(
      "Conv1DTranspose with output_padding",
      [] {
        return Conv1DTranspose(
            2, 3, {.strides = 2, .output_padding = Sizes(1), .kernel_initializer = kNormal, .dtype = kF64});
      },
      line);
  expect_gradients_match(
      "DepthwiseConv2D",
      [] {
        return DepthwiseConv2D(
            2,
            {.depth_multiplier = 2, .activation = "gelu", .depthwise_initializer = kNormal, .dtype = kF64});
      },
      image);
  expect_gradients_match(
      "DepthwiseConv1D of one kernel a channel",
      [] { return DepthwiseConv1D(3, {.depthwise_initializer = kNormal, .dtype = kF64}); }, line);
  expect_gradients_match(
      "SeparableConv2D",
      [] {
        return SeparableConv2D(3, 2,
                               {.depth_multiplier = 2,
                                .activation = "elu",
                                .depthwise_initializer = kNormal,
                                .pointwise_initializer = kNormal,
                                .dtype = kF64});
      },
      image);
}

TEST(Convolution, ActivationsWithWeightsAreTheLayers) {
  const Conv1D layer(3, 2, {.activation = PReLU()});
  layer.build({2, 5, 4});
  ASSERT_EQ(layer.weights().size(), 3U);
  EXPECT_EQ(layer.variables()[2].shape(), (Shape{4, 3}));
  const Layer copy = layer.clone();
  EXPECT_EQ(copy.weights().size(), 3U);
}

TEST(Convolution, AnyActivationFollows) {
  const Tensor x = values_away_from({2, 5, 3}, {}).astype(DType::float32);
  const Conv1D linear(4, 2);
  linear.build(x.shape());
  const ActivationFn own = [](auto z) { return z * backend::sigmoid(1.702 * z); };
  const Conv1D layer(4, 2, {.activation = own});
  layer.build(x.shape());
  layer.set_weights(linear.get_weights());
  EXPECT_EQ(values_of(layer(x)), values_of(own(linear(x))));
}

TEST(Convolution, ShapesFollowFromPaddingAndStrides) {
  const auto shape = [](const Layer& layer, const Shape& input) { return layer.compute_output_shape(input); };
  constexpr std::int64_t kNone = Shape::kUnknown;
  EXPECT_EQ(shape(Conv2D(4, 3), {kNone, 8, kNone, 3}), (Shape{kNone, 6, kNone, 4}));
  EXPECT_EQ(shape(Conv2D(4, 3, {.strides = 2, .padding = "same"}), {kNone, 8, 7, 3}),
            (Shape{kNone, 4, 4, 4}));
  EXPECT_EQ(shape(Conv1D(4, 3, {.padding = "causal"}), {kNone, 8, 3}), (Shape{kNone, 8, 4}));
  EXPECT_EQ(shape(Conv2DTranspose(4, 3, {.strides = 2}), {kNone, 4, 5, 3}), (Shape{kNone, 9, 11, 4}));
  EXPECT_EQ(shape(MaxPooling2D(2), {kNone, 5, kNone, 3}), (Shape{kNone, 2, kNone, 3}));
  EXPECT_EQ(shape(GlobalMaxPooling2D({.keepdims = true}), {kNone, 5, 4, 3}), (Shape{kNone, 1, 1, 3}));
}

TEST(Convolution, MistakesAreNamed) {
  EXPECT_THAT(message_of([] { Conv2D(0, 3); }), HasSubstr("filters=0"));
  EXPECT_THAT(message_of([] { Conv2D(4, {3, 3, 3}); }), HasSubstr("kernel_size=(3, 3, 3)"));
  EXPECT_THAT(message_of([] { Conv2D(4, 3, {.strides = 2, .dilation_rate = 2}); }),
              HasSubstr("dilation_rate"));
  EXPECT_THAT(message_of([] { Conv2D(4, 3, {.padding = "causal"}); }), HasSubstr("padding=\"causal\""));
  EXPECT_THAT(message_of([] { Conv2D(5, 3, {.groups = 2}); }), HasSubstr("groups=2"));
  EXPECT_THAT(message_of([] { Conv2D(4, 3, {.data_format = "channel_last"}); }),
              HasSubstr("Did you mean \"channels_last\""));
  EXPECT_THAT(message_of([] { Conv1DTranspose(4, 3, {.output_padding = Sizes(1)}); }),
              HasSubstr("output_padding"));
  const Conv2D stem(4, 3, {.name = "stem"});
  stem.build({2, 8, 8, 3});
  const std::string message = message_of([&] { stem(Tensor::zeros({2, 8, 8, 1})); });
  EXPECT_THAT(message, HasSubstr("an input of 3 channels"));
  EXPECT_THAT(message, HasSubstr("(2, 8, 8, 1)"));
  EXPECT_THAT(message, HasSubstr("\"stem\""));
  EXPECT_THAT(message_of([&] {
                stem(Tensor::zeros({2, 2, 8, 3}));
              }),
              HasSubstr("at least 3 on spatial axis 0"));
  EXPECT_THROW(MaxPooling2D(0), ValueError);
  EXPECT_THROW(MaxPooling2D(3)(Tensor::zeros({1, 2, 8, 3})), ShapeError);
}

TEST(Pooling, GradientsMatchCentralDifferences) {
  const Tensor line = values_away_from({2, 7, 3}, {}), image = values_away_from({2, 5, 4, 2}, {}),
               volume = values_away_from({1, 3, 4, 3, 2}, {});
  const auto options = [](const char* padding, const char* format) {
    return PoolingOptions{.strides = Sizes(1), .padding = padding, .data_format = format, .dtype = kF64};
  };
  expect_gradients_match(
      "MaxPooling1D", [=] { return MaxPooling1D(3, options("same", "channels_last")); }, line);
  expect_gradients_match(
      "MaxPooling2D", [=] { return MaxPooling2D(2, options("valid", "channels_first")); }, image);
  expect_gradients_match(
      "AveragePooling2D", [=] { return AveragePooling2D(3, options("same", "channels_last")); }, image);
  expect_gradients_match(
      "AveragePooling3D", [] { return AveragePooling3D(2, {.dtype = kF64}); }, volume);
  expect_gradients_match(
      "GlobalMaxPooling2D", [] { return GlobalMaxPooling2D({.dtype = kF64}); }, image);
  expect_gradients_match(
      "GlobalAveragePooling3D", [] { return GlobalAveragePooling3D({.dtype = kF64}); }, volume);
  expect_gradients_match(
      "AdaptiveAveragePooling2D", [] { return AdaptiveAveragePooling2D(3, {.dtype = kF64}); }, image);
  expect_gradients_match(
      "AdaptiveMaxPooling1D", [] { return AdaptiveMaxPooling1D(4, {.dtype = kF64}); }, line);
}

TEST(Pooling, TheFirstOfEqualsGetsTheGradient) {
  const Tensors x = {ops::reshape(Tensor::of({2, 2, 1, 3}), {1, 4, 1}).watched()};
  Tensor y;
  {
    const RecordGradients on;
    y = MaxPooling1D(2)(x[0]);
  }
  EXPECT_EQ(values_of(gradients(y, x)[0]), (std::vector<double>{1, 0, 0, 1}));
}

}  // namespace
}  // namespace keratin
