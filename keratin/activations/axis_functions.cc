// Softmax and kin on tensors: checks, axes, recording. The loops are in axis_loop, the arithmetic in
// axis_rows.
#include "keratin/activations/axis_functions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/axis_activation.h"
#include "keratin/activations/axis_loop.h"
#include "keratin/activations/axis_record.h"
#include "keratin/activations/dtypes.h"
#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0::activations {

AxisNumbers Axes::of(const Shape& shape, std::string_view operation) const {
  if (!axes_) return AxisNumbers::range(0, shape.rank());
  AxisNumbers axes;
  if (axes_->empty())
    throw ValueError(operation, "it needs at least one axis", "axis is []", "Give one, or None for all.");
  for (const std::int64_t axis : *axes_)
    axes.push_back(static_cast<std::int64_t>(shape.axis(axis, operation)));
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    throw ShapeError(operation, "each axis may come once", "axis is " + to_string(),
                     "Leave out the repeated one.");
  }
  return axes;
}

std::string Axes::to_string() const {
  if (!axes_) return "None";
  return axes_->size() == 1 ? std::to_string(axes_->front()) : fmt::format("[{}]", fmt::join(*axes_, ", "));
}

ActivationFn Softmax::to_activation_fn() const {
  return detail::make_axis_activation(detail::AxisKind::softmax, axis, allow_rank_1);
}
ActivationFn LogSoftmax::to_activation_fn() const {
  return detail::make_axis_activation(detail::AxisKind::log_softmax, axis, true);
}
ActivationFn Glu::to_activation_fn() const {
  return detail::make_axis_activation(detail::AxisKind::glu, axis, true);
}
ActivationFn Sparsemax::to_activation_fn() const {
  return detail::make_axis_activation(detail::AxisKind::sparsemax, axis, true);
}

