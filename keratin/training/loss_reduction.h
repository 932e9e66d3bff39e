// From the values of the samples to the loss. Internal.
#pragma once

#include <string_view>

#include "keratin/core/config.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/losses.h"

namespace keratin::inline v0::detail {

/// `weights` (a sample weight or a mask) with the shape and dtype of `values`, contiguous: a last axis of
/// size 1 is put in or taken out, sizes of 1 are repeated; for Keras 2 also (samples,) beside (samples, ...).
/// ShapeError names both shapes.
Tensor weights_like(std::string_view operation, const Tensor& weights, const Tensor& values,
                    Generation generation);

/// Σ values·weights in double, of contiguous tensors; undefined weights are ones.
double total_of(const Tensor& values, const Tensor& weights);

/// Σ values·weights / divisor, as one recorded op; undefined weights are ones.
Tensor weighted_sum(const Tensor& values, const Tensor& weights, double divisor);

/// Element by element; an undefined one is ones.
Tensor weights_product(const Tensor& a, const Tensor& b);

/// The reduction of a loss; w and m as weights_like gives them, or undefined.
Tensor reduce_values(const Tensor& values, const Tensor& w, const Tensor& m, Reduction reduction);

}  // namespace keratin::inline v0::detail
