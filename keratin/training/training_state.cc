#include "keratin/training/training_state.h"

#include <algorithm>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/models/model_body.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace detail {
namespace {

template <class T>
std::vector<T> in_order(const PerOutput<T>& given, const std::vector<std::string>& outputs,
                        std::string_view what) {
  std::vector<T> ordered(outputs.size());
  if (given.is_one_for_all()) {
    std::ranges::fill(ordered, given.values().front());
  } else if (!given.names().empty()) {
    const auto places = places_of(given.names(), outputs, "compile", what);
    for (std::size_t i = 0; i < places.size(); ++i) ordered[places[i]] = given.values()[i];
  } else if (!given.is_empty()) {
    if (given.values().size() != outputs.size())
      throw ValueError("compile",
                       "expects " + std::string(what) + " for each of " + std::to_string(outputs.size()) +
                           (outputs.size() == 1 ? " output" : " outputs"),
                       "got " + std::to_string(given.values().size()),
                       "Give one for each output, or name the outputs.");
    ordered = given.values();
  }
  return ordered;
}

// Keras's names: output and metric where there are several outputs; where two would be the same mse, mse_1,
// …, and weighted_mse.
void add_metrics(std::vector<OutputMetric>& all, const std::vector<std::string>& outputs, std::size_t output,
                 const std::vector<Metric>& metrics, bool is_weighted) {
  const std::string prefix = outputs.size() > 1 ? outputs[output] + "_" : "";
  for (const Metric& metric : metrics) {
    if (!metric.shared_body()->is_scalar())
      throw ValueError("compile", "expects metrics of one number", metric.name() + " gives a list of them",
                       "Give it one threshold or an average.");
    const auto taken = [&](const std::string& name) {
      return std::ranges::any_of(all, [&](const OutputMetric& other) { return other.name == name; });
    };
    const std::string name = prefix + metric.name();
    const std::string other = prefix + (is_weighted ? "weighted_" : "") + metric.name();
    std::string chosen = taken(name) ? other : name;
    for (int i = 1; taken(chosen); ++i) chosen = other + "_" + std::to_string(i);
    all.push_back({std::move(chosen), metric, output, is_weighted});
  }
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

bool computes_in_float16(const LayerBody& body) {
  return body.compute_dtype == DType::float16 || std::ranges::any_of(body.parts(), [](const LayerPart& part) {
           return computes_in_float16(*part.body);
         });
}

}  // namespace

Collected::Collected(const TrainingState& state) : state_(&state), losses_(state.reported_losses.size()) {
  for (const OutputMetric& metric : state.metrics) metrics_.push_back(metric.metric.shared_body()->start());
}

void Collected::add(const StepResult& result, const Batch& batch) {
  const auto rows = static_cast<double>(batch.x.front().shape()[0]);
  loss_.add(result.loss, rows);
  for (std::size_t i = 0; i < losses_.size(); ++i)
    losses_[i].add(result.losses[state_->reported_losses[i]], rows);
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    const OutputMetric& metric = state_->metrics[i];
    const Tensor weights = metric.is_weighted ? batch.sample_weight[metric.output] : Tensor();
    metrics_[i]->update(batch.y[metric.output], result.y_pred[metric.output],
                        masked(weights, result.masks[metric.output]));
  }
}

void Collected::add(const Collected& other) {
  loss_.add(other.loss_);
  for (std::size_t i = 0; i < losses_.size(); ++i) losses_[i].add(other.losses_[i]);
  for (std::size_t i = 0; i < metrics_.size(); ++i) metrics_[i]->merge(*other.metrics_[i]);
}

Metrics Collected::values() const {
  Metrics values;
  values.set("loss", loss_.value());
  for (std::size_t i = 0; i < losses_.size(); ++i)
    values.set(state_->output_names[state_->reported_losses[i]] + "_loss", losses_[i].value());
  for (std::size_t i = 0; i < metrics_.size(); ++i)
    values.set(state_->metrics[i].name, metrics_[i]->result().item());
  return values;
}

void append(Metrics& logs, Metrics values, Generation generation, std::string_view prefix) {
  if (generation == Generation::keras3) values.sort();
  for (const auto& [name, value] : values) logs.set(std::string(prefix) + name, value);
}

