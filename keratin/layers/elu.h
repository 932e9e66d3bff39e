// ELU: the exponential linear unit as a layer.
#pragma once

#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ELUOptions {
  double alpha = 1.0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x for x > 0, alpha·(e^x − 1) otherwise. Any shape. Keras: keras.layers.ELU.
class KERATIN_API ELU : public Layer {
 public:
  explicit ELU(const ELUOptions& options = {});
  static ELU from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
