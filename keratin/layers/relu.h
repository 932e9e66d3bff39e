// ReLU: the rectifier as a layer.
#pragma once

#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ReLUOptions {
  std::optional<double> max_value = {};
  double negative_slope = 0.0;
  double threshold = 0.0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = max_value for x >= max_value, x for threshold < x, negative_slope·(x − threshold) otherwise: what
/// Keras's code computes, with 0 at the threshold. Any shape. ValueError for negative arguments. Keras:
/// keras.layers.ReLU.
class KERATIN_API ReLU : public Layer {
 public:
  explicit ReLU(const ReLUOptions& options = {});
  static ReLU from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
