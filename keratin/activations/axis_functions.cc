// Softmax and kin on tensors: checks, axes, recording. The arithmetic is in axis_rows.
#include "keratin/activations/axis_functions.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/axis_activation.h"
#include "keratin/activations/axis_rows.h"
#include "keratin/activations/dtypes.h"
#include "keratin/activations/get.h"
#include "keratin/activations/softmax/kernels.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::activations {

std::vector<std::size_t> Axes::of(const Shape& shape, std::string_view operation) const {
  std::vector<std::size_t> axes;
  if (!axes_) {
    axes.resize(shape.rank());
    std::iota(axes.begin(), axes.end(), 0);
    return axes;
  }
  if (axes_->empty())
    throw ValueError(operation, "it needs at least one axis", "axis is []", "Give one, or None for all.");
  for (const std::int64_t axis : *axes_) axes.push_back(shape.axis(axis, operation));
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

/// Where the axes of one call stand: the tensor is turned so that they come last, as rows.
struct Rows {
  std::vector<std::int64_t> order;    // of the axes; empty where they are last already
  std::vector<std::int64_t> inverse;  // back again
  std::int64_t count = 1, length = 1;
  std::int64_t inner = 1;  // numbers between two elements of a row; 0 where they do not lie evenly

  Rows(const Shape& shape, const std::vector<std::size_t>& axes) {
    const auto is_row_axis = [&](std::size_t axis) {
      return std::find(axes.begin(), axes.end(), axis) != axes.end();
    };
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      (is_row_axis(axis) ? length : count) *= shape[axis];
      if (!is_row_axis(axis)) order.push_back(static_cast<std::int64_t>(axis));
    }
    for (const std::size_t axis : axes) order.push_back(static_cast<std::int64_t>(axis));
    if (std::is_sorted(order.begin(), order.end())) {
      order.clear();
      return;
    }
    const bool are_adjacent = axes.back() - axes.front() + 1 == axes.size();
    inner = are_adjacent ? shape.part(axes.back() + 1, shape.rank()).size() : 0;
    inverse.resize(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }

  Tensor turned(const Tensor& x) const {
    return order.empty() ? x.contiguous() : x.transpose(order).contiguous();
  }
  Tensor back(const Tensor& rows) const {
    return order.empty() ? rows : rows.transpose(inverse).contiguous();
  }
};

template <class T>
void forward_all(AxisKind kind, const Tensor& x, Tensor& y, std::int64_t count, std::int64_t length) {
  const T* in = x.values<T>().data();
  T* out = y.mutable_values<T>().data();
  const std::int64_t in_length = kind == AxisKind::glu ? 2 * length : length;
  parallel_for(count, rows_grain(length), [&](std::int64_t begin, std::int64_t end) {
    forward_rows(kind, in + begin * in_length, out + begin * length, end - begin, length);
  });
}

template <class T>
void gradient_all(AxisKind kind, const Tensor& x, const Tensor& upstream, Tensor& out, std::int64_t count,
                  std::int64_t length) {
  const T *in = x.values<T>().data(), *g = upstream.values<T>().data();
  T* to = out.mutable_values<T>().data();
  const std::int64_t in_length = kind == AxisKind::glu ? 2 * length : length;
  parallel_for(count, rows_grain(length), [&](std::int64_t begin, std::int64_t end) {
    gradient_rows(kind, in + begin * in_length, g + begin * length, to + begin * in_length, end - begin,
                  length);
  });
}

Tensor forward_tensor(AxisKind kind, const Tensor& x, const Shape& result, std::int64_t count,
                      std::int64_t length) {
  const FloatEnvironment environment;
  Tensor y = Tensor::empty(result, x.dtype());
  if (x.dtype() == DType::float32) {
    forward_all<float>(kind, x, y, count, length);
  } else {
    forward_all<double>(kind, x, y, count, length);
  }
  return y;
}

Tensor gradient_tensor(AxisKind kind, const Tensor& x, const Tensor& upstream, std::int64_t count,
                       std::int64_t length) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  if (x.dtype() == DType::float32) {
    gradient_all<float>(kind, x, upstream, out, count, length);
  } else {
    gradient_all<double>(kind, x, upstream, out, count, length);
  }
  return out;
}

Tensor softmax_gradient_tensor(const Tensor& result, const Tensor& upstream, std::int64_t count,
                               std::int64_t length) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(result.shape(), result.dtype());
  const float *y = result.values<float>().data(), *g = upstream.values<float>().data();
  float* to = out.mutable_values<float>().data();
  parallel_for(count, rows_grain(length), [&](std::int64_t begin, std::int64_t end) {
    softmax_gradient_rows(y + begin * length, g + begin * length, to + begin * length, end - begin, length);
  });
  return out;
}

