// The value that every `activation` argument takes.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "keratin/activations/definition_names.h"
#include "keratin/activations/registry.h"
#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"

namespace keratin::inline v0 {

/// What an activation does, behind one interface: immutable and shared, but for a StatefulActivation's
/// weights. Made by make_shared: what it records holds on to it.
class KERATIN_API ActivationFunction : public std::enable_shared_from_this<ActivationFunction> {
 public:
  ActivationFunction() = default;
  ActivationFunction(const ActivationFunction&) = default;
  ActivationFunction& operator=(const ActivationFunction&) = default;
  virtual ~ActivationFunction();
  /// Keras's name ("gelu"), a formula, or the user's own name.
  virtual std::string name() const = 0;
  /// y of x's shape (glu: half of it on its axis), recorded where a gradient is wanted. ShapeError,
  /// TypeError.
  virtual Tensor apply(const Tensor& x, bool training) const = 0;
  /// The result's shape for an input's, which may hold unknown sizes.
  virtual Shape output_shape(const Shape& input) const { return input; }
  /// What Keras of that generation writes into a layer's config: a name, or an object.
  virtual Config serialize(Generation generation) const = 0;
};

/// One that acts on each element alone: a built-in with its parameters, or an expression. Ops fuse it.
/// Takes floating dtypes; TypeError for others, which linear alone passes through. 16-bit tensors are
/// computed wider and rounded once.
class KERATIN_API ElementwiseFunction : public ActivationFunction {
 public:
  /// y[i] = f(x[i]); y may be x. The caller holds a FloatEnvironment. Allocates nothing that lasts.
  virtual void forward(const float* x, float* y, std::size_t count) const = 0;
  virtual void forward(const double* x, double* y, std::size_t count) const = 0;
  /// out[i] = upstream[i] · f'(x[i]); out may be x or upstream.
  virtual void gradient(const float* x, const float* upstream, float* out, std::size_t count) const = 0;
  virtual void gradient(const double* x, const double* upstream, double* out, std::size_t count) const = 0;
  /// f' as a function of its own, for gradients of gradients: exact, in double, rounded once. TypeError where
  /// no formula says what it is.
  virtual std::shared_ptr<const ElementwiseFunction> derivative() const;
  /// Whether f(x) = x, so that ops may skip it.
  virtual bool is_linear() const noexcept { return false; }
  /// The registry's function behind this one, if there is one: it takes whole arrays and 16-bit ones.
  virtual activations::BoundFunction bound() const noexcept { return {}; }
  /// What recorded nodes are called; a literal.
  virtual std::string_view operation() const noexcept { return "expression"; }
  Tensor apply(const Tensor& x, bool training) const final;
};

/// One with weights, such as PReLU: they belong to the layer that uses it.
class KERATIN_API StatefulActivation : public ActivationFunction {
 public:
  /// Creates the weights for inputs of that shape (batch axis first, unknown); nothing if they exist.
  virtual void build(const Shape& input) = 0;
  virtual std::vector<Variable> variables() const = 0;
  /// The same with weights of its own, equal to these.
  virtual std::shared_ptr<StatefulActivation> clone() const = 0;
};

class ActivationFn;

namespace activations {

/// The activation of a name ("gelu", "swish"; "LeakyReLU" too, where layers are linked in), an object from a
/// config, or null (linear). Names and defaults are those of `generation`; without one they are the page's
/// (hard_sigmoid is 0.2x + 0.5) and Keras 3's for what is not on it. ValueError proposes the nearest name;
/// TypeError for a config that is no activation. Keras: keras.activations.get.
KERATIN_API ActivationFn get(const char* name, std::optional<Generation> generation = std::nullopt);
KERATIN_API ActivationFn get(std::string_view name, std::optional<Generation> generation = std::nullopt);
KERATIN_API ActivationFn get(const std::string& name, std::optional<Generation> generation = std::nullopt);
KERATIN_API ActivationFn get(const Config& identifier, std::optional<Generation> generation = std::nullopt);

namespace detail {
KERATIN_API ActivationFn make_builtin(const Function& function, const void* parameters);
}  // namespace detail

}  // namespace activations

namespace detail {
/// From the user's callable: defined where expressions are (activations/expression.h).
template <class F>
ActivationFn activation_from_callable(const F& callable);
}  // namespace detail

/// An activation as a value: nothing (linear), a name, a built-in with its parameters
/// (`activations::Elu{.alpha = 0.5}`), a backend function (`K::tanh`), an expression, a generic lambda
/// (`[](auto x) { return x * K::sigmoid(x); }`, traced once), a function of tensors, a plain function of one
/// number (ScalarFunction), or a layer (PReLU()).
/// Cheap to copy; a copy of one with weights shares them.
class KERATIN_API ActivationFn {
 public:
  /// Linear.
  ActivationFn();
  ActivationFn(std::nullopt_t) : ActivationFn() {}
  ActivationFn(std::nullptr_t) : ActivationFn() {}
  /// The page's function of that name; ValueError for an unknown one, with the nearest name.
  ActivationFn(const char* name);
  ActivationFn(std::string_view name);
  ActivationFn(const std::string& name) : ActivationFn(std::string_view(name)) {}
  ActivationFn(std::shared_ptr<const ActivationFunction> function);
  /// A built-in, an expression, a layer, or a callable: see the class.
  template <class F>
  requires(!std::convertible_to<F, std::string_view> &&
           !std::convertible_to<F, std::shared_ptr<const ActivationFunction>> &&
           !std::same_as<std::remove_cvref_t<F>, ActivationFn>) ActivationFn(const F& source);

  const ActivationFunction& function() const noexcept { return *function_; }
  const std::shared_ptr<const ActivationFunction>& shared() const noexcept { return function_; }
  /// The function seen as element-wise, or null.
  const ElementwiseFunction* elementwise() const noexcept { return elementwise_; }
  /// The function seen as one with weights, or null.
  StatefulActivation* stateful() const noexcept { return stateful_; }
  bool is_linear() const noexcept { return elementwise_ != nullptr && elementwise_->is_linear(); }
  std::string name() const { return function_->name(); }

  Tensor operator()(const Tensor& x, bool training = false) const { return function_->apply(x, training); }

 private:
  std::shared_ptr<const ActivationFunction> function_;
  const ElementwiseFunction* elementwise_ = nullptr;
  StatefulActivation* stateful_ = nullptr;
};

template <class F>
requires(!std::convertible_to<F, std::string_view> &&
         !std::convertible_to<F, std::shared_ptr<const ActivationFunction>> &&
         !std::same_as<std::remove_cvref_t<F>, ActivationFn>) ActivationFn::ActivationFn(const F& source) {
  if constexpr (requires { ActivationFn(source.to_activation_fn()); }) {
    *this = source.to_activation_fn();
  } else if constexpr (activations::Definition<F>) {
    *this = activations::detail::make_builtin(activations::function<F>(), &source);
  } else {
    *this = detail::activation_from_callable(source);
  }
}

}  // namespace keratin::inline v0

// What a callable needs; it includes this file first.
#include "keratin/activations/expression.h"
