// The gradient of every layer against central differences.
#include <gtest/gtest.h>

#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layers.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.7, .seed = 4};

Layer dense(const ActivationFn& activation) {
  return Dense(
      4,
      {.activation = activation, .kernel_initializer = kNormal, .bias_initializer = kNormal, .dtype = kF64});
}

TEST(Layers, GradientsMatchCentralDifferences) {
  const Tensor flat = values_away_from({3, 5}, {0, 0.5, 1, 1.5}), cube = values_away_from({2, 3, 4}, {0});
  for (const char* name : {"linear", "tanh", "selu", "gelu", "softplus", "softmax", "silu", "log_softmax"}) {
    expect_gradients_match(
        std::string("Dense ") + name, [=] { return dense(name); }, flat);
  }
  expect_gradients_match(
      "Dense of rank 3", [] { return dense("sigmoid"); }, cube);
  expect_gradients_match(
      "Dense without bias",
      [] { return Dense(4, {.use_bias = false, .kernel_initializer = kNormal, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "Activation", [] { return Activation("mish", {.dtype = kF64}); }, cube);
  expect_gradients_match(
      "LeakyReLU", [] { return LeakyReLU({.negative_slope = 0.2, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ELU", [] { return ELU({.alpha = 0.7, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ThresholdedReLU", [] { return ThresholdedReLU({.theta = 0.5, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ReLU", [] { return ReLU({.dtype = kF64}); }, flat);
  expect_gradients_match(
      "ReLU with all",
      [] { return ReLU({.max_value = 1.5, .negative_slope = 0.1, .threshold = 0.5, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "Flatten", [] { return Flatten({.dtype = kF64}); }, cube);
  expect_gradients_match(
      "Flatten channels_first", [] { return Flatten({.data_format = "channels_first", .dtype = kF64}); },
      values_away_from({2, 3, 2, 2}, {}));
  expect_gradients_match(
      "Reshape",
      [] {
        return Reshape({-1, 2}, {.dtype = kF64});
      },
      cube);
}

TEST(Layers, GradientsOfRearrangingLayersMatchCentralDifferences) {
  const Tensor flat = values_away_from({2, 3}, {}), cube = values_away_from({2, 3, 4}, {}),
               image = values_away_from({2, 3, 2, 2}, {}), volume = values_away_from({1, 2, 2, 3, 2}, {});
  const std::string first = "channels_first";
  expect_gradients_match(
      "Permute",
      [] {
        return Permute({2, 1}, {.dtype = kF64});
      },
      cube);
  expect_gradients_match(
      "RepeatVector", [] { return RepeatVector(3, {.dtype = kF64}); }, flat);
  expect_gradients_match(
      "ZeroPadding1D",
      [] {
        return ZeroPadding1D({1, 2}, {.dtype = kF64});
      },
      cube);
  expect_gradients_match(
      "ZeroPadding2D",
      [=] {
        return ZeroPadding2D({{1, 0}, {0, 2}}, {.data_format = first, .dtype = kF64});
      },
      image);
  expect_gradients_match(
      "ZeroPadding3D", [] { return ZeroPadding3D(1, {.dtype = kF64}); }, volume);
  expect_gradients_match(
      "Cropping1D",
      [] {
        return Cropping1D({0, 1}, {.dtype = kF64});
      },
      cube);
  expect_gradients_match(
      "Cropping2D",
      [] {
        return Cropping2D({{1, 0}, {0, 1}}, {.dtype = kF64});
      },
      image);
  expect_gradients_match(
      "Cropping3D",
      [] {
        return Cropping3D({{0, 1}, {1, 0}, {1, 1}}, {.dtype = kF64});
      },
      volume);
  expect_gradients_match(
      "UpSampling1D", [] { return UpSampling1D(3, {.dtype = kF64}); }, cube);
  expect_gradients_match(
      "UpSampling3D", [] { return UpSampling3D(2, {.dtype = kF64}); }, volume);
  for (const char* interpolation : {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"}) {
    expect_gradients_match(
        interpolation,
        [=] {
          return UpSampling2D({2, 3}, {.interpolation = interpolation, .dtype = kF64});
        },
        image);
  }
}

TEST(Layers, GradientsOfNormalizingLayersMatchCentralDifferences) {
  const Tensor cube = values_away_from({3, 2, 4}, {}), image = values_away_from({2, 4, 2, 3}, {});
  const auto batch = [](const AxisList& axis) {
    return [axis] {
      return BatchNormalization(
          {.axis = axis, .beta_initializer = kNormal, .gamma_initializer = kNormal, .dtype = kF64});
    };
  };
  expect_gradients_match(
      "LayerNormalization",
      [] {
        return LayerNormalization({.beta_initializer = kNormal, .gamma_initializer = kNormal, .dtype = kF64});
      },
      cube);
  expect_gradients_match(
      "LayerNormalization of two axes",
      [] {
        return LayerNormalization({.axis = {1, 2}, .gamma_initializer = kNormal, .dtype = kF64});
      },
      cube);
  expect_gradients_match(
      "GroupNormalization",
      [] { return GroupNormalization({.groups = 2, .gamma_initializer = kNormal, .dtype = kF64}); }, cube);
  expect_gradients_match(
      "GroupNormalization of axis 1",
      [] {
        return GroupNormalization({.groups = 2, .axis = 1, .gamma_initializer = kNormal, .dtype = kF64});
      },
      image);
  expect_gradients_match(
      "RMSNormalization", [] { return RMSNormalization({.dtype = kF64}); }, cube);
  expect_gradients_match(
      "UnitNormalization", [] { return UnitNormalization({.dtype = kF64}); }, cube);
  expect_gradients_match(
      "Rescaling", [] { return Rescaling(0.5, {.offset = 2, .dtype = kF64}); }, cube);
  expect_gradients_match(
      "Normalization", [] { return Normalization({.mean = {1}, .variance = {4}, .dtype = kF64}); }, cube);
  expect_gradients_match("BatchNormalization", batch(-1), cube);
}

TEST(Layers, GradientsOfPReLUMatchCentralDifferences) {
  const Tensor cube = values_away_from({2, 3, 4}, {0}), image = values_away_from({2, 2, 3, 2}, {0});
  const auto prelu = [](std::optional<AxisList> axes) {
    return [axes] { return PReLU({.alpha_initializer = kNormal, .shared_axes = axes, .dtype = kF64}); };
  };
  expect_gradients_match("PReLU", prelu(std::nullopt), cube);
  expect_gradients_match("PReLU shared 1", prelu(1), cube);
  expect_gradients_match("PReLU shared 2", prelu(AxisList{2}), cube);
  expect_gradients_match("PReLU shared 1, 2", prelu(AxisList{1, 2}), image);
  expect_gradients_match("PReLU shared by all", prelu(AxisList{1, 2, 3}), image);
  // Inside a Dense, whose weights alpha joins.
  const Tensor x = values_away_from({3, 5}, {});
  expect_gradients_match(
      "Dense with PReLU", [] { return dense(PReLU({.alpha_initializer = kNormal, .dtype = kF64})); }, x);
}

TEST(Layers, GradientsOfSoftmaxAndItsMaskMatchCentralDifferences) {
  const Tensor x = values_away_from({2, 3, 4}, {});
  Tensor mask = Tensor::full({2, 3, 4}, 1, DType::boolean);
  for (const std::size_t i : {0, 5, 6, 11, 16, 17, 18, 19}) mask.mutable_values<bool>()[i] = false;
  for (const AxisList& axis : {AxisList(-1), AxisList(1), AxisList{1, 2}, AxisList{-1}}) {
    const auto make = [=] { return Softmax({.axis = axis, .dtype = kF64}); };
    expect_gradients_match("Softmax", make, x);
    expect_gradients_match("Softmax with a mask", make, x, {.mask = mask});
    const auto make2 = [=] {
      Layer layer = make();
      layer.body().generation = Generation::keras2;
      return layer;
    };
    // Only where no row is masked altogether: lowered by 1e9 in f64, its values would keep seven digits.
    if (axis == AxisList(1))
      expect_gradients_match("Softmax of Keras 2 with a mask", make2, x, {.mask = mask});
  }
}

TEST(Layers, GradientsOfDropoutMatchCentralDifferences) {
  const Tensor x = values_away_from({4, 5}, {});
  expect_gradients_match("Dropout", [] { return Dropout(0.4, {.seed = 3, .dtype = kF64}); }, x,
                         {.training = true});
  expect_gradients_match(
      "Dropout with a noise shape",
      [] {
        return Dropout(0.4, {.noise_shape = Shape{Shape::kUnknown, 1}, .seed = 3, .dtype = kF64});
      },
      x, {.training = true});
  expect_gradients_match("AlphaDropout", [] { return AlphaDropout(0.4, {.seed = 3, .dtype = kF64}); }, x,
                         {.training = true});
}

}  // namespace
}  // namespace keratin
