// Constraints: what a weight is made to satisfy after each update.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/initializers.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

// Keras: keras.constraints. Fields have Keras's names, order and defaults. Norms are taken along `axis`: 0
// for a Dense kernel constrains the weights into each unit, {0, 1, 2} those into each filter of a Conv2D.
namespace constraints {

/// w scaled down to norm max_value where it is larger.
struct MaxNorm {
  double max_value = 2.0;
  AxisList axis = 0;
};
/// w scaled so that its norm n becomes rate·clip(n, min_value, max_value) + (1 − rate)·n.
struct MinMaxNorm {
  double min_value = 0.0;
  double max_value = 1.0;
  double rate = 1.0;
  AxisList axis = 0;
};
/// max(w, 0)
struct NonNeg {};
/// w scaled to norm 1.
struct UnitNorm {
  AxisList axis = 0;
};
/// Square kernels (n, n, in, out) equal along the rings around their middle: each ring gets an element of the
/// kernel's diagonal, the innermost ring [n/2 - 1], those around it [n/2], [n/2 + 1], … where n is odd and
/// [n/2 + 1], … where it is even. Keras 2 only.
struct RadialConstraint {};
/// The user's function of the weight's value; it cannot be saved.
struct Custom {
  std::function<Tensor(const Tensor& w)> function;
};

using Kind = std::variant<MaxNorm, MinMaxNorm, NonNeg, UnitNorm, RadialConstraint, Custom>;

}  // namespace constraints

/// A constraint as a value: nothing (nullopt), a name ("max_norm"; Keras 2's "maxnorm" too), an object
/// (`constraints::MaxNorm{.max_value = 3}`), or a function from a weight to its new value. Cheap to copy.
/// ValueError for an unknown name, with the nearest.
class KERATIN_API Constraint {
 public:
  /// None.
  Constraint() = default;
  Constraint(std::nullopt_t) {}
  Constraint(std::nullptr_t) {}
  Constraint(const char* name) : Constraint(std::string_view(name)) {}
  Constraint(std::string_view name);
  Constraint(const std::string& name) : Constraint(std::string_view(name)) {}
  template <class C>
  requires detail::kIsAlternative<C, constraints::Kind> Constraint(C constraint)
      : Constraint(constraints::Kind(std::move(constraint))) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, F, const Tensor&> && !std::same_as<F, Constraint> &&
           !detail::kIsAlternative<F, constraints::Kind>) Constraint(F function)
      : Constraint(constraints::Custom{std::move(function)}) {}
  explicit Constraint(constraints::Kind kind);

  explicit operator bool() const noexcept { return kind_ != nullptr; }
  /// The constrained value, never recorded; `w` itself if there is no constraint. ShapeError for an axis that
  /// w lacks, and for what is no set of square kernels where those are needed.
  Tensor operator()(const Tensor& w) const;
  /// As Keras of that generation writes it, null for none. ValueError for a Custom one.
  Config serialize(Generation generation = Generation::keras3) const;

 private:
  std::shared_ptr<const constraints::Kind> kind_;
};

namespace constraints {
/// From a name, an object of either generation, or null (none). Keras: keras.constraints.get.
KERATIN_API Constraint deserialize(const Config& identifier, Generation generation = Generation::keras3);
}  // namespace constraints

}  // namespace keratin::inline v0
