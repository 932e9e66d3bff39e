// The backward pass: gradients of a recorded scalar.
#pragma once

#include <span>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"

namespace keratin::inline v0 {

/// d sum(upstream · y) / d target for each target: watched tensors (Tensor::watched), other recorded ones, or
/// variables. `upstream` has y's shape and dtype; undefined means ones. An undefined Tensor comes back for a
/// target that y does not depend on. Each node is visited once, in reverse topological order, without
/// recursion; only those between y and a target. A variable's gradient hook is called as soon as its gradient
/// is complete, others may still be under way. The record belongs to y: while the caller keeps y (or a tensor
/// computed from it), gradients can be asked for again; the overloads that take a moved y free what each op
/// saved as the pass goes, so pass `std::move(loss)` or a temporary when training. Where this thread records,
/// the gradients are recorded themselves (second derivatives): end the RecordGradients of the forward pass
/// first if that is not wanted. StateError if y was not recorded; TypeError, ShapeError for an upstream that
/// does not fit. Keras: tf.GradientTape.gradient.
KERATIN_API Tensors gradients(const Tensor& y, std::span<const Tensor> targets, const Tensor& upstream = {});
KERATIN_API Tensors gradients(Tensor&& y, std::span<const Tensor> targets, const Tensor& upstream = {});
KERATIN_API Tensors gradients(const Tensor& y, std::span<const Variable> variables,
                              const Tensor& upstream = {});
KERATIN_API Tensors gradients(Tensor&& y, std::span<const Variable> variables, const Tensor& upstream = {});

}  // namespace keratin::inline v0
