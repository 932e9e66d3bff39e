// ParametricActivation: the user's formula, with parameters that are learned.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/activations/expression.h"
#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

/// One of the learned numbers: its name in the formula, and what PReLU has for its alpha.
struct ActivationParameter {
  std::string name;
  Initializer initializer = "ones";
  Regularizer regularizer = {};
  Constraint constraint = {};
  /// Axes along which one number serves all, the batch axis being 0: {1, 2} gives one a channel.
  std::optional<AxisList> shared_axes = {};
  /// One number for everything.
  bool shared = false;
};

struct ParametricActivationOptions {
  std::vector<ActivationParameter> parameters = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = f(x, parameters), for each element: swish with a learned slope is
///   ParametricActivation("x * sigmoid(beta * x)", {.parameters = {{.name = "beta", .shared = true}}}), or
///   ParametricActivation([](auto x, auto beta) { return x * K::sigmoid(beta * x); }, …),
/// which takes the parameters in their order.
/// x: (batch, ...)   a parameter: x's shape without the batch axis, 1 on shared axes
/// Computed in double and rounded once; the gradients, of x and of every parameter, come from the
/// expression's own derivatives. Saved as the formula. ValueError for a formula that holds other names, or
/// names that are taken; ShapeError as PReLU. Cost: about that of an expression without a fitted table.
class KERATIN_API ParametricActivation : public Layer {
 public:
  explicit ParametricActivation(const std::string& formula, const ParametricActivationOptions& options = {});
  /// Of x and Expr::parameter(0), (1), …
  explicit ParametricActivation(const Expr& formula, const ParametricActivationOptions& options = {});
  template <class F>
  requires(!std::convertible_to<F, std::string> &&
           !std::convertible_to<F, Expr>) explicit ParametricActivation(const F& function,
                                                                        const ParametricActivationOptions&
                                                                            options = {})
      : ParametricActivation(traced(function, options.parameters.size()), options) {}

  static ParametricActivation from_config(const Config& config, Generation generation = Generation::keras3);

 private:
  template <class F, std::size_t... I>
  static std::optional<Expr> called(const F& function, std::index_sequence<I...>) {
    if constexpr (std::is_invocable_v<const F&, Expr,
                                      decltype(static_cast<void>(I), std::declval<Expr>())...>) {
      return Expr(function(Expr::input(), Expr::parameter(I)...));
    } else {
      return std::nullopt;
    }
  }
  template <class F>
  static std::optional<Expr> called(const F& function, std::size_t count) {
    switch (count) {
      case 1:
        return called(function, std::make_index_sequence<1>());
      case 2:
        return called(function, std::make_index_sequence<2>());
      case 3:
        return called(function, std::make_index_sequence<3>());
      case 4:
        return called(function, std::make_index_sequence<4>());
      default:
        return std::nullopt;
    }
  }
  template <class F>
  static Expr traced(const F& function, std::size_t count) {
    return same_trace(called(function, count), called(function, count), count);
  }
  static Expr same_trace(const std::optional<Expr>& first, const std::optional<Expr>& second,
                         std::size_t count);
};

}  // namespace keratin::inline v0
