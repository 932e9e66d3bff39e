// An expression as an activation. Internal.
#pragma once

#include <memory>
#include <string>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/tape.h"

namespace keratin::inline v0 {

/// Run by tapes, one for the value and one for the gradient.
class ExpressionFunction final : public ElementwiseFunction {
 public:
  explicit ExpressionFunction(Expr expression);

  const Expr& expression() const noexcept { return expression_; }
  std::string name() const override { return expression_.to_string(); }
  Config serialize(Generation generation) const override;
  void forward(const float* x, float* y, std::size_t count) const override;
  void forward(const double* x, double* y, std::size_t count) const override;
  void gradient(const float* x, const float* upstream, float* out, std::size_t count) const override;
  void gradient(const double* x, const double* upstream, double* out, std::size_t count) const override;

 private:
  Expr expression_;
  Tape value_, gradient_;
};

namespace detail {

/// The expression with whatever is a built-in in other words (x·sigmoid(x), log(1 + exp(x))) replaced by it.
Expr recognised(const Expr& expression);

}  // namespace detail
}  // namespace keratin::inline v0
