// Callbacks that act on a number of the logs: stop, slow down, set the learning rate.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/training/callbacks.h"

namespace keratin::inline v0 {

namespace detail {

/// A number of the logs, and which of two values is the better one.
class KERATIN_API Monitor {
 public:
  /// mode "min", "max", or "auto": by the name, accuracies, scores and counts of hits are better the higher.
  /// An improvement is one by more than min_delta. ValueError for another mode.
  Monitor(std::string_view owner, std::string name, std::string_view mode, double min_delta);

  const std::string& name() const noexcept { return name_; }
  /// Nothing in an epoch that did not validate; ValueError names what there is where there is no such number.
  std::optional<double> value_in(const TrainingRun& run, const Metrics& logs) const;
  /// Anything is better than nothing.
  bool improves(double value, const std::optional<double>& reference) const;

 private:
  std::string owner_, name_;
  bool higher_is_better_;
  double min_delta_;
};

}  // namespace detail

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  std::int64_t patience = 0;
  std::string mode = "auto";
  std::optional<double> baseline = std::nullopt;
  bool restore_best_weights = false;
  std::int64_t start_from_epoch = 0;
};

/// Ends training after `patience` epochs without an improvement by more than min_delta over the best and, if
/// given, over the baseline. restore_best_weights: at the end the model has the weights of its best epoch
/// (in Keras 2 only where training was ended so).
/// Keras: keras.callbacks.EarlyStopping.
class KERATIN_API EarlyStopping : public Callback {
 public:
  /// ValueError for an unknown mode.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});
  void on_train_begin(TrainingRun& run) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_end(TrainingRun& run, const Metrics& logs) override;
  /// The epoch after which training was ended, from 0; -1 if it was not.
  std::int64_t stopped_epoch() const noexcept { return stopped_epoch_; }
  /// The epoch of the best value, from 0.
  std::int64_t best_epoch() const noexcept { return best_epoch_; }

 private:
  EarlyStoppingOptions options_;
  detail::Monitor monitor_;
  std::optional<double> best_;
  Tensors best_weights_;
  std::int64_t wait_ = 0, stopped_epoch_ = -1, best_epoch_ = 0;
};

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;
  std::int64_t patience = 10;
  std::string mode = "auto";
  double min_delta = 1e-4;
  std::int64_t cooldown = 0;
  double min_lr = 0.0;
};

/// Multiplies the learning rate by `factor`, down to min_lr, after `patience` epochs without an improvement;
/// then rests for `cooldown` epochs. Reports "learning_rate". Keras: keras.callbacks.ReduceLROnPlateau.
class KERATIN_API ReduceLROnPlateau : public Callback {
 public:
  /// ValueError for a factor of 1 or more and an unknown mode.
  explicit ReduceLROnPlateau(const ReduceLROnPlateauOptions& options = {});
  void on_train_begin(TrainingRun& run) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;

 private:
  ReduceLROnPlateauOptions options_;
  detail::Monitor monitor_;
  std::optional<double> best_;
  std::int64_t wait_ = 0, cooldown_ = 0;
};

/// Sets the learning rate before each epoch: schedule(epoch, rate so far). Reports "learning_rate".
/// Keras: keras.callbacks.LearningRateScheduler.
class KERATIN_API LearningRateScheduler : public Callback {
 public:
  explicit LearningRateScheduler(std::function<double(std::int64_t epoch, double learning_rate)> schedule);
  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;

 private:
  std::function<double(std::int64_t, double)> schedule_;
};

/// Ends training at a loss that is NaN or infinite, in place of the error. The weights are those before that
/// batch. Keras: keras.callbacks.TerminateOnNaN.
class KERATIN_API TerminateOnNaN : public Callback {
 public:
  bool on_not_finite(TrainingRun& run, std::int64_t batch, const NumericError& error) override;
};

}  // namespace keratin::inline v0
