// Layers from configurations: the classes by name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0::layers {

/// The layer of a config as Keras of that generation writes it, with that generation's semantics. ValueError
/// for what is unknown or missing, naming the class and the key. Keras: keras.layers.deserialize.
KERATIN_API Layer deserialize(const Config& config, Generation generation = Generation::keras3);

/// Makes a layer from the inner config: what get_config gives.
using Factory = std::function<Layer(const Config& config, Generation generation)>;

/// Makes a class known to deserialize, so that models with layers of one's own can be loaded and cloned.
/// Returns true; ValueError if the name is taken.
KERATIN_API bool register_class(std::string_view class_name, Factory factory);
/// Every class that deserialize knows, in alphabetical order.
KERATIN_API std::vector<std::string> class_names();

}  // namespace keratin::inline v0::layers
