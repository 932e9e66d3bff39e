// Reading a layer's config: what every layer has, and the objects among its arguments. Internal.
#pragma once

#include <string_view>

#include "keratin/activations/activation_fn.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0::detail {

class LayerReader : public ConfigReader {
 public:
  LayerReader(std::string_view class_name, const Config& config, Generation generation)
      : ConfigReader(std::string(class_name), config, generation) {}

  Initializer initializer(std::string_view key, const Initializer& otherwise);
  Regularizer regularizer(std::string_view key);
  Constraint constraint(std::string_view key);
  ActivationFn activation(std::string_view key);

  /// name, trainable and dtype.
  template <class Options>
  void read_common(Options& options) {
    options.name = text("name", "");
    options.trainable = boolean("trainable", true);
    options.dtype = dtype("dtype");
  }
  /// What the options do not hold: the input's shape, the activity regularizer, the generation. Then
  /// ValueError for a key that nobody asked for.
  template <class L>
  L finish(L layer) {
    finish_body(layer.body());
    return layer;
  }

 private:
  void finish_body(LayerBody& body);
};

}  // namespace keratin::inline v0::detail
