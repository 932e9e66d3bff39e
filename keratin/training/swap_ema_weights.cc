#include "keratin/training/swap_ema_weights.h"

#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

void put_averages(TrainingRun& run, bool in_place) {
  if (run.optimizer.averages_swapped() != in_place)
    run.optimizer.swap_averages(run.model.trainable_variables());
}

}  // namespace

void SwapEMAWeights::on_train_begin(TrainingRun& run) {
  if (!run.optimizer.use_ema()) {
    throw ValueError("SwapEMAWeights", "expects an optimizer that keeps averages",
                     "got " + run.optimizer.name() + " without use_ema",
                     "Make the optimizer with {.use_ema = true}.");
  }
  // An earlier run may have ended in an error while the averages were in place.
  put_averages(run, false);
}
void SwapEMAWeights::on_epoch_begin(TrainingRun& run, std::int64_t) { put_averages(run, false); }
void SwapEMAWeights::on_epoch_end(TrainingRun& run, std::int64_t, const Metrics&) {
  if (options_.swap_on_epoch) put_averages(run, true);
}
void SwapEMAWeights::on_test_begin(TrainingRun& run) { put_averages(run, true); }
void SwapEMAWeights::on_test_end(TrainingRun& run, const Metrics&) { put_averages(run, false); }
void SwapEMAWeights::on_predict_begin(TrainingRun& run) { put_averages(run, true); }
void SwapEMAWeights::on_predict_end(TrainingRun& run) { put_averages(run, false); }

}  // namespace keratin::inline v0
