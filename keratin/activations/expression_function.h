// An expression as an activation. Internal.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/adaptive_tape.h"
#include "keratin/activations/expression.h"
#include "keratin/activations/fitted/fitted_table.h"

namespace keratin::inline v0 {

/// The tables that an expression runs on in f32, where it has them.
struct ExpressionTables {
  std::optional<detail::FittedTable> value, gradient;
};

/// Run by tapes, one for the value and one for the gradient; in f32 by a table inside its range.
class ExpressionFunction final : public ElementwiseFunction {
 public:
  /// Without tables it runs on tapes alone.
  explicit ExpressionFunction(Expr expression, ExpressionTables tables = {});
  /// With the tables that can be fitted.
  static std::shared_ptr<const ExpressionFunction> fitted(const Expr& expression);

  /// With tables from a file; ValueError if one is not that of the expression.
  static std::shared_ptr<const ExpressionFunction> checked(const Expr& expression, ExpressionTables tables);

  const ExpressionTables& tables() const noexcept { return tables_; }
  std::string explain() const;

  const Expr& expression() const noexcept { return expression_; }
  std::string name() const override { return expression_.to_string(); }
  Config serialize(Generation generation) const override;
  void forward(const float* x, float* y, std::size_t count) const override;
  void forward(const double* x, double* y, std::size_t count) const override;
  void gradient(const float* x, const float* upstream, float* out, std::size_t count) const override;
  void gradient(const double* x, const double* upstream, double* out, std::size_t count) const override;
  std::shared_ptr<const ElementwiseFunction> derivative() const override;

 private:
  void value_of(const double* x, double* y, std::size_t count) const;
  void slope_of(const double* x, double* y, std::size_t count) const;
  using Evaluation = decltype(&ExpressionFunction::value_of);
  detail::DoubleFunction evaluator(Evaluation evaluation) const;

  Expr expression_;
  AdaptiveTape value_, gradient_;
  bool fit_was_tried_ = false;
  ExpressionTables tables_;
};

namespace detail {

/// The expression with whatever is a built-in in other words (x·sigmoid(x), log(1 + exp(x))) replaced by it.
Expr recognised(const Expr& expression);
/// f' on tapes, for the gradient of a gradient. The last ones made are remembered.
std::shared_ptr<const ElementwiseFunction> derivative_function(const Expr& f);

}  // namespace detail
}  // namespace keratin::inline v0
