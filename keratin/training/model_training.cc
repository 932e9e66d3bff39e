// The members of Model that train, evaluate and predict.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/core/text.h"
#include "keratin/models/model.h"
#include "keratin/models/model_body.h"
#include "keratin/ops/ops.h"
#include "keratin/training/batches.h"
#include "keratin/training/step.h"
#include "keratin/training/training.h"

namespace keratin::inline v0 {

/// What compile leaves with a model.
struct TrainingState {
  CompileOptions options;
  double loss_weight = 1;
  /// The names that metrics, then weighted metrics, are reported under.
  std::vector<std::string> names;
};

namespace {

using detail::Batch;
using detail::Batches;
using detail::Samples;
using detail::Stepper;
using detail::StepResult;

const TrainingState& compiled(std::string_view operation, const std::shared_ptr<TrainingState>& state) {
  if (state == nullptr)
    throw StateError(operation, "expects a compiled model", "compile was not called",
                     "Call model.compile({.optimizer = Adam(), .loss = \"mse\"}) first.");
  return *state;
}

const TrainingState& compiled_with_loss(std::string_view operation,
                                        const std::shared_ptr<TrainingState>& state) {
  const TrainingState& known = compiled(operation, state);
  if (!known.options.loss.is_defined())
    throw StateError(operation, "expects a loss", "compile was called without",
                     "Name one, as .loss = \"mse\".");
  return known;
}

// Keras's names where two metrics have the same: mse, mse_1, …, and weighted_mse.
std::vector<std::string> metric_names(const CompileOptions& options) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, const std::string& other) {
    const auto taken = [&](const std::string& n) {
      return std::find(names.begin(), names.end(), n) != names.end();
    };
    std::string chosen = taken(name) ? other : name;
    for (int i = 1; taken(chosen); ++i) chosen = other + "_" + std::to_string(i);
    names.push_back(std::move(chosen));
  };
  for (const Metric& metric : options.metrics) add(metric.name(), metric.name());
  for (const Metric& metric : options.weighted_metrics) add(metric.name(), "weighted_" + metric.name());
  return names;
}

// What a metric counts an element by: the weight, or 0 where the predictions' mask leaves it out.
Tensor masked(Tensor weights, Tensor mask) {
  if (!mask.is_defined()) return weights;
  if (!weights.is_defined()) return ops::cast(mask, DType::float32);
  while (weights.rank() < mask.rank()) weights = weights.expand_dims(-1);
  while (mask.rank() < weights.rank()) mask = mask.expand_dims(-1);
  const DType dtype = weights.dtype() == DType::float64 ? DType::float64 : DType::float32;
  return ops::multiply(ops::cast(weights, dtype), ops::cast(mask, dtype));
}

/// What an epoch has collected: the mean loss by rows, then each metric.
class Collected {
 public:
  explicit Collected(const TrainingState& state) : state_(&state) {
    for (const auto* metrics : {&state.options.metrics, &state.options.weighted_metrics})
      for (const Metric& metric : *metrics) metrics_.push_back(metric.shared_body()->start());
  }

  bool wants_predictions() const { return !metrics_.empty(); }

  void add(const StepResult& result, const Batch& batch, std::int64_t rows) {
    loss_.add(result.loss, static_cast<double>(rows));
    const std::size_t plain = state_->options.metrics.size();
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      metrics_[i]->update(batch.y, result.y_pred,
                          masked(i < plain ? Tensor() : batch.sample_weight, result.mask));
  }

  void add(const Collected& other) {
    loss_.add(other.loss_);
    for (std::size_t i = 0; i < metrics_.size(); ++i) metrics_[i]->merge(*other.metrics_[i]);
  }

  Metrics values(std::string_view prefix = "") const {
    Metrics values;
    values.set(std::string(prefix) + "loss", loss_.value());
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      values.set(std::string(prefix) + state_->names[i], metrics_[i]->result().item());
    return values;
  }

 private:
  const TrainingState* state_;
  RunningMean loss_;
  std::vector<std::unique_ptr<detail::MetricState>> metrics_;
};

// Adds the values of an epoch in the order of the generation's History.
void append(Metrics& logs, Metrics values, Generation generation) {
  if (generation == Generation::keras3) values.sort();
  for (const auto& [name, value] : values) logs.set(name, value);
}

Stepper stepper_of(const Model& model, const TrainingState& state) {
  const CompileOptions& options = state.options;
  return {model, options.loss, state.loss_weight, options.optimizer};
}

Shape input_shape_of(const Tensor& x) {
  Shape shape = x.shape();
  shape[0] = Shape::kUnknown;
  return shape;
}

// Throws before anything changes what the loss would throw at the first batch.
void check_labels(const Model& model, const TrainingState& state, const Samples& samples) {
  state.options.loss.function().check(samples.y, model.compute_output_shape(input_shape_of(samples.x)));
}

std::int64_t steps_of(const Batches& batches, const std::optional<std::int64_t>& limit,
                      std::string_view argument) {
  if (!limit) return batches.count();
  if (*limit < 1) throw ValueError(argument, "expects at least 1", "got " + std::to_string(*limit));
  return std::min(*limit, batches.count());
}

// Batches are independent: each runs on one thread, and their means are added in their order.
Metrics evaluate_samples(const Model& model, const TrainingState& state, const Samples& samples,
                         std::int64_t batch_size, const std::optional<std::int64_t>& limit,
                         std::string_view prefix) {
  const Batches batches(samples, batch_size);
  const Stepper stepper = stepper_of(model, state);
  const std::int64_t steps = steps_of(batches, limit, "evaluate: steps");
  std::vector<Collected> parts;
  for (std::int64_t i = 0; i < steps; ++i) parts.emplace_back(state);
  parallel_for(steps, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Batch batch = batches.batch(i);
      parts[static_cast<std::size_t>(i)].add(stepper.evaluate(batch), batch, batches.rows_of(i));
    }
  });
  Collected all(state);
  for (const Collected& part : parts) all.add(part);
  return all.values(prefix);
}

