#include "keratin/activations/scalar_function.h"

#include <cstddef>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

class ScalarActivation final : public ElementwiseFunction {
 public:
  explicit ScalarActivation(ScalarFunction scalar) : scalar_(std::move(scalar)) {}

  std::string name() const override { return scalar_.name; }
  std::string_view operation() const noexcept override { return "scalar function"; }
  Config serialize(Generation) const override {
    throw ValueError("activation", "what a file can hold: a name, parameters, a formula",
                     "\"" + scalar_.name + "\" is a function, which is code",
                     "Write it as an expression: [](auto x) { return x * K::sigmoid(x); }");
  }
  void forward(const float* x, float* y, std::size_t count) const override { run(x, y, count); }
  void forward(const double* x, double* y, std::size_t count) const override { run(x, y, count); }
  void gradient(const float* x, const float* upstream, float* out, std::size_t count) const override {
    run_gradient(x, upstream, out, count);
  }
  void gradient(const double* x, const double* upstream, double* out, std::size_t count) const override {
    run_gradient(x, upstream, out, count);
  }

 private:
  template <class T>
  void run(const T* x, T* y, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<T>(scalar_.value(static_cast<double>(x[i])));
  }
  template <class T>
  void run_gradient(const T* x, const T* upstream, T* out, std::size_t count) const {
    if (!scalar_.derivative) {
      throw TypeError("gradients", "an activation whose derivative is known",
                      "\"" + scalar_.name + "\" is a function without one",
                      "Give it: ScalarFunction{.value = f, .derivative = df}; or write an expression.");
    }
    for (std::size_t i = 0; i < count; ++i) {
      out[i] =
          static_cast<T>(static_cast<double>(upstream[i]) * scalar_.derivative(static_cast<double>(x[i])));
    }
  }

  ScalarFunction scalar_;
};

}  // namespace

ActivationFn ScalarFunction::to_activation_fn() const {
  if (!value) {
    throw ValueError("activation", "a function of one number", "it is empty", "Give one, or \"linear\".");
  }
  return ActivationFn(std::make_shared<const ScalarActivation>(*this));
}

}  // namespace keratin::inline v0
