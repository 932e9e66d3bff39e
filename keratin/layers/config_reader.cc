#include "keratin/layers/config_reader.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"

namespace keratin::inline v0::detail {

Config keras_object(std::string_view module, std::string_view class_name, Config config) {
  Config object = Config::object();
  object["module"] = module;
  object["class_name"] = class_name;
  object["config"] = std::move(config);
  object["registered_name"] = nullptr;
  return object;
}

Config shape_config(const Shape& shape) {
  Config list = Config::array();
  for (const std::int64_t size : shape)
    list.push_back(size == Shape::kUnknown ? Config(nullptr) : Config(size));
  return list;
}

Config axes_config(const AxisList& axes) {
  if (axes.is_single()) return axes.values().front();
  return axes.values();
}

Config dtype_config(const DTypePolicy& policy, Generation generation) {
  const bool is_mixed = policy.compute_dtype() != policy.variable_dtype();
  if (generation == Generation::keras2 && !is_mixed) return policy.name();
  Config config = Config::object();
  config["name"] = policy.name();
  if (generation == Generation::keras3) return keras_object("keras", "DTypePolicy", std::move(config));
  return keras_object("keras.mixed_precision", "Policy", std::move(config));
}

std::string excerpt(const Config& value) {
  constexpr std::size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', true, Config::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

std::optional<double> number_in(const Config& value) {
  if (!value.is_number()) return std::nullopt;
  return value.get<double>();
}

std::optional<std::int64_t> integer_in(const Config& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) {
    // NumPy's scalars reach some files as floats: 64.0.
    const double number = value.get<double>();
    if (number == std::floor(number) && std::abs(number) < 0x1p53) return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

ObjectConfig object_config(const Config& identifier, std::string_view what) {
  if (identifier.is_string()) return {identifier.get<std::string>(), Config::object()};
  const auto refuse = [&] {
    throw ValueError(what, "the config is a name, or an object with class_name and config",
                     "received " + excerpt(identifier), R"(Write {"class_name": ..., "config": {...}}.)");
  };
  if (!identifier.is_object()) refuse();
  const auto name = identifier.find("class_name");
  if (name == identifier.end() || !name->is_string()) refuse();
  const auto config = identifier.find("config");
  if (config == identifier.end() || config->is_null()) return {name->get<std::string>(), Config::object()};
  if (!config->is_object()) refuse();
  return {name->get<std::string>(), *config};
}

ConfigReader::ConfigReader(std::string class_name, const Config& config, Generation generation)
    : class_name_(std::move(class_name)), config_(config), generation_(generation) {
  if (!config.is_object()) {
    throw ValueError(class_name_ + " config", "an object of keys and values", "received " + excerpt(config),
                     "Pass what get_config() gives.");
  }
}

const Config* ConfigReader::find(std::string_view key) {
  read_.push_back(key);
  const auto found = config_.find(key);
  return found == config_.end() || found->is_null() ? nullptr : &*found;
}

double ConfigReader::number(std::string_view key, double otherwise) {
  return optional_number(key).value_or(otherwise);
}

std::optional<double> ConfigReader::optional_number(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = number_in(*value);
  if (!number) refuse(key, "a number", *value);
  return number;
}

std::int64_t ConfigReader::integer(std::string_view key, std::optional<std::int64_t> otherwise) {
  const std::optional<std::int64_t> value = optional_integer(key);
  if (value) return *value;
  if (!otherwise) refuse(key, "an integer", nullptr);
  return *otherwise;
}

std::optional<std::int64_t> ConfigReader::optional_integer(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> integer = integer_in(*value);
  if (!integer) refuse(key, "an integer", *value);
  return integer;
}

bool ConfigReader::boolean(std::string_view key, bool otherwise) {
  const Config* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(key, "true or false", *value);
  return value->get<bool>();
}

std::string ConfigReader::text(std::string_view key, std::string_view otherwise) {
  const Config* value = find(key);
  if (value == nullptr) return std::string(otherwise);
  if (!value->is_string()) refuse(key, "text", *value);
  return value->get<std::string>();
}

std::optional<Shape> ConfigReader::optional_shape(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array() || value->size() > Shape::kMaxRank) refuse(key, "a list of at most 8 sizes", *value);
  std::vector<std::int64_t> sizes;
  for (const Config& size : *value) {
    const std::optional<std::int64_t> number = size.is_null() ? Shape::kUnknown : integer_in(size);
    if (!number || *number < Shape::kUnknown) refuse(key, "sizes of at least 0, or null", *value);
    sizes.push_back(*number);
  }
  return Shape(sizes);
}

std::optional<AxisList> ConfigReader::optional_axes(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto single = integer_in(*value)) return AxisList(*single);
  if (!value->is_array()) refuse(key, "an axis or a list of axes", *value);
  std::vector<std::int64_t> axes;
  for (const Config& axis : *value) {
    const std::optional<std::int64_t> number = integer_in(axis);
    if (!number) refuse(key, "an axis or a list of axes", *value);
    axes.push_back(*number);
  }
  return AxisList(std::move(axes));
}

DTypePolicy ConfigReader::dtype(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr) return {};
  const Config* policy = value;
  if (value->is_object()) {
    // {"class_name": "DTypePolicy" or "Policy", "config": {"name": ...}}
    const auto config = value->find("config");
    if (config == value->end() || !config->is_object() || !config->contains("name")) {
      refuse(key, "a dtype or a DTypePolicy", *value);
    }
    policy = &(*config)["name"];
  }
  if (!policy->is_string()) refuse(key, "a dtype or a DTypePolicy", *value);
  try {
    return policy->get<std::string>();
  } catch (const ValueError& unknown) {
    refuse(key, unknown.expected(), *policy);
  }
}

DType ConfigReader::dtype_name(std::string_view key) {
  const Config* value = find(key);
  if (value == nullptr || !value->is_string())
    refuse(key, "the name of a dtype", value == nullptr ? Config() : *value);
  return dtype_of(value->get_ref<const std::string&>());
}

void ConfigReader::ignore(std::initializer_list<std::string_view> keys) {
  read_.insert(read_.end(), keys.begin(), keys.end());
}

void ConfigReader::finish() const {
  for (const auto& [key, value] : config_.items()) {
    if (value.is_null() || std::find(read_.begin(), read_.end(), key) != read_.end()) continue;
    throw ValueError(class_name_ + " config", "only keys that this class has",
                     "received \"" + key + "\": " + excerpt(value),
                     "It would change what the layer computes; take it out, or use a class that has it.");
  }
}

void ConfigReader::refuse(std::string_view key, std::string_view expected, const Config& value) const {
  throw ValueError(class_name_ + " config", "\"" + std::string(key) + "\" is " + std::string(expected),
                   "received " + excerpt(value), "Correct the value in the config.");
}

}  // namespace keratin::inline v0::detail
