// The element-wise activations as function objects: activations::gelu(in, out) and
// activations::gelu_gradient(in, upstream, out) on spans of f32, f64, f16 or bf16. Nothing is allocated.
#pragma once

#include <span>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/registry.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::activations {

namespace detail {

#define KERATIN_APPLY_OF(T)                                                                                \
  KERATIN_API void apply(const Function& function, const void* parameters, std::span<const T> in,          \
                         std::span<T> out);                                                                \
  KERATIN_API void apply_gradient(const Function& function, const void* parameters, std::span<const T> in, \
                                  std::span<const T> upstream, std::span<T> out);
KERATIN_APPLY_OF(float)
KERATIN_APPLY_OF(double)
KERATIN_APPLY_OF(float16)
KERATIN_APPLY_OF(bfloat16)
#undef KERATIN_APPLY_OF

}  // namespace detail

/// f itself. Large spans are split over the threads; the bits do not depend on it. 16-bit results are rounded
/// correctly.
template <Definition T>
struct Elementwise {
  /// Of x's shape, recorded where a gradient is wanted. TypeError unless floating.
  Tensor operator()(const Tensor& x, const T& parameters = {}) const {
    return detail::make_builtin(function<T>(), &parameters)(x);
  }
  ActivationFn to_activation_fn() const { return T{}; }
  /// out[i] = f(in[i]). out may be in. ShapeError if the sizes differ, ValueError if out overlaps part of in.
  void operator()(std::span<const float> in, std::span<float> out, const T& parameters = {}) const {
    detail::apply(function<T>(), &parameters, in, out);
  }
  void operator()(std::span<const double> in, std::span<double> out, const T& parameters = {}) const {
    detail::apply(function<T>(), &parameters, in, out);
  }
  void operator()(std::span<const float16> in, std::span<float16> out, const T& parameters = {}) const {
    detail::apply(function<T>(), &parameters, in, out);
  }
  void operator()(std::span<const bfloat16> in, std::span<bfloat16> out, const T& parameters = {}) const {
    detail::apply(function<T>(), &parameters, in, out);
  }
};

/// The derivative of f, times what comes from above.
template <Definition T>
struct ElementwiseGradient {
  /// out[i] = upstream[i]·f'(in[i]). out may be in or upstream. ShapeError if the sizes differ, ValueError if
  /// out overlaps part of one of them.
  void operator()(std::span<const float> in, std::span<const float> upstream, std::span<float> out,
                  const T& parameters = {}) const {
    detail::apply_gradient(function<T>(), &parameters, in, upstream, out);
  }
  void operator()(std::span<const double> in, std::span<const double> upstream, std::span<double> out,
                  const T& parameters = {}) const {
    detail::apply_gradient(function<T>(), &parameters, in, upstream, out);
  }
  void operator()(std::span<const float16> in, std::span<const float16> upstream, std::span<float16> out,
                  const T& parameters = {}) const {
    detail::apply_gradient(function<T>(), &parameters, in, upstream, out);
  }
  void operator()(std::span<const bfloat16> in, std::span<const bfloat16> upstream, std::span<bfloat16> out,
                  const T& parameters = {}) const {
    detail::apply_gradient(function<T>(), &parameters, in, upstream, out);
  }
};

#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct)       \
  inline constexpr Elementwise<Struct> name{}; \
  inline constexpr ElementwiseGradient<Struct> name##_gradient{};
#include "keratin/activations/definitions/list.inc"

}  // namespace keratin::inline v0::activations
