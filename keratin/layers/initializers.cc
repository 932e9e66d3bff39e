#include "keratin/layers/initializers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/orthogonal.h"

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

// What Glorot, He and Lecun are short for.
VarianceScaling scaling_of(const VarianceScaling& c) { return c; }
VarianceScaling scaling_of(const GlorotUniform& c) {
  return {1.0, "fan_avg", "uniform", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const GlorotNormal& c) {
  return {1.0, "fan_avg", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const HeNormal& c) {
  return {2.0, "fan_in", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const HeUniform& c) {
  return {2.0, "fan_in", "uniform", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const LecunNormal& c) {
  return {1.0, "fan_in", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const LecunUniform& c) {
  return {1.0, "fan_in", "uniform", c.seed, c.input_axes, c.output_axes};
}

// Checks and puts arguments into their final form; classes without conditions have none.
template <class C>
void check(const C&) {}
template <class C>
requires requires(C c) { c.stddev; }
void check(const C& c) {
  if (c.stddev >= 0 && std::isfinite(c.stddev) && std::isfinite(c.mean)) return;
  throw ValueError("normal initializer", "a finite mean and a finite stddev of at least 0",
                   "received mean=" + to_text(c.mean) + ", stddev=" + to_text(c.stddev));
}
void check(const RandomUniform& c) {
  if (c.minval <= c.maxval && std::isfinite(c.minval) && std::isfinite(c.maxval)) return;
  throw ValueError("RandomUniform", "finite minval <= maxval",
                   "received minval=" + to_text(c.minval) + ", maxval=" + to_text(c.maxval));
}
void check(VarianceScaling& c) {
  if (!(c.scale > 0) || !std::isfinite(c.scale)) {
    throw ValueError("VarianceScaling", "scale is a positive number", "received scale=" + to_text(c.scale));
  }
  constexpr std::string_view kModes[] = {"fan_in", "fan_out", "fan_avg"};
  if (std::find(std::begin(kModes), std::end(kModes), c.mode) == std::end(kModes)) {
    throw ValueError("VarianceScaling", R"(mode is "fan_in", "fan_out" or "fan_avg")",
                     "received mode=\"" + c.mode + "\"", did_you_mean(c.mode, kModes));
  }
  for (char& letter : c.distribution) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  if (c.distribution == "normal") c.distribution = "truncated_normal";
  constexpr std::string_view kDistributions[] = {"truncated_normal", "untruncated_normal", "uniform"};
  if (std::find(std::begin(kDistributions), std::end(kDistributions), c.distribution) ==
      std::end(kDistributions)) {
    throw ValueError(
        "VarianceScaling", R"(distribution is "truncated_normal", "untruncated_normal" or "uniform")",
        "received distribution=\"" + c.distribution + "\"", did_you_mean(c.distribution, kDistributions));
  }
}

RandomKey key_of(const Seed& seed) {
  // A stream apart from those of next_random_key, which count from 0.
  constexpr std::uint64_t kInitializerStream = std::uint64_t{1} << 63;
  return seed ? RandomKey{static_cast<std::uint64_t>(*seed), kInitializerStream} : next_random_key();
}

template <class T>
void fill(const Zeros&, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), T{0});
}
template <class T>
void fill(const Ones&, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), T{1});
}
template <class T>
void fill(const Constant& c, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), static_cast<T>(c.value));
}
template <class T>
void fill(const Identity& c, const Shape& shape, std::span<T> out) {
  if (shape.rank() != 2) {
    throw ShapeError("Identity initializer", "a matrix", "received shape " + shape.to_string(),
                     "Use another initializer for weights that are not of rank 2.");
  }
  std::fill(out.begin(), out.end(), T{0});
  for (std::int64_t i = 0; i < std::min(shape[0], shape[1]); ++i) {
    out[static_cast<std::size_t>(i * shape[1] + i)] = static_cast<T>(c.gain);
  }
}
template <class T>
void fill(const RandomNormal& c, const Shape&, std::span<T> out) {
  fill_normal(out, key_of(c.seed), c.mean, c.stddev);
}
template <class T>
void fill(const RandomUniform& c, const Shape&, std::span<T> out) {
  fill_uniform(out, key_of(c.seed), c.minval, c.maxval);
}
template <class T>
void fill(const TruncatedNormal& c, const Shape&, std::span<T> out) {
  fill_truncated_normal(out, key_of(c.seed), c.mean, c.stddev);
}
template <class T>
void fill(const Orthogonal& c, const Shape& shape, std::span<T> out) {
  if (shape.rank() < 2) {
    throw ShapeError("Orthogonal initializer", "at least two axes", "received shape " + shape.to_string(),
                     "Use another initializer for vectors.");
  }
  const std::int64_t columns = shape.back(), rows = columns == 0 ? 0 : shape.size() / columns;
  const detail::Columns q =
      detail::random_orthonormal(std::max(rows, columns), std::min(rows, columns), key_of(c.seed));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const double value = rows < columns ? q.column(row)[column] : q.column(column)[row];
      out[static_cast<std::size_t>(row * columns + column)] = static_cast<T>(c.gain * value);
    }
  }
}
template <class Scaling, class T>
requires requires(Scaling c) { scaling_of(c); }
void fill(const Scaling& short_form, const Shape& shape, std::span<T> out) {
  const VarianceScaling c = scaling_of(short_form);
  const detail::Fans fans = detail::compute_fans(shape, c.input_axes, c.output_axes);
  const double fan = c.mode == "fan_in" ? fans.in : c.mode == "fan_out" ? fans.out : (fans.in + fans.out) / 2;
  const double variance = c.scale / std::max(1.0, fan);
  if (c.distribution == "uniform") {
    const double limit = std::sqrt(3 * variance);
    fill_uniform(out, key_of(c.seed), -limit, limit);
  } else if (c.distribution == "truncated_normal") {
    // The standard deviation of a standard normal cut at ±2.
    constexpr double kTruncated = 0.87962566103423978;
    fill_truncated_normal(out, key_of(c.seed), 0, std::sqrt(variance) / kTruncated);
  } else {
    fill_normal(out, key_of(c.seed), 0, std::sqrt(variance));
  }
}

}  // namespace

