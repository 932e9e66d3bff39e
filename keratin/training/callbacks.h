// Callbacks: what may watch training, and stop it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/export.h"
#include "keratin/models/model.h"
#include "keratin/training/history.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0 {

/// What a callback sees of a run of fit, and may change.
struct TrainingRun {
  Model model;
  Optimizer optimizer;
  std::int64_t epochs = 1;
  std::int64_t steps = 0;  ///< of an epoch
  std::int64_t samples = 0;
  /// The first epoch's number; a callback may raise it in on_train_begin.
  std::int64_t initial_epoch = 0;
  /// Whether there are samples to validate on.
  bool validates = false;
  /// Set it, and training ends: after this batch, or after the epoch, which is reported as far as it got.
  bool stop_training = false;
  /// What a callback adds to the epoch's logs in on_epoch_end, as "learning_rate": those after it and the
  /// History see it.
  Metrics reported = {};
};

/// Derive and override what is needed. Epochs and batches count from 0; `logs` hold the means of the epoch so
/// far, at its end also those of the validation. Called on the thread of fit. Keras:
/// keras.callbacks.Callback.
class KERATIN_API Callback {
 public:
  virtual ~Callback();
  virtual void on_train_begin(TrainingRun& /*run*/) {}
  virtual void on_train_end(TrainingRun& /*run*/, const Metrics& /*logs*/) {}
  virtual void on_epoch_begin(TrainingRun& /*run*/, std::int64_t /*epoch*/) {}
  virtual void on_epoch_end(TrainingRun& /*run*/, std::int64_t /*epoch*/, const Metrics& /*logs*/) {}
  virtual void on_train_batch_begin(TrainingRun& /*run*/, std::int64_t /*batch*/) {}
  virtual void on_train_batch_end(TrainingRun& /*run*/, std::int64_t /*batch*/, const Metrics& /*logs*/) {}
  /// Around each validation of fit; the logs are those of the validation alone, under evaluate's names.
  virtual void on_test_begin(TrainingRun& /*run*/) {}
  virtual void on_test_end(TrainingRun& /*run*/, const Metrics& /*logs*/) {}
  /// A batch's loss was NaN or infinite; the weights are those before it. True to end training there, else
  /// the error is thrown.
  virtual bool on_not_finite(TrainingRun& /*run*/, std::int64_t /*batch*/, const NumericError& /*error*/) {
    return false;
  }
};

/// A callback in a list: one of its own, or one that the caller keeps a pointer to.
class KERATIN_API CallbackPointer {
 public:
  template <std::derived_from<Callback> C>
  CallbackPointer(C callback) : callback_(std::make_shared<C>(std::move(callback))) {}
  template <std::derived_from<Callback> C>
  CallbackPointer(std::shared_ptr<C> callback) : callback_(std::move(callback)) {}
  Callback* operator->() const noexcept { return callback_.get(); }

 private:
  std::shared_ptr<Callback> callback_;
};

/// Functions in place of a class. Keras: keras.callbacks.LambdaCallback.
class KERATIN_API LambdaCallback : public Callback {
 public:
  struct Functions {
    std::function<void(TrainingRun&, std::int64_t epoch)> on_epoch_begin = nullptr;
    std::function<void(TrainingRun&, std::int64_t epoch, const Metrics& logs)> on_epoch_end = nullptr;
    std::function<void(TrainingRun&)> on_train_begin = nullptr;
    std::function<void(TrainingRun&, const Metrics& logs)> on_train_end = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch)> on_train_batch_begin = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch, const Metrics& logs)> on_train_batch_end = nullptr;
  };
  explicit LambdaCallback(Functions functions) : functions_(std::move(functions)) {}

  void on_train_begin(TrainingRun& run) override;
  void on_train_end(TrainingRun& run, const Metrics& logs) override;
  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_batch_begin(TrainingRun& run, std::int64_t batch) override;
  void on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;

 private:
  Functions functions_;
};

struct ProgressBarOptions {
  /// Null: standard output.
  std::ostream* stream = nullptr;
  /// A bar that is drawn over itself, or a line an epoch. Unset: a bar if the stream is standard output or
  /// error and that is a terminal.
  std::optional<bool> in_place = std::nullopt;
  int width = 20;
};

/// Shows training as Keras does. The stream has to outlive it.
class KERATIN_API ProgressBar : public Callback {
 public:
  explicit ProgressBar(const ProgressBarOptions& options = {});
  explicit ProgressBar(std::ostream& stream) : ProgressBar(ProgressBarOptions{.stream = &stream}) {}

  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const TrainingRun& run, std::int64_t done, const Metrics& logs, bool last);

  std::ostream* stream_;
  bool in_place_;
  int width_;
  Clock::time_point start_, drawn_;
  std::size_t drawn_columns_ = 0;
};

}  // namespace keratin::inline v0
