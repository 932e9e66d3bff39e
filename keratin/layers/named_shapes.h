// The build_config that Keras 3 writes of layers with several arguments. Internal.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "keratin/core/shapes.h"
#include "keratin/layers/config_reader.h"

namespace keratin::inline v0::detail {

/// {"shapes_dict": {"query_shape": …, "value_shape": …}}, in the order of the arguments.
inline Config named_shapes(std::initializer_list<std::pair<const char*, Config>> arguments) {
  Config shapes = Config::object();
  for (const auto& [name, shape] : arguments) shapes[std::string(name) + "_shape"] = shape;
  return Config::object({{"shapes_dict", std::move(shapes)}});
}

/// Of a recurrent layer that was built with states; nothing else is changed.
inline void name_state_shapes(Config& object, const Shapes& built, Generation generation) {
  if (generation != Generation::keras3 || built.size() < 2) return;
  Config states = Config::array();
  for (std::size_t i = 1; i < built.size(); ++i) states.push_back(shape_config(built[i]));
  object["build_config"] =
      named_shapes({{"sequences", shape_config(built.front())}, {"initial_state", std::move(states)}});
}

}  // namespace keratin::inline v0::detail
