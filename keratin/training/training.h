// Training a model: the options of compile, fit, evaluate and predict, and the single step below them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/models/model.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/callbacks.h"
#include "keratin/training/checkpoint.h"
#include "keratin/training/history.h"
#include "keratin/training/logging.h"
#include "keratin/training/losses.h"
#include "keratin/training/metrics.h"
#include "keratin/training/monitoring.h"
#include "keratin/training/multi_optimizer.h"
#include "keratin/training/optimizers.h"
#include "keratin/training/per_output.h"
#include "keratin/training/swap_ema_weights.h"

namespace keratin::inline v0 {

// Whose order of History, rules for weights and penalties of frozen weights: those of the generation that the
// model came from (LayerBody::generation), Keras 3 for new ones.

/// Keras: Model.compile, in its order.
struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  /// With several outputs, one for all, one for each or by their names; History then has the loss of each,
  /// "price_loss", before its weight.
  PerOutput<Loss> loss = {};
  /// What the losses are multiplied by before they are added; 1 where left out.
  PerOutput<std::optional<double>> loss_weights = {};
  /// Means over the samples; sample_weight and class_weight do not reach them. With several outputs reported
  /// as "price_mae".
  MetricSets metrics = {};
  /// Means weighted with sample_weight or class_weight.
  MetricSets weighted_metrics = {};
  /// Where a layer computes in float16, the optimizer becomes a LossScaleOptimizer if it is none.
  bool auto_scale_loss = true;
};

/// Samples to validate on; undefined tensors for none.
struct ValidationData {
  TensorList x = {};
  TensorList y = {};
  TensorList sample_weight = {};
};

/// Keras: Model.fit, in its order.
struct FitOptions {
  std::int64_t batch_size = 32;
  /// The last epoch's number, as initial_epoch counts too.
  std::int64_t epochs = 1;
  /// 0: silent, the default, as the library prints only where it is asked to. 1: a ProgressBar on standard
  /// output. 2: a line an epoch there.
  int verbose = 0;
  std::vector<CallbackPointer> callbacks = {};
  /// The last share of the samples, cut off before shuffling, becomes validation_data.
  double validation_split = 0.0;
  ValidationData validation_data = {};
  /// The training samples anew before each epoch, from set_random_seed.
  bool shuffle = true;
  /// Weight of each class; classes count as argmax of the label, or the label rounded. Never applied to
  /// validation. For models of one output.
  std::map<std::int64_t, double> class_weight = {};
  /// With several outputs: one for all of them, or one for each.
  TensorList sample_weight = {};
  std::int64_t initial_epoch = 0;
  /// At most so many batches an epoch.
  std::optional<std::int64_t> steps_per_epoch = std::nullopt;
  std::optional<std::int64_t> validation_steps = std::nullopt;
  /// Default: batch_size.
  std::optional<std::int64_t> validation_batch_size = std::nullopt;
  /// Validate after every so many epochs.
  std::int64_t validation_freq = 1;
};

/// Keras: Model.evaluate.
struct EvaluateOptions {
  std::int64_t batch_size = 32;
  TensorList sample_weight = {};
  /// At most so many batches.
  std::optional<std::int64_t> steps = std::nullopt;
  std::vector<CallbackPointer> callbacks = {};
};

/// Keras: Model.predict.
struct PredictOptions {
  std::int64_t batch_size = 32;
  /// At most so many batches.
  std::optional<std::int64_t> steps = std::nullopt;
  std::vector<CallbackPointer> callbacks = {};
};

/// Keras: Model.train_on_batch and test_on_batch.
struct BatchOptions {
  TensorList sample_weight = {};
  std::map<std::int64_t, double> class_weight = {};
};

/// One step of training without compile: forward with training on, loss plus penalties, gradients, update,
/// constraints. Gives the loss before the update. NumericError if it is not finite; then no weight has
/// changed. x: (batch, ...), y and sample_weight as the loss takes them; with several inputs or outputs lists
/// in order or by name, and losses and their weights as compile takes them. Builds the model if need be.
KERATIN_API double train_step(const Model& model, const PerOutput<Loss>& loss, Optimizer& optimizer,
                              const TensorList& x, const TensorList& y, const TensorList& sample_weight = {},
                              const PerOutput<std::optional<double>>& loss_weights = {});

}  // namespace keratin::inline v0
