// Optimizers from names and from the configs that Keras writes.
#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0::optimizers {
namespace {

constexpr const char* kOperation = "optimizers.deserialize";

template <class Options, class Visit>
void visit_arguments(Options& options, Visit&& visit) {
  visit("name", options.name);
  visit("weight_decay", options.weight_decay);
  visit("clipnorm", options.clipnorm);
  visit("clipvalue", options.clipvalue);
  visit("global_clipnorm", options.global_clipnorm);
  visit("use_ema", options.use_ema);
  visit("ema_momentum", options.ema_momentum);
  visit("ema_overwrite_frequency", options.ema_overwrite_frequency);
  visit("loss_scale_factor", options.loss_scale_factor);
  visit("gradient_accumulation_steps", options.gradient_accumulation_steps);
  if constexpr (requires { options.nesterov; }) visit("nesterov", options.nesterov);
  if constexpr (requires { options.momentum; }) visit("momentum", options.momentum);
  if constexpr (requires { options.rho; }) visit("rho", options.rho);
  if constexpr (requires { options.centered; }) visit("centered", options.centered);
  if constexpr (requires { options.beta_1; }) {
    visit("beta_1", options.beta_1);
    visit("beta_2", options.beta_2);
    visit("amsgrad", options.amsgrad);
    visit("adaptive_epsilon", options.adaptive_epsilon);
  }
  if constexpr (requires { options.epsilon; }) visit("epsilon", options.epsilon);
}

template <class T>
void read(const Config& value, const std::string& key, T& field) {
  if constexpr (requires { field.has_value(); }) {
    if (value.is_null()) {
      field = std::nullopt;
      return;
    }
    typename T::value_type inner{};
    read(value, key, inner);
    field = inner;
  } else {
    const bool fits = std::is_same_v<T, bool>          ? value.is_boolean()
                      : std::is_same_v<T, std::string> ? value.is_string()
                      : std::is_same_v<T, double>      ? value.is_number()
                                                       : value.is_number_integer();
    if (!fits)
      throw ValueError(
          kOperation,
          "expects a " + std::string(std::is_same_v<T, bool> ? "flag" : "value") + " for \"" + key + "\"",
          "got " + value.dump());
    field = value.get<T>();
  }
}

double learning_rate_of(const Config& config, double otherwise) {
  if (!config.contains("learning_rate")) return otherwise;
  const Config& value = config.at("learning_rate");
  if (!value.is_number())
    throw ValueError(kOperation, "expects a number for \"learning_rate\"",
                     value.is_object() && value.contains("class_name") && value.at("class_name").is_string()
                         ? "got the schedule " + value.at("class_name").get<std::string>()
                         : "got " + value.dump(),
                     "This version has no schedules yet.");
  return value.get<double>();
}

template <class Options, class Make>
Optimizer from_config(const Config& config, Generation generation, double learning_rate, Make make) {
  Options options;
  options.generation = generation;
  std::vector<std::string_view> keys{"learning_rate"};
  visit_arguments(options, [&](const char* key, auto& field) {
    keys.emplace_back(key);
    if (config.contains(key)) read(config.at(key), key, field);
  });
  for (const auto& entry : config.items()) {
    const std::string& key = entry.key();
    const Config& value = entry.value();
    // Keras 2's old RMSprop puts epsilon elsewhere; its old SGD and Adam give the same numbers as the new.
    if (key == "is_legacy_optimizer" && (value != true || options.name != "RMSprop")) continue;
    // How Keras 2 ran an optimizer, not what it computes.
    if (key == "jit_compile" || (key == "decay" && value == 0)) continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      throw ValueError(kOperation, "expects arguments of " + options.name, "got \"" + key + "\"",
                       did_you_mean(key, keys));
  }
  return make(learning_rate_of(config, learning_rate), options);
}

}  // namespace

Optimizer deserialize(const Config& config, Generation generation) {
  const Config none = Config::object();
  std::string name;
  if (config.is_string()) {
    name = config.get<std::string>();
  } else if (config.is_object() && config.contains("class_name") && config.at("class_name").is_string()) {
    name = config.at("class_name").get<std::string>();
  } else {
    throw ValueError(kOperation, "expects a name, or an object with \"class_name\" and \"config\"",
                     "got " + config.dump());
  }
  const Config& arguments = config.is_object() && config.contains("config") && config.at("config").is_object()
                                ? config.at("config")
                                : none;
  std::string key = name;
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (key == "sgd")
    return from_config<SGDOptions>(arguments, generation, 0.01,
                                   [](double rate, const auto& o) { return SGD(rate, o); });
  if (key == "rmsprop")
    return from_config<RMSpropOptions>(arguments, generation, 0.001,
                                       [](double rate, const auto& o) { return RMSprop(rate, o); });
  if (key == "adam")
    return from_config<AdamOptions>(arguments, generation, 0.001,
                                    [](double rate, const auto& o) { return Adam(rate, o); });
  constexpr std::array<std::string_view, 3> kKnown{"sgd", "rmsprop", "adam"};
  throw ValueError(kOperation, "expects the name of an optimizer: sgd, rmsprop or adam",
                   "got \"" + name + "\"", did_you_mean(name, kKnown));
}

}  // namespace keratin::inline v0::optimizers
