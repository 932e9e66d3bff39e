// What every optimizer does around its rule: clipping, decay, accumulation, averages.
#include "keratin/training/optimizer_body.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::detail {
namespace {

void check_gradients(std::string_view operation, std::span<const Variable> variables,
                     std::span<const Tensor> gradients) {
  if (variables.size() != gradients.size())
    throw ValueError(operation,
                     "expects a gradient for each of " + std::to_string(variables.size()) + " variables",
                     "got " + std::to_string(gradients.size()), "");
  bool any = false;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (!gradients[i].is_defined()) continue;
    any = true;
    if (gradients[i].shape() != variable.shape())
      throw ShapeError(
          operation,
          "expects a gradient of shape " + variable.shape().to_string() + " for \"" + variable.name() + "\"",
          "got shape " + gradients[i].shape().to_string(), "");
    const DType dtype = variable.dtype();
    if ((dtype != DType::float32 && dtype != DType::float64) || gradients[i].dtype() != dtype)
      throw TypeError(operation, "expects variables and gradients of float32 or of float64",
                      "\"" + variable.name() + "\" is " + std::string(name(dtype)) + ", its gradient " +
                          std::string(name(gradients[i].dtype())),
                      "");
  }
  if (!any)
    throw ValueError(operation, "expects gradients", "the loss depends on none of the variables",
                     "Is every layer frozen (trainable = false), or the model not used in the loss?");
}

void check_common(const CommonOptions& o) {
  for (const auto& [argument, limit] : {std::pair{"clipnorm", o.clipnorm},
                                        {"clipvalue", o.clipvalue},
                                        {"global_clipnorm", o.global_clipnorm},
                                        {"loss_scale_factor", o.loss_scale_factor}})
    if (limit && !(*limit > 0))
      throw ValueError(o.name, std::string("expects ") + argument + " above 0", "got " + to_text(*limit),
                       "Leave it out to do without.");
  const int clips = o.clipnorm.has_value() + o.clipvalue.has_value() + o.global_clipnorm.has_value();
  const bool conflict =
      !o.legacy && (o.generation == Generation::keras3 ? clips > 1 : o.clipnorm && o.global_clipnorm);
  if (conflict)
    throw ValueError(o.name, "expects only one of clipnorm, clipvalue and global_clipnorm",
                     std::to_string(clips) + " are set", "");
  if (o.use_ema && !(o.ema_momentum >= 0 && o.ema_momentum <= 1))
    throw ValueError(o.name, "expects ema_momentum from 0 to 1", "got " + to_text(o.ema_momentum));
  if (o.use_ema && o.ema_overwrite_frequency.value_or(1) < 1)
    throw ValueError(o.name, "expects ema_overwrite_frequency of at least 1",
                     "got " + std::to_string(*o.ema_overwrite_frequency), "Leave it out to never overwrite.");
  if (o.gradient_accumulation_steps.value_or(2) < 2)
    throw ValueError(o.name, "expects gradient_accumulation_steps of at least 2",
                     "got " + std::to_string(*o.gradient_accumulation_steps),
                     "Leave it out to update at every step.");
  if (!o.legacy && o.decay != 0)
    throw ValueError(o.name, "expects decay only with legacy", "got decay=" + to_text(o.decay),
                     "Take the schedule InverseTimeDecay.");
  if (o.legacy && (o.use_ema || o.weight_decay.value_or(0) != 0 || o.gradient_accumulation_steps))
    throw ValueError(o.name, "expects no weight_decay, use_ema and gradient_accumulation_steps with legacy",
                     "one of them is set", "tf_keras.optimizers.legacy had none of them.");
}

double norm_squared(const Tensor& gradient, double limit) {
  double sum = 0;
  visit_float(gradient.dtype(),
              [&]<class T>(T) { sum = sum_of_squares(gradient.values<T>().data(), gradient.size(), limit); });
  return sum;
}

