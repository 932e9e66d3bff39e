// A plain function of one number as an activation: where no formula can be had.
#pragma once

#include <functional>
#include <string>
#include <type_traits>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

class ActivationFn;

/// `{.activation = ScalarFunction{.value = f, .derivative = df}}`; a function pointer or std::function alone
/// is one without a derivative. Called for one element after the other, from several threads at a time, with
/// x of float32 and 16-bit tensors exact in double and the result rounded to x's type: slower than an
/// expression by what the calls cost, not fused, not fitted. Without a derivative it predicts but does not
/// train: TypeError where a gradient is asked for. It cannot be saved.
struct KERATIN_API ScalarFunction {
  std::function<double(double)> value;
  std::function<double(double)> derivative = {};
  std::string name = "function of one number";

  /// ValueError without a value.
  ActivationFn to_activation_fn() const;
};

namespace detail {

template <class F>
inline constexpr bool is_plain_function =
    (std::is_function_v<F> || (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>)) &&
    std::is_invocable_r_v<double, const F&, double>;
template <class R, class X>
inline constexpr bool is_plain_function<std::function<R(X)>> =
    std::is_arithmetic_v<R>&& std::is_arithmetic_v<std::remove_cvref_t<X>>;

}  // namespace detail
}  // namespace keratin::inline v0
