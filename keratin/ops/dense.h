// The fully connected op: product, bias and activation in one pass.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops {

/// act(x·kernel + bias), recorded where a gradient is wanted.
/// x: (..., in)   kernel: (in, units)   bias: (units,) or undefined   result: (..., units)
/// An element-wise activation is applied to each block of rows while it is in cache; any other follows. The
/// product is the same primitive on the same blocks whether or not an activation follows, and whatever the
/// number of threads, so dense + activation has the bits of dense, then activation. The gradient keeps the
/// pre-activation (the bits of y do not determine f'), fuses f' with the bias sum, and leaves out x's if x
/// needs none. ShapeError names both shapes. Cost: 2·rows·in·units flops, twice that backward.
KERATIN_API Tensor dense(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                         const ActivationFn& activation);

}  // namespace keratin::inline v0::ops
