// One training step of a model whose weights and constraints were looked up once. Internal.
#pragma once

#include <vector>

#include "keratin/layers/layer.h"
#include "keratin/models/model.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/losses.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0::detail {

struct Batch {
  Tensor x, y, sample_weight;
};

struct StepResult {
  double loss;
  Tensor y_pred;  ///< not recorded; undefined unless asked for
  Tensor mask;    ///< of the predictions; undefined where all count
};

class Stepper {
 public:
  Stepper(const Model& model, Loss loss, double loss_weight, Optimizer optimizer);

  /// See train_step. With `keep_predictions` for metrics.
  StepResult step(const Batch& batch, bool keep_predictions);
  /// The same without training: loss and predictions.
  StepResult evaluate(const Batch& batch) const;

 private:
  /// The loss with all penalties; predictions and their mask go into `result`.
  Tensor total_loss(const Batch& batch, bool training, StepResult& result) const;
  [[noreturn]] void throw_not_finite(double loss, const Batch& batch) const;

  Model model_;
  Loss loss_;
  double loss_weight_;
  Optimizer optimizer_;
  std::vector<Variable> variables_;
  std::vector<Weight> constrained_;
};

}  // namespace keratin::inline v0::detail
