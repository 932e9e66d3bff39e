// The backward pass: gradients of a recorded scalar.
#pragma once

#include <span>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"

namespace keratin::inline v0 {

/// d sum(upstream · y) / d target for each target: watched tensors (Tensor::watched) or variables' tensors.
/// `upstream` has y's shape; undefined means ones. An undefined Tensor comes back for a target that y does not
/// depend on. Each node is visited once, in reverse topological order, without recursion; saved tensors are freed
/// as the pass goes. A variable's gradient hook is called as soon as its gradient is complete.
/// StateError if y was not recorded. Keras: tf.GradientTape.gradient.
KERATIN_API std::vector<Tensor> gradients(const Tensor& y, std::span<const Tensor> targets,
                                          const Tensor& upstream = {});
KERATIN_API std::vector<Tensor> gradients(const Tensor& y, std::span<const Variable> variables,
                                          const Tensor& upstream = {});

}  // namespace keratin::inline v0
