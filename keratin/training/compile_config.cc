#include "keratin/training/compile_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

constexpr const char* kOperation = "compile_from_config";

// ---- Written.

Config loss_config(const Loss& loss, Generation generation) { return loss.serialize(generation); }
Config weight_config(const std::optional<double>& weight, Generation) {
  return weight ? Config(*weight) : Config();
}
Config metric_config(const Metric& metric, Generation) {
  return metric.identifier().empty() ? metric.serialize() : Config(metric.identifier());
}

template <class T, class Write>
Config list_config(const std::vector<T>& values, Generation generation, Write write) {
  Config list = Config::array();
  for (const T& value : values) list.push_back(write(value, generation));
  return list;
}

template <class T, class Write>
Config outputs_config(const PerOutput<T>& given, Generation generation, Write write) {
  if (given.is_empty()) return nullptr;
  if (given.is_one_for_all()) return write(given.values().front(), generation);
  if (given.names().empty()) return list_config(given.values(), generation, write);
  Config config = Config::object();
  for (std::size_t i = 0; i < given.names().size(); ++i)
    config[given.names()[i]] = write(given.values()[i], generation);
  return config;
}

Config sets_config(const MetricSets& given, Generation generation) {
  const auto set = [](const std::vector<Metric>& metrics, Generation target) {
    return list_config(metrics, target, metric_config);
  };
  if (!given.names().empty()) {
    Config config = Config::object();
    for (std::size_t i = 0; i < given.names().size(); ++i)
      config[given.names()[i]] = set(given.sets()[i], generation);
    return config;
  }
  if (!given.sets().empty()) return list_config(given.sets(), generation, set);
  return given.flat().empty() ? Config(nullptr) : set(given.flat(), generation);
}

// Without "module" and "registered_name", which H5 files do not have.
Config in_short(Config config) {
  if (config.is_object() && config.contains("class_name")) {
    config.erase("module");
    config.erase("registered_name");
  }
  if (config.is_structured())
    for (Config& one : config) one = in_short(one);
  return config;
}

// ---- Read.

bool is_single(const Config& config) {
  return config.is_string() || (config.is_object() && config.contains("class_name"));
}

[[noreturn]] void refuse(const char* key, std::string_view expected, const Config& value) {
  throw ValueError(kOperation, "expects " + std::string(expected) + " for \"" + key + "\"",
                   "got " + value.dump(), "The file may be damaged.");
}

template <class T, class Read>
PerOutput<T> outputs_in(const Config& config, const char* key, Read read) {
  if (config.is_null()) return {};
  if (is_single(config) || config.is_number()) return read(config);
  if (config.is_object()) {
    std::vector<std::pair<std::string, T>> named;
    for (const auto& [name, value] : config.items()) named.emplace_back(name, read(value));
    return named;
  }
  if (!config.is_array()) refuse(key, "one value, a list, or values by the outputs' names", config);
  std::vector<T> values;
  for (const Config& value : config) values.push_back(read(value));
  return values;
}

std::optional<double> weight_in(const Config& config) {
  if (config.is_null()) return std::nullopt;
  if (!config.is_number()) refuse("loss_weights", "numbers", config);
  return config.get<double>();
}

// One metric or a list of them; null, which H5 files have for none, is left out.
std::vector<Metric> set_in(const Config& config) {
  std::vector<Metric> metrics;
  for (const Config& one : config.is_array() ? config : Config::array({config}))
    if (!one.is_null()) metrics.push_back(metrics::deserialize(one));
  return metrics;
}

MetricSets sets_in(const Config& config, const char* key) {
  if (config.is_null()) return {};
  if (is_single(config)) return set_in(config);
  if (config.is_object()) {
    std::vector<MetricSets::Named> named;
    for (const auto& [name, value] : config.items()) named.emplace_back(name, set_in(value));
    return named;
  }
  if (!config.is_array()) refuse(key, "metrics, lists of them, or lists by the outputs' names", config);
  bool has_sets = false;
  for (const Config& one : config) has_sets |= one.is_array();
  if (!has_sets) return set_in(config);
  std::vector<std::vector<Metric>> sets;
  for (const Config& one : config) sets.push_back(set_in(one));
  return sets;
}