/// A run of fit: the options checked, the samples split.
class FitRun {
 public:
  FitRun(const Model& model, const TrainingState& state, const Tensor& x, const Tensor& y,
         const FitOptions& options)
      : state_(state), options_(options), run_{.model = model, .optimizer = state.options.optimizer} {
    check_options();
    train_ = detail::check_samples("fit", x, y, options.sample_weight);
    split_validation();
    train_.sample_weight = detail::weights_of_classes(train_.y, options.class_weight, train_.sample_weight,
                                                      model.body().generation);
    if (!model.is_built()) model.build(input_shape_of(train_.x));
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
               evaluate_samples(run_.model, state_, validation_,
                                options_.validation_batch_size.value_or(options_.batch_size),
                                options_.validation_steps, "val_"),
               run_.model.body().generation);
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
  bool has_validation() const { return validation_.x.is_defined(); }

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
      validation_ = detail::check_samples("fit: validation_data", given.x, given.y, given.sample_weight);
    } else if (options_.validation_split != 0) {
      const std::int64_t point = detail::split_point(train_.count(), options_.validation_split);
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
      means.add(*result, batch, batches.rows_of(i));
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

void Model::compile(const CompileOptions& options) {
  if (options.loss_weights.size() > 1)
    throw ValueError("compile", "expects one loss weight, as the model has one output",
                     "got " + std::to_string(options.loss_weights.size()));
  for (const auto* metrics : {&options.metrics, &options.weighted_metrics})
    for (const Metric& metric : *metrics)
      if (!metric.shared_body()->is_scalar())
        throw ValueError("compile", "expects metrics of one number", metric.name() + " gives a list of them",
                         "Give it one threshold or an average.");
  auto state = std::make_shared<TrainingState>(TrainingState{options, 1, metric_names(options)});
  if (!options.loss_weights.empty()) state->loss_weight = options.loss_weights.front();
  if (options.loss.is_defined() && options.loss.function().reduction() == Reduction::none)
    throw ValueError("compile", "expects a loss that is reduced to one number", "its reduction is none",
                     "Take Reduction::sum_over_batch_size.");
  body_->training_state = std::move(state);
  if (auto* body = dynamic_cast<ModelBody*>(body_.get()))
    body->optimizer_variables = [optimizer = options.optimizer] { return optimizer.variables(); };
}

History Model::fit(const Tensor& x, const Tensor& y, const FitOptions& options) {
  const FloatEnvironment environment;
  // A callback may compile again: this run keeps what it began with.
  const std::shared_ptr<TrainingState> state = body_->training_state;
  return FitRun(*this, compiled_with_loss("fit", state), x, y, options).fit();
}
History Model::fit(const Tensor& x, const Tensor& y) { return fit(x, y, FitOptions{}); }

Metrics Model::evaluate(const Tensor& x, const Tensor& y, const EvaluateOptions& options) const {
  const FloatEnvironment environment;
  const std::shared_ptr<TrainingState> state = body_->training_state;
  const TrainingState& known = compiled_with_loss("evaluate", state);
  const Samples samples = detail::check_samples("evaluate", x, y, options.sample_weight);
  if (!is_built()) build(input_shape_of(samples.x));
  check_labels(*this, known, samples);
  return evaluate_samples(*this, known, samples, options.batch_size, options.steps, "");
}
Metrics Model::evaluate(const Tensor& x, const Tensor& y) const { return evaluate(x, y, EvaluateOptions{}); }

Tensor Model::predict(const Tensor& x, const PredictOptions& options) const {
  const FloatEnvironment environment;
  if (!x.is_defined() || x.rank() == 0)
    throw ShapeError("predict", "expects x of shape (samples, ...)",
                     x.is_defined() ? "got a scalar" : "x is undefined");
  if (!is_built()) build(input_shape_of(x));
  const auto call = [&](const Tensor& rows) {
    const RecordGradients off(false);
    return (*this)(rows.detach()).contiguous();
  };
  const Batches batches({x.detach().contiguous(), {}, {}}, options.batch_size);
  const std::int64_t steps = steps_of(batches, options.steps, "predict: steps");
  if (steps <= 1) return call(x.slice(0, 0, std::min(x.shape()[0], options.batch_size))).detach();

  // The first batch tells shape and dtype of the rest, whose batches are independent: each runs on one
  // thread.
  const Tensor first = call(batches.batch(0).x);
  Shape shape = first.shape();
  if (shape.rank() == 0 || shape[0] != batches.rows_of(0))
    throw ShapeError("predict",
                     "expects a result for each of " + std::to_string(batches.rows_of(0)) + " samples",
                     "the model gave shape " + shape.to_string());
  const std::int64_t row_size = first.size() / shape[0];
  const std::int64_t samples = std::min(x.shape()[0], steps * options.batch_size);
  shape[0] = samples;
  Tensor result = Tensor::empty(shape, first.dtype());
  visit(first.dtype(), [&]<class T>(T) {
    const std::span<T> out = result.mutable_values<T>();
    const auto place = [&](std::int64_t index, const Tensor& rows) {
      const auto values = rows.values<T>();
      std::copy(values.begin(), values.end(), out.begin() + index * options.batch_size * row_size);
    };
    place(0, first);
    parallel_for(steps - 1, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin + 1; i < end + 1; ++i) place(i, call(batches.batch(i).x));
    });
  });
  return result;
}
Tensor Model::predict(const Tensor& x) const { return predict(x, PredictOptions{}); }

}  // namespace keratin::inline v0
