// Names and configs to activations. How they are written stands in serialize.cc.
#include "keratin/activations/get.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/axis_activation.h"
#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_config.h"
#include "keratin/activations/formula_names.h"
#include "keratin/activations/names.h"
#include "keratin/activations/parse.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::activations {
namespace {

using detail::Named;
using MaybeGeneration = std::optional<Generation>;

// ---- messages

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  return '"' + std::string(text.substr(0, kLongest)) + (text.size() > kLongest ? "…\"" : "\"");
}

std::string excerpt(const Config& value) {
  const std::string text = value.dump(-1, ' ', false, Config::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 60) + "…" : text;
}

[[noreturn]] void refuse_name(std::string_view name, MaybeGeneration generation) {
  if (generation == Generation::keras2 && detail::find_name(name, std::nullopt).is_found()) {
    throw ValueError("activation", fmt::format("Keras 2 has no {}", in_quotes(name)), "",
                     "It came with Keras 3: leave out the generation.");
  }
  const std::vector<std::string_view> known = detail::all_names(generation);
  std::string advice = did_you_mean(name, known);
  if (!advice.empty()) advice += ' ';
  throw ValueError("activation", fmt::format("unknown name {}", in_quotes(name)), "",
                   advice + "`keratin activations` lists them all.");
}

// ---- arguments

bool is_keyword(const Parameter& parameter, std::string_view key, MaybeGeneration generation) {
  if (generation == Generation::keras2) return key == parameter.keras2;
  if (generation == Generation::keras3) return key == parameter.keras3;
  return key == parameter.name || key == parameter.keras2 || key == parameter.keras3;
}

std::string keywords(const Function& function, MaybeGeneration generation) {
  std::string text;
  for (const Parameter& parameter : function.parameters) {
    const std::string_view key = generation == Generation::keras2   ? parameter.keras2
                                 : generation == Generation::keras3 ? parameter.keras3
                                                                    : parameter.name;
    if (!key.empty()) text += (text.empty() ? "" : ", ") + std::string(key);
  }
  return text.empty() ? "no parameters" : text;
}

double number_of(const Function& function, const Parameter& parameter, std::string_view key,
                 const Config& value) {
  if (value.is_null() && parameter.kind == ParameterKind::optional) return kNone;
  if (value.is_boolean() && parameter.kind == ParameterKind::flag) return value.get<bool>() ? 1 : 0;
  if (value.is_number() && parameter.kind != ParameterKind::flag) return value.get<double>();
  // What JSON has no number for is written as text.
  if (value.is_string() && parameter.kind != ParameterKind::flag) {
    const auto number = parse_double(value.get_ref<const std::string&>());
    if (number && std::isinf(*number)) return *number;
  }
  const std::string_view expected = parameter.kind == ParameterKind::flag       ? "true or false"
                                    : parameter.kind == ParameterKind::optional ? "a number or null"
                                                                                : "a number";
  throw ValueError(function.info->name, fmt::format("{} is {}", key, expected), "received " + excerpt(value));
}

// The struct of a definition, filled by key.
class Arguments {
 public:
  explicit Arguments(const Function& function) : function_(function) {
    std::memcpy(bytes_, function.defaults, function.parameters_size);
  }

  void set(std::string_view key, const Config& value, MaybeGeneration generation) {
    for (const Parameter& parameter : function_.parameters) {
      if (!is_keyword(parameter, key, generation)) continue;
      parameter.set(bytes_, number_of(function_, parameter, key, value));
      given_.push_back(parameter.name);
      return;
    }
    throw ValueError(function_.info->name, "it takes " + keywords(function_, generation),
                     "received " + in_quotes(key));
  }
  void set(std::string_view name, double value) {
    for (const Parameter& parameter : function_.parameters) {
      if (parameter.name == name) parameter.set(bytes_, value);
    }
  }

  ActivationFn make() const {
    for (const Parameter& parameter : function_.parameters) {
      if (!parameter.required || std::find(given_.begin(), given_.end(), parameter.name) != given_.end())
        continue;
      throw ValueError(
          function_.info->name, fmt::format("{} has no default", parameter.name), "it was not given",
          fmt::format("Take activations::{}{{.{} = …}}.", detail::class_name_of(function_), parameter.name));
    }
    return detail::make_builtin(function_, bytes_);
  }