namespace detail {
namespace {

// Rows of spans: their number, after the checks.
std::int64_t count_rows(AxisKind kind, std::size_t in, std::size_t out, std::size_t& row_length) {
  const std::string_view name = axis_name(kind);
  const std::size_t factor = kind == AxisKind::glu ? 2 : 1;
  if (row_length == 0) row_length = out;
  if (in != factor * out) {
    throw ShapeError(
        name, fmt::format("the input holds {} the elements of the result", factor == 2 ? "twice" : "all"),
        fmt::format("the input has {}, the result {}", in, out), "Make the spans fit.");
  }
  if (out == 0) return 0;
  if (out % row_length != 0) {
    throw ShapeError(name, fmt::format("rows of {} elements", row_length),
                     fmt::format("the result has {}", out), "Give a row length that divides it.");
  }
  return static_cast<std::int64_t>(out / row_length);
}

template <class T>
void apply_spans(AxisKind kind, std::span<const T> in, std::span<T> out, std::size_t row_length) {
  const std::int64_t count = count_rows(kind, in.size(), out.size(), row_length);
  const FloatEnvironment environment;
  run_forward_rows(kind, in.data(), out.data(), count, static_cast<std::int64_t>(row_length));
}

// The same for a gradient as large as its input.
std::int64_t count_gradient_rows(AxisKind kind, std::size_t in, std::size_t upstream, std::size_t out,
                                 std::size_t& row_length) {
  const std::int64_t count = count_rows(kind, in, upstream, row_length);
  if (out != in) {
    throw ShapeError(axis_name(kind), fmt::format("a gradient of {} elements", in),
                     fmt::format("the span has {}", out), "Make the spans fit.");
  }
  return count;
}

template <class T>
void gradient_spans(AxisKind kind, std::span<const T> in, std::span<const T> upstream, std::span<T> out,
                    std::size_t row_length) {
  const std::int64_t count = count_gradient_rows(kind, in.size(), upstream.size(), out.size(), row_length);
  const FloatEnvironment environment;
  run_gradient_rows(kind, in.data(), upstream.data(), out.data(), count,
                    static_cast<std::int64_t>(row_length));
}

}  // namespace

AxisActivation::AxisActivation(AxisKind kind, Axes axes, bool allow_rank_1)
    : kind_(kind), axes_(std::move(axes)), allow_rank_1_(allow_rank_1) {}

std::string_view AxisActivation::keras_name() const noexcept { return axis_name(kind_); }

Tensor AxisActivation::apply(const Tensor& x, bool) const {
  check_floating(x, keras_name());
  if (x.rank() < (allow_rank_1_ ? 1u : 2u) && (kind_ != AxisKind::glu || x.rank() == 0)) {
    throw ValueError(keras_name(),
                     allow_rank_1_ ? "a tensor of rank 1 or more" : "a tensor of rank 2 or more",
                     fmt::format("x has shape {}", x.shape().to_string()),
                     allow_rank_1_ ? "Give it an axis with expand_dims."
                                   : "Give it a batch axis with expand_dims, or take Keras 3's behaviour: "
                                     "activations::Softmax{.allow_rank_1 = true}.");
  }
  const AxisNumbers axes = axes_.of(x.shape(), keras_name());
  Tensor y = AxisCall::run(kind_, x, axes, output_shape(x.shape()));
  // Losses compute from the logits; they take classes along the last axis.
  if (kind_ == AxisKind::softmax && axes.size() == 1 && axes[0] + 1 == static_cast<std::int64_t>(x.rank())) {
    y.set_origin(keratin::detail::make_small<Tensor::Origin>(Tensor::Origin{"softmax", x}));
  }
  return y;
}

Shape AxisActivation::output_shape(const Shape& input) const {
  const AxisNumbers axes = axes_.of(input, keras_name());
  if (kind_ != AxisKind::glu) return input;
  Shape halved = input;
  std::int64_t& size = halved[axes[0]];
  if (size == Shape::kUnknown) return halved;
  if (size % 2 != 0) {
    throw ShapeError("glu", "an even size on its axis",
                     fmt::format("x has shape {}, axis is {}", input.to_string(), axes_.to_string()),
                     "Feed twice as many features as you want out.");
  }
  size /= 2;
  return halved;
}

Config AxisActivation::serialize(Generation generation) const { return serialize_axis(*this, generation); }

ActivationFn make_axis_activation(AxisKind kind, const Axes& axis, bool allow_rank_1) {
  return ActivationFn(
      std::make_shared<const AxisActivation>(kind, axis, allow_rank_1 || kind != AxisKind::softmax));
}

Tensor apply_axis(AxisKind kind, const Tensor& x, const Axes& axis) {
  return AxisActivation(kind, axis, kind != AxisKind::softmax).apply(x, false);
}

void apply_rows(AxisKind kind, std::span<const float> in, std::span<float> out, std::size_t row_length) {
  apply_spans(kind, in, out, row_length);
}
void apply_rows(AxisKind kind, std::span<const double> in, std::span<double> out, std::size_t row_length) {
  apply_spans(kind, in, out, row_length);
}
void apply_rows(AxisKind kind, std::span<const float16> in, std::span<float16> out, std::size_t row_length) {
  apply_spans(kind, in, out, row_length);
}
void apply_rows(AxisKind kind, std::span<const bfloat16> in, std::span<bfloat16> out,
                std::size_t row_length) {
  apply_spans(kind, in, out, row_length);
}
void rows_gradient(AxisKind kind, std::span<const float> in, std::span<const float> upstream,
                   std::span<float> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient(AxisKind kind, std::span<const double> in, std::span<const double> upstream,
                   std::span<double> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient(AxisKind kind, std::span<const float16> in, std::span<const float16> upstream,
                   std::span<float16> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient(AxisKind kind, std::span<const bfloat16> in, std::span<const bfloat16> upstream,
                   std::span<bfloat16> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient_from_result(std::span<const float> result, std::span<const float> upstream,
                               std::span<float> out, std::size_t row_length) {
  const std::int64_t count =
      count_gradient_rows(AxisKind::softmax, result.size(), upstream.size(), out.size(), row_length);
  const FloatEnvironment environment;
  run_softmax_gradient_rows(result.data(), upstream.data(), out.data(), count,
                            static_cast<std::int64_t>(row_length));
}

}  // namespace detail
}  // namespace keratin::inline v0::activations
