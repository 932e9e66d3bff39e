// Activations that look along an axis: softmax, log_softmax, glu, sparsemax.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/axis_numbers.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::activations {

/// One axis, several (`{1, 2}`), or all (std::nullopt); negative ones count from the end.
class KERATIN_API Axes {
 public:
  template <std::integral Integer>
  Axes(Integer axis) : axes_(AxisNumbers{static_cast<std::int64_t>(axis)}) {}
  Axes(std::initializer_list<std::int64_t> axes) : axes_(AxisNumbers(axes)) {}
  Axes(const AxisNumbers& axes) : axes_(axes) {}
  Axes(const std::vector<std::int64_t>& axes) : axes_(axes) {}
  Axes(std::nullopt_t) {}

  /// Nothing for all axes.
  const std::optional<AxisNumbers>& values() const noexcept { return axes_; }
  /// Counted from the front, ascending; ShapeError if `shape` lacks one or one comes twice.
  AxisNumbers of(const Shape& shape, std::string_view operation) const;
  /// "-1", "[1, 2]", "None".
  std::string to_string() const;

  friend bool operator==(const Axes&, const Axes&) = default;

 private:
  std::optional<AxisNumbers> axes_;
};

// The functions with their parameters, as values of an `activation` argument.

/// e^x / Σ e^x over the axes. A row that holds NaN, +inf, or nothing but −inf is NaN throughout.
/// ValueError for a tensor of rank 1, as in Keras 2, unless `allow_rank_1`, as in Keras 3; rank 0 never.
/// Keras: keras.activations.softmax.
struct KERATIN_API Softmax {
  Axes axis = -1;
  bool allow_rank_1 = false;
  ActivationFn to_activation_fn() const;
};

/// x − log Σ e^x over the axes; exact near 0 too: log_softmax([20, 0]) starts with −2.06e-9.
/// Keras: keras.activations.log_softmax.
struct KERATIN_API LogSoftmax {
  Axes axis = -1;
  ActivationFn to_activation_fn() const;
};

/// a · sigmoid(b), where a and b are the halves of x along the axis. ShapeError if its size is odd.
/// Keras: keras.activations.glu.
struct KERATIN_API Glu {
  std::int64_t axis = -1;
  ActivationFn to_activation_fn() const;
};

/// The point of the simplex nearest to x along the axis: max(x − τ, 0), summing to 1. Martins and Astudillo,
/// arXiv:1602.02068 (Keras 3.15 adds up the wrong sums; see its issue 23425).
/// Keras: keras.activations.sparsemax.
struct KERATIN_API Sparsemax {
  std::int64_t axis = -1;
  ActivationFn to_activation_fn() const;
};

