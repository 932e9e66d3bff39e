// Activations to names and configs: what the Keras of a generation reads, where it has words for it.
#include <cmath>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/axis_activation.h"
#include "keratin/activations/builtin.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/get.h"
#include "keratin/activations/names.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::activations {
namespace {

Config object_of(std::string_view module, std::string_view class_name, Config config,
                 Config registered_name) {
  Config object = Config::object();
  object["module"] = std::string(module);
  object["class_name"] = std::string(class_name);
  object["config"] = std::move(config);
  object["registered_name"] = std::move(registered_name);
  return object;
}

Config operation(std::string_view class_name, Config config) {
  return object_of("keras.src.ops.nn", class_name, std::move(config), std::string(class_name));
}

Config layer(std::string_view class_name, Config config) {
  return object_of("keras.layers", class_name, std::move(config), nullptr);
}

Config own(std::string_view class_name, Config config) {
  return object_of("keratin", class_name, std::move(config), "keratin>" + std::string(class_name));
}

// All parameters under the keys that `key_of` gives, those without one left out.
template <class KeyOf>
Config arguments_of(const BuiltinActivation& activation, KeyOf&& key_of) {
  Config arguments = Config::object();
  for (const Parameter& parameter : activation.definition().parameters) {
    const std::string_view key = key_of(parameter);
    if (key.empty()) continue;
    arguments[std::string(key)] = detail::parameter_config(parameter, parameter.get(activation.parameters()));
  }
  return arguments;
}

template <Definition T>
const T& as(const BuiltinActivation& activation) {
  return *static_cast<const T*>(activation.parameters());
}

// Keras's own relu: with these parameters the page's computes the same.
bool is_relu_of_keras(const Relu& relu) {
  return relu.as_keras || (relu.threshold == 0 && relu.max_value >= 0);
}

Config relu_arguments(const Relu& relu) {
  Config arguments = Config::object();
  arguments["negative_slope"] = relu.alpha;
  arguments["max_value"] = relu.max_value == kNone ? Config(nullptr) : Config(relu.max_value);
  arguments["threshold"] = relu.threshold;
  return arguments;
}

/// Whether the bare name means these parameters to the Keras of that generation.
bool is_default_of(const BuiltinActivation& activation, Generation generation) {
  switch (activation.definition().index) {
    case Index::hard_sigmoid:
      return as<HardSigmoid>(activation).limit == (generation == Generation::keras2 ? 2.5 : 3.0);
    case Index::relu: {
      const auto& relu = as<Relu>(activation);
      return relu.alpha == 0 && relu.max_value == kNone && relu.threshold == 0;
    }
    case Index::threshold:
      return false;
    default:
      return activation.has_default_parameters();
  }
}

/// Whether every parameter that is not at its default has a keyword in Keras 3.
bool is_known_to_keras3(const BuiltinActivation& activation) {
  for (const Parameter& parameter : activation.definition().parameters) {
    if (parameter.keras3.empty() && parameter.get(activation.parameters()) != parameter.default_value)
      return false;
  }
  return activation.definition().index != Index::hard_sigmoid;
}

Config own_object(const BuiltinActivation& activation) {
  return own(detail::class_name_of(activation.definition()),
             arguments_of(activation, [](const Parameter& parameter) { return parameter.name; }));
}

Config for_keras3(const BuiltinActivation& activation) {
  if (activation.definition().index == Index::relu) {
    const auto& relu = as<Relu>(activation);
    if (!is_relu_of_keras(relu)) return own_object(activation);
    return object_of("keras.src.activations.activations", "ReLU", relu_arguments(relu), "ReLU");
  }
  if (!is_known_to_keras3(activation)) return own_object(activation);
  return operation(detail::class_name_of(activation.definition()),
                   arguments_of(activation, [](const Parameter& parameter) { return parameter.keras3; }));
}

Config for_keras2(const BuiltinActivation& activation) {
  switch (activation.definition().index) {
    case Index::relu:
      if (!is_relu_of_keras(as<Relu>(activation))) return own_object(activation);
      return layer("ReLU", relu_arguments(as<Relu>(activation)));
    case Index::leaky_relu:
      return layer("LeakyReLU", {{"alpha", as<LeakyRelu>(activation).negative_slope}});
    case Index::elu:
      return layer("ELU", {{"alpha", as<Elu>(activation).alpha}});
    default:
      return own_object(activation);
  }
}

Config axis_config(const Axes& axes) {
  if (!axes.values()) return nullptr;
  if (axes.values()->size() == 1) return axes.values()->front();
  return Config(std::vector(axes.values()->begin(), axes.values()->end()));
}

}  // namespace

Config serialize(const ActivationFn& activation, Generation generation) {
  return activation.function().serialize(generation);
}

namespace detail {

Config parameter_config(const Parameter& parameter, double value) {
  if (parameter.kind == ParameterKind::flag) return value != 0;
  if (parameter.kind == ParameterKind::optional && value == kNone) return nullptr;
  if (std::isinf(value)) return to_text(value);
  return value;
}

Config serialize_builtin(const BuiltinActivation& activation, Generation generation) {
  const auto name = name_in(activation.definition(), generation);
  if (name && is_default_of(activation, generation)) return std::string(*name);
  return generation == Generation::keras3 ? for_keras3(activation) : for_keras2(activation);
}

Config serialize_axis(const AxisActivation& activation, Generation generation) {
  const auto name = name_in(activation.kind(), generation);
  if (name && activation.axes() == Axes(-1)) return std::string(*name);
  Config arguments = Config::object();
  arguments["axis"] = axis_config(activation.axes());
  if (generation == Generation::keras3)
    return operation(class_name_of(activation.kind()), std::move(arguments));
  if (activation.kind() == AxisKind::softmax) return layer("Softmax", std::move(arguments));
  return own(class_name_of(activation.kind()), std::move(arguments));
}

}  // namespace detail
}  // namespace keratin::inline v0::activations
