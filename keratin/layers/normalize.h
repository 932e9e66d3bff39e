// What the normalizing layers share. Internal.
#pragma once

#include <cstdint>

#include "keratin/layers/axes.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {

/// The axes counted from the front, in ascending order. ShapeError, naming `operation`, for one that the
/// shape lacks; ValueError for one given twice.
AxisNumbers sorted_axes(const Shape& shape, const AxisList& axes, std::string_view operation);
/// All axes but those, ascending.
AxisNumbers other_axes(std::size_t rank, const AxisNumbers& axes);
/// 1 but on those axes.
Shape broadcast_shape(const Shape& shape, const AxisNumbers& axes);
/// The sizes of those axes. ShapeError for one that is unknown.
Shape shape_of_axes(const Shape& shape, const AxisNumbers& axes, std::string_view operation);

struct Moments {
  Tensor mean, variance;
};
/// Over those axes, which stay with size 1; `mask`, where defined, is of x's rank and leaves elements out.
Moments moments(const Tensor& x, const AxisNumbers& axes, const Tensor& mask = {});

/// gamma·(x − mean)/√(variance + epsilon) + beta; gamma and beta may be undefined.
Tensor normalized(const Tensor& x, const Moments& moments, double epsilon, const Tensor& gamma,
                  const Tensor& beta);

}  // namespace keratin::inline v0::detail
