// Softmax and kin as activation values. Internal.
#pragma once

#include <string>
#include <string_view>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/axis_functions.h"

namespace keratin::inline v0::activations::detail {

class AxisActivation final : public ActivationFunction {
 public:
  AxisActivation(AxisKind kind, Axes axes, bool allow_rank_1);

  AxisKind kind() const noexcept { return kind_; }
  const Axes& axes() const noexcept { return axes_; }
  bool allow_rank_1() const noexcept { return allow_rank_1_; }
  std::string_view keras_name() const noexcept;

  std::string name() const override { return std::string(keras_name()); }
  Tensor apply(const Tensor& x, bool training) const override;
  Shape output_shape(const Shape& input) const override;
  Config serialize(Generation generation) const override;

 private:
  AxisKind kind_;
  Axes axes_;
  bool allow_rank_1_;
};

}  // namespace keratin::inline v0::activations::detail
