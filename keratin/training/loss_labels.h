// Bringing labels and predictions to one shape and dtype. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// TypeError unless float32 or float64, StateError if undefined.
void check_predictions(std::string_view operation, const Tensor& y_pred);

/// Labels with y_pred's shape and dtype, contiguous: a last axis of size 1 is put in or taken out where the
/// ranks differ by one, as Keras does. ShapeError if the shapes then differ.
Tensor labels_like(std::string_view operation, const Tensor& y_true, const Tensor& y_pred);
/// The shape that labels take beside predictions of that shape; sizes may be unknown. ShapeError if none.
Shape aligned_labels(std::string_view operation, const Shape& y_true, const Shape& y_pred);

using Labels = std::vector<std::int64_t, SmallBlocks<std::int64_t>>;

/// Class numbers, one a row of y_pred: labels of its shape without the last axis, or with one of size 1.
/// ValueError names the first label outside [0, classes), unless it is `ignored`.
Labels class_labels(std::string_view operation, const Tensor& y_true, const Shape& y_pred,
                    std::optional<std::int64_t> ignored);

/// Recorded, with `axis` moved to the end; ShapeError if there is none.
Tensor with_axis_last(std::string_view operation, const Tensor& a, std::int64_t axis);

}  // namespace keratin::inline v0::detail
