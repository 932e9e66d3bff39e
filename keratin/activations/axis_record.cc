#include "keratin/activations/axis_record.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "keratin/activations/axis_loop.h"
#include "keratin/activations/dtypes.h"
#include "keratin/activations/softmax/kernels.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::activations::detail {
namespace {

Tensor forward_tensor(AxisKind kind, const Tensor& x, const Shape& result, std::int64_t count,
                      std::int64_t length) {
  const FloatEnvironment environment;
  Tensor y = Tensor::empty(result, x.dtype());
  visit_floating(x.dtype(), [&]<class T>(T) {
    run_forward_rows(kind, x.values<T>().data(), y.mutable_values<T>().data(), count, length);
  });
  return y;
}

Tensor gradient_tensor(AxisKind kind, const Tensor& x, const Tensor& upstream, std::int64_t count,
                       std::int64_t length) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  visit_floating(x.dtype(), [&]<class T>(T) {
    run_gradient_rows(kind, x.values<T>().data(), upstream.values<T>().data(), out.mutable_values<T>().data(),
                      count, length);
  });
  return out;
}

Tensor softmax_gradient_tensor(const Tensor& result, const Tensor& upstream, std::int64_t count,
                               std::int64_t length) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(result.shape(), result.dtype());
  run_softmax_gradient_rows(result.values<float>().data(), upstream.values<float>().data(),
                            out.mutable_values<float>().data(), count, length);
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

std::atomic<AxisSecondGradient> second_gradient = nullptr;

// The place of x in a record: its node without its numbers.
Tensor place_of_x(const AxisCall& call, DType dtype) {
  Tensor x = Tensor::empty({0}, dtype);
  x.set_node(call.x_node);
  return x;
}

Tensor recorded_result(const AxisCall& call, Tensor y, const Tensor& x) {
  if (!wants_gradient({&x})) return y;
  return record(std::move(y), axis_name(call.kind), {&x},
                [call](const Tensor& upstream) { return Tensors{call.gradient(upstream)}; });
}

Tensor unrecorded_gradient(const AxisCall& call, const Tensor& upstream) {
  const Rows& rows = call.rows;
  if (call.by_columns) {
    const Tensor y = call.keeps_result ? call.kept : columns_forward(AxisKind::softmax, call.kept, rows);
    return columns_gradient(call.kind, y, upstream.contiguous(), rows);
  }
  const Tensor turned = rows.turned(upstream);
  return rows.back(call.keeps_result
                       ? softmax_gradient_tensor(call.kept, turned, rows.count, rows.length)
                       : gradient_tensor(call.kind, call.kept, turned, rows.count, rows.length));
}

}  // namespace

std::string_view axis_name(AxisKind kind) noexcept {
  constexpr std::string_view kNames[] = {"softmax", "log_softmax", "sparsemax", "glu"};
  return kNames[static_cast<std::size_t>(kind)];
}

void set_axis_second_gradient(AxisSecondGradient function) noexcept {
  second_gradient.store(function, std::memory_order_relaxed);
}

Tensor AxisCall::run(AxisKind kind, const Tensor& x, const AxisNumbers& axes, const Shape& result_shape) {
  AxisCall call{.kind = kind, .axes = axes};
  if (kind == AxisKind::glu) {
    // Every axis up to the halved one is outside, those after it go along with the halves: nothing is turned.
    const auto axis = static_cast<std::size_t>(call.axes[0]);
    call.rows = {x.shape().part(0, axis).size(), result_shape.part(axis, result_shape.rank()).size()};
  } else {
    call.rows = {x.shape(), call.axes};
  }
  const Rows& rows = call.rows;
  // Narrower matrices are turned faster (an inner size of 10: 1.04 ns an element, against 1.26).
  call.by_columns = x.dtype() == DType::float32 && rows.inner >= 16 && kind != AxisKind::sparsemax;
  const Tensor in = call.by_columns ? x.detach().contiguous() : rows.turned(x.detach());
  const Tensor result = call.by_columns
                            ? columns_forward(kind, in, rows)
                            : forward_tensor(kind, in, kind == AxisKind::glu ? result_shape : in.shape(),
                                             rows.count, rows.length);
  call.keeps_result = kind == AxisKind::softmax && x.dtype() == DType::float32;
  call.kept = call.keeps_result ? result : in;
  call.x_node = x.node();
  return recorded_result(call, call.by_columns ? result : rows.back(result), x);
}

Tensor AxisCall::gradient(const Tensor& upstream) const {
  Tensor gradient = unrecorded_gradient(*this, upstream.detach());
  const Tensor x = place_of_x(*this, gradient.dtype());
  if (!wants_gradient({&x, &upstream})) return gradient;
  return record(
      std::move(gradient), axis_name(kind), {&x, &upstream}, [call = *this, upstream](const Tensor& above) {
        const AxisSecondGradient function = second_gradient.load(std::memory_order_relaxed);
        if (function == nullptr) {
          throw TypeError("gradients", "a program with keratin::gradients, for the gradient of a gradient",
                          fmt::format("{} has been linked without it", axis_name(call.kind)),
                          "Link all of the library.");
        }
        return function(call, upstream, above);
      });
}

Tensor AxisCall::result() const {
  const Tensor x = place_of_x(*this, kept.dtype());
  if (keeps_result) return recorded_result(*this, by_columns ? kept : rows.back(kept), x);
  return recorded_result(*this,
                         by_columns
                             ? columns_forward(kind, kept, rows)
                             : rows.back(forward_tensor(kind, kept, kept.shape(), rows.count, rows.length)),
                         x);
}

AxisCall AxisCall::as_softmax() const {
  AxisCall call = *this;
  call.kind = AxisKind::softmax;
  return call;
}

Tensor AxisCall::input() const {
  Tensor x = rows.back(kept).detach();
  x.set_node(x_node);
  return x;
}

}  // namespace keratin::inline v0::activations::detail
