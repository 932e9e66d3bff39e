// A function of the registry, with its parameters, as an activation. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/registry.h"

namespace keratin::inline v0 {

class BuiltinActivation final : public ElementwiseFunction {
 public:
  /// ValueError for parameters that the definition cannot take.
  BuiltinActivation(const activations::Function& function, const void* parameters);

  const activations::Function& definition() const noexcept { return function_; }
  const void* parameters() const noexcept { return parameters_.data(); }
  bool has_default_parameters() const;

  std::string name() const override { return std::string(function_.info->name); }
  Config serialize(Generation generation) const override;
  void forward(const float* x, float* y, std::size_t count) const override;
  void forward(const double* x, double* y, std::size_t count) const override;
  void gradient(const float* x, const float* upstream, float* out, std::size_t count) const override;
  void gradient(const double* x, const double* upstream, double* out, std::size_t count) const override;
  std::shared_ptr<const ElementwiseFunction> derivative() const override;
  bool is_linear() const noexcept override { return function_.index == activations::Index::linear; }
  activations::BoundFunction bound() const noexcept override { return {&function_, parameters()}; }
  std::string_view operation() const noexcept override { return function_.info->name; }

 private:
  const activations::Function& function_;
  alignas(std::max_align_t) std::array<std::byte, activations::kMaxParametersSize> parameters_{};
};

namespace detail {

/// With its default parameters; StateError if the registry lacks it.
std::shared_ptr<const BuiltinActivation> builtin(std::string_view name);
/// Whether both are the same built-in with the same parameters.
bool is_same_activation(const ActivationFunction& a, const ActivationFunction& b);
/// The parameters of a built-in that differ from their defaults, by name: an object, empty for all others.
Config parameters_of(const ActivationFunction& function);

}  // namespace detail
}  // namespace keratin::inline v0
