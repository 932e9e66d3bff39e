#include "keratin/layers/regularizers.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

using namespace regularizers;

constexpr std::string_view kL1 = "L1", kL2 = "L2", kL1L2 = "L1L2", kOrthogonal = "OrthogonalRegularizer";
constexpr std::array<std::string_view, 4> kClassNames = {kL1, kL2, kL1L2, kOrthogonal};

void check_factor(std::string_view class_name, std::string_view argument, double factor) {
  if (std::isfinite(factor) && factor >= 0) return;
  throw ValueError(class_name, std::string(argument) + " is a finite number of at least 0",
                   "received " + std::string(argument) + "=" + to_text(factor));
}

void check(const L1& r) { check_factor(kL1, "l1", r.l1); }
void check(const L2& r) { check_factor(kL2, "l2", r.l2); }
void check(const L1L2& r) {
  check_factor(kL1L2, "l1", r.l1);
  check_factor(kL1L2, "l2", r.l2);
}
void check(const OrthogonalRegularizer& r) {
  check_factor(kOrthogonal, "factor", r.factor);
  if (r.mode == "rows" || r.mode == "columns") return;
  constexpr std::string_view kModes[] = {"rows", "columns"};
  throw ValueError(kOrthogonal, R"(mode is "rows" or "columns")", "received mode=\"" + r.mode + "\"",
                   did_you_mean(r.mode, kModes));
}
void check(const Custom&) {}

Tensor penalty(const L1& r, const Tensor& x) { return ops::sum(ops::absolute(x)) * r.l1; }
Tensor penalty(const L2& r, const Tensor& x) { return ops::sum(ops::square(x)) * r.l2; }
Tensor penalty(const L1L2& r, const Tensor& x) {
  if (r.l2 == 0) return penalty(L1{r.l1}, x);
  if (r.l1 == 0) return penalty(L2{r.l2}, x);
  return penalty(L1{r.l1}, x) + penalty(L2{r.l2}, x);
}

// x with each row of length 1; the square of a length counts as at least 1e-12 (Keras 3: 1e-14).
Tensor normalized(const Tensor& x) {
  const Tensor squares = ops::sum(ops::square(x), AxisNumbers{1}, true);
  return x / ops::sqrt(ops::maximum(squares, Tensor::scalar(1e-12, x.dtype())));
}

Tensor penalty(const OrthogonalRegularizer& r, const Tensor& x) {
  if (x.rank() != 2) {
    throw ShapeError(kOrthogonal, "a matrix", "received shape " + x.shape().to_string(),
                     "Reshape it, or use another regularizer.");
  }
  const Tensor rows = normalized(r.mode == "rows" ? x : ops::transpose(x));
  const std::int64_t count = rows.shape()[0];
  if (count < 2) return ops::sum(x) * 0.0;
  Tensor off_diagonal = Tensor::full({count, count}, 1, x.dtype());
  visit(x.dtype(), [&]<class T>(T) {
    const auto values = off_diagonal.mutable_values<T>();
    for (std::int64_t i = 0; i < count; ++i) values[static_cast<std::size_t>(i * count + i)] = T{};
  });
  const double pairs = static_cast<double>(count) * static_cast<double>(count - 1) / 2;
  const Tensor cosines = ops::matmul(rows, ops::transpose(rows)) * off_diagonal;
  return ops::sum(ops::absolute(cosines)) * (r.factor * 0.5 / pairs);
}
Tensor penalty(const Custom& r, const Tensor& x) { return r.function(x); }

Config config_of(const L1& r) {
  Config config = Config::object();
  config["l1"] = r.l1;
  return config;
}
Config config_of(const L2& r) {
  Config config = Config::object();
  config["l2"] = r.l2;
  return config;
}
Config config_of(const L1L2& r) {
  Config config = config_of(L1{r.l1});
  config["l2"] = r.l2;
  return config;
}
Config config_of(const OrthogonalRegularizer& r) {
  Config config = Config::object();
  config["factor"] = r.factor;
  config["mode"] = r.mode;
  return config;
}
Config config_of(const Custom&) {
  throw ValueError("regularizer", "one that a file can name", "received a function",
                   "Use one of keratin::regularizers.");
}

Kind kind_of(std::string_view name, const Config& config, Generation generation) {
  detail::ConfigReader reader(std::string(name), config, generation);
  // Keras 2 also took `l` for both.
  const auto factor = [&](std::string_view key, double otherwise) {
    const auto old = reader.optional_number("l");
    return reader.number(key, old.value_or(otherwise));
  };
  Kind kind;
  if (name == "l1_l2" && config.empty()) {
    kind = L1L2{0.01, 0.01};
  } else if (name == kL1 || name == "l1") {
    kind = L1{factor("l1", 0.01)};
  } else if (name == kL2 || name == "l2") {
    kind = L2{factor("l2", 0.01)};
  } else if (name == kL1L2 || name == "l1l2" || name == "l1_l2") {
    kind = L1L2{reader.number("l1", 0), reader.number("l2", 0)};
  } else if (name == kOrthogonal || name == "orthogonal_regularizer") {
    kind = OrthogonalRegularizer{reader.number("factor", 0.01), reader.text("mode", "rows")};
  } else {
    throw ValueError("regularizer", "a known name", "received \"" + std::string(name) + "\"",
                     did_you_mean(name, kClassNames));
  }
  reader.finish();
  return kind;
}

}  // namespace

Regularizer::Regularizer(std::string_view name)
    : Regularizer(kind_of(name, Config::object(), Generation::keras3)) {}

Regularizer::Regularizer(Kind kind) {
  std::visit([](const auto& regularizer) { check(regularizer); }, kind);
  kind_ = std::make_shared<const Kind>(std::move(kind));
}

Tensor Regularizer::operator()(const Tensor& x) const {
  if (kind_ == nullptr) return {};
  return std::visit([&](const auto& regularizer) { return penalty(regularizer, x); }, *kind_);
}

Config Regularizer::serialize(Generation) const {
  if (kind_ == nullptr) return nullptr;
  Config config = std::visit([](const auto& regularizer) { return config_of(regularizer); }, *kind_);
  return detail::keras_object("keras.regularizers", kClassNames[kind_->index()], std::move(config));
}

namespace regularizers {

Regularizer deserialize(const Config& identifier, Generation generation) {
  if (identifier.is_null()) return {};
  const detail::ObjectConfig object = detail::object_config(identifier, "regularizer");
  return Regularizer(kind_of(object.class_name, object.config, generation));
}

}  // namespace regularizers

}  // namespace keratin::inline v0
