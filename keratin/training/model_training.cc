// The members of Model that train, evaluate and predict.
#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/core/text.h"
#include "keratin/models/model_body.h"
#include "keratin/training/compile_config.h"
#include "keratin/training/training_state.h"

namespace keratin::inline v0 {
namespace detail {

std::int64_t steps_of(const Batches& batches, const std::optional<std::int64_t>& limit,
                      std::string_view argument) {
  if (!limit) return batches.count();
  if (*limit < 1) throw ValueError(argument, "expects at least 1", "got " + std::to_string(*limit));
  return std::min(*limit, batches.count());
}

}  // namespace detail

namespace {

using detail::Batch;
using detail::Batches;
using detail::Samples;

// All samples as one batch.
Batch batch_of(std::string_view operation, const Model& model, const TrainingState& state,
               const TensorList& x, const TensorList& y, const BatchOptions& options) {
  Samples samples = detail::samples_of(operation, state, x, y, options.sample_weight);
  detail::weigh_classes(samples, options.class_weight, model.body().generation);
  detail::check_labels(model, state, samples);
  return {std::move(samples.x), std::move(samples.y), std::move(samples.sample_weight)};
}

// What one batch is reported as.
Metrics report(const TrainingState& state, Generation generation, const detail::StepResult& result,
               const Batch& batch) {
  detail::Collected collected(state);
  collected.add(result, batch);
  Metrics logs;
  detail::append(logs, collected.values(), generation);
  return logs;
}

// The inputs in order, built for.
Tensors inputs_of(std::string_view operation, const Model& model, const TensorList& x) {
  // The name of the only input, a tenth of a small prediction to look up, is not needed.
  const bool has_one = model.is_built() ? model.body().built_shapes.size() == 1 : !model.body().has_lists();
  const bool is_plain = x.names().empty() && x.tensors().size() == 1 && has_one;
  Tensors inputs = is_plain ? x.tensors() : x.in_order(model.input_names(), operation, "x");
  for (Tensor& input : inputs) {
    if (!input.is_defined() || input.rank() == 0)
      throw ShapeError(operation, "expects x of shape (samples, ...)",
                       input.is_defined() ? "got a scalar" : "x is undefined");
    if (input.shape()[0] != inputs.front().shape()[0])
      throw ShapeError(
          operation, "expects as many rows in each input",
          "got shapes " + inputs.front().shape().to_string() + " and " + input.shape().to_string());
    input = input.detach().contiguous();
  }
  if (!model.is_built()) model.build_list(detail::input_shapes_of(inputs));
  return inputs;
}

Tensors outputs_of(const Model& model, const Tensors& inputs) {
  const RecordGradients off(false);
  Tensors outputs = model.call(inputs);
  for (Tensor& output : outputs) output = output.contiguous();
  return outputs;
}

// Room for the results of all samples, whose rows look like those of the first batch.
Tensor room_for(const Tensor& first, std::int64_t first_rows, std::int64_t samples) {
  Shape shape = first.shape();
  if (shape.rank() == 0 || shape[0] != first_rows)
    throw ShapeError("predict", "expects a result for each of " + std::to_string(first_rows) + " samples",
                     "the model gave shape " + shape.to_string());
  shape[0] = samples;
  return Tensor::empty(shape, first.dtype());
}

// The results of all batches, each at its place; safe from many threads.
class Predictions {
 public:
  Predictions(const Batches& batches, std::int64_t steps, const Tensors& first) : batches_(batches) {
    const std::int64_t rows = batches.rows_of(0);
    for (const Tensor& output : first) {
      results_.push_back(room_for(output, rows, std::min(batches.samples(), steps * rows)));
      bytes_.push_back(static_cast<std::byte*>(results_.back().mutable_data()));
      batch_bytes_.push_back(static_cast<std::size_t>(output.size()) * size_bytes(output.dtype()));
    }
    place(0, first);
  }

