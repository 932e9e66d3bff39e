// Adafactor's direction: second moments by rows and columns. Internal.
#pragma once

#include "keratin/tensor/tensor.h"
#include "keratin/training/optimizer_kernels.h"

namespace keratin::inline v0::detail {

struct FactoredStep {
  StepInput input;
  double beta;     ///< what is kept of the running means
  double epsilon;  ///< added to g²
};

/// direction = g/√v, with r and c (matrices, the last two axes of more) or v (vectors) brought up to date.
/// Means are taken in double, in a fixed order. Cost: three passes over the gradient.
template <class T>
void factored_direction(const FactoredStep& step, const Tensor& gradient, Tensor& r, Tensor& c, Tensor& v,
                        Tensor& direction);

}  // namespace keratin::inline v0::detail