 private:
  const Function& function_;
  alignas(std::max_align_t) std::byte bytes_[kMaxParametersSize];
  std::vector<std::string_view> given_;
};

Axes axes_of(std::string_view name, const Config& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_array() && !value.empty() && value.size() <= Shape::kMaxRank &&
      std::all_of(value.begin(), value.end(), [](const Config& axis) { return axis.is_number_integer(); })) {
    return value.get<std::vector<std::int64_t>>();
  }
  throw ValueError(name, "axis is a whole number, a list of them, or null", "received " + excerpt(value));
}

// `generation` decides the defaults, `spelling` the keywords: operations always have those of Keras 3.
ActivationFn make_named(const Named& named, const Config& arguments, MaybeGeneration generation,
                        MaybeGeneration spelling) {
  if (named.axis_kind) {
    const std::string_view name = detail::name_of(*named.axis_kind);
    Axes axis = -1;
    for (const auto& [key, value] : arguments.items()) {
      if (key != "axis") throw ValueError(name, "it takes axis", "received " + in_quotes(key));
      axis = axes_of(name, value);
    }
    if (*named.axis_kind == detail::AxisKind::glu && (!axis.values() || axis.values()->size() != 1)) {
      throw ValueError(name, "axis is one whole number", "received " + axis.to_string());
    }
    return detail::make_axis_activation(*named.axis_kind, axis, generation == Generation::keras3);
  }
  Arguments filled(*named.function);
  if (named.function->index == Index::hard_sigmoid && generation == Generation::keras3)
    filled.set("limit", 3);
  for (const auto& [key, value] : arguments.items()) filled.set(key, value, spelling);
  return filled.make();
}

// ---- objects

