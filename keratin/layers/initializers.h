// Initializers: the values that weights start from.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/dtype.h"
#include "keratin/core/export.h"
#include "keratin/core/shape.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

// Keras: keras.initializers. Fields have Keras's names, order and defaults. Without a seed each call draws
// from a stream of its own under set_random_seed; with one, equal shapes get equal values. The bits depend on
// neither the number of threads nor the instruction set.
namespace initializers {

using Seed = std::optional<std::int64_t>;
using FanAxes = std::optional<std::vector<std::int64_t>>;

struct Zeros {};
struct Ones {};
struct Constant {
  double value = 0.0;
};
/// gain on the diagonal, 0 elsewhere; matrices only.
struct Identity {
  double gain = 1.0;
};
struct RandomNormal {
  double mean = 0.0;
  double stddev = 0.05;
  Seed seed = {};
};
/// Uniform on [minval, maxval).
struct RandomUniform {
  double minval = -0.05;
  double maxval = 0.05;
  Seed seed = {};
};
/// Normal, drawn again while further than two standard deviations from the mean.
struct TruncatedNormal {
  double mean = 0.0;
  double stddev = 0.05;
  Seed seed = {};
};
/// Variance scale / fan, the fan taken from the shape: (in, out) for a matrix; for kernels, the last two axes
/// times the product of those before. `input_axes` and `output_axes`, given both, name the axes instead.
struct VarianceScaling {
  double scale = 1.0;
  /// "fan_in", "fan_out" or "fan_avg".
  std::string mode = "fan_in";
  /// "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
  std::string distribution = "truncated_normal";
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Uniform, variance 2 / (in + out) (Glorot & Bengio 2010).
struct GlorotUniform {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Truncated normal, variance 2 / (in + out) (Glorot & Bengio 2010).
struct GlorotNormal {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Truncated normal, variance 2 / in (He et al. 2015).
struct HeNormal {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Uniform, variance 2 / in (He et al. 2015).
struct HeUniform {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Truncated normal, variance 1 / in: what selu asks for (Klambauer et al. 2017).
struct LecunNormal {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// Uniform, variance 1 / in (LeCun et al. 1998).
struct LecunUniform {
  Seed seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};
};
/// gain times a uniformly random orthogonal matrix of shape (product of all axes but the last, last); its
/// rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2014). Cost: O(max · min²) flops.
struct Orthogonal {
  double gain = 1.0;
  Seed seed = {};
};
/// The user's function of shape and dtype; it cannot be saved.
struct Custom {
  std::function<Tensor(const Shape& shape, DType dtype)> function;
};

using Kind = std::variant<Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal,
                          VarianceScaling, GlorotUniform, GlorotNormal, HeNormal, HeUniform, LecunNormal,
                          LecunUniform, Orthogonal, Custom>;

}  // namespace initializers

namespace detail {
template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::same_as<T, Ts> || ...);
}  // namespace detail

/// An initializer as a value: a name ("glorot_uniform", "GlorotUniform", "zeros"), an object
/// (`initializers::RandomNormal{.stddev = 0.1, .seed = 7}`), or a function of shape and dtype. Cheap to copy.
/// ValueError for an unknown name, with the nearest, and for arguments out of range.
class KERATIN_API Initializer {
 public:
  /// Glorot-uniform, as where Keras is given none.
  Initializer();
  Initializer(const char* name) : Initializer(std::string_view(name)) {}
  Initializer(std::string_view name);
  Initializer(const std::string& name) : Initializer(std::string_view(name)) {}
  template <class I>
  requires detail::kIsAlternative<I, initializers::Kind> Initializer(I initializer)
      : Initializer(initializers::Kind(std::move(initializer))) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, F, const Shape&, DType> &&
           !detail::kIsAlternative<F, initializers::Kind>) Initializer(F function)
      : Initializer(initializers::Custom{std::move(function)}) {}
  explicit Initializer(initializers::Kind kind);

  /// New values, float32 or float64. ShapeError where the shape does not suit, as Identity of a vector;
  /// TypeError for another dtype.
  Tensor operator()(const Shape& shape, DType dtype = DType::float32) const;
  /// As Keras of that generation writes it. ValueError for a Custom one.
  Config serialize(Generation generation = Generation::keras3) const;
  const initializers::Kind& kind() const noexcept { return *kind_; }

 private:
  std::shared_ptr<const initializers::Kind> kind_;
};

namespace initializers {
/// From a name or an object of either generation; null gives the default. Keras: keras.initializers.get.
KERATIN_API Initializer deserialize(const Config& identifier, Generation generation = Generation::keras3);
}  // namespace initializers

namespace detail {
struct Fans {
  double in = 1, out = 1;
};
/// What VarianceScaling divides by. ShapeError for an axis that the shape lacks.
KERATIN_API Fans compute_fans(const Shape& shape, const initializers::FanAxes& input_axes = {},
                              const initializers::FanAxes& output_axes = {});
}  // namespace detail

}  // namespace keratin::inline v0
