#include "tools/golden/runner.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tools/golden/golden_set.h"

namespace keratin::golden {

const Kind* find_kind(std::string_view name) noexcept {
  static constexpr std::array kinds = {&kActivation,      &kActivationAll16, &kActivationVjp,
                                       &kActivationShape, &kLayer,           &kTraining};
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const Kind* kind) { return kind->name == name; });
  return found == kinds.end() ? nullptr : *found;
}

bool is_supported(const Config& golden_case) {
  const Kind* kind = find_kind(text_of(golden_case, "kind"));
  return kind != nullptr && kind->is_supported(golden_case);
}

Config with_precision(Config config, DType precision) {
  if (config.is_object()) {
    if (config.contains("dtype")) config["dtype"] = std::string(name(precision));
    for (const char* key : {"config", "layers", "layer", "backward_layer", "cell", "cells"})
      if (config.contains(key)) config[key] = with_precision(config[key], precision);
  } else if (config.is_array()) {
    for (Config& one : config) one = with_precision(one, precision);
  }
  return config;
}

}  // namespace keratin::golden
