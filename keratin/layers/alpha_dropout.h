// AlphaDropout: dropout that keeps the mean and variance of selu networks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct AlphaDropoutOptions {
  /// Shape of the random draws, broadcast to the input: 1 shares a draw along an axis, Shape::kUnknown stands
  /// for the input's size.
  std::optional<Shape> noise_shape = {};
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// In training: each element becomes −1.758, selu's lower limit, with probability rate; then all are scaled
/// and shifted so that an input of mean 0 and variance 1 keeps them. Otherwise y = x. Any shape. With a seed
/// the n-th call of the layer always drops the same. ValueError for a rate outside [0, 1], and for 1 in
/// training, which leaves nothing to scale (Keras 2: no effect). Klambauer et al. 2017. Keras:
/// keras.layers.AlphaDropout.
class KERATIN_API AlphaDropout : public Layer {
 public:
  explicit AlphaDropout(double rate, const AlphaDropoutOptions& options = {});
  static AlphaDropout from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
