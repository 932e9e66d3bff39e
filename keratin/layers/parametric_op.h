// A formula of x and parameters as an op, recorded. Internal.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "keratin/activations/expression.h"
#include "keratin/activations/tape.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// Immutable but for its derivatives, which are made when first asked for.
class ParametricFunction {
 public:
  explicit ParametricFunction(const Expr& formula) : formula_(formula), tape_(formula.shared()) {}

  const Expr& formula() const noexcept { return formula_; }
  const Tape& tape() const noexcept { return tape_; }
  /// By x, or by a parameter, whose place is one more than its number.
  std::shared_ptr<const ParametricFunction> derivative(std::size_t place) const;

 private:
  Expr formula_;
  Tape tape_;
  mutable std::mutex mutex_;
  mutable std::map<std::size_t, std::shared_ptr<const ParametricFunction>> derivatives_;
};

/// f(x, parameters) for each element. x: (batch, ...), each parameter: broadcast to what follows the batch
/// axis; all float32 or all float64. Gradients of every order.
Tensor parametric(const std::shared_ptr<const ParametricFunction>& function, const Tensor& x,
                  const Tensors& parameters);

}  // namespace keratin::inline v0::detail
