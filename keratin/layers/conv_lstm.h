// ConvLSTM1D, 2D, 3D: an LSTM whose products are convolutions.
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

struct ConvLSTMOptions {
  Sizes strides = 1;
  std::string padding = "valid";
  std::optional<std::string> data_format = {};
  Sizes dilation_rate = 1;
  ActivationFn activation = "tanh";
  ActivationFn recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  /// The forget gate's bias starts at 1.
  bool unit_forget_bias = true;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  double recurrent_dropout = 0;
  std::optional<std::int64_t> seed = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// LSTM's formulas with x * W of the options' convolution and h * U of one that keeps the size.
/// x: (batch, steps, N sizes, channels)   y: (batch, N sizes, filters), with return_sequences a step more,
/// with return_state h and c behind; channels_first: channels before the sizes. W: (N sizes, channels,
/// 4·filters) for i, f, c, o   U: (N sizes, filters, 4·filters)   b: (4·filters,). Shi et al. 2015. Keras:
/// keras.layers.ConvLSTM2D.
template <std::size_t N>
class KERATIN_API ConvLSTM : public Layer {
 public:
  ConvLSTM(std::int64_t filters, const Sizes& kernel_size, const ConvLSTMOptions& options = {});
  static ConvLSTM from_config(const Config& config, Generation generation = Generation::keras3);
  void reset_states() const;
};

using ConvLSTM1D = ConvLSTM<1>;
using ConvLSTM2D = ConvLSTM<2>;
using ConvLSTM3D = ConvLSTM<3>;

extern template class KERATIN_API ConvLSTM<1>;
extern template class KERATIN_API ConvLSTM<2>;
extern template class KERATIN_API ConvLSTM<3>;

}  // namespace keratin::inline v0
