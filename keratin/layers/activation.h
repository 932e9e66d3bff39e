// Activation: an activation function as a layer.
#pragma once

#include <string>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ActivationOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = activation(x), any shape. Weights of a stateful activation are this layer's.
/// Keras: keras.layers.Activation.
class KERATIN_API Activation : public Layer {
 public:
  explicit Activation(const ActivationFn& activation, const ActivationOptions& options = {});
  static Activation from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
