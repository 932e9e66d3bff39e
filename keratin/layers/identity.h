// Identity: the input as it is, as a layer.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct IdentityOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x, any shape; for a place that wants a layer. Keras: keras.layers.Identity.
class KERATIN_API Identity : public Layer {
 public:
  explicit Identity(const IdentityOptions& options = {});
  static Identity from_config(const Config& config, Generation generation = Generation::keras3);

 private:
  explicit Identity(std::shared_ptr<LayerBody> body) : Layer(std::move(body)) {}
};

}  // namespace keratin::inline v0
