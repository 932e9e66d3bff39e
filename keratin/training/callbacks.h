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
#include <typeinfo>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/export.h"
#include "keratin/models/model.h"
#include "keratin/training/history.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0 {

/// What a callback sees of a run of fit, evaluate or predict, and may change.
struct TrainingRun {
  Model model;
  /// That of compile; where predict runs without, a new one.
  Optimizer optimizer;
  std::int64_t epochs = 1;
  std::int64_t steps = 0;  ///< of an epoch, or of evaluate or predict
  std::int64_t samples = 0;
  /// The first epoch's number; a callback may raise it in on_train_begin.
  std::int64_t initial_epoch = 0;
  /// Whether there are samples to validate on.
  bool validates = false;
  /// Set it, and training ends: after this batch, or after the epoch, which is reported as far as it got.
  bool stop_training = false;
  /// The same for the evaluation or prediction that runs: it ends after this batch.
  bool stop_evaluating = false, stop_predicting = false;
  /// What a callback adds to the epoch's logs in on_epoch_end, as "learning_rate": those after it and the
  /// History see it.
  Metrics reported = {};
};

/// Derive and override what is needed. Epochs and batches count from 0; `logs` hold the means of the epoch so
/// far, at its end also those of the validation. Called on the thread of fit, evaluate or predict, whose
/// batches run one after the other where a callback of the list overrides what is called around them, else
/// several at once. Keras: keras.callbacks.Callback.
class KERATIN_API Callback {
 public:
  virtual ~Callback();
  virtual void on_train_begin(TrainingRun& /*run*/) {}
  virtual void on_train_end(TrainingRun& /*run*/, const Metrics& /*logs*/) {}
  virtual void on_epoch_begin(TrainingRun& /*run*/, std::int64_t /*epoch*/) {}
  virtual void on_epoch_end(TrainingRun& /*run*/, std::int64_t /*epoch*/, const Metrics& /*logs*/) {}
  virtual void on_train_batch_begin(TrainingRun& /*run*/, std::int64_t /*batch*/) {}
  virtual void on_train_batch_end(TrainingRun& /*run*/, std::int64_t /*batch*/, const Metrics& /*logs*/) {}
  /// Around evaluate and each validation of fit; the logs are those of the evaluation alone, under its names.
  virtual void on_test_begin(TrainingRun& /*run*/) {}
  virtual void on_test_end(TrainingRun& /*run*/, const Metrics& /*logs*/) {}
  virtual void on_test_batch_begin(TrainingRun& /*run*/, std::int64_t /*batch*/) {}
  virtual void on_test_batch_end(TrainingRun& /*run*/, std::int64_t /*batch*/, const Metrics& /*logs*/) {}
  /// Around predict; `outputs`: what the model gave for the batch.
  virtual void on_predict_begin(TrainingRun& /*run*/) {}
  virtual void on_predict_end(TrainingRun& /*run*/) {}
  virtual void on_predict_batch_begin(TrainingRun& /*run*/, std::int64_t /*batch*/) {}
  virtual void on_predict_batch_end(TrainingRun& /*run*/, std::int64_t /*batch*/,
                                    const Tensors& /*outputs*/) {}
  /// A batch's loss was NaN or infinite; the weights are those before it. True to end training there, else
  /// the error is thrown.
  virtual bool on_not_finite(TrainingRun& /*run*/, std::int64_t /*batch*/, const NumericError& /*error*/) {
    return false;
  }
};

namespace detail {

// A class that does not override a function of Callback has Callback's own. One that hides it counts as
// overriding, and so does what is derived from the class that it is known as; a class may also answer by
// itself.
#define KERATIN_KEEPS(C, function)                                   \
  (requires {                                                        \
    { &C::function } -> std::same_as<decltype(&Callback::function)>; \
  })
template <class C>
bool watches_test_batches(const C& callback) {
  if (typeid(callback) != typeid(C)) return true;
  if constexpr (requires { callback.watches_test_batches(); })
    return callback.watches_test_batches();
  else
    return !KERATIN_KEEPS(C, on_test_batch_begin) || !KERATIN_KEEPS(C, on_test_batch_end);
}
template <class C>
bool watches_predict_batches(const C& callback) {
  if (typeid(callback) != typeid(C)) return true;
  if constexpr (requires { callback.watches_predict_batches(); })
    return callback.watches_predict_batches();
  else
    return !KERATIN_KEEPS(C, on_predict_batch_begin) || !KERATIN_KEEPS(C, on_predict_batch_end);
}
#undef KERATIN_KEEPS

}  // namespace detail

/// A callback in a list: one of its own, or one that the caller keeps a pointer to.
class KERATIN_API CallbackPointer {
 public:
  template <std::derived_from<Callback> C>
  CallbackPointer(C callback) : CallbackPointer(std::make_shared<C>(std::move(callback))) {}
  /// ValueError for a null pointer.
  template <std::derived_from<Callback> C>
  CallbackPointer(std::shared_ptr<C> callback)
      : watches_test_batches_(detail::watches_test_batches(known(callback.get()))),
        watches_predict_batches_(detail::watches_predict_batches(*callback)),
        callback_(std::move(callback)) {}
  Callback* operator->() const noexcept { return callback_.get(); }

  /// Whether it may do something around each batch of evaluate, of predict.
  bool watches_test_batches() const noexcept { return watches_test_batches_; }
  bool watches_predict_batches() const noexcept { return watches_predict_batches_; }

 private:
  template <class C>
  static const C& known(const C* callback) {
    if (callback != nullptr) return *callback;
    throw ValueError("callbacks", "expects callbacks", "got a null pointer", "Leave it out of the list.");
  }

  bool watches_test_batches_, watches_predict_batches_;
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
    std::function<void(TrainingRun&)> on_test_begin = nullptr;
    std::function<void(TrainingRun&, const Metrics& logs)> on_test_end = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch)> on_test_batch_begin = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch, const Metrics& logs)> on_test_batch_end = nullptr;
    std::function<void(TrainingRun&)> on_predict_begin = nullptr;
    std::function<void(TrainingRun&)> on_predict_end = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch)> on_predict_batch_begin = nullptr;
    std::function<void(TrainingRun&, std::int64_t batch, const Tensors& outputs)> on_predict_batch_end =
        nullptr;
  };
  explicit LambdaCallback(Functions functions) : functions_(std::move(functions)) {}

  void on_train_begin(TrainingRun& run) override;
  void on_train_end(TrainingRun& run, const Metrics& logs) override;
  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_batch_begin(TrainingRun& run, std::int64_t batch) override;
  void on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;
  void on_test_begin(TrainingRun& run) override;
  void on_test_end(TrainingRun& run, const Metrics& logs) override;
  void on_test_batch_begin(TrainingRun& run, std::int64_t batch) override;
  void on_test_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;
  void on_predict_begin(TrainingRun& run) override;
  void on_predict_end(TrainingRun& run) override;
  void on_predict_batch_begin(TrainingRun& run, std::int64_t batch) override;
  void on_predict_batch_end(TrainingRun& run, std::int64_t batch, const Tensors& outputs) override;
  bool watches_test_batches() const { return functions_.on_test_batch_begin || functions_.on_test_batch_end; }
  bool watches_predict_batches() const {
    return functions_.on_predict_batch_begin || functions_.on_predict_batch_end;
  }

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
