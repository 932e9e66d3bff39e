#include "keratin/activations/builtin.h"

#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

using activations::Parameter;

// The words that definitions use for what a parameter may be.
bool is_allowed(std::string_view constraint, double value) {
  if (std::isnan(value)) return false;
  if (constraint == "above 0") return value > 0;
  if (constraint == "at least 0") return value >= 0;
  if (constraint == "not 0") return value != 0;
  return true;
}

void check(const activations::Function& function, const void* parameters) {
  for (const Parameter& parameter : function.parameters) {
    const double value = parameter.get(parameters);
    if (is_allowed(parameter.constraint, value)) continue;
    throw ValueError(function.info->name, fmt::format("{} is {}", parameter.name, parameter.constraint),
                     fmt::format("received {}={}", parameter.name, to_text(value)),
                     fmt::format("Its default is {}.", to_text(parameter.default_value)));
  }
}

}  // namespace

BuiltinActivation::BuiltinActivation(const activations::Function& function, const void* parameters)
    : function_(function) {
  check(function, parameters);
  std::memcpy(parameters_.data(), parameters, function.parameters_size);
}

bool BuiltinActivation::has_default_parameters() const {
  for (const Parameter& parameter : function_.parameters) {
    if (parameter.get(parameters()) != parameter.default_value) return false;
  }
  return true;
}

void BuiltinActivation::forward(const float* x, float* y, std::size_t count) const {
  function_.forward(parameters(), x, y, count);
}
void BuiltinActivation::forward(const double* x, double* y, std::size_t count) const {
  function_.forward(parameters(), x, y, count);
}
void BuiltinActivation::gradient(const float* x, const float* upstream, float* out, std::size_t count) const {
  function_.gradient(parameters(), x, upstream, out, count);
}
void BuiltinActivation::gradient(const double* x, const double* upstream, double* out,
                                 std::size_t count) const {
  function_.gradient(parameters(), x, upstream, out, count);
}

std::shared_ptr<const ElementwiseFunction> BuiltinActivation::derivative() const {
  return detail::derivative_function(
      Expr(detail::make_function(ExprOp::function, shared_from_this(), detail::make_input())));
}

Config BuiltinActivation::serialize(Generation generation) const {
  return activations::detail::serialize_builtin(*this, generation);
}

namespace activations::detail {

ActivationFn make_builtin(const Function& function, const void* parameters) {
  return ActivationFn(std::make_shared<const BuiltinActivation>(function, parameters));
}

}  // namespace activations::detail

namespace detail {

std::shared_ptr<const BuiltinActivation> builtin(std::string_view name) {
  const activations::Function* function = activations::find(name);
  if (function == nullptr) {
    throw StateError("activation", "the registry holds the built-in functions",
                     fmt::format("\"{}\" is not among them", name));
  }
  return std::make_shared<const BuiltinActivation>(*function, function->defaults);
}

bool is_same_activation(const ActivationFunction& a, const ActivationFunction& b) {
  const auto* one = dynamic_cast<const BuiltinActivation*>(&a);
  const auto* other = dynamic_cast<const BuiltinActivation*>(&b);
  if (one == nullptr || other == nullptr || &one->definition() != &other->definition()) return &a == &b;
  for (const Parameter& parameter : one->definition().parameters) {
    if (parameter.get(one->parameters()) != parameter.get(other->parameters())) return false;
  }
  return true;
}

Config parameters_of(const ActivationFunction& function) {
  Config parameters = Config::object();
  const auto* builtin = dynamic_cast<const BuiltinActivation*>(&function);
  if (builtin == nullptr) return parameters;
  for (const Parameter& parameter : builtin->definition().parameters) {
    const double value = parameter.get(builtin->parameters());
    if (value == parameter.default_value) continue;
    parameters[std::string(parameter.name)] = activations::detail::parameter_config(parameter, value);
  }
  return parameters;
}

}  // namespace detail
}  // namespace keratin::inline v0