Config value_of(const Config& config, const char* key) {
  return config.contains(key) ? config.at(key) : Config(nullptr);
}

}  // namespace

Config compile_config(const CompileOptions& options, Generation generation) {
  Config config = Config::object();
  config["optimizer"] = options.optimizer.serialize(generation);
  config["loss"] = outputs_config(options.loss, generation, loss_config);
  const Config weights = outputs_config(options.loss_weights, generation, weight_config);
  const Config metrics = sets_config(options.metrics, generation);
  const bool keras2 = generation == Generation::keras2;
  config[keras2 ? "metrics" : "loss_weights"] = keras2 ? metrics : weights;
  config[keras2 ? "loss_weights" : "metrics"] = keras2 ? weights : metrics;
  config["weighted_metrics"] = sets_config(options.weighted_metrics, generation);
  config["run_eagerly"] = keras2 ? Config() : Config(false);
  config["steps_per_execution"] = keras2 ? Config() : Config(1);
  config["jit_compile"] = keras2 ? Config() : Config("auto");
  return config;
}

Config training_config(const CompileOptions& options, Generation generation) {
  Config config = compile_config(options, generation);
  Config optimizer = std::move(config["optimizer"]);
  config.erase("optimizer");
  for (const char* key : {"loss", "metrics", "weighted_metrics"}) config[key] = in_short(config[key]);
  const bool is_legacy = optimizer["module"] == "keras.optimizers.legacy";
  optimizer.erase("module");
  optimizer.erase("registered_name");
  if (generation == Generation::keras2) {
    for (const char* key : {"run_eagerly", "steps_per_execution", "jit_compile"}) config.erase(key);
    // How tf_keras registers its optimizers; the legacy ones and that of loss scales go by other names.
    std::string name = optimizer["class_name"];
    if (options.optimizer.scales_itself()) {
      name += "V3";
    } else if (!is_legacy) {
      name.insert(0, "Custom>");
    }
    optimizer["class_name"] = name;
  }
  config["optimizer_config"] = std::move(optimizer);
  return config;
}

CompileOptions compile_options(const Config& config, Generation generation) {
  if (!config.is_object() || (!config.contains("optimizer") && !config.contains("optimizer_config")))
    throw ValueError(kOperation, R"(expects an object with "optimizer" or "optimizer_config")",
                     "got " + config.dump(), "Pass what get_compile_config() gives.");
  static const std::vector<std::string_view> known = {"optimizer",
                                                      "optimizer_config",
                                                      "loss",
                                                      "loss_weights",
                                                      "metrics",
                                                      "weighted_metrics",
                                                      "run_eagerly",
                                                      "steps_per_execution",
                                                      "jit_compile",
                                                      "auto_scale_loss",
                                                      "sample_weight_mode"};
  for (const auto& [key, value] : config.items())
    if (std::find(known.begin(), known.end(), key) == known.end() && !value.is_null())
      throw ValueError(kOperation, "expects arguments of compile", "got \"" + key + "\"",
                       did_you_mean(key, known));
  const char* optimizer = config.contains("optimizer") ? "optimizer" : "optimizer_config";
  CompileOptions options;
  options.optimizer = optimizers::deserialize(config.at(optimizer), generation);
  options.loss = outputs_in<Loss>(value_of(config, "loss"), "loss",
                                  [&](const Config& one) { return losses::deserialize(one, generation); });
  options.loss_weights =
      outputs_in<std::optional<double>>(value_of(config, "loss_weights"), "loss_weights", weight_in);
  options.metrics = sets_in(value_of(config, "metrics"), "metrics");
  options.weighted_metrics = sets_in(value_of(config, "weighted_metrics"), "weighted_metrics");
  return options;
}

}  // namespace keratin::inline v0
