// Initializers as names and configs of both generations.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/initializers.h"

namespace keratin::inline v0 {
namespace {

using namespace initializers;

// The arguments of each class, for reading and for writing; both generations' order but for the seed.
template <class Fields>
void visit_fields(Zeros&, Fields&) {}
template <class Fields>
void visit_fields(Ones&, Fields&) {}
template <class Fields>
void visit_fields(Constant& c, Fields& fields) {
  fields.number("value", c.value);
}
template <class Fields>
void visit_fields(Identity& c, Fields& fields) {
  fields.gain_of_identity(c.gain);
}
template <class Fields>
void visit_fields(RandomNormal& c, Fields& fields) {
  fields.number("mean", c.mean);
  fields.number("stddev", c.stddev);
  fields.seed(c.seed);
}
template <class Fields>
void visit_fields(RandomUniform& c, Fields& fields) {
  fields.number("minval", c.minval);
  fields.number("maxval", c.maxval);
  fields.seed(c.seed);
}
template <class Fields>
void visit_fields(TruncatedNormal& c, Fields& fields) {
  fields.number("mean", c.mean);
  fields.number("stddev", c.stddev);
  fields.seed(c.seed);
}
template <class Fields>
void visit_fields(VarianceScaling& c, Fields& fields) {
  fields.number("scale", c.scale);
  fields.text("mode", c.mode);
  fields.text("distribution", c.distribution);
  fields.seed(c.seed);
  fields.axes("input_axes", c.input_axes);
  fields.axes("output_axes", c.output_axes);
}
template <class Fields>
void visit_fields(Orthogonal& c, Fields& fields) {
  fields.number("gain", c.gain);
  fields.seed(c.seed);
}
template <class Fields>
void visit_fields(Custom&, Fields&) {}
// Glorot, He, Lecun.
template <class Scaling, class Fields>
void visit_fields(Scaling& c, Fields& fields) {
  fields.seed(c.seed);
  fields.axes("input_axes", c.input_axes);
  fields.axes("output_axes", c.output_axes);
}

class Reader {
 public:
  explicit Reader(detail::ConfigReader& config) : config_(config) {}
  void number(std::string_view key, double& value) { value = config_.number(key, value); }
  void gain_of_identity(double& value) { number("gain", value); }
  void text(std::string_view key, std::string& value) { value = config_.text(key, value); }
  void axes(std::string_view key, FanAxes& value) {
    if (const auto axes = config_.optional_axes(key)) value = axes->values();
  }
  void seed(Seed& value) {
    const Config* seed = config_.find("seed");
    // Keras 3 also writes {"class_name": "SeedGenerator", "config": {"seed": ...}}.
    if (seed != nullptr && seed->is_object()) {
      const auto config = seed->find("config");
      if (config == seed->end() || !config->is_object()) config_.refuse("seed", "an integer", *seed);
      const auto inner = config->find("seed");
      seed = inner == config->end() || inner->is_null() ? nullptr : &*inner;
    }
    if (seed == nullptr) return;
    value = detail::integer_in(*seed);
    if (!value) config_.refuse("seed", "an integer", *seed);
  }

 private:
  detail::ConfigReader& config_;
};

class Writer {
 public:
  explicit Writer(Generation generation) : generation_(generation) {}
  void number(std::string_view key, double value) { config[std::string(key)] = value; }
  // Keras 3 forgets the gain; its constructor takes it all the same.
  void gain_of_identity(double value) {
    if (generation_ == Generation::keras2 || value != 1) number("gain", value);
  }
  void text(std::string_view key, const std::string& value) { config[std::string(key)] = value; }
  void axes(std::string_view key, const FanAxes& value) {
    if (generation_ == Generation::keras2 && !value) return;
    config[std::string(key)] = value ? Config(*value) : Config(nullptr);
  }
  void seed(const Seed& value) {
    const Config seed = value ? Config(*value) : Config(nullptr);
    if (generation_ == Generation::keras2) {
      config["seed"] = seed;
      return;
    }
    // Keras 3 writes it first.
    Config with_seed = Config::object();
    with_seed["seed"] = seed;
    with_seed.update(config);
    config = std::move(with_seed);
  }

  Config config = Config::object();

 private:
  Generation generation_;
};

// In the order of initializers::Kind; Custom has no name that a file could use.
constexpr std::array<std::string_view, std::variant_size_v<Kind> - 1> kClassNames = {
    "Zeros",         "Ones",          "Constant",        "Identity",
    "RandomNormal",  "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "GlorotUniform", "GlorotNormal",  "HeNormal",        "HeUniform",
    "LecunNormal",   "LecunUniform",  "Orthogonal"};

template <std::size_t... I>
Kind make_kind(std::size_t index, std::index_sequence<I...>) {
  Kind kind;
  ((I == index ? static_cast<void>(kind.emplace<I>()) : static_cast<void>(0)), ...);
  return kind;
}

// Keras knows each class by its name, by that in snake case, and by a few more.
std::string class_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"uniform", "RandomUniform"},
      {"normal", "RandomNormal"},
      {"zero", "Zeros"},
      {"one", "Ones"},
      {"IdentityInitializer", "Identity"},
      {"OrthogonalInitializer", "Orthogonal"}};
  for (const auto& [alias, class_name] : kAliases) {
    if (name == alias) return std::string(class_name);
  }
  if (name.ends_with("V2")) name.remove_suffix(2);  // TensorFlow's
  for (const std::string_view class_name : kClassNames) {
    if (name == class_name || name == to_snake_case(class_name)) return std::string(class_name);
  }
  return {};
}

Kind kind_of(std::string_view name, const Config& config, Generation generation) {
  const std::string class_name = class_of(name);
  if (class_name.empty()) {
    throw ValueError("initializer", "a known name", "received \"" + std::string(name) + "\"",
                     did_you_mean(name, kClassNames));
  }
  const auto index = std::find(kClassNames.begin(), kClassNames.end(), class_name) - kClassNames.begin();
  Kind kind = make_kind(static_cast<std::size_t>(index), std::make_index_sequence<kClassNames.size()>());
  detail::ConfigReader config_reader(class_name, config, generation);
  Reader reader(config_reader);
  std::visit([&](auto& initializer) { visit_fields(initializer, reader); }, kind);
  config_reader.ignore({"dtype"});
  config_reader.finish();
  return kind;
}

}  // namespace

Initializer::Initializer(std::string_view name)
    : Initializer(kind_of(name, Config::object(), Generation::keras3)) {}

Config Initializer::serialize(Generation generation) const {
  if (std::holds_alternative<Custom>(*kind_)) {
    throw ValueError(
        "initializer", "one that a file can name", "received a function",
        "Use one of keratin::initializers, or set it to \"zeros\" before saving: saved weights need "
        "no initializer.");
  }
  Kind copy = *kind_;
  Writer writer(generation);
  std::visit([&](auto& initializer) { visit_fields(initializer, writer); }, copy);
  return detail::keras_object("keras.initializers", kClassNames[kind_->index()], std::move(writer.config));
}

namespace initializers {

Initializer deserialize(const Config& identifier, Generation generation) {
  if (identifier.is_null()) return Initializer();
  const detail::ObjectConfig object = detail::object_config(identifier, "initializer");
  return Initializer(kind_of(object.class_name, object.config, generation));
}

}  // namespace initializers

}  // namespace keratin::inline v0
