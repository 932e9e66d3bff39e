// Arguments of optimizers, schedules and metrics to and from the configs that Keras writes. Internal.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::detail {

template <class T>
concept OptionalArgument = requires(const T& field) {
  field.has_value();
};
template <class T>
concept ListArgument = !std::same_as<T, std::string> && requires(T & field) {
  field.push_back(field.front());
};

/// The value of one argument as Keras writes it.
template <class T>
Config argument_config(const T& field) {
  if constexpr (OptionalArgument<T>) {
    return field ? argument_config(*field) : Config();
  } else {
    return Config(field);
  }
}
/// The same for an argument that is one value or a list of them.
template <class T>
Config one_or_list_config(const T& field) {
  Config value = argument_config(field);
  return value.is_array() && value.size() == 1 ? Config(value.front()) : value;
}

/// Takes the value of one argument; a single value where a list may stand is a list of one. ValueError names
/// the argument where its kind does not fit.
template <class T>
void read_argument(std::string_view operation, const Config& value, const std::string& key, T& field) {
  if constexpr (OptionalArgument<T>) {
    field.reset();
    if (value.is_null()) return;
    typename T::value_type inner{};
    read_argument(operation, value, key, inner);
    field = std::move(inner);
  } else if constexpr (ListArgument<T>) {
    field.clear();
    for (const Config& entry : value.is_array() ? value : Config::array({value})) {
      typename T::value_type inner{};
      read_argument(operation, entry, key, inner);
      field.push_back(std::move(inner));
    }
  } else {
    const bool fits = std::is_same_v<T, bool>          ? value.is_boolean()
                      : std::is_same_v<T, std::string> ? value.is_string()
                      : std::is_same_v<T, double>      ? value.is_number()
                                                       : value.is_number_integer();
    if (!fits)
      throw ValueError(
          operation,
          "expects a " + std::string(std::is_same_v<T, bool> ? "flag" : "value") + " for \"" + key + "\"",
          "got " + value.dump());
    field = value.get<T>();
  }
}

/// ValueError for the first key of `config` that is not among `known`, with the nearest.
inline void check_argument_names(std::string_view operation, const Config& config, std::string_view owner,
                                 const std::vector<std::string_view>& known) {
  for (const auto& entry : config.items()) {
    const std::string& key = entry.key();
    bool found = false;
    for (const std::string_view one : known) found = found || one == key;
    if (!found)
      throw ValueError(operation, "expects arguments of " + std::string(owner), "got \"" + key + "\"",
                       did_you_mean(key, known));
  }
}

/// {"module", "class_name", "config", "registered_name"}, as Keras writes an object.
inline Config object_config(std::string_view module, std::string_view class_name, Config config) {
  Config object = Config::object();
  object["module"] = module;
  object["class_name"] = class_name;
  object["config"] = std::move(config);
  object["registered_name"] = nullptr;
  return object;
}

/// The class name and arguments of an object's config, or of a bare name. ValueError for anything else.
struct NamedArguments {
  std::string name;
  Config arguments;
};
inline NamedArguments named_arguments(std::string_view operation, const Config& config) {
  if (config.is_string()) return {config.get<std::string>(), Config::object()};
  if (!config.is_object() || !config.contains("class_name") || !config.at("class_name").is_string())
    throw ValueError(operation, "expects a name, or an object with \"class_name\" and \"config\"",
                     "got " + config.dump());
  const bool has_arguments = config.contains("config") && config.at("config").is_object();
  return {config.at("class_name").get<std::string>(), has_arguments ? config.at("config") : Config::object()};
}

}  // namespace keratin::inline v0::detail
