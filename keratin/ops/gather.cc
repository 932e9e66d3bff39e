// Rows picked by an index, and one-hot rows.
#include <cstring>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

// In int64, contiguous.
Tensor wide_indices(const Tensor& indices) { return indices.detach().astype(DType::int64).contiguous(); }

// As places from the front: those of wide_indices itself where none counts from the end.
Tensor places_of(const Tensor& indices, const Shape& shape) {
  const std::int64_t rows = shape[0];
  Tensor places = wide_indices(indices);
  const auto given = places.values<std::int64_t>();
  bool is_turned = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] < -rows || given[i] >= rows)
      throw ValueError("take",
                       "expects indices from 0 to " + std::to_string(rows - 1) + " (or counted from the end)",
                       "got " + std::to_string(given[i]) + " at place " + std::to_string(i),
                       "The tensor's shape is " + shape.to_string() + ".");
    is_turned = is_turned || given[i] < 0;
  }
  if (!is_turned) return places;
  for (std::int64_t& place : places.mutable_values<std::int64_t>())
    if (place < 0) place += rows;
  return places;
}

// The gradient of take: rows added up at their indices, in the order of the indices.
Tensor add_rows_at(const Tensor& rows, const Tensor& at, const Shape& shape) {
  const FloatEnvironment environment;
  const auto places = at.values<std::int64_t>();
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
                [at](const Tensor& upstream) -> Tensors { return {take(upstream, at)}; });
}

}  // namespace

Tensor take(const Tensor& a, const Tensor& indices) {
  detail::check_defined("take", a);
  detail::check_indices("take", indices);
  if (a.rank() == 0 || indices.rank() != 1)
    throw ShapeError("take", "expects a tensor with rows and indices of rank 1",
                     "got shapes " + a.shape().to_string() + " and " + indices.shape().to_string());
  const Tensor at = places_of(indices, a.shape());
  const auto places = at.values<std::int64_t>();
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
  return record(std::move(result), "take", {&a}, [at, shape = a.shape()](const Tensor& upstream) -> Tensors {
    return {add_rows_at(upstream, at, shape)};
  });
}

Tensor one_hot(const Tensor& indices, std::int64_t classes, DType dtype) {
  detail::check_indices("one_hot", indices);
  if (classes < 1)
    throw ValueError("one_hot", "expects at least one class", "got " + std::to_string(classes));
  const Tensor at = wide_indices(indices);
  const auto places = at.values<std::int64_t>();
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
