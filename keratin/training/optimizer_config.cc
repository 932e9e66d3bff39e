// Optimizers from names and from the configs that Keras writes.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/multi_optimizer.h"
#include "keratin/training/optimizer_arguments.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0::optimizers {
namespace {

constexpr const char* kOperation = "optimizers.deserialize";

LearningRate learning_rate_of(const Config& config, double otherwise) {
  if (!config.contains("learning_rate")) return otherwise;
  const Config& value = config.at("learning_rate");
  if (value.is_number()) return value.get<double>();
  if (value.is_object()) return schedules::deserialize(value);
  throw ValueError(kOperation, "expects a number or a schedule for \"learning_rate\"", "got " + value.dump());
}

template <class OptimizerClass, class Options>
Optimizer from_config(const Config& config, Generation generation, bool legacy) {
  constexpr bool kLion = std::is_same_v<Options, LionOptions>;
  constexpr bool kSgd = std::is_same_v<Options, SGDOptions>;
  Options options;
  options.generation = generation;
  options.legacy = legacy;
  if constexpr (std::is_same_v<Options, NadamOptions>)
    if (legacy) options.decay = 0.004;
  if constexpr (std::is_same_v<Options, RMSpropOptions>)
    if (generation == Generation::keras2) options.ema_overwrite_frequency = 100;
  // How Keras 2 ran an optimizer, not what it computes, and the mark of a legacy one.
  std::vector<std::string_view> keys{"learning_rate", "jit_compile", "is_legacy_optimizer", "decay"};
  const auto visit = [&](const char* key, auto& field) {
    keys.emplace_back(key);
    if (config.contains(key)) detail::read_argument(kOperation, config.at(key), key, field);
  };
  visit("name", options.name);
  detail::visit_shared(options, visit);
  detail::visit_own(options, generation, visit);
  if (config.contains("decay")) detail::read_argument(kOperation, config.at("decay"), "decay", options.decay);
  // Keras takes none and one for the same.
  if (options.gradient_accumulation_steps == 1) options.gradient_accumulation_steps.reset();
  // Some writers of Keras 2 name a weight decay of 0 where there is none.
  if (legacy && options.weight_decay == 0.0) options.weight_decay.reset();
  detail::check_argument_names(kOperation, config, options.name, keys);
  constexpr bool kScheduleFree = std::is_same_v<Options, ScheduleFreeAdamWOptions>;
  const double otherwise = kSgd                                        ? 0.01
                           : kScheduleFree                             ? 0.0025
                           : kLion && generation == Generation::keras2 ? 0.0001
                                                                       : 0.001;
  return OptimizerClass(learning_rate_of(config, otherwise), options);
}

Optimizer loss_scale_from_config(const Config& config, Generation generation, bool) {
  LossScaleOptions options;
  options.generation = generation;
  bool dynamic = true;
  std::vector<std::string_view> keys{"inner_optimizer"};
  const auto read = [&](const char* key, auto& field) {
    keys.emplace_back(key);
    if (config.contains(key)) detail::read_argument(kOperation, config.at(key), key, field);
  };
  read("name", options.name);
  read("initial_scale", options.initial_scale);
  read("dynamic_growth_steps", options.dynamic_growth_steps);
  read("dynamic", dynamic);
  detail::check_argument_names(kOperation, config, "LossScaleOptimizer", keys);
  if (!config.contains("inner_optimizer"))
    throw ValueError(kOperation, "expects \"inner_optimizer\" in a LossScaleOptimizer", "it is missing");
  if (!dynamic)
    throw ValueError(kOperation, "expects a LossScaleOptimizer whose scale is dynamic", "got dynamic=false",
                     "Give the inner optimizer loss_scale_factor.");
  return LossScaleOptimizer(deserialize(config.at("inner_optimizer"), generation), options);
}

Optimizer multi_from_config(const Config& config, Generation generation, bool) {
  MultiOptimizerOptions options;
  const auto read = [&](const char* key, auto& field) {
    if (config.contains(key)) detail::read_argument(kOperation, config.at(key), key, field);
  };
  read("loss_scale_factor", options.loss_scale_factor);
  read("name", options.name);
  detail::check_argument_names(kOperation, config, "MultiOptimizer",
                               {"optimizer_map", "loss_scale_factor", "name"});
  const Config map = config.value("optimizer_map", Config());
  const auto [name, arguments] = detail::named_arguments(kOperation, map);
  const Config entries = arguments.value("optimizer_map", Config::object());
  if (name != "OptimizerMap" || !arguments.contains("default_optimizer") || !entries.is_object())
    throw ValueError(kOperation, "expects an OptimizerMap with \"default_optimizer\" and \"optimizer_map\"",
                     "got " + map.dump());
  OptimizerMap optimizers(deserialize(arguments.at("default_optimizer"), generation));
  for (const auto& [pattern, optimizer] : entries.items())
    optimizers.set(pattern, deserialize(optimizer, generation));
  return MultiOptimizer(optimizers, options);
}

struct Definition {
  std::string_view name;  // small letters, as Keras compares names
  Optimizer (*make)(const Config& config, Generation generation, bool legacy);
  bool has_legacy = false;  // in Keras 2
};
constexpr Definition kOptimizers[] = {
    {"sgd", from_config<SGD, SGDOptions>, true},
    {"rmsprop", from_config<RMSprop, RMSpropOptions>, true},
    {"adam", from_config<Adam, AdamOptions>, true},
    {"adamw", from_config<AdamW, AdamWOptions>},
    {"adamax", from_config<Adamax, AdamaxOptions>, true},
    {"nadam", from_config<Nadam, NadamOptions>, true},
    {"adagrad", from_config<Adagrad, AdagradOptions>, true},
    {"adadelta", from_config<Adadelta, AdadeltaOptions>, true},
    {"ftrl", from_config<Ftrl, FtrlOptions>, true},
    {"lion", from_config<Lion, LionOptions>},
    {"lamb", from_config<Lamb, LambOptions>},
    {"adafactor", from_config<Adafactor, AdafactorOptions>},
    {"muon", from_config<Muon, MuonOptions>},
    {"schedulefreeadamw", from_config<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>},
    {"lossscaleoptimizer", loss_scale_from_config},
    {"lossscaleoptimizerv3", loss_scale_from_config},
    {"multioptimizer", multi_from_config},
};

// Keras 2 takes an optimizer for a legacy one unless its arguments say that it is none: files from before
// there were others say nothing.
bool is_legacy(const Config& config, const Config& arguments, const Definition& definition,
               Generation generation) {
  if (config.is_object() && (config.value("legacy", Config()) == true ||
                             config.value("module", Config()) == "keras.optimizers.legacy"))
    return true;
  if (arguments.contains("is_legacy_optimizer")) return arguments["is_legacy_optimizer"] == true;
  return generation == Generation::keras2 && definition.has_legacy && !arguments.empty();
}

}  // namespace

Optimizer deserialize(const Config& config, Generation generation) {
  const auto [name, arguments] = detail::named_arguments(kOperation, config);
  // As tf_keras registers its classes.
  constexpr std::string_view kCustom = "Custom>";
  std::string key = name.starts_with(kCustom) ? name.substr(kCustom.size()) : name;
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::vector<std::string_view> known;
  for (const Definition& definition : kOptimizers) {
    if (definition.name == key)
      return definition.make(arguments, generation, is_legacy(config, arguments, definition, generation));
    known.push_back(definition.name);
  }
  throw ValueError(kOperation, "expects the name of an optimizer", "got \"" + name + "\"",
                   did_you_mean(key, known));
}

}  // namespace keratin::inline v0::optimizers