  /// ShapeError for rows that do not look like those of the first batch.
  void place(std::int64_t batch, const Tensors& outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Shape wanted = results_[i].shape();
      wanted[0] = batches_.rows_of(batch);
      if (outputs[i].shape() != wanted || outputs[i].dtype() != results_[i].dtype())
        throw ShapeError("predict",
                         "expects shape " + wanted.to_string() + " and dtype " +
                             std::string(name(results_[i].dtype())) + " of batch " + std::to_string(batch),
                         "the model gave " + outputs[i].shape().to_string() + " and " +
                             std::string(name(outputs[i].dtype())),
                         "A row's result may depend on its values, its shape may not.");
      std::memcpy(bytes_[i] + static_cast<std::size_t>(batch) * batch_bytes_[i], outputs[i].data(),
                  static_cast<std::size_t>(outputs[i].size()) * size_bytes(outputs[i].dtype()));
    }
  }
  const Tensors& results() const { return results_; }

 private:
  const Batches& batches_;
  Tensors results_;
  std::vector<std::byte*> bytes_;
  std::vector<std::size_t> batch_bytes_;  // of a whole batch
};

Tensors predict_at_once(const Model& model, const Batches& batches, std::int64_t steps) {
  Tensors first = outputs_of(model, batches.batch(0).x);
  if (steps <= 1) {
    for (Tensor& result : first) result = result.detach();
    return first;
  }
  // The first batch tells shape and dtype of the rest, whose batches are independent: each runs on one
  // thread.
  Predictions all(batches, steps, first);
  parallel_for(steps - 1, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin + 1; i < end + 1; ++i) all.place(i, outputs_of(model, batches.batch(i).x));
  });
  return all.results();
}

// Batch after batch, of which there is one, callbacks around each; what there is where one of them ends it.
Tensors predict_watched(const Batches& batches, TrainingRun& run,
                        const std::vector<CallbackPointer>& callbacks) {
  std::optional<Predictions> all;
  std::int64_t done = 0;
  while (done < run.steps) {
    for (const auto& callback : callbacks) callback->on_predict_batch_begin(run, done);
    const Tensors outputs = outputs_of(run.model, batches.batch(done).x);
    if (all) {
      all->place(done, outputs);
    } else {
      all.emplace(batches, run.steps, outputs);
    }
    for (const auto& callback : callbacks) callback->on_predict_batch_end(run, done, outputs);
    ++done;
    if (run.stop_predicting) break;
  }
  Tensors results = all->results();
  const std::int64_t rows = std::min(batches.samples(), done * batches.rows_of(0));
  for (Tensor& result : results) result = result.slice(0, 0, rows);
  return results;
}

// Empty where a loss, a metric or a schedule is a function of the caller's: the model is still written.
Config compile_config_if_written(const CompileOptions& options, Generation generation) {
  try {
    return compile_config(options, generation);
  } catch (const ValueError&) {
    return Config::object();
  }
}

const bool kSet = [] {
  detail::set_compile_from_config(
      [](Model& model, const Config& config) { model.compile_from_config(config); });
  return true;
}();

}  // namespace

void Model::compile(const CompileOptions& options) {
  body_->training_state = detail::state_of(*this, options);
  if (auto* body = dynamic_cast<ModelBody*>(body_.get()))
    body->compiled = {
        .optimizer_variables =
            [optimizer = body_->training_state->options.optimizer] { return optimizer.variables(); },
        .config = [given = body_->training_state->given_options()](
                      Generation generation) { return compile_config_if_written(given, generation); }};
}

Config Model::get_compile_config() const {
  const std::shared_ptr<TrainingState> state = body_->training_state;
  return state == nullptr ? Config::object() : compile_config(state->given_options(), body_->generation);
}

void Model::compile_from_config(const Config& config) { compile(compile_options(config, body_->generation)); }

History Model::fit(const TensorList& x, const TensorList& y, const FitOptions& options) {
  const FloatEnvironment environment;
  // A callback may compile again: this run keeps what it began with.
  const std::shared_ptr<TrainingState> state = body_->training_state;
  return detail::run_fit(*this, detail::compiled_with_loss("fit", state.get()), x, y, options);
}
History Model::fit(const TensorList& x, const TensorList& y) { return fit(x, y, FitOptions{}); }

Metrics Model::evaluate(const TensorList& x, const TensorList& y, const EvaluateOptions& options) const {
  const FloatEnvironment environment;
  const std::shared_ptr<TrainingState> state = body_->training_state;
  const TrainingState& known = detail::compiled_with_loss("evaluate", state.get());
  const Samples samples = detail::samples_of("evaluate", known, x, y, options.sample_weight);
  detail::check_labels(*this, known, samples);
  TrainingRun run{.model = *this, .optimizer = known.options.optimizer};
  run.samples = samples.count();
  return detail::evaluate_samples(known, samples, options.batch_size, options.steps, run, options.callbacks);
}
Metrics Model::evaluate(const TensorList& x, const TensorList& y) const {
  return evaluate(x, y, EvaluateOptions{});
}