// By how much a gradient of that norm has to shrink; NaN for a norm that is not finite, as in Keras.
double shrink(double norm, double limit) { return limit * std::min(1 / norm, 1 / limit) + (norm - norm); }

}  // namespace

OptimizerBody::OptimizerBody(LearningRate rate, CommonOptions options)
    : learning_rate(std::move(rate)), common(std::move(options)) {
  check_common(common);
}

Tensors OptimizerBody::make_slots(const Variable& variable) const {
  Tensors slots;
  for (std::size_t i = 0; i < roles().size(); ++i)
    slots.push_back(Tensor::zeros(variable.shape(), variable.dtype()));
  return slots;
}

double OptimizerBody::rate_at(std::int64_t iterations) const {
  return learning_rate(iterations) / (1 + common.decay * static_cast<double>(iterations));
}

VariableState& OptimizerBody::state_of(std::size_t index, const Variable& variable) {
  // The variables of step after step are the same in the same order.
  if (index < states.size() && states[index].variable == variable) return states[index];
  const auto found = std::find_if(states.begin(), states.end(),
                                  [&](const VariableState& state) { return state.variable == variable; });
  if (found != states.end()) return *found;
  VariableState fresh{variable, {}, {}, make_slots(variable), decays(variable)};
  // Keras 2's average starts from the weight before the first step, Keras 3's from the one after.
  if (common.use_ema) fresh.average = variable.value().clone();
  if (accumulation_steps() > 1) fresh.accumulated = Tensor::zeros(variable.shape(), variable.dtype());
  return states.emplace_back(std::move(fresh));
}

Config OptimizerBody::whole_config(Generation) const { return nullptr; }

bool OptimizerBody::decays(const Variable& variable) const {
  return std::find(excluded.begin(), excluded.end(), variable) == excluded.end() &&
         std::none_of(excluded_names.begin(), excluded_names.end(), [&](const std::string& part) {
           return variable.name().find(part) != std::string::npos;
         });
}

void OptimizerBody::exclude(std::vector<Variable> variables, std::vector<std::string> names) {
  excluded = std::move(variables);
  excluded_names = std::move(names);
  for (VariableState& state : states) state.decays = decays(state.variable);
}

void OptimizerBody::find_clips(std::span<const Tensor> gradients, double scale) {
  inputs_.assign(gradients.size(), StepInput{.gradient_scale = scale});
  const bool all = common.legacy;
  const bool by_norm = common.clipnorm.has_value(), by_all = common.global_clipnorm && (all || !by_norm);
  const bool by_value = common.clipvalue && (all || !(by_norm || by_all));
  // Entries are limited first: to that limit, or in the units of the gradient as it came, limit / scale.
  const double limit = by_value ? *common.clipvalue : 0;
  double sum = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].is_defined()) continue;
    double& factor = inputs_[i].gradient_scale;
    if (by_norm || by_all) {
      const double squares = norm_squared(gradients[i], limit / scale) * scale * scale;
      const double shrunk = by_norm ? *common.clipnorm / std::max(std::sqrt(squares), *common.clipnorm) : 1;
      factor *= shrunk;
      sum += squares * shrunk * shrunk;
    }
  }
  const double of_all = by_all ? shrink(std::sqrt(sum), *common.global_clipnorm) : 1;
  for (StepInput& input : inputs_) {
    input.gradient_scale *= of_all;
    input.gradient_limit = limit * (input.gradient_scale / scale);
  }
}

void OptimizerBody::check_step(std::span<const Variable> variables, std::span<const Tensor> gradients) const {
  check_gradients(common.name, variables, gradients);
  if (has_swapped_averages()) {
    throw ValueError(common.name, "expects the weights themselves in the model", "got their averages",
                     "Call swap_averages again before the next step.");
  }
}

