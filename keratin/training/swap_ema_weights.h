// SwapEMAWeights: validation and predictions on the moving averages of the weights.
#pragma once

#include <cstdint>

#include "keratin/core/export.h"
#include "keratin/training/callbacks.h"

namespace keratin::inline v0 {

struct SwapEMAWeightsOptions {
  /// From the end of each epoch to the beginning of the next, so that callbacks after this one, a
  /// ModelCheckpoint, see the averages too.
  bool swap_on_epoch = false;
};

/// Validation, evaluate and predict see the averages that the optimizer keeps with use_ema in place of the
/// weights. However training ends, the model has the averages then, as use_ema alone gives. A
/// BackupAndRestore goes before this in the list: behind it, with swap_on_epoch, it would keep weights and
/// averages in each other's places. ValueError without use_ema. Keras: keras.callbacks.SwapEMAWeights.
class KERATIN_API SwapEMAWeights : public Callback {
 public:
  explicit SwapEMAWeights(const SwapEMAWeightsOptions& options = {}) : options_(options) {}
  void on_train_begin(TrainingRun& run) override;
  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_test_begin(TrainingRun& run) override;
  void on_test_end(TrainingRun& run, const Metrics& logs) override;
  void on_predict_begin(TrainingRun& run) override;
  void on_predict_end(TrainingRun& run) override;

 private:
  SwapEMAWeightsOptions options_;
};

}  // namespace keratin::inline v0
