// What the layers ReLU, LeakyReLU, ELU and ThresholdedReLU share: one element-wise function. Internal.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0::detail {

class ElementwiseBody : public LayerBody {
 public:
  explicit ElementwiseBody(ActivationFn function) : function_(std::move(function)) {}

  Tensor call(const Tensor& x, const CallContext&) const override { return function_(x); }
  const ElementwiseFunction* elementwise() const override { return function_.elementwise(); }
  bool builds_from_shape() const override { return false; }

 private:
  ActivationFn function_;
};

}  // namespace keratin::inline v0::detail
