// Changes of shape and dtype that record themselves.
#include "keratin/core/error.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"
#include "keratin/tensor/strided.h"

namespace keratin::inline v0::ops {
namespace {

// Writes `part` into `whole` (row-major, this Tensor's own) from an offset on, `strides` elements apart.
void write_strided(const Tensor& part, Tensor& whole, std::span<const std::int64_t> strides,
                   std::int64_t offset) {
  const Tensor source = part.detach().contiguous();
  visit(part.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* in = static_cast<const T*>(source.data());
    auto* out = static_cast<T*>(whole.mutable_data()) + offset;
    const std::int64_t row = part.rank() == 0 ? 1 : part.shape().back();
    const std::int64_t step = part.rank() == 0 ? 1 : strides.back();
    keratin::detail::for_each_row(part.shape(), strides, [&](std::int64_t to, std::int64_t position) {
      for (std::int64_t i = 0; i < row; ++i) out[to + i * step] = in[position + i];
    });
  });
}

// The gradient of slice: zeros but for begin, begin + step, … of one axis.
Tensor unslice(const Tensor& part, const Shape& shape, std::size_t axis, std::int64_t begin,
               std::int64_t step) {
  Tensor whole = Tensor::zeros(shape, part.dtype());
  auto strides = row_major_strides(shape);
  const std::int64_t offset = part.shape()[axis] == 0 ? 0 : begin * strides[axis];
  strides[axis] *= step;
  write_strided(part, whole, std::span(strides).first(shape.rank()), offset);
  if (!wants_gradient({&part})) return whole;
  const std::int64_t end = begin + part.shape()[axis] * step;
  return record(std::move(whole), "unslice", {&part},
                [axis, begin, end, step](const Tensor& upstream) -> Tensors {
                  return {slice(upstream, static_cast<std::int64_t>(axis), begin, end, step)};
                });
}

Tensor record_reshape(Tensor result, std::string_view operation, const Tensor& a) {
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), operation, {&a}, [shape = a.shape()](const Tensor& upstream) -> Tensors {
    return {reshape(upstream, shape)};
  });
}

// What concatenate checks, and the result's shape.
Shape joined_shape(const Tensors& parts, std::size_t axis) {
  Shape shape = parts.front().shape();
  shape[axis] = 0;
  for (const Tensor& part : parts) {
    detail::check_same_dtype("concatenate", parts.front(), part);
    Shape expected = parts.front().shape();
    if (part.rank() == expected.rank()) expected[axis] = part.shape()[axis];
    if (part.shape() != expected)
      throw ShapeError("concatenate", "expects shapes that differ on axis " + std::to_string(axis) + " only",
                       "got " + parts.front().shape().to_string() + " and " + part.shape().to_string());
    shape[axis] += part.shape()[axis];
  }
  return shape;
}

}  // namespace

Tensor reshape(const Tensor& a, const Shape& shape) {
  detail::check_defined("reshape", a);
  return record_reshape(a.detach().reshape(shape), "reshape", a);
}

Tensor expand_dims(const Tensor& a, std::int64_t axis) {
  detail::check_defined("expand_dims", a);
  return record_reshape(a.detach().expand_dims(axis), "expand_dims", a);
}

Tensor squeeze(const Tensor& a, std::int64_t axis) {
  detail::check_defined("squeeze", a);
  return record_reshape(a.detach().squeeze(axis), "squeeze", a);
}

Tensor transpose(const Tensor& a, std::span<const std::int64_t> order) {
  detail::check_defined("transpose", a);
  Tensor result = a.detach().transpose(order);
  if (!wants_gradient({&a})) return result;
  AxisNumbers axes(order);
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(a.shape().axis(axis, "transpose"));
  return record(std::move(result), "transpose", {&a},
                [inverse = axes.inverse()](const Tensor& upstream) -> Tensors {
                  return {transpose(upstream, inverse)};
                });
}

Tensor broadcast_to(const Tensor& a, const Shape& shape) {
  detail::check_defined("broadcast_to", a);
  Tensor result = a.detach().broadcast_to(shape);
  if (!wants_gradient({&a})) return result;
  return record(
      std::move(result), "broadcast_to", {&a},
      [shape = a.shape()](const Tensor& upstream) -> Tensors { return {detail::sum_to(upstream, shape)}; });
}

Tensor slice(const Tensor& a, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  detail::check_defined("slice", a);
  Tensor result = a.detach().slice(axis, begin, end, step);
  if (!wants_gradient({&a})) return result;
  const std::size_t place = a.shape().axis(axis, "slice");
  const std::int64_t first = begin < 0 ? std::max<std::int64_t>(begin + a.shape()[place], 0) : begin;
  return record(std::move(result), "slice", {&a},
                [shape = a.shape(), place, first, step](const Tensor& upstream) -> Tensors {
                  return {unslice(upstream, shape, place, first, step)};
                });
}

Tensor concatenate(const Tensors& parts, std::int64_t axis) {
  if (parts.empty()) throw ValueError("concatenate", "expects at least one tensor", "got none");
  detail::check_defined("concatenate", parts.front());
  const std::size_t along = parts.front().shape().axis(axis, "concatenate");
  const Shape shape = joined_shape(parts, along);
  Tensor result = Tensor::empty(shape, parts.front().dtype());
  const auto strides = row_major_strides(shape);
  // Where each part lies in the result.
  struct Place {
    std::int64_t begin, end;
    bool is_wanted;
  };
  std::vector<Place, keratin::detail::SmallBlocks<Place>> places;
  places.reserve(parts.size());
  std::int64_t begin = 0;
  bool is_any_wanted = false;
  for (const Tensor& part : parts) {
    write_strided(part, result, std::span(strides).first(shape.rank()), begin * strides[along]);
    places.push_back({begin, begin + part.shape()[along], wants_gradient({&part})});
    begin = places.back().end;
    is_any_wanted = is_any_wanted || places.back().is_wanted;
  }
  if (!is_any_wanted) return result;
  return record(
      std::move(result), "concatenate", parts,
      [places = std::move(places), axis = static_cast<std::int64_t>(along)](const Tensor& upstream) {
        Tensors gradients(places.size());
        for (std::size_t i = 0; i < places.size(); ++i)
          if (places[i].is_wanted) gradients[i] = slice(upstream, axis, places[i].begin, places[i].end);
        return gradients;
      });
}

Tensor cast(const Tensor& a, DType dtype) {
  detail::check_defined("cast", a);
  if (dtype == a.dtype()) return a;
  Tensor result = a.detach().astype(dtype);
  if (!is_floating(dtype) || !wants_gradient({&a})) return result;
  return record(std::move(result), "cast", {&a},
                [dtype = a.dtype()](const Tensor& upstream) -> Tensors { return {cast(upstream, dtype)}; });
}

}  // namespace keratin::inline v0::ops
