// What a definition of an activation says about itself: name, formula, bounds, parameters.
#pragma once

#include <array>
#include <limits>
#include <string_view>

#include "keratin/simd/constant.h"

namespace keratin::inline v0::activations {

/// Largest errors in ULP over all inputs, |y - f(x)| / ulp(f(x)), f exact. Tests hold the kernels to them.
struct Bounds {
  double value_f32, gradient_f32, value_f64, gradient_f64;
};

/// One rounding: what is computed in x's own type by a single operation, or exactly.
inline constexpr Bounds kOneRounding{0.5, 0.5, 0.5, 0.5};

/// The fast f32 kernels (tables/kernels.inl) that may stand for a composition.
enum class FastKernel {
  none,
  exponential,
  tanh,
  tanh_slope,
  sigmoid,
  sigmoid_slope,
  /// sigmoid(-x)
  sigmoid_reversed,
  softplus,
  log_sigmoid,
  elu,
  elu_slope,
  /// Of any alpha.
  elu_scaled,
  elu_scaled_slope,
  celu_scaled,
  celu_scaled_slope,
  selu,
  selu_slope,
  silu,
  silu_slope,
  gelu,
  gelu_slope,
  gelu_tanh,
  gelu_tanh_slope,
  mish,
  mish_slope,
  softsign,
  softsign_slope,
  squareplus,
  squareplus_slope,
  sparse_plus,
  sparse_plus_slope,
  tanh_shrink,
  tanh_shrink_slope,
  hard_sigmoid,
  hard_sigmoid_slope,
  hard_silu,
  hard_silu_slope,
};

/// What a definition may state as `static constexpr FastKernels kFast[]`: kernels for f32, which are then
/// taken where they hold, and the composition elsewhere. `std::size_t fast() const` says which entry the
/// parameters want, none beyond the last; without it the first.
struct FastKernels {
  FastKernel value, slope;
};

struct Info {
  /// Keras's name.
  std::string_view name;
  std::array<std::string_view, 2> aliases = {};
  /// The textbook formula over x and the parameters: + - * / ^, comparisons, &&, ||, c ? a : b, inf, abs,
  /// sqrt, exp, log, tanh, erf, min, max, pi. An independent oracle evaluates it in high precision.
  std::string_view formula;
  /// The derivative in the same language, where the formula's own does not follow Keras at a kink. Else
  /// empty.
  std::string_view derivative = {};
  std::string_view source;
  Bounds bounds;
  /// Where the derivative crosses 0. Within 1/8 of it the f32 gradient may be off by 2^-24 instead of its
  /// bound.
  double gradient_zero = std::numeric_limits<double>::infinity();
};

enum class ParameterKind {
  number,
  /// A bool, 0 or 1 in get and set.
  flag,
  /// A number or None, which is +infinity.
  optional,
};

/// A parameter of a definition, for those who do not know its type: files, command line, tests.
struct Parameter {
  /// The name of the member.
  std::string_view name;
  /// Keras's names of that generation; empty where it has no such parameter and a file cannot state it.
  std::string_view keras2, keras3;
  ParameterKind kind;
  /// What values make sense.
  std::string_view constraint;
  /// Keras has no default for it.
  bool required;
  double default_value;
  double (*get)(const void* parameters);
  void (*set)(void* parameters, double value);
};

/// How a parameter is called and constrained: the arguments of parameter().
struct Naming {
  std::string_view name;
  std::string_view keras2 = {};
  std::string_view keras3 = {};
  std::string_view constraint = "any number";
  ParameterKind kind = ParameterKind::number;
  bool required = false;
};

namespace detail {
template <class>
struct MemberOf;
template <class Type, class Definition>
struct MemberOf<Type Definition::*> {
  using Number = Type;
  using Owner = Definition;
};
}  // namespace detail

/// The description of a member: parameter<&Elu::alpha>({.name = "alpha", .keras2 = "alpha"}).
template <auto member>
constexpr Parameter parameter(const Naming& naming) {
  using Owner = typename detail::MemberOf<decltype(member)>::Owner;
  using Number = typename detail::MemberOf<decltype(member)>::Number;
  return {naming.name,
          naming.keras2,
          naming.keras3,
          naming.kind,
          naming.constraint,
          naming.required,
          static_cast<double>(Owner{}.*member),
          [](const void* from) { return static_cast<double>(static_cast<const Owner*>(from)->*member); },
          [](void* to, double value) { static_cast<Owner*>(to)->*member = static_cast<Number>(value); }};
}

inline constexpr double kNone = std::numeric_limits<double>::infinity();

/// The constants of definitions, exact to twice double's digits.
using simd::Constant;
using simd::Root;

}  // namespace keratin::inline v0::activations
