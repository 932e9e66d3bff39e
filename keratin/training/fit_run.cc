// A run of Model.fit.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/training/training_state.h"

namespace keratin::inline v0::detail {
namespace {

/// A run of fit: the options checked, the samples split.
class FitRun {
 public:
  FitRun(const Model& model, const TrainingState& state, const TensorList& x, const TensorList& y,
         const FitOptions& options)
      : state_(state), options_(options), run_{.model = model, .optimizer = state.options.optimizer} {
    check_options();
    train_ = samples_of("fit", state, x, y, options.sample_weight);
    split_validation();
    weigh_classes(train_, options.class_weight, model.body().generation);
    check_labels(model, state, train_);
    if (has_validation()) check_labels(model, state, validation_);
    callbacks_ = options.callbacks;
    if (options.verbose == 1) callbacks_.emplace_back(ProgressBar());
    if (options.verbose == 2) callbacks_.emplace_back(ProgressBar({.in_place = false}));
  }

  History fit() {
    Batches batches(train_, options_.batch_size);
    Stepper stepper = stepper_of(run_.model, state_);
    run_.epochs = options_.epochs;
    run_.steps = steps_of(batches, options_.steps_per_epoch, "fit: steps_per_epoch");
    run_.samples = train_.count();
    run_.initial_epoch = options_.initial_epoch;
    run_.validates = has_validation();
    History history;
    Metrics logs;
    for (const auto& callback : callbacks_) callback->on_train_begin(run_);
    for (std::int64_t epoch = run_.initial_epoch; epoch < options_.epochs && !run_.stop_training; ++epoch) {
      for (const auto& callback : callbacks_) callback->on_epoch_begin(run_, epoch);
      if (options_.shuffle) batches.shuffle();
      logs = Metrics();
      append(logs, train_epoch(batches, stepper, epoch).values(), run_.model.body().generation);
      if (has_validation() && (epoch + 1) % options_.validation_freq == 0)
        append(logs,
               evaluate_samples(state_, validation_,
                                options_.validation_batch_size.value_or(options_.batch_size),
                                options_.validation_steps, run_, callbacks_),
               run_.model.body().generation, "val_");
      run_.reported = Metrics();
      for (const auto& callback : callbacks_) {
        callback->on_epoch_end(run_, epoch, logs);
        for (const auto& [name, value] : run_.reported) logs.set(name, value);
      }
      history.append(epoch, logs);
    }
    run_.optimizer.finalize_variable_values(run_.model.trainable_variables());
    for (const auto& callback : callbacks_) callback->on_train_end(run_, logs);
    return history;
  }

 private:
  bool has_validation() const { return !validation_.x.empty(); }

  void check_options() const {
    const auto at_least = [](const char* name, std::int64_t value, std::int64_t least) {
      if (value < least)
        throw ValueError("fit", std::string("expects ") + name + " of at least " + std::to_string(least),
                         "got " + std::to_string(value));
    };
    at_least("batch_size", options_.batch_size, 1);
    at_least("epochs", options_.epochs, 0);
    at_least("initial_epoch", options_.initial_epoch, 0);
    at_least("validation_freq", options_.validation_freq, 1);
    at_least("validation_batch_size", options_.validation_batch_size.value_or(1), 1);
    if (options_.verbose < 0 || options_.verbose > 2)
      throw ValueError("fit", "expects verbose 0, 1 or 2", "got " + std::to_string(options_.verbose));
  }

  void split_validation() {
    const ValidationData& given = options_.validation_data;
    if (given.x.is_defined()) {
      validation_ = samples_of("fit: validation_data", state_, given.x, given.y, given.sample_weight);
    } else if (options_.validation_split != 0) {
      const std::int64_t point = split_point(train_.count(), options_.validation_split);
      validation_ = train_.rows(point, train_.count());
      train_ = train_.rows(0, point);
    }
  }

  Collected train_epoch(const Batches& batches, Stepper& stepper, std::int64_t epoch) {
    Collected means(state_);
    for (std::int64_t i = 0; i < run_.steps; ++i) {
      for (const auto& callback : callbacks_) callback->on_train_batch_begin(run_, i);
      const Batch batch = batches.batch(i);
      const auto result = guarded_step(stepper, batch, means.wants_predictions(), epoch, i);
      if (!result) return means;
      means.add(*result, batch);
      if (callbacks_.empty()) continue;
      Metrics logs;
      append(logs, means.values(), run_.model.body().generation);
      for (const auto& callback : callbacks_) callback->on_train_batch_end(run_, i, logs);
      if (run_.stop_training) break;
    }
    return means;
  }

  // The step, with its place in an error's words; nothing where a callback ends training instead.
  std::optional<StepResult> guarded_step(Stepper& stepper, const Batch& batch, bool keep_predictions,
                                         std::int64_t epoch, std::int64_t step) {
    try {
      return stepper.step(batch, keep_predictions);
    } catch (const NumericError& error) {
      for (const auto& callback : callbacks_)
        run_.stop_training = callback->on_not_finite(run_, step, error) || run_.stop_training;
      if (run_.stop_training) return std::nullopt;
      throw NumericError("fit", error.expected(),
                         error.received() + " at step " + std::to_string(step + 1) + " of " +
                             std::to_string(run_.steps) + " in epoch " + std::to_string(epoch + 1),
                         error.advice());
    }
  }

  const TrainingState& state_;
  const FitOptions& options_;
  TrainingRun run_;
  Samples train_, validation_;
  std::vector<CallbackPointer> callbacks_;
};

}  // namespace

History run_fit(const Model& model, const TrainingState& state, const TensorList& x, const TensorList& y,
                const FitOptions& options) {
  return FitRun(model, state, x, y, options).fit();
}

}  // namespace keratin::inline v0::detail
