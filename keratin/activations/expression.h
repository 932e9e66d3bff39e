// Expressions: an element-wise function written with operators and backend functions, traced once.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/scalar_function.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

struct ExprNode;
class BoolExpr;

/// A function of one number x as a value: what `[](auto x) { return x * K::sigmoid(1.702 * x); }` gives when
/// called with Expr::input(). Equal expressions are one object in memory; constants are folded and x + 0,
/// 1·x, −(−x) and the like are simplified as they are written. Cheap to copy, safe from every thread.
/// ValueError for one nested more than 1,000 deep.
class KERATIN_API Expr {
 public:
  /// A constant.
  template <class Number>
  requires std::is_arithmetic_v<Number> Expr(Number value) : Expr(constant(static_cast<double>(value))) {}
  explicit Expr(std::shared_ptr<const ExprNode> node) noexcept : node_(std::move(node)) {}

  /// x.
  static Expr input();
  static Expr constant(double value);
  /// Another variable beside x, number 0 to 15, for layers that learn it. ValueError where an expression that
  /// holds one is made an activation.
  static Expr parameter(std::size_t index);

  /// d/dx, exact and simplified. Kinks: abs and sign have 0 at 0, floor, round and sign 0 everywhere, clip 1
  /// on its ends, maximum and minimum of equals the mean of both sides; a built-in has its own convention.
  Expr derivative() const;
  /// The same with respect to a parameter.
  Expr derivative_by(std::size_t parameter) const;
  /// The formula: "x * sigmoid(1.702 * x)". Parameters without a name are p0, p1, ...
  std::string to_string(std::span<const std::string> parameters = {}) const;
  /// The formula for LaTeX's math mode: "x\,\sigma(1.702\,x)". What is used twice is written twice, up to
  /// 4,000 operations in all: ValueError beyond.
  std::string to_latex(std::span<const std::string> parameters = {}) const;
  /// The number of distinct operations, constants and x.
  std::size_t size() const;
  /// Whether two expressions are the same after simplification.
  bool is_same(const Expr& other) const noexcept { return node_ == other.node_; }
  /// The value at x, computed as the activation computes it in double.
  double evaluate(double x) const;

  ActivationFn to_activation_fn() const;

  const ExprNode& node() const noexcept { return *node_; }
  const std::shared_ptr<const ExprNode>& shared() const noexcept { return node_; }

 private:
  std::shared_ptr<const ExprNode> node_;
};

KERATIN_API Expr operator+(const Expr& a, const Expr& b);
KERATIN_API Expr operator-(const Expr& a, const Expr& b);
KERATIN_API Expr operator*(const Expr& a, const Expr& b);
KERATIN_API Expr operator/(const Expr& a, const Expr& b);
KERATIN_API Expr operator-(const Expr& a);
inline Expr operator+(const Expr& a) { return a; }
inline Expr& operator+=(Expr& a, const Expr& b) { return a = a + b; }
inline Expr& operator-=(Expr& a, const Expr& b) { return a = a - b; }
inline Expr& operator*=(Expr& a, const Expr& b) { return a = a * b; }
inline Expr& operator/=(Expr& a, const Expr& b) { return a = a / b; }

/// What a comparison of expressions gives: a condition for K::where, decided for each element.
class KERATIN_API BoolExpr {
 public:
  explicit BoolExpr(std::shared_ptr<const ExprNode> node) noexcept : node_(std::move(node)) {}

  /// Does not compile: an expression is traced once for all elements, so it cannot branch.
  template <std::same_as<bool> Bool>
  explicit operator Bool() const {
    static_assert(!std::same_as<Bool, bool>,
                  "an activation is traced once for all elements: instead of `if (x > 0) a; else b;` or "
                  "`x > 0 ? a : b` write `K::where(x > 0, a, b)`");
    return false;
  }

  const std::shared_ptr<const ExprNode>& shared() const noexcept { return node_; }

 private:
  std::shared_ptr<const ExprNode> node_;
};

// With NaN all but != are false, as in C.
KERATIN_API BoolExpr operator<(const Expr& a, const Expr& b);
KERATIN_API BoolExpr operator<=(const Expr& a, const Expr& b);
KERATIN_API BoolExpr operator==(const Expr& a, const Expr& b);
KERATIN_API BoolExpr operator!=(const Expr& a, const Expr& b);
inline BoolExpr operator>(const Expr& a, const Expr& b) { return b < a; }
inline BoolExpr operator>=(const Expr& a, const Expr& b) { return b <= a; }
KERATIN_API BoolExpr operator&&(const BoolExpr& a, const BoolExpr& b);
KERATIN_API BoolExpr operator||(const BoolExpr& a, const BoolExpr& b);
KERATIN_API BoolExpr operator!(const BoolExpr& a);

struct ExpressionOptions {
  /// Fit a table to it where it is smooth: within 2.5 ULP and about a cycle an element, however long it is.
  bool fit = true;
};

/// `expression` as an activation: the built-in itself where it is one (x·sigmoid(x) is silu), else run in
/// blocks that stay in the first-level cache. f32 runs on a table that is fitted now, once, in 1 to 60 ms,
/// and saved with the activation; outside its range, and where none fits, it is computed in double and
/// rounded once.
KERATIN_API ActivationFn make_activation(const Expr& expression, const ExpressionOptions& options = {});
/// Which way an activation runs, for people.
KERATIN_API std::string explain(const ActivationFn& activation);
/// A function of tensors as an activation; its gradient is that of the ops it calls. It cannot be saved.
KERATIN_API ActivationFn make_activation(std::function<Tensor(const Tensor&)> function);

namespace detail {

/// ValueError if the two traces of one callable differ.
KERATIN_API ActivationFn activation_from_traces(const Expr& first, const Expr& second);

template <class F>
ActivationFn activation_from_callable(const F& callable) {
  if constexpr (std::is_invocable_v<const F&, Expr>) {
    static_assert(std::is_convertible_v<std::invoke_result_t<const F&, Expr>, Expr>,
                  "an activation called with `auto x` has to return an expression of x or a number");
    const Expr first = callable(Expr::input()), second = callable(Expr::input());
    return activation_from_traces(first, second);
  } else if constexpr (std::is_invocable_r_v<Tensor, const F&, const Tensor&>) {
    return make_activation(std::function<Tensor(const Tensor&)>(callable));
  } else if constexpr (is_plain_function<F>) {
    return ScalarFunction{.value = callable}.to_activation_fn();
  } else {
    static_assert(
        std::is_invocable_v<const F&, Expr>,
        "an activation is a name (\"gelu\"), a backend function (K::tanh), a built-in with its "
        "parameters (activations::Elu{.alpha = 0.5}), a layer (PReLU()), a function of tensors "
        "`[](const Tensor& x) {...}`, or a generic lambda `[](auto x) { return x * K::sigmoid(x); }`: "
        "write `auto x` where it says `float x` or `double x`");
    return {};
  }
}

}  // namespace detail
}  // namespace keratin::inline v0
