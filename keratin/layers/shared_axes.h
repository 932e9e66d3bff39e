// Weights of an input's shape, one number along shared axes: PReLU's, ParametricActivation's. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "keratin/core/shape.h"

namespace keratin::inline v0::detail {

/// The input's shape without its batch axis, 1 on the shared axes. refuse(expects, input, advice) throws.
/// Keras indexes the shape without its batch axis by axis − 1 as Python does: 0 and below count from the end.
template <class Refuse>
Shape shared_shape(const Shape& input, const std::vector<std::int64_t>& shared_axes, const Refuse& refuse) {
  if (input.rank() < 2) refuse("an input of rank 2 or more", input, "Add a batch axis.");
  Shape shape = input.part(1, input.rank());
  const auto rank = static_cast<std::int64_t>(shape.rank());
  for (const std::int64_t axis : shared_axes) {
    const std::int64_t index = axis > 0 ? axis - 1 : axis - 1 + rank;
    if (index < 0 || index >= rank) {
      refuse("an input that has the shared axis " + std::to_string(axis), input,
             "shared_axes counts the batch axis as 0; correct it.");
    }
    shape[static_cast<std::size_t>(index)] = 1;
  }
  if (!shape.is_known()) {
    refuse("known sizes on all axes that are not shared", input,
           "Give Input those sizes, or put the axes into shared_axes.");
  }
  return shape;
}

/// Whether a weight of that shape serves the input.
inline bool fits_shared(const Shape& weight, const Shape& input) {
  bool fits = input.rank() == weight.rank() + 1;
  for (std::size_t axis = 0; fits && axis < weight.rank(); ++axis) {
    fits = weight[axis] == 1 || weight[axis] == input[axis + 1];
  }
  return fits;
}

}  // namespace keratin::inline v0::detail
