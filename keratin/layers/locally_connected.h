// Layers as convolutions, but with weights of its own for each position: LocallyConnected1D, 2D.
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

struct LocallyConnectedOptions {
  Sizes strides = 1;
  /// "same" for implementations 2 and 3 alone, as in Keras.
  std::string padding = "valid";
  std::optional<std::string> data_format = {};
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  /// How the kernel is kept; all three compute the same.
  std::int64_t implementation = 1;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = act(x * W + b) over N spatial axes, W and b another for each position of the window.
/// x: (batch, N sizes, in)   y: (batch, N sizes, filters)   b: (N sizes of y, filters); channels_first:
/// channels behind the batch in x and y. W by implementation: 1 (positions, window·in, filters); 2 (x's
/// sizes, y's sizes), 0 where they are not connected; 3 (connections,), in the order of y's elements, then of
/// x's. ValueError as for Conv; ShapeError for an input whose sizes are unknown or not those seen at build.
/// Cost: 2·elements of y·window·in flops forward for implementation 1; 2·elements of x and y, memory as much,
/// for the others. Keras 2: keras.layers.LocallyConnected2D.
template <std::size_t N>
class KERATIN_API LocallyConnected : public Layer {
 public:
  LocallyConnected(std::int64_t filters, const Sizes& kernel_size,
                   const LocallyConnectedOptions& options = {});
  static LocallyConnected from_config(const Config& config, Generation generation = Generation::keras3);
};

using LocallyConnected1D = LocallyConnected<1>;
using LocallyConnected2D = LocallyConnected<2>;

extern template class KERATIN_API LocallyConnected<1>;
extern template class KERATIN_API LocallyConnected<2>;

}  // namespace keratin::inline v0