class Factories {
 public:
  void add(std::string_view class_name, ActivationFactory factory) {
    const std::unique_lock lock(mutex_);
    factories_[std::string(class_name)] = std::move(factory);
  }
  ActivationFactory find(std::string_view class_name) const {
    const std::shared_lock lock(mutex_);
    const auto found = factories_.find(class_name);
    return found == factories_.end() ? ActivationFactory() : found->second;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, ActivationFactory, std::less<>> factories_;
};

Factories& factories() {
  static Factories factories;
  return factories;
}

// A function of another framework: "tf.nn.silu", "T.nnet.elu", "cntk.ops.leaky_relu".
ActivationFn by_qualified_name(std::string_view name) {
  const auto place = detail::qualified(name);
  const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
    return c == '.' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (!place || !is_name) refuse_name(name, std::nullopt);
  const Named named = detail::find_name(place->name, std::nullopt);
  if (named.axis_kind) return make_named(named, Config::object(), std::nullopt, std::nullopt);
  return parse(std::string(name) + "(x)").to_activation_fn();
}

ActivationFn by_name(std::string_view name, MaybeGeneration generation) {
  const Named named = detail::find_name(name, generation);
  if (named.is_found()) return make_named(named, Config::object(), generation, generation);
  if (generation != Generation::keras3) {
    if (const ActivationFactory factory = factories().find(name)) {
      Config object = Config::object();
      object["class_name"] = std::string(name);
      object["config"] = Config::object();
      return factory(object, generation.value_or(Generation::keras2));
    }
  }
  if (!generation && name.find('.') != std::string_view::npos) return by_qualified_name(name);
  refuse_name(name, generation);
}

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

// An operation of Keras 3, such as ("keras.src.ops.nn", "Gelu", {"approximate": true}).
ActivationFn by_operation(std::string_view class_name, Config arguments) {
  arguments.erase("name");
  if (class_name == "ReLU" || class_name == "Relu") {
    Arguments relu(function<Relu>());
    relu.set("as_keras", 1);
    for (const auto& [key, value] : arguments.items()) relu.set(key, value, Generation::keras3);
    return relu.make();
  }
  // keras.ops.gelu approximates unless told otherwise; keras.activations.gelu does not.
  if (class_name == "Gelu" && !arguments.contains("approximate")) arguments["approximate"] = true;
  const Named named = detail::find_class(class_name == "Exp" ? "Exponential" : class_name);
  if (!named.is_found()) {
    throw ValueError("activation", fmt::format("keras.ops has no activation {}", in_quotes(class_name)), "",
                     "Only element-wise operations and softmax and kin can be activations.");
  }
  return make_named(named, arguments, Generation::keras3, Generation::keras3);
}

// What serialize writes for what Keras has no words for.
ActivationFn by_own_object(std::string_view class_name, const Config& arguments) {
  if (class_name == "Expression") return keratin::detail::expression_from_config(arguments);
  const Named named = detail::find_class(class_name);
  if (!named.is_found()) {
    throw ValueError("activation", fmt::format("this library has no class {}", in_quotes(class_name)), "",
                     "A newer version may have written the file.");
  }
  return make_named(named, arguments, std::nullopt, std::nullopt);
}

std::string text_at(const Config& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

ActivationFn by_object(const Config& object, MaybeGeneration generation) {
  const std::string class_name = text_at(object, "class_name"), module = text_at(object, "module");
  const auto config = object.find("config");
  if (class_name == "__lambda__" || object.contains("value") || class_name == "Lambda") {
    throw ValueError("activation", "a name, a function or a layer", "the config holds a Python lambda",
                     "It is bytecode, which is never run. Write it as an expression: "
                     "[](auto x) { return x * K::sigmoid(x); }");
  }
  if (class_name.empty()) {
    throw TypeError("activation", "an object with a class_name", "received " + excerpt(object));
  }
  if (class_name == "function" || class_name == "builtin_function_or_method") {
    if (config != object.end() && config->is_string()) {
      return by_name(config->get_ref<const std::string&>(), generation);
    }
    throw TypeError("activation", "a function's config is its name", "received " + excerpt(object));
  }
  if (const ActivationFactory factory = factories().find(class_name);
      factory && !begins_with(module, "keras.src.ops")) {
    return factory(object, generation.value_or(Generation::keras3));
  }
  const Config none = Config::object();
  const Config& arguments = config != object.end() && config->is_object() ? *config : none;
  if (begins_with(module, "keras.src.") || begins_with(module, "keras.ops"))
    return by_operation(class_name, arguments);
  if (module == "keratin") return by_own_object(class_name, arguments);
  throw ValueError("activation", fmt::format("unknown class {}", in_quotes(class_name)), "",
                   "It is no layer or function of Keras. Register it with "
                   "activations::register_activation_factory.");
}

}  // namespace

ActivationFn get(std::string_view name, std::optional<Generation> generation) {
  return by_name(name, generation);
}
ActivationFn get(const std::string& name, std::optional<Generation> generation) {
  return by_name(name, generation);
}
ActivationFn get(const char* name, std::optional<Generation> generation) {
  return name == nullptr ? ActivationFn() : by_name(name, generation);
}

ActivationFn get(const Config& identifier, std::optional<Generation> generation) {
  if (identifier.is_null()) return {};
  if (identifier.is_string()) return by_name(identifier.get_ref<const std::string&>(), generation);
  if (identifier.is_object()) return by_object(identifier, generation);
  throw TypeError("activation", "a name, an object with a class_name, or null",
                  "received " + excerpt(identifier));
}

ActivationFn deserialize(const Config& config, Generation generation) { return get(config, generation); }

ActivationFn make(std::string_view name, const Config& arguments, std::optional<Generation> generation) {
  const Named named = detail::find_name(name, generation);
  if (!named.is_found()) refuse_name(name, generation);
  if (!arguments.is_object() && !arguments.is_null()) {
    throw TypeError("activation", "arguments by keyword: an object", "received " + excerpt(arguments));
  }
  return make_named(named, arguments.is_null() ? Config::object() : arguments, generation, generation);
}

std::vector<std::string_view> names(std::optional<Generation> generation) {
  return detail::all_names(generation);
}

void register_activation_factory(std::string_view class_name, ActivationFactory factory) {
  factories().add(class_name, std::move(factory));
}

}  // namespace keratin::inline v0::activations
