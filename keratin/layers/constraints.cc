#include "keratin/layers/constraints.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

using namespace constraints;

constexpr std::array<std::string_view, 5> kClassNames = {"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm",
                                                         "RadialConstraint"};
// What Keras adds to a norm before it divides by it.
constexpr double kEpsilon = 1e-7;

Tensor norms(const Tensor& w, const AxisList& axis) {
  return ops::sqrt(ops::sum(ops::square(w), axis.values(), true));
}

Tensor constrained(const MaxNorm& c, const Tensor& w) {
  const Tensor n = norms(w, c.axis);
  return w * (ops::clip(n, 0, c.max_value) / (n + kEpsilon));
}
Tensor constrained(const MinMaxNorm& c, const Tensor& w) {
  const Tensor n = norms(w, c.axis);
  const Tensor desired = ops::clip(n, c.min_value, c.max_value) * c.rate + n * (1 - c.rate);
  return w * (desired / (n + kEpsilon));
}
Tensor constrained(const NonNeg&, const Tensor& w) { return ops::maximum(w, Tensor::scalar(0, w.dtype())); }
Tensor constrained(const UnitNorm& c, const Tensor& w) { return w / (norms(w, c.axis) + kEpsilon); }
Tensor constrained(const RadialConstraint&, const Tensor& w) {
  const Shape& shape = w.shape();
  if (shape.rank() != 4 || shape[0] != shape[1] || shape[0] < 2) {
    throw ShapeError("radial constraint", "square kernels (n, n, in, out) of n >= 2",
                     "received " + shape.to_string(), "It is for kernels of Conv2D and kin.");
  }
  const std::int64_t n = shape[0], half = n / 2, even = 1 - n % 2;
  std::vector<std::int64_t> sources;
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < n; ++column) {
      const auto from_middle = [&](std::int64_t i) { return i >= half ? i - half : half - even - i; };
      const std::int64_t ring = std::max(from_middle(row), from_middle(column));
      const std::int64_t i = ring == 0 ? half - 1 : half - 1 + even + ring;
      sources.push_back(i * n + i);
    }
  }
  const Tensor elements = w.reshape({n * n, shape[2] * shape[3]});
  return ops::take(elements, Tensor::from(sources, {n * n})).reshape(shape);
}
Tensor constrained(const Custom& c, const Tensor& w) { return c.function(w).detach(); }

Config config_of(const MaxNorm& c) {
  Config config = Config::object();
  config["max_value"] = c.max_value;
  config["axis"] = detail::axes_config(c.axis);
  return config;
}
Config config_of(const MinMaxNorm& c) {
  Config config = Config::object();
  config["min_value"] = c.min_value;
  config["max_value"] = c.max_value;
  config["rate"] = c.rate;
  config["axis"] = detail::axes_config(c.axis);
  return config;
}
Config config_of(const NonNeg&) { return Config::object(); }
Config config_of(const UnitNorm& c) {
  Config config = Config::object();
  config["axis"] = detail::axes_config(c.axis);
  return config;
}
Config config_of(const RadialConstraint&) { return Config::object(); }
Config config_of(const Custom&) {
  throw ValueError("constraint", "one that a file can name", "received a function",
                   "Use one of keratin::constraints.");
}

Kind kind_of(std::string_view name, const Config& config, Generation generation) {
  detail::ConfigReader reader(std::string(name), config, generation);
  const auto axis = [&] { return reader.optional_axes("axis").value_or(AxisList(0)); };
  Kind kind;
  if (name == "MaxNorm" || name == "max_norm" || name == "maxnorm") {
    // Keras 1 called it m.
    const auto old = reader.optional_number("m");
    kind = MaxNorm{reader.number("max_value", old.value_or(2)), axis()};
  } else if (name == "MinMaxNorm" || name == "min_max_norm") {
    kind = MinMaxNorm{reader.number("min_value", 0), reader.number("max_value", 1), reader.number("rate", 1),
                      axis()};
  } else if (name == "NonNeg" || name == "non_neg" || name == "nonneg") {
    kind = NonNeg{};
  } else if (name == "UnitNorm" || name == "unit_norm" || name == "unitnorm") {
    kind = UnitNorm{axis()};
  } else if (name == "RadialConstraint" || name == "radial_constraint") {
    kind = RadialConstraint{};
  } else {
    throw ValueError("constraint", "a known name", "received \"" + std::string(name) + "\"",
                     did_you_mean(name, kClassNames));
  }
  reader.finish();
  return kind;
}

}  // namespace

Constraint::Constraint(std::string_view name)
    : Constraint(kind_of(name, Config::object(), Generation::keras3)) {}

Constraint::Constraint(Kind kind) : kind_(std::make_shared<const Kind>(std::move(kind))) {}

Tensor Constraint::operator()(const Tensor& w) const {
  if (kind_ == nullptr) return w;
  const RecordGradients off(false);
  return std::visit([&](const auto& constraint) { return constrained(constraint, w); }, *kind_);
}

Config Constraint::serialize(Generation) const {
  if (kind_ == nullptr) return nullptr;
  Config config = std::visit([](const auto& constraint) { return config_of(constraint); }, *kind_);
  return detail::keras_object("keras.constraints", kClassNames[kind_->index()], std::move(config));
}

namespace constraints {

Constraint deserialize(const Config& identifier, Generation generation) {
  if (identifier.is_null()) return {};
  const detail::ObjectConfig object = detail::object_config(identifier, "constraint");
  return Constraint(kind_of(object.class_name, object.config, generation));
}

}  // namespace constraints

}  // namespace keratin::inline v0
