// One training step of a model whose weights and constraints were looked up once. Internal.
#pragma once

#include <vector>

#include "keratin/layers/layer.h"
#include "keratin/models/model.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/losses.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0::detail {

/// One x for each input; one y and sample_weight for each output, undefined where there is none.
struct Batch {
  Tensors x, y, sample_weight;
};

/// What one output is compared by; no loss for one that is not.
struct OutputLoss {
  Loss loss;
  double weight;
};

struct StepResult {
  double loss;
  std::vector<double> losses;  ///< of each output, before its weight; empty where there is one output
  Tensors y_pred;              ///< not recorded; empty unless asked for
  Tensors masks;               ///< of the predictions; undefined where all count
};

class Stepper {
 public:
  Stepper(const Model& model, std::vector<OutputLoss> losses, Optimizer optimizer);

  /// See train_step. With `keep_predictions` for metrics.
  StepResult step(const Batch& batch, bool keep_predictions);
  /// The same without training: loss and predictions.
  StepResult evaluate(const Batch& batch) const;

 private:
  /// The loss with all penalties; predictions and their masks go into `result`.
  Tensor total_loss(const Batch& batch, bool training, StepResult& result) const;
  [[noreturn]] void throw_not_finite(double loss, const Batch& batch) const;

  Model model_;
  std::vector<OutputLoss> losses_;
  Optimizer optimizer_;
  std::vector<Variable> variables_;
  std::vector<Weight> constrained_, regularized_;
};

}  // namespace keratin::inline v0::detail
