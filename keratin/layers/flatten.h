// Flatten: everything but the batch in one axis.
#pragma once

#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct FlattenOptions {
  /// "channels_last" (the default) or "channels_first": then channels are moved last before.
  std::optional<std::string> data_format = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// x: (batch, ...)   y: (batch, product of the rest)
/// ValueError for another data_format. Keras: keras.layers.Flatten.
class KERATIN_API Flatten : public Layer {
 public:
  explicit Flatten(const FlattenOptions& options = {});
  static Flatten from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