Metrics Model::train_on_batch(const TensorList& x, const TensorList& y, const BatchOptions& options) {
  const FloatEnvironment environment;
  const std::shared_ptr<TrainingState> state = body_->training_state;
  detail::compiled_with_loss("train_on_batch", state.get());
  const Batch batch = batch_of("train_on_batch", *this, *state, x, y, options);
  const bool keep_predictions = !state->metrics.empty();
  return report(*state, body_->generation, detail::stepper_of(*this, *state).step(batch, keep_predictions),
                batch);
}
Metrics Model::train_on_batch(const TensorList& x, const TensorList& y) {
  return train_on_batch(x, y, BatchOptions{});
}

Metrics Model::test_on_batch(const TensorList& x, const TensorList& y, const BatchOptions& options) const {
  const FloatEnvironment environment;
  const std::shared_ptr<TrainingState> state = body_->training_state;
  detail::compiled_with_loss("test_on_batch", state.get());
  const Batch batch = batch_of("test_on_batch", *this, *state, x, y, options);
  return report(*state, body_->generation, detail::stepper_of(*this, *state).evaluate(batch), batch);
}
Metrics Model::test_on_batch(const TensorList& x, const TensorList& y) const {
  return test_on_batch(x, y, BatchOptions{});
}

Tensors Model::predict_on_batch(const TensorList& x) const {
  const FloatEnvironment environment;
  return outputs_of(*this, inputs_of("predict_on_batch", *this, x));
}

Tensors Model::predict_list(const TensorList& x, const PredictOptions& options) const {
  const FloatEnvironment environment;
  const Batches batches({inputs_of("predict", *this, x), {}, {}}, options.batch_size);
  const std::int64_t steps = detail::steps_of(batches, options.steps, "predict: steps");
  const std::vector<CallbackPointer>& callbacks = options.callbacks;
  if (callbacks.empty()) return predict_at_once(*this, batches, steps);
  const std::shared_ptr<TrainingState> state = body_->training_state;
  TrainingRun run{.model = *this,
                  .optimizer = state == nullptr ? Optimizer("rmsprop") : state->options.optimizer};
  run.steps = steps;
  run.samples = batches.samples();
  for (const auto& callback : callbacks) callback->on_predict_begin(run);
  const bool is_watched =
      run.stop_predicting || std::ranges::any_of(callbacks, &CallbackPointer::watches_predict_batches);
  Tensors results = is_watched && steps > 0 ? predict_watched(batches, run, callbacks)
                                            : predict_at_once(*this, batches, steps);
  for (const auto& callback : callbacks) callback->on_predict_end(run);
  return results;
}
Tensors Model::predict_list(const TensorList& x) const { return predict_list(x, PredictOptions{}); }

Tensor Model::predict(const TensorList& x, const PredictOptions& options) const {
  Tensors outputs = predict_list(x, options);
  if (outputs.size() == 1) return std::move(outputs.front());
  throw StateError("predict", "expects a model of one output",
                   "\"" + name() + "\" gives " + std::to_string(outputs.size()),
                   "Call predict_list, which gives them all.");
}
Tensor Model::predict(const TensorList& x) const { return predict(x, PredictOptions{}); }

double train_step(const Model& model, const PerOutput<Loss>& loss, Optimizer& optimizer, const TensorList& x,
                  const TensorList& y, const TensorList& sample_weight,
                  const PerOutput<std::optional<double>>& loss_weights) {
  const FloatEnvironment environment;
  if (std::ranges::none_of(loss.values(), [](const Loss& one) { return one.is_defined(); }))
    throw StateError("train_step", "expects a loss", "there is none", "Name one, as \"mse\".");
  const auto state = detail::state_of(
      model, {.optimizer = optimizer, .loss = loss, .loss_weights = loss_weights, .auto_scale_loss = false});
  const Batch batch = batch_of("train_step", model, *state, x, y, {.sample_weight = sample_weight});
  return detail::stepper_of(model, *state).step(batch, false).loss;
}

}  // namespace keratin::inline v0
