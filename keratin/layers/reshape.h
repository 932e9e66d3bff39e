// Reshape: the same elements in another shape.
#pragma once

#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ReshapeOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// x: (batch, ...)   y: (batch, target_shape...)
/// One size of target_shape may be -1: what is left. ValueError for two; ShapeError if the sizes do not
/// multiply to x's. Keras: keras.layers.Reshape.
class KERATIN_API Reshape : public Layer {
 public:
  explicit Reshape(const Shape& target_shape, const ReshapeOptions& options = {});
  static Reshape from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
