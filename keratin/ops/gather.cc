// Rows picked by an index, and one-hot rows.
#include <cstring>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

std::vector<std::int64_t> read_indices(const Tensor& indices) {
  const Tensor wide = indices.detach().astype(DType::int64).contiguous();
  const auto values = wide.values<std::int64_t>();
  return {values.begin(), values.end()};
}

// The gradient of take: rows added up at their indices, in the order of the indices.
Tensor add_rows_at(const Tensor& rows, const Tensor& indices, const std::vector<std::int64_t>& places,
                   const Shape& shape) {
  const FloatEnvironment environment;
  const Tensor source = rows.detach().contiguous();
  Tensor result = Tensor::zeros(shape, rows.dtype());
  const std::int64_t width = shape.part(1, shape.rank()).size();
  detail::visit_arithmetic(rows.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* in = static_cast<const T*>(source.data());
    auto* out = static_cast<T*>(result.mutable_data());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const T* row = in + static_cast<std::int64_t>(i) * width;
      T* __restrict total = out + places[i] * width;
      for (std::int64_t j = 0; j < width; ++j) total[j] += row[j];
    }
  });
  if (!wants_gradient({&rows})) return result;
  return record(std::move(result), "take", {&rows},
                [indices](const Tensor& upstream) -> Tensors { return {take(upstream, indices)}; });
}

}  // namespace

Tensor take(const Tensor& a, const Tensor& indices) {
  detail::check_defined("take", a);
  detail::check_indices("take", indices);
  if (a.rank() == 0 || indices.rank() != 1)
    throw ShapeError("take", "expects a tensor with rows and indices of rank 1",
                     "got shapes " + a.shape().to_string() + " and " + indices.shape().to_string());
  const std::int64_t rows = a.shape()[0];
  std::vector<std::int64_t> places = read_indices(indices);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < -rows || places[i] >= rows)
      throw ValueError("take",
                       "expects indices from 0 to " + std::to_string(rows - 1) + " (or counted from the end)",
                       "got " + std::to_string(places[i]) + " at place " + std::to_string(i),
                       "The tensor's shape is " + a.shape().to_string() + ".");
    if (places[i] < 0) places[i] += rows;
  }
  const Tensor source = a.detach().contiguous();
  Shape shape = a.shape();
  shape[0] = static_cast<std::int64_t>(places.size());
  Tensor result = Tensor::empty(shape, a.dtype());
  const auto row_bytes = static_cast<std::size_t>(shape.part(1, shape.rank()).size()) * size_bytes(a.dtype());
  const auto* from = static_cast<const std::byte*>(source.data());
  auto* to = static_cast<std::byte*>(result.mutable_data());
  for (std::size_t i = 0; i < places.size(); ++i)
    std::memcpy(to + i * row_bytes, from + static_cast<std::size_t>(places[i]) * row_bytes, row_bytes);
  if (!wants_gradient({&a})) return result;
  return record(
      std::move(result), "take", {&a},
      [indices = indices.detach(), places = std::move(places), shape = a.shape()](
          const Tensor& upstream) -> Tensors { return {add_rows_at(upstream, indices, places, shape)}; });
}

Tensor one_hot(const Tensor& indices, std::int64_t classes, DType dtype) {
  detail::check_indices("one_hot", indices);
  if (classes < 1)
    throw ValueError("one_hot", "expects at least one class", "got " + std::to_string(classes));
  const std::vector<std::int64_t> places = read_indices(indices);
  Tensor result = Tensor::zeros(indices.shape().with_inserted(indices.rank(), classes), dtype);
  const Tensor one = Tensor::full({}, 1, dtype);
  const std::size_t bytes = size_bytes(dtype);
  auto* out = static_cast<std::byte*>(result.mutable_data());
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] >= 0 && places[i] < classes)
      std::memcpy(out + (i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(places[i])) * bytes,
                  one.data(), bytes);
  return result;
}

}  // namespace keratin::inline v0::ops
