// Keras's backend functions (K.tanh, K.exp, …): on tensors, numbers and expressions, and as activations.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/axis_functions.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/registry.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops {
// Of two tensors, with broadcasting: see ops/ops.h, where they are defined.
KERATIN_API Tensor maximum(const Tensor& a, const Tensor& b);
KERATIN_API Tensor minimum(const Tensor& a, const Tensor& b);
KERATIN_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
KERATIN_API Tensor equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor not_equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor greater(const Tensor& a, const Tensor& b);
KERATIN_API Tensor greater_equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor less(const Tensor& a, const Tensor& b);
KERATIN_API Tensor less_equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor logical_and(const Tensor& a, const Tensor& b);
KERATIN_API Tensor logical_or(const Tensor& a, const Tensor& b);
KERATIN_API Tensor logical_not(const Tensor& a);
}  // namespace keratin::inline v0::ops

namespace keratin::inline v0::backend {
namespace detail {

/// Tensors, expressions, numbers.
template <class X>
concept Number = std::is_arithmetic_v<X>;
template <class X>
concept Argument = std::same_as<X, Tensor> || std::same_as<X, Expr> || Number<X>;

// The same kernels for every kind of argument: a number is an array of one.
KERATIN_API Tensor apply(const ActivationFn& function, const Tensor& x);
KERATIN_API Expr apply(const ActivationFn& function, const Expr& x);
KERATIN_API float apply(const ActivationFn& function, float x);
KERATIN_API double apply(const ActivationFn& function, double x);
template <Number X>
double apply(const ActivationFn& function, X x) {
  return apply(function, static_cast<double>(x));
}

/// The functions of one number that Unary can be, in backend.cc.
KERATIN_API std::span<const std::string_view> unary_names() noexcept;
KERATIN_API const ActivationFn& function_of(std::string_view name);
KERATIN_API Expr trace(std::string_view name, const Expr& x);
KERATIN_API Expr clip(const Expr& x, double low, double high);
KERATIN_API Expr power(const Expr& x, double exponent);
KERATIN_API Expr maximum(const Expr& a, const Expr& b);
KERATIN_API Expr minimum(const Expr& a, const Expr& b);
KERATIN_API Expr where(const BoolExpr& condition, const Expr& a, const Expr& b);

/// One number to one number, without parameters.
struct Unary {
  std::string_view name;

  template <Argument X>
  auto operator()(const X& x) const {
    if constexpr (std::same_as<X, Expr>) {
      return trace(name, x);
    } else {
      return apply(function_of(name), x);
    }
  }
  ActivationFn to_activation_fn() const { return trace(name, Expr::input()).to_activation_fn(); }
};

constexpr bool member(bool value) { return value; }
template <Number X>
constexpr double member(X value) {
  return static_cast<double>(value);
}

/// A built-in activation; parameters by name, `K::elu(x, {.alpha = 0.5})`, or in order, `K::elu(x, 0.5)`.
template <activations::Definition T>
struct Builtin {
  template <Argument X>
  auto operator()(const X& x, const T& parameters = {}) const {
    return apply(activations::detail::make_builtin(activations::function<T>(), &parameters), x);
  }
  template <Argument X, Number First, Number... Rest>
  auto operator()(const X& x, First first, Rest... rest) const {
    return (*this)(x, T{member(first), member(rest)...});
  }
  ActivationFn to_activation_fn() const { return T{}; }
};

/// Of a tensor along an axis: no function of one number, so no expression.
template <activations::detail::AxisKind kind>
struct AlongAxis : activations::detail::AxisFunction<kind> {
  using activations::detail::AxisFunction<kind>::operator();
  template <std::same_as<Expr> X>
  Expr operator()(const X& x) const {
    static_assert(
        !std::same_as<X, Expr>,
        "softmax and kin look at a whole axis, not at one element: write `[](const Tensor& x) {...}` "
        "instead of `[](auto x) {...}`, or take \"softmax\" itself");
    return x;
  }
};

// `function` as an expression, run on a tensor or a number.
template <Argument X, class F>
auto apply_traced(const X& x, const F& function) {
  if constexpr (std::same_as<X, Expr>) {
    return function(x);
  } else {
    return apply(make_activation(function(Expr::input()), {.fit = false}), x);
  }
}

/// Limited to [low, high], which has gradient 1 at its ends, 0 outside.
struct Clip {
  template <Argument X>
  auto operator()(const X& x, double low, double high) const {
    return apply_traced(x, [=](const Expr& e) { return clip(e, low, high); });
  }
};

/// x to a constant power; NaN below 0 unless the exponent is whole.
struct Power {
  template <Argument X>
  auto operator()(const X& x, double exponent) const {
    return apply_traced(x, [=](const Expr& e) { return power(e, exponent); });
  }
};

template <class A, class B>
concept AnyIsExpr = (std::same_as<A, Expr> || std::same_as<B, Expr>)&&!std::same_as<A, Tensor> &&
                    !std::same_as<B, Tensor>;
template <class A, class B>
concept OneTensor = (std::same_as<A, Tensor> && Number<B>) || (Number<A> && std::same_as<B, Tensor>);

/// Of two: expressions and numbers, a tensor and a number, two tensors (needs ops), two numbers. NaN if one
/// is.
template <bool is_maximum>
struct Extreme {
  template <Argument A, Argument B>
  auto operator()(const A& a, const B& b) const {
    if constexpr (AnyIsExpr<A, B>) {
      return pick(Expr(a), Expr(b));
    } else if constexpr (std::same_as<A, Tensor> && std::same_as<B, Tensor>) {
      if constexpr (is_maximum)
        return ops::maximum(a, b);
      else
        return ops::minimum(a, b);
    } else if constexpr (std::same_as<B, Tensor>) {
      return (*this)(b, a);
    } else {
      static_assert(OneTensor<A, B> || (Number<A> && Number<B>));
      const Expr bound(b);
      return apply_traced(a, [&bound](const Expr& e) { return pick(e, bound); });
    }
  }

