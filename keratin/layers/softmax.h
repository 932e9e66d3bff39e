// Softmax as a layer, with a mask.
#pragma once

#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct SoftmaxOptions {
  AxisList axis = -1;
  /// Keras 2 only: masked inputs are replaced there too, rather than lowered by 1e9.
  bool robust_masking = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = e^x / Σ e^x over the axis or axes. CallContext::mask, broadcast to x, keeps elements where it is true
/// (or more than 0.5): the others become 0. From Keras 2's files, a row that is masked altogether becomes
/// uniform instead, and rank 1 is a ValueError. ShapeError for an axis that x lacks and a mask that does not
/// fit. Keras: keras.layers.Softmax.
class KERATIN_API Softmax : public Layer {
 public:
  explicit Softmax(const SoftmaxOptions& options = {});
  static Softmax from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
