// Convolutions: Conv1D, 2D, 3D, and their transposed, depthwise and separable kin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0 {

struct ConvOptions {
  Sizes strides = 1;
  /// "valid": only whole windows; "same": zeros around, so that stride 1 keeps the size; "causal" (Conv1D):
  /// zeros in front alone.
  std::string padding = "valid";
  std::optional<std::string> data_format = {};
  Sizes dilation_rate = 1;
  std::int64_t groups = 1;
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = act(x * W + b) over N spatial axes.
/// x: (batch, N sizes, in)   W: (N sizes, in/groups, filters)   b: (filters,)   y: (batch, N sizes, filters);
/// channels_first: channels behind the batch. ValueError for numbers below 1, groups that do not divide the
/// filters, strides beside dilations; ShapeError for other channels than seen at build and for an input
/// smaller than the window. Cost: 2·elements of y·kernel·in/groups flops forward, twice that backward. Keras:
/// keras.layers.Conv2D.
template <std::size_t N>
class KERATIN_API Conv : public Layer {
 public:
  Conv(std::int64_t filters, const Sizes& kernel_size, const ConvOptions& options = {});
  static Conv from_config(const Config& config, Generation generation = Generation::keras3);
};

struct ConvTransposeOptions {
  Sizes strides = 1;
  std::string padding = "valid";
  /// Elements more on each axis, below the stride; without it the size is in·stride, with padding "valid" at
  /// least the kernel's.
  std::optional<Sizes> output_padding = {};
  std::optional<std::string> data_format = {};
  Sizes dilation_rate = 1;
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// The transposed convolution: the gradient of a Conv as a layer. W: (N sizes, filters, in). Keras:
/// keras.layers.Conv2DTranspose.
template <std::size_t N>
class KERATIN_API ConvTranspose : public Layer {
 public:
  ConvTranspose(std::int64_t filters, const Sizes& kernel_size, const ConvTransposeOptions& options = {});
  static ConvTranspose from_config(const Config& config, Generation generation = Generation::keras3);
};

struct DepthwiseConvOptions {
  Sizes strides = 1;
  std::string padding = "valid";
  std::int64_t depth_multiplier = 1;
  std::optional<std::string> data_format = {};
  Sizes dilation_rate = 1;
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Each channel convolved alone with depth_multiplier kernels. W: (N sizes, in, depth_multiplier)
/// b: (in·depth_multiplier,). Keras: keras.layers.DepthwiseConv2D.
template <std::size_t N>
class KERATIN_API DepthwiseConv : public Layer {
 public:
  explicit DepthwiseConv(const Sizes& kernel_size, const DepthwiseConvOptions& options = {});
  static DepthwiseConv from_config(const Config& config, Generation generation = Generation::keras3);
};

struct SeparableConvOptions {
  Sizes strides = 1;
  std::string padding = "valid";
  std::optional<std::string> data_format = {};
  Sizes dilation_rate = 1;
  std::int64_t depth_multiplier = 1;
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer pointwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer pointwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint pointwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// A depthwise convolution, then one of size 1 over all channels. W: (N sizes, in, depth_multiplier) and
/// (1…, in·depth_multiplier, filters). Keras: keras.layers.SeparableConv2D.
template <std::size_t N>
class KERATIN_API SeparableConv : public Layer {
 public:
  SeparableConv(std::int64_t filters, const Sizes& kernel_size, const SeparableConvOptions& options = {});
  static SeparableConv from_config(const Config& config, Generation generation = Generation::keras3);
};

using Conv1D = Conv<1>;
using Conv2D = Conv<2>;
using Conv3D = Conv<3>;
using Conv1DTranspose = ConvTranspose<1>;
using Conv2DTranspose = ConvTranspose<2>;
using Conv3DTranspose = ConvTranspose<3>;
using DepthwiseConv1D = DepthwiseConv<1>;
using DepthwiseConv2D = DepthwiseConv<2>;
using SeparableConv1D = SeparableConv<1>;
using SeparableConv2D = SeparableConv<2>;

extern template class KERATIN_API Conv<1>;
extern template class KERATIN_API Conv<2>;
extern template class KERATIN_API Conv<3>;
extern template class KERATIN_API ConvTranspose<1>;
extern template class KERATIN_API ConvTranspose<2>;
extern template class KERATIN_API ConvTranspose<3>;
extern template class KERATIN_API DepthwiseConv<1>;
extern template class KERATIN_API DepthwiseConv<2>;
extern template class KERATIN_API SeparableConv<1>;
extern template class KERATIN_API SeparableConv<2>;

}  // namespace keratin::inline v0
