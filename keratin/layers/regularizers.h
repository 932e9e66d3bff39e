// Regularizers: penalties on weights or outputs that join the loss.
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
#include "keratin/layers/initializers.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

// Keras: keras.regularizers. Fields have Keras's names, order and defaults; every factor is finite and at
// least 0.
namespace regularizers {

/// l1·Σ|x|
struct L1 {
  double l1 = 0.01;
};
/// l2·Σx²
struct L2 {
  double l2 = 0.01;
};
/// l1·Σ|x| + l2·Σx²
struct L1L2 {
  double l1 = 0.0;
  double l2 = 0.0;
};
/// factor·½·Σ|cosine of each two different rows| / number of pairs, for a matrix; columns with mode
/// "columns".
struct OrthogonalRegularizer {
  double factor = 0.01;
  std::string mode = "rows";
};
/// The user's function, which gives a recorded scalar; it cannot be saved.
struct Custom {
  std::function<Tensor(const Tensor& x)> function;
};

using Kind = std::variant<L1, L2, L1L2, OrthogonalRegularizer, Custom>;

}  // namespace regularizers

/// A regularizer as a value: nothing (nullopt), a name ("l2"), an object (`regularizers::L1{1e-4}`), or a
/// function from a tensor to a recorded scalar. Cheap to copy. ValueError for an unknown name, with the
/// nearest, and for factors out of range.
class KERATIN_API Regularizer {
 public:
  /// None.
  Regularizer() = default;
  Regularizer(std::nullopt_t) {}
  Regularizer(std::nullptr_t) {}
  Regularizer(const char* name) : Regularizer(std::string_view(name)) {}
  Regularizer(std::string_view name);
  Regularizer(const std::string& name) : Regularizer(std::string_view(name)) {}
  template <class R>
  requires detail::kIsAlternative<R, regularizers::Kind> Regularizer(R regularizer)
      : Regularizer(regularizers::Kind(std::move(regularizer))) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, F, const Tensor&> && !std::same_as<F, Regularizer> &&
           !detail::kIsAlternative<F, regularizers::Kind>) Regularizer(F function)
      : Regularizer(regularizers::Custom{std::move(function)}) {}
  explicit Regularizer(regularizers::Kind kind);

  explicit operator bool() const noexcept { return kind_ != nullptr; }
  /// The penalty, a recorded scalar in x's dtype; an undefined Tensor if there is no regularizer.
  Tensor operator()(const Tensor& x) const;
  /// As Keras of that generation writes it, null for none. ValueError for a Custom one.
  Config serialize(Generation generation = Generation::keras3) const;

 private:
  std::shared_ptr<const regularizers::Kind> kind_;
};

namespace regularizers {
/// From a name, an object of either generation, or null (none). The name "l1_l2" is Keras 2's with both
/// factors 0.01. Keras: keras.regularizers.get.
KERATIN_API Regularizer deserialize(const Config& identifier, Generation generation = Generation::keras3);
}  // namespace regularizers

}  // namespace keratin::inline v0