void OptimizerBody::apply(std::span<const Variable> variables, std::span<const Tensor> gradients,
                          double loss_scale) {
  check_step(variables, gradients);
  const FloatEnvironment environment;
  const std::int64_t count = accumulation_steps();
  const bool updates_now = (steps + 1) % count == 0;
  gradients_.assign(gradients.size(), Tensor());
  for (std::size_t i = 0; i < variables.size(); ++i) {
    VariableState& state = state_of(i, variables[i]);
    if (!gradients[i].is_defined()) continue;
    gradients_[i] = gradients[i].contiguous();
    if (count == 1) continue;
    visit_float(state.accumulated.dtype(), [&]<class T>(T) {
      accumulate(state.accumulated.mutable_values<T>().data(), gradients_[i].values<T>().data(),
                 gradients_[i].size());
    });
    gradients_[i] = state.accumulated;
  }
  if (updates_now) {
    find_clips(gradients_, 1 / (loss_scale * static_cast<double>(count)));
    update_all(variables, gradients_);
  } else if (common.use_ema) {
    for (std::size_t i = 0; i < variables.size(); ++i) average(state_of(i, variables[i]));
  }
  gradients_.clear();
  if (updates_now && count > 1) {
    for (VariableState& state : states)
      visit_float(state.accumulated.dtype(),
                  [&]<class T>(T) { std::ranges::fill(state.accumulated.mutable_values<T>(), T(0)); });
  }
  if (common.use_ema && common.ema_overwrite_frequency &&
      (updates() + 1) % *common.ema_overwrite_frequency == 0)
    finalize(variables);
  ++steps;
}

void OptimizerBody::update_all(std::span<const Variable> variables, std::span<const Tensor> gradients) {
  UpdateContext context{
      .input = {}, .learning_rate = rate_at(steps), .t = static_cast<double>(updates() + 1)};
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (!gradients[i].is_defined()) continue;
    VariableState& state = state_of(i, variables[i]);
    context.input = inputs_[i];
    if (state.decays) context.input.decay = common.weight_decay.value_or(0) * context.learning_rate;
    const bool fresh = common.generation == Generation::keras3 && updates() == 0;
    context.input.average_momentum = fresh ? 0 : common.ema_momentum;
    update(context, state, gradients[i]);
  }
}

void OptimizerBody::average(VariableState& state) {
  const bool fresh = common.generation == Generation::keras3 && updates() == 0;
  const StepInput input{.average_momentum = fresh ? 0 : common.ema_momentum};
  visit_float(state.variable.dtype(), [&]<class T>(T) {
    const StepArrays<T> arrays{.w = state.variable.mutable_value().mutable_values<T>().data(),
                               .g = nullptr,
                               .average = state.average.mutable_values<T>().data()};
    detail::update(NoStep<double>{}, input, arrays, state.variable.value().size());
  });
}

void OptimizerBody::finalize(std::span<const Variable> variables) {
  if (!common.use_ema) return;
  const bool in_place = std::exchange(averages_swapped, false);
  for_each_state(variables, [&](VariableState& state) {
    if (in_place) {
      state.average = state.variable.value().clone();
    } else {
      state.variable.assign(state.average.clone());
    }
  });
}

void OptimizerBody::swap_averages(std::span<const Variable> variables) {
  if (!common.use_ema) {
    throw ValueError(common.name, "expects use_ema, which keeps averages", "it is off",
                     "Make the optimizer with {.use_ema = true}.");
  }
  for_each_state(variables, [](VariableState& state) {
    Tensor weights = state.variable.value().clone();
    state.variable.assign(state.average);
    state.average = std::move(weights);
  });
  averages_swapped = !averages_swapped;
}

// Those of the variables that a step was done for.
template <class F>
void OptimizerBody::for_each_state(std::span<const Variable> variables, F&& f) {
  for (const Variable& one : variables) {
    const auto found = std::find_if(states.begin(), states.end(),
                                    [&](const VariableState& state) { return state.variable == one; });
    if (found != states.end()) f(*found);
  }
}

}  // namespace keratin::inline v0::detail
