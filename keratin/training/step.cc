#include "keratin/training/step.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace detail {
namespace {

// Without the record, which would hold on to the weights as they were. Metrics still see the logits.
Tensor without_record(const Tensor& y_pred) {
  Tensor plain = y_pred.detach();
  plain.set_origin(nullptr);
  if (const auto& origin = y_pred.origin())
    plain.set_origin(make_small<Tensor::Origin>(Tensor::Origin{origin->function, origin->logits.detach()}));
  return plain;
}

bool all_finite(const Tensor& a) {
  const auto check = [&]<class T>(T) {
    for (const T value : a.values<T>())
      if (!std::isfinite(value)) return false;
    return true;
  };
  if (!a.is_defined() || !a.is_contiguous()) return true;
  if (a.dtype() == DType::float64) return check(double{});
  return a.dtype() != DType::float32 || check(float{});
}

// Several optimizers have one each.
std::string present_rate(const Optimizer& optimizer) {
  return optimizer.inner_optimizers().empty() ? " than " + to_text(optimizer.learning_rate()) : "";
}

}  // namespace

Stepper::Stepper(const Model& model, std::vector<OutputLoss> losses, Optimizer optimizer)
    : model_(model),
      losses_(std::move(losses)),
      optimizer_(std::move(optimizer)),
      variables_(model.trainable_variables()) {
  for (const Weight& weight : model.body().weights()) {
    if (weight.constraint && weight.variable.trainable()) constrained_.push_back(weight);
    if (weight.is_penalized(model.body().generation)) regularized_.push_back(weight);
  }
}

Tensor Stepper::total_loss(const Batch& batch, bool training, StepResult& result) const {
  Tensors penalties;
  CallContext context;
  context.training = training;
  context.losses = &penalties;
  context.output_masks = &result.masks;
  result.y_pred = model_.call(batch.x, context);
  // Losses and metrics are taken in float32.
  for (Tensor& y_pred : result.y_pred)
    if (y_pred.dtype() == DType::float16 || y_pred.dtype() == DType::bfloat16)
      y_pred = ops::cast(y_pred, DType::float32);
  if (losses_.size() > 1) result.losses.resize(losses_.size());
  Tensor total;
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    const auto& [function, weight] = losses_[i];
    if (!function.is_defined()) continue;
    Tensor loss = function(batch.y[i], result.y_pred[i], batch.sample_weight[i], result.masks[i]);
    if (losses_.size() > 1) result.losses[i] = loss.item();
    if (weight != 1) loss = loss * weight;
    total = total.is_defined() ? ops::add(total, ops::cast(loss, total.dtype())) : std::move(loss);
  }
  for (const Weight& weight : regularized_) penalties.push_back(weight.regularizer(weight.variable.tensor()));
  for (const Tensor& penalty : penalties) total = ops::add(total, penalty);
  return total;
}

StepResult Stepper::step(const Batch& batch, bool keep_predictions) {
  StepResult result{};
  Tensor total;
  {
    const RecordGradients recording;
    total = total_loss(batch, true, result);
    result.loss = total.item();
    if (!std::isfinite(result.loss)) throw_not_finite(result.loss, batch);
    if (!keep_predictions) result.y_pred.clear();
    for (Tensor& y_pred : result.y_pred) y_pred = without_record(y_pred);
  }
  // Outside of the recording, or the backward pass would be recorded too.
  const RecordGradients off(false);
  const double scale = optimizer_.loss_scale();
  const Tensor upstream = scale == 1 ? Tensor() : Tensor::full(total.shape(), scale, total.dtype());
  optimizer_.apply(variables_, gradients(std::move(total), variables_, upstream));
  for (const Weight& weight : constrained_) {
    Variable variable = weight.variable;
    variable.assign(weight.constraint(variable.value()));
  }
  return result;
}

StepResult Stepper::evaluate(const Batch& batch) const {
  const RecordGradients off(false);
  StepResult result{};
  result.loss = total_loss(batch, false, result).item();
  return result;
}

void Stepper::throw_not_finite(double loss, const Batch& batch) const {
  std::string names;
  for (const OutputLoss& one : losses_)
    if (one.loss.is_defined()) names += (names.empty() ? "" : ", ") + one.loss.name();
  const std::string advice = !std::ranges::all_of(batch.x, all_finite)
                                 ? "x holds NaN or infinity: clean the data."
                             : !std::ranges::all_of(batch.y, all_finite)
                                 ? "y holds NaN or infinity: clean the data."
                                 : "Try a smaller learning rate" + present_rate(optimizer_) +
                                       ", clipnorm = 1, inputs scaled to about 1, or a loss from logits. The "
                                       "weights are those before this step.";
  throw NumericError("training", "expects a finite loss", "got " + to_text(loss) + " from " + names, advice);
}

}  // namespace detail

}  // namespace keratin::inline v0
