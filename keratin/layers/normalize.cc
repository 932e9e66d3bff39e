#include "keratin/layers/normalize.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/layers/masks.h"

namespace keratin::inline v0::detail {

AxisNumbers sorted_axes(const Shape& shape, const AxisList& axes, std::string_view operation) {
  AxisNumbers all;
  for (const std::int64_t axis : axes.values())
    all.push_back(static_cast<std::int64_t>(shape.axis(axis, operation)));
  std::sort(all.begin(), all.end());
  if (all.empty() || std::adjacent_find(all.begin(), all.end()) != all.end()) {
    throw ValueError(operation, "at least one axis, each once",
                     "received axis=" + Shape(axes.values()).to_string(),
                     "The input's shape is " + shape.to_string() + ".");
  }
  return all;
}

AxisNumbers other_axes(std::size_t rank, const AxisNumbers& axes) {
  AxisNumbers others;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis)
    if (!axes.contains(axis)) others.push_back(axis);
  return others;
}

Shape broadcast_shape(const Shape& shape, const AxisNumbers& axes) {
  Shape result = shape;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) result[axis] = 1;
  for (const std::int64_t axis : axes)
    result[static_cast<std::size_t>(axis)] = shape[static_cast<std::size_t>(axis)];
  return result;
}

Shape shape_of_axes(const Shape& shape, const AxisNumbers& axes, std::string_view operation) {
  Shape result;
  for (const std::int64_t axis : axes)
    result = result.with_inserted(result.rank(), shape[static_cast<std::size_t>(axis)]);
  if (result.is_known()) return result;
  throw ShapeError(operation, "a known size on the axes that are normalized",
                   "received shape " + shape.to_string(), "Give Input that size.");
}

Moments moments(const Tensor& x, const AxisNumbers& axes, const Tensor& mask) {
  if (!mask.is_defined()) {
    const Tensor mean = ops::mean(x, axes, true);
    return {mean, ops::mean(ops::square(x - mean), axes, true)};
  }
  // As Keras: 1e-7 keeps an empty batch from 0/0.
  const Tensor weights = ops::broadcast_to(mask_values(mask, x.dtype()), x.shape());
  const Tensor count = ops::sum(weights, axes, true) + 1e-7;
  const Tensor mean = ops::sum(weights * x, axes, true) / count;
  return {mean, ops::sum(weights * ops::square(x - mean), axes, true) / count};
}

Tensor normalized(const Tensor& x, const Moments& moments, double epsilon, const Tensor& gamma,
                  const Tensor& beta) {
  Tensor factor = 1.0 / ops::sqrt(moments.variance + epsilon);
  if (gamma.is_defined()) factor = factor * gamma;
  const Tensor y = (x - moments.mean) * factor;
  return beta.is_defined() ? y + beta : y;
}

}  // namespace keratin::inline v0::detail
