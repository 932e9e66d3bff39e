// Dropout: inputs left out at random in training.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct DropoutOptions {
  /// Shape of the random draws, broadcast to the input: 1 shares a draw along an axis, Shape::kUnknown stands
  /// for the input's size.
  std::optional<Shape> noise_shape = {};
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// In training: each element is 0 with probability rate, else divided by 1 − rate; otherwise y = x. Any
/// shape. With a seed the n-th call of the layer always drops the same. ValueError for a rate outside [0, 1].
/// Srivastava et al. 2014. Keras: keras.layers.Dropout.
class KERATIN_API Dropout : public Layer {
 public:
  explicit Dropout(double rate, const DropoutOptions& options = {});
  static Dropout from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