 private:
  static Expr pick(const Expr& a, const Expr& b) { return is_maximum ? maximum(a, b) : minimum(a, b); }
};

enum class Comparing { equal, not_equal, greater, greater_equal, less, less_equal };

/// A condition for where: of expressions a BoolExpr, of numbers a bool, of tensors (or one and a number) a
/// bool tensor. With NaN all but not_equal are false.
template <Comparing how>
struct Comparison {
  template <Argument A, Argument B>
  auto operator()(const A& a, const B& b) const {
    if constexpr (std::same_as<A, Tensor> && std::same_as<B, Tensor>) {
      return of_tensors(a, b);
    } else if constexpr (std::same_as<A, Tensor>) {
      return of_tensors(a, Tensor::scalar(static_cast<double>(b), a.dtype()));
    } else if constexpr (std::same_as<B, Tensor>) {
      return of_tensors(Tensor::scalar(static_cast<double>(a), b.dtype()), b);
    } else if constexpr (AnyIsExpr<A, B>) {
      return of_values(Expr(a), Expr(b));
    } else {
      return of_values(static_cast<double>(a), static_cast<double>(b));
    }
  }

 private:
  template <class X>
  static auto of_values(const X& a, const X& b) {
    if constexpr (how == Comparing::equal) return a == b;
    if constexpr (how == Comparing::not_equal) return a != b;
    if constexpr (how == Comparing::greater) return a > b;
    if constexpr (how == Comparing::greater_equal) return a >= b;
    if constexpr (how == Comparing::less) return a < b;
    if constexpr (how == Comparing::less_equal) return a <= b;
  }
  static Tensor of_tensors(const Tensor& a, const Tensor& b) {
    if constexpr (how == Comparing::equal) return ops::equal(a, b);
    if constexpr (how == Comparing::not_equal) return ops::not_equal(a, b);
    if constexpr (how == Comparing::greater) return ops::greater(a, b);
    if constexpr (how == Comparing::greater_equal) return ops::greater_equal(a, b);
    if constexpr (how == Comparing::less) return ops::less(a, b);
    if constexpr (how == Comparing::less_equal) return ops::less_equal(a, b);
  }
};

/// Of conditions: expressions, bools, bool tensors.
template <bool is_and>
struct Logical {
  BoolExpr operator()(const BoolExpr& a, const BoolExpr& b) const { return is_and ? a && b : a || b; }
  template <std::same_as<bool> Bool>
  bool operator()(Bool a, Bool b) const {
    return is_and ? a && b : a || b;
  }
  template <std::same_as<Tensor> T>
  Tensor operator()(const T& a, const T& b) const {
    if constexpr (is_and)
      return ops::logical_and(a, b);
    else
      return ops::logical_or(a, b);
  }
};
struct LogicalNot {
  BoolExpr operator()(const BoolExpr& a) const { return !a; }
  template <std::same_as<bool> Bool>
  bool operator()(Bool a) const {
    return !a;
  }
  template <std::same_as<Tensor> T>
  Tensor operator()(const T& a) const {
    return ops::logical_not(a);
  }
};

struct Identity {
  template <Argument X>
  X operator()(const X& x) const {
    return x;
  }
};
/// The same number everywhere, in x's shape and dtype.
template <int value>
struct Filled {
  template <Argument X>
  X operator()(const X& x) const {
    if constexpr (std::same_as<X, Tensor>)
      return Tensor::full(x.shape(), value, x.dtype());
    else
      return X(value);
  }
};

/// x, which the gradient takes for a constant.
struct StopGradient {
  template <Argument X>
  X operator()(const X& x) const {
    if constexpr (std::same_as<X, Expr>)
      return trace("stop_gradient", x);
    else if constexpr (std::same_as<X, Tensor>)
      return x.detach();
    else
      return x;
  }
};

/// a where the condition holds, else b, element by element: what `if` is to a lambda that is traced.
struct Where {
  Expr operator()(const BoolExpr& condition, const Expr& a, const Expr& b) const {
    return detail::where(condition, a, b);
  }
  template <std::same_as<Tensor> T>
  Tensor operator()(const T& condition, const T& a, const T& b) const {
    return ops::where(condition, a, b);
  }
  /// Numbers that a comparison of numbers chooses, so that a traced function also runs on a number.
  template <Number A, Number B>
  auto operator()(bool condition, A a, B b) const -> std::common_type_t<A, B> {
    return condition ? a : b;
  }
};

}  // namespace detail

// Every element-wise activation under its name.
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) inline constexpr detail::Builtin<activations::Struct> name{};
#include "keratin/activations/definitions/list.inc"
inline constexpr detail::Builtin<activations::Silu> swish{};
inline constexpr detail::Builtin<activations::HardSilu> hard_swish{};

