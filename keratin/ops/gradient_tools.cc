#include "keratin/ops/gradient_tools.h"

#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops::detail {

Tensor sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  const std::size_t added = gradient.rank() - shape.rank();
  AxisNumbers axes;
  for (std::size_t i = 0; i < gradient.rank(); ++i)
    if (i < added || (shape[i - added] == 1 && gradient.shape()[i] != 1))
      axes.push_back(static_cast<std::int64_t>(i));
  if (axes.empty()) return reshape(gradient, shape);
  return reshape(sum(gradient, axes), shape);
}

}  // namespace keratin::inline v0::ops::detail