// Visits the columns of all matrices of length × inner that x holds, softmax's and log_softmax's kernels in
// hand.
template <class Visit>
void for_each_column_range(const Rows& rows, const Visit& visit) {
  constexpr std::int64_t kWidth = 64;
  const std::int64_t across = (rows.inner + kWidth - 1) / kWidth, tiles = rows.count / rows.inner * across;
  parallel_for(tiles, rows_grain(rows.length * kWidth), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const std::int64_t first = tile % across * kWidth;
      visit(tile / across * rows.length * rows.inner,
            ColumnRange{rows.length, rows.inner, first, std::min(first + kWidth, rows.inner)});
    }
  });
}

Tensor columns_forward(AxisKind kind, const Tensor& x, const Rows& rows) {
  const FloatEnvironment environment;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  if (y.size() == 0) return y;
  const SoftmaxKernels& kernels = softmax_kernels();
  const auto kernel = kind == AxisKind::softmax ? kernels.softmax_columns : kernels.log_softmax_columns;
  const float* from = x.values<float>().data();
  float* to = y.mutable_values<float>().data();
  for_each_column_range(
      rows, [&](std::int64_t at, const ColumnRange& range) { kernel(from + at, to + at, range); });
  return y;
}

// From softmax(x), whichever of the two.
Tensor columns_gradient(AxisKind kind, const Tensor& softmax, const Tensor& upstream, const Rows& rows) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(softmax.shape(), softmax.dtype());
  if (out.size() == 0) return out;
  const SoftmaxKernels& kernels = softmax_kernels();
  const auto kernel =
      kind == AxisKind::softmax ? kernels.softmax_gradient_columns : kernels.log_softmax_gradient_columns;
  const float *y = softmax.values<float>().data(), *g = upstream.values<float>().data();
  float* to = out.mutable_values<float>().data();
  for_each_column_range(
      rows, [&](std::int64_t at, const ColumnRange& range) { kernel(y + at, g + at, to + at, range); });
  return out;
}

// A gradient that has none of its own: asking for one says so, rather than leave x's part out.
Tensor first_order(Tensor gradient, std::string_view name, const std::shared_ptr<Node>& node,
                   const Tensor& upstream) {
  Tensor x = Tensor::empty({0}, gradient.dtype());
  x.set_node(node);
  if (!wants_gradient({&x, &upstream})) return gradient;
  return record(std::move(gradient), name, {&x, &upstream}, [name](const Tensor&) -> std::vector<Tensor> {
    throw TypeError("gradients", "functions that have second derivatives here: the element-wise ones, ops",
                    fmt::format("the gradient of {} is asked for its own gradient", name),
                    "Compute it from ops: exp(x - max(x)) divided by its sum.");
  });
}

Tensor apply_columns(AxisKind kind, std::string_view name, const Tensor& x, const Rows& rows) {
  const Tensor in = x.detach().contiguous(), result = columns_forward(kind, in, rows);
  if (!wants_gradient({&x})) return result;
  const Tensor kept = kind == AxisKind::softmax ? result : in;
  return record(result, name, {&x}, [kind, name, rows, kept, node = x.node()](const Tensor& upstream) {
    const Tensor y = kind == AxisKind::softmax ? kept : columns_forward(AxisKind::softmax, kept, rows);
    return std::vector{
        first_order(columns_gradient(kind, y, upstream.contiguous(), rows), name, node, upstream)};
  });
}

struct KindInfo {
  std::string_view name, class_name;
};
constexpr KindInfo kKinds[] = {
    {"softmax", "Softmax"}, {"log_softmax", "LogSoftmax"}, {"sparsemax", "Sparsemax"}, {"glu", "Glu"}};

// Rows of spans: their number, after the checks.
std::int64_t count_rows(AxisKind kind, std::size_t in, std::size_t out, std::size_t& row_length) {
  const std::string_view name = kKinds[static_cast<std::size_t>(kind)].name;
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
  forward_rows(kind, in.data(), out.data(), count, static_cast<std::int64_t>(row_length));
}

// The same for a gradient as large as its input.
std::int64_t count_gradient_rows(AxisKind kind, std::size_t in, std::size_t upstream, std::size_t out,
                                 std::size_t& row_length) {
  const std::int64_t count = count_rows(kind, in, upstream, row_length);
  if (out != in) {
    throw ShapeError(kKinds[static_cast<std::size_t>(kind)].name,
                     fmt::format("a gradient of {} elements", in), fmt::format("the span has {}", out),
                     "Make the spans fit.");
  }
  return count;
}

