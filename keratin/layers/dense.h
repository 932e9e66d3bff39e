// Dense: the fully connected layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/lora.h"

namespace keratin::inline v0 {

struct DenseOptions {
  ActivationFn activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  /// Adapts a frozen kernel from the start: enable_lora. lora_alpha left out: lora_rank.
  std::optional<std::int64_t> lora_rank = {};
  std::optional<double> lora_alpha = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Fully connected layer: y = act(x·W + b).
/// x: (batch, ..., in)   W: (in, units)   b: (units,)   y: (batch, ..., units)
/// W starts Glorot-uniform, b zero. ValueError for units below 1; ShapeError if x's last axis is not the `in`
/// seen at build. Cost: 2·rows·in·units flops forward, twice that backward. Keras: keras.layers.Dense.
class KERATIN_API Dense : public Layer {
 public:
  explicit Dense(std::int64_t units, const DenseOptions& options = {});
  static Dense from_config(const Config& config, Generation generation = Generation::keras3);
  /// See keratin::enable_lora.
  void enable_lora(std::int64_t rank, const EnableLoraOptions& options = {}) const;
};

}  // namespace keratin::inline v0
