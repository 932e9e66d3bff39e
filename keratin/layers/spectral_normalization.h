// SpectralNormalization: a layer whose kernel is kept at a largest singular value of 1.
#pragma once

#include <cstdint>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct SpectralNormalizationOptions {
  std::int64_t power_iterations = 1;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// The layer, whose kernel (or embeddings), as a matrix of (all other axes, last axis), is divided by an
/// estimate of its largest singular value at every call in training. `power_iterations` steps of the power
/// method refine the estimate, and the vector it starts from stays between calls. Tensors are those of the
/// layer with the divided kernel. Weights: vector_u (1, last axis), then the layer's.
/// ValueError for power_iterations below 1 and for a layer without kernel or embeddings. Miyato et al. 2018.
/// Keras: keras.layers.SpectralNormalization.
class KERATIN_API SpectralNormalization : public Layer {
 public:
  explicit SpectralNormalization(const Layer& layer, const SpectralNormalizationOptions& options = {});
  static SpectralNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
