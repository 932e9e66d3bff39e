// ThresholdedReLU: a rectifier that jumps, as a layer.
#pragma once

#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ThresholdedReLUOptions {
  double theta = 1.0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x for x > theta, 0 otherwise. Any shape. ValueError for a negative theta. Keras 3 has no such class:
/// its files get a ReLU with this threshold, which computes the same. Keras 2: keras.layers.ThresholdedReLU.
class KERATIN_API ThresholdedReLU : public Layer {
 public:
  explicit ThresholdedReLU(const ThresholdedReLUOptions& options = {});
  static ThresholdedReLU from_config(const Config& config, Generation generation = Generation::keras2);
};

}  // namespace keratin::inline v0
