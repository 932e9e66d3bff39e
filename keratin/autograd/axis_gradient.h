// Gradients of gradients through softmax and kin, which take ops. Internal.
#pragma once

#include <vector>

#include "keratin/activations/axis_record.h"

namespace keratin::inline v0::detail {

/// The gradients of Σ v·call.gradient(u) by x and by u, recorded in their turn while the thread records.
Tensors axis_second_gradient(const activations::detail::AxisCall& call, const Tensor& u, const Tensor& v);

}  // namespace keratin::inline v0::detail