namespace detail {

enum class AxisKind : std::uint8_t { softmax, log_softmax, sparsemax, glu };

KERATIN_API ActivationFn make_axis_activation(AxisKind kind, const Axes& axis, bool allow_rank_1);
KERATIN_API Tensor apply_axis(AxisKind kind, const Tensor& x, const Axes& axis);
KERATIN_API void apply_rows(AxisKind kind, std::span<const float> in, std::span<float> out,
                            std::size_t row_length);
KERATIN_API void apply_rows(AxisKind kind, std::span<const double> in, std::span<double> out,
                            std::size_t row_length);
KERATIN_API void apply_rows(AxisKind kind, std::span<const float16> in, std::span<float16> out,
                            std::size_t row_length);
KERATIN_API void apply_rows(AxisKind kind, std::span<const bfloat16> in, std::span<bfloat16> out,
                            std::size_t row_length);
KERATIN_API void rows_gradient(AxisKind kind, std::span<const float> in, std::span<const float> upstream,
                               std::span<float> out, std::size_t row_length);
KERATIN_API void rows_gradient(AxisKind kind, std::span<const double> in, std::span<const double> upstream,
                               std::span<double> out, std::size_t row_length);
KERATIN_API void rows_gradient(AxisKind kind, std::span<const float16> in, std::span<const float16> upstream,
                               std::span<float16> out, std::size_t row_length);
KERATIN_API void rows_gradient(AxisKind kind, std::span<const bfloat16> in,
                               std::span<const bfloat16> upstream, std::span<bfloat16> out,
                               std::size_t row_length);
KERATIN_API void rows_gradient_from_result(std::span<const float> result, std::span<const float> upstream,
                                           std::span<float> out, std::size_t row_length);

/// On a tensor of a floating dtype (else TypeError), recorded where a gradient is wanted. On spans: rows of
/// `row_length` elements one after another (0: a single row), glu's in its result; `out` may be `in` but for
/// glu; on the calling thread up to 16,384 elements, and nothing allocated but by sparsemax, by 16-bit types
/// and by softmax of arrays beyond the last cache, for rows of more than 2,048 elements. f32 softmax and
/// log_softmax are within 4 ULP, f32 in its own place costs a third more than into another; float16 and
/// bfloat16 run in f32 and are rounded from there. ShapeError if sizes do not fit.
template <AxisKind kind>
struct AxisFunction {
  Tensor operator()(const Tensor& x, const Axes& axis = -1) const { return apply_axis(kind, x, axis); }
  void operator()(std::span<const float> in, std::span<float> out, std::size_t row_length = 0) const {
    apply_rows(kind, in, out, row_length);
  }
  void operator()(std::span<const double> in, std::span<double> out, std::size_t row_length = 0) const {
    apply_rows(kind, in, out, row_length);
  }
  void operator()(std::span<const float16> in, std::span<float16> out, std::size_t row_length = 0) const {
    apply_rows(kind, in, out, row_length);
  }
  void operator()(std::span<const bfloat16> in, std::span<bfloat16> out, std::size_t row_length = 0) const {
    apply_rows(kind, in, out, row_length);
  }
  ActivationFn to_activation_fn() const { return make_axis_activation(kind, -1, false); }
};

/// The vector-Jacobian product on spans: out = d Σ upstream·f(in) / d in; `out` may be `in` or `upstream`,
/// but for glu. Softmax's and log_softmax's allocate a row where `out` is `upstream` and rows have more than
/// 2,048 f32.
template <AxisKind kind>
struct AxisGradient {
  void operator()(std::span<const float> in, std::span<const float> upstream, std::span<float> out,
                  std::size_t row_length = 0) const {
    rows_gradient(kind, in, upstream, out, row_length);
  }
  void operator()(std::span<const double> in, std::span<const double> upstream, std::span<double> out,
                  std::size_t row_length = 0) const {
    rows_gradient(kind, in, upstream, out, row_length);
  }
  void operator()(std::span<const float16> in, std::span<const float16> upstream, std::span<float16> out,
                  std::size_t row_length = 0) const {
    rows_gradient(kind, in, upstream, out, row_length);
  }
  void operator()(std::span<const bfloat16> in, std::span<const bfloat16> upstream, std::span<bfloat16> out,
                  std::size_t row_length = 0) const {
    rows_gradient(kind, in, upstream, out, row_length);
  }
  /// The same from result = softmax(in), as a backward pass has it: a third of the time.
  void from_result(std::span<const float> result, std::span<const float> upstream, std::span<float> out,
                   std::size_t row_length = 0) const requires(kind == AxisKind::softmax) {
    rows_gradient_from_result(result, upstream, out, row_length);
  }
};

}  // namespace detail

inline constexpr detail::AxisFunction<detail::AxisKind::softmax> softmax{};
inline constexpr detail::AxisFunction<detail::AxisKind::log_softmax> log_softmax{};
inline constexpr detail::AxisFunction<detail::AxisKind::sparsemax> sparsemax{};
inline constexpr detail::AxisFunction<detail::AxisKind::glu> glu{};
inline constexpr detail::AxisGradient<detail::AxisKind::softmax> softmax_gradient{};
inline constexpr detail::AxisGradient<detail::AxisKind::log_softmax> log_softmax_gradient{};
inline constexpr detail::AxisGradient<detail::AxisKind::sparsemax> sparsemax_gradient{};
inline constexpr detail::AxisGradient<detail::AxisKind::glu> glu_gradient{};

}  // namespace keratin::inline v0::activations