std::shared_ptr<TrainingState> state_of(const Model& model, const CompileOptions& options) {
  auto state = std::make_shared<TrainingState>();
  state->options = options;
  state->scales_for_float16 =
      options.auto_scale_loss && computes_in_float16(model.body()) && !options.optimizer.scales_itself();
  if (state->scales_for_float16) state->options.optimizer = LossScaleOptimizer(options.optimizer);
  state->input_names = model.input_names();
  state->output_names = model.output_names();
  const std::vector<std::string>& outputs = state->output_names;
  const auto losses = in_order(options.loss, outputs, "a loss");
  const auto weights = in_order(options.loss_weights, outputs, "a loss weight");
  const bool keras2 = model.body().generation == Generation::keras2;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (losses[i].is_defined() && losses[i].function().reduction() == Reduction::none)
      throw ValueError("compile", "expects a loss that is reduced to one number", "its reduction is none",
                       "Take Reduction::sum_over_batch_size.");
    state->losses.push_back({losses[i], weights[i].value_or(1)});
    if (losses[i].is_defined()) state->reported_losses.push_back(i);
  }
  // Keras 2 reports the loss of one of several outputs, Keras 3 only where there are several losses.
  if (outputs.size() == 1 || (state->reported_losses.size() == 1 && !keras2)) state->reported_losses.clear();
  const auto metrics = options.metrics.in_order(outputs, "metrics");
  const auto weighted = options.weighted_metrics.in_order(outputs, "weighted_metrics");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_metrics(state->metrics, outputs, i, metrics[i], false);
    if (keras2) add_metrics(state->metrics, outputs, i, weighted[i], true);
  }
  for (std::size_t i = 0; i < outputs.size() && !keras2; ++i)
    add_metrics(state->metrics, outputs, i, weighted[i], true);
  return state;
}

const TrainingState& compiled_with_loss(std::string_view operation, const TrainingState* state) {
  if (state == nullptr)
    throw StateError(operation, "expects a compiled model", "compile was not called",
                     "Call model.compile({.optimizer = Adam(), .loss = \"mse\"}) first.");
  if (std::ranges::none_of(state->losses, [](const OutputLoss& one) { return one.loss.is_defined(); }))
    throw StateError(operation, "expects a loss", "compile was called without",
                     "Name one, as .loss = \"mse\".");
  return *state;
}

Stepper stepper_of(const Model& model, const TrainingState& state) {
  return {model, state.losses, state.options.optimizer};
}

Samples samples_of(std::string_view operation, const TrainingState& state, const TensorList& x,
                   const TensorList& y, const TensorList& sample_weight) {
  const std::size_t outputs = state.output_names.size();
  Samples samples;
  samples.x = x.in_order(state.input_names, operation, "x");
  std::vector<std::string> needed;
  for (std::size_t i = 0; i < outputs; ++i)
    if (state.needs_labels(i)) needed.push_back(state.output_names[i]);
  if (y.names().empty() && y.tensors().size() == needed.size() && needed.size() < outputs) {
    // Labels for those outputs alone that have a loss or metrics.
    std::vector<TensorList::Named> named;
    for (std::size_t i = 0; i < needed.size(); ++i) named.emplace_back(needed[i], y.tensors()[i]);
    samples.y = TensorList(std::move(named)).in_order(state.output_names, operation, "y");
  } else {
    samples.y = y.in_order(state.output_names, operation, "y");
  }
  if (!sample_weight.is_defined()) {
    samples.sample_weight.resize(outputs);
  } else if (sample_weight.names().empty() && sample_weight.tensors().size() == 1) {
    samples.sample_weight.assign(outputs, sample_weight.tensors().front());
  } else {
    samples.sample_weight = sample_weight.in_order(state.output_names, operation, "sample_weight");
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    if (!state.needs_labels(i)) {
      samples.y[i] = samples.sample_weight[i] = Tensor();
    } else if (!samples.y[i].is_defined() && outputs > 1) {
      throw ValueError(operation, "expects y for output \"" + state.output_names[i] + "\", which has a loss",
                       "it is left out", "Give its labels, or compile it without loss and metrics.");
    }
  }
  check_samples(operation, state.input_names, state.output_names, samples);
  return samples;
}

Shapes input_shapes_of(const Tensors& x) {
  Shapes shapes;
  for (const Tensor& input : x) {
    shapes.push_back(input.shape());
    shapes.back()[0] = Shape::kUnknown;
  }
  return shapes;
}

void check_labels(const Model& model, const TrainingState& state, const Samples& samples) {
  const Shapes inputs = input_shapes_of(samples.x);
  if (!model.is_built()) model.build_list(inputs);
  const Shapes outputs = model.compute_output_shapes(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (state.losses[i].loss.is_defined()) state.losses[i].loss.function().check(samples.y[i], outputs[i]);
}

}  // namespace detail

CompileOptions TrainingState::given_options() const {
  CompileOptions given = options;
  if (scales_for_float16) given.optimizer = Optimizer(options.optimizer.shared());
  return given;
}

bool TrainingState::needs_labels(std::size_t output) const {
  return losses[output].loss.is_defined() ||
         std::ranges::any_of(metrics, [&](const detail::OutputMetric& one) { return one.output == output; });
}

}  // namespace keratin::inline v0