namespace detail {

Fans compute_fans(const Shape& shape, const FanAxes& input_axes, const FanAxes& output_axes) {
  if (input_axes && output_axes) {
    const auto product = [&](const std::vector<std::int64_t>& axes) {
      double fan = 1;
      for (const std::int64_t axis : axes) {
        fan *= static_cast<double>(shape[shape.axis(axis, "VarianceScaling")]);
      }
      return fan;
    };
    return {product(*input_axes), product(*output_axes)};
  }
  if (shape.rank() == 0) return {1, 1};
  const auto last = static_cast<double>(shape.back());
  if (shape.rank() == 1) return {last, last};
  double receptive_field = 1;
  for (std::size_t axis = 0; axis + 2 < shape.rank(); ++axis)
    receptive_field *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[shape.rank() - 2]) * receptive_field, last * receptive_field};
}

}  // namespace detail

Initializer::Initializer() : Initializer(GlorotUniform{}) {}

Initializer::Initializer(std::string_view name)
    : Initializer(kind_of(name, Config::object(), Generation::keras3)) {}

Initializer::Initializer(Kind kind) {
  std::visit([](auto& initializer) { check(initializer); }, kind);
  kind_ = std::make_shared<const Kind>(std::move(kind));
}

Tensor Initializer::operator()(const Shape& shape, DType dtype) const {
  if (dtype != DType::float32 && dtype != DType::float64) {
    throw TypeError("initializer", "float32 or float64", "received " + std::string(name(dtype)),
                    "Weights of other dtypes come with a later version.");
  }
  if (const auto* custom = std::get_if<Custom>(kind_.get())) {
    Tensor values = custom->function(shape, dtype);
    if (values.shape() != shape) {
      throw ShapeError("initializer", "the function gives the shape asked for, " + shape.to_string(),
                       "received " + values.shape().to_string());
    }
    return values.astype(dtype).detach();
  }
  Tensor values = Tensor::empty(shape, dtype);
  const auto fill_values = [&](auto out) {
    std::visit(
        [&](const auto& initializer) {
          if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(initializer)>, Custom>) {
            fill(initializer, shape, out);
          }
        },
        *kind_);
  };
  if (dtype == DType::float64) {
    fill_values(values.mutable_values<double>());
  } else {
    fill_values(values.mutable_values<float>());
  }
  return values;
}

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
