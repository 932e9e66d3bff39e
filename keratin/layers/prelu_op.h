// PReLU as an op, recorded. Internal.
#pragma once

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// x for x > 0, alpha·x below; derivatives 0 at 0. x: (batch, ...), alpha: broadcast to what follows the
/// batch axis; both float32 or both float64. The gradient of alpha is summed in double over the batch, in its
/// order.
Tensor prelu(const Tensor& x, const Tensor& alpha);

}  // namespace keratin::inline v0::detail
