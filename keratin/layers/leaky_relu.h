// LeakyReLU: a rectifier with a slope below zero, as a layer.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct LeakyReLUOptions {
  double negative_slope = 0.3;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x for x > 0, negative_slope·x otherwise. Any shape. ValueError for a negative slope. Keras 2 calls the
/// slope alpha. Keras: keras.layers.LeakyReLU.
class KERATIN_API LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(const LeakyReLUOptions& options = {});
  /// Keras 2 allows a negative slope.
  static LeakyReLU from_config(const Config& config, Generation generation = Generation::keras3);

 private:
  explicit LeakyReLU(std::shared_ptr<LayerBody> body) : Layer(std::move(body)) {}
};

}  // namespace keratin::inline v0