inline constexpr detail::Unary abs{"abs"};
inline constexpr detail::Unary negative{"negative"};
inline constexpr detail::Unary square{"square"};
inline constexpr detail::Unary sqrt{"sqrt"};
inline constexpr detail::Unary rsqrt{"rsqrt"};
inline constexpr detail::Unary reciprocal{"reciprocal"};
inline constexpr detail::Unary exp{"exp"};
inline constexpr detail::Unary expm1{"expm1"};
inline constexpr detail::Unary log{"log"};
inline constexpr detail::Unary log1p{"log1p"};
inline constexpr detail::Unary sin{"sin"};
inline constexpr detail::Unary cos{"cos"};
inline constexpr detail::Unary tan{"tan"};
inline constexpr detail::Unary sinh{"sinh"};
inline constexpr detail::Unary cosh{"cosh"};
inline constexpr detail::Unary atan{"atan"};
inline constexpr detail::Unary erf{"erf"};
inline constexpr detail::Unary erfc{"erfc"};
/// Gradient 0 everywhere: sign, floor, round (to even where it is a tie).
inline constexpr detail::Unary sign{"sign"};
inline constexpr detail::Unary floor{"floor"};
inline constexpr detail::Unary round{"round"};

inline constexpr detail::Power pow{};
inline constexpr detail::Clip clip{};
inline constexpr detail::Extreme<true> maximum{};
inline constexpr detail::Extreme<false> minimum{};
inline constexpr detail::Where where{};
/// Keras's K.switch, a word that C++ keeps for itself.
inline constexpr detail::Where switch_{};

inline constexpr detail::Comparison<detail::Comparing::equal> equal{};
inline constexpr detail::Comparison<detail::Comparing::not_equal> not_equal{};
inline constexpr detail::Comparison<detail::Comparing::greater> greater{};
inline constexpr detail::Comparison<detail::Comparing::greater_equal> greater_equal{};
inline constexpr detail::Comparison<detail::Comparing::less> less{};
inline constexpr detail::Comparison<detail::Comparing::less_equal> less_equal{};
inline constexpr detail::Logical<true> logical_and{};
inline constexpr detail::Logical<false> logical_or{};
inline constexpr detail::LogicalNot logical_not{};

inline constexpr detail::Identity identity{};
inline constexpr detail::StopGradient stop_gradient{};
inline constexpr detail::Filled<0> zeros_like{};
inline constexpr detail::Filled<1> ones_like{};

inline constexpr detail::AlongAxis<activations::detail::AxisKind::softmax> softmax{};
inline constexpr detail::AlongAxis<activations::detail::AxisKind::log_softmax> log_softmax{};
inline constexpr detail::AlongAxis<activations::detail::AxisKind::sparsemax> sparsemax{};
inline constexpr detail::AlongAxis<activations::detail::AxisKind::glu> glu{};

}  // namespace keratin::inline v0::backend