template <class T>
void gradient_spans(AxisKind kind, std::span<const T> in, std::span<const T> upstream, std::span<T> out,
                    std::size_t row_length) {
  const std::int64_t count = count_gradient_rows(kind, in.size(), upstream.size(), out.size(), row_length);
  const FloatEnvironment environment;
  gradient_rows(kind, in.data(), upstream.data(), out.data(), count, static_cast<std::int64_t>(row_length));
}

}  // namespace

AxisActivation::AxisActivation(AxisKind kind, Axes axes, bool allow_rank_1)
    : kind_(kind), axes_(std::move(axes)), allow_rank_1_(allow_rank_1) {}

std::string_view AxisActivation::keras_name() const noexcept {
  return kKinds[static_cast<std::size_t>(kind_)].name;
}

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
  if (kind_ == AxisKind::glu) return apply_glu(x);
  const std::vector<std::size_t> axes = axes_.of(x.shape(), keras_name());
  const Rows rows(x.shape(), axes);
  // Narrower matrices are turned faster (an inner size of 10: 1.04 ns an element, against 1.26).
  if (x.dtype() == DType::float32 && rows.inner >= 16 && kind_ != AxisKind::sparsemax)
    return apply_columns(kind_, keras_name(), x, rows);
  const Tensor turned = rows.turned(x.detach());
  const Tensor result = forward_tensor(kind_, turned, turned.shape(), rows.count, rows.length);
  Tensor y = rows.back(result);
  if (wants_gradient({&x}) && kind_ == AxisKind::softmax && x.dtype() == DType::float32) {
    y = record(std::move(y), keras_name(), {&x}, [rows, result, node = x.node()](const Tensor& upstream) {
      Tensor gradient =
          rows.back(softmax_gradient_tensor(result, rows.turned(upstream.detach()), rows.count, rows.length));
      return std::vector{first_order(std::move(gradient), "softmax", node, upstream)};
    });
  } else if (wants_gradient({&x})) {
    y = record(std::move(y), keras_name(), {&x},
               [kind = kind_, name = keras_name(), rows, turned, node = x.node()](const Tensor& upstream) {
                 Tensor gradient = rows.back(
                     gradient_tensor(kind, turned, rows.turned(upstream.detach()), rows.count, rows.length));
                 return std::vector{first_order(std::move(gradient), name, node, upstream)};
               });
  }
  // Losses compute from the logits; they take classes along the last axis.
  if (kind_ == AxisKind::softmax && axes.size() == 1 && axes[0] + 1 == x.rank()) {
    y.set_origin(std::make_shared<const Tensor::Origin>(Tensor::Origin{"softmax", x}));
  }
  return y;
}

Shape AxisActivation::output_shape(const Shape& input) const {
  const std::vector<std::size_t> axes = axes_.of(input, keras_name());
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

// Every axis up to the halved one is outside, those after it go along with the halves: nothing is turned.
Tensor AxisActivation::apply_glu(const Tensor& x) const {
  const Shape result = output_shape(x.shape());
  const std::size_t axis = axes_.of(x.shape(), "glu")[0];
  const std::int64_t count = x.shape().part(0, axis).size();
  const std::int64_t length = result.part(axis, result.rank()).size();
  const Tensor in = x.detach().contiguous();
  Tensor y = forward_tensor(kind_, in, result, count, length);
  if (!wants_gradient({&x})) return y;
  return record(
      std::move(y), "glu", {&x}, [kind = kind_, in, count, length, node = x.node()](const Tensor& upstream) {
        return std::vector{first_order(gradient_tensor(kind, in, upstream.contiguous(), count, length), "glu",
                                       node, upstream)};
      });
}

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
void rows_gradient(AxisKind kind, std::span<const float> in, std::span<const float> upstream,
                   std::span<float> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient(AxisKind kind, std::span<const double> in, std::span<const double> upstream,
                   std::span<double> out, std::size_t row_length) {
  gradient_spans(kind, in, upstream, out, row_length);
}
void rows_gradient_from_result(std::span<const float> result, std::span<const float> upstream,
                               std::span<float> out, std::size_t row_length) {
  const std::int64_t count =
      count_gradient_rows(AxisKind::softmax, result.size(), upstream.size(), out.size(), row_length);
  const FloatEnvironment environment;
  softmax_gradient_rows(result.data(), upstream.data(), out.data(), count,
                        static_cast<std::int64_t>(row_length));
}

}  // namespace detail
}  // namespace keratin::inline v0::activations
