#include "keratin/training/optimizers.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/optimizer_arguments.h"
#include "keratin/training/optimizer_body.h"

namespace keratin::inline v0 {
namespace {

using detail::VariableState;

// What is kept for a variable beside the rule's own.
constexpr const char* kAverage = "average";
constexpr const char* kAccumulated = "gradient_accumulator";

/// visit(role, value) for all that is kept for a variable, in Keras's order.
template <class State, class Visit>
void visit_slots(const detail::OptimizerBody& body, State& state, Visit visit) {
  if (state.average.is_defined()) visit(std::string_view(kAverage), state.average);
  if (state.accumulated.is_defined()) visit(std::string_view(kAccumulated), state.accumulated);
  const auto roles = body.roles();
  for (std::size_t i = 0; i < state.slots.size(); ++i)
    if (state.slots[i].is_defined()) visit(roles[i], state.slots[i]);
}

bool all_finite(std::span<const Tensor> gradients) {
  for (const Tensor& given : gradients) {
    if (!given.is_defined()) continue;
    const Tensor gradient = given.contiguous();
    bool finite = true;
    visit(gradient.dtype(), [&]<class T>(T) {
      if constexpr (std::is_floating_point_v<T>)
        finite = std::ranges::all_of(gradient.values<T>(), [](T g) { return std::isfinite(g); });
    });
    if (!finite) return false;
  }
  return true;
}

}  // namespace

Optimizer::Optimizer(std::shared_ptr<detail::OptimizerBody> body) : body_(std::move(body)) {}
Optimizer::Optimizer(const char* name) : Optimizer(std::string_view(name)) {}
Optimizer::Optimizer(std::string_view name) : Optimizer(optimizers::deserialize(Config(name))) {}

void Optimizer::apply(std::span<const Variable> variables, std::span<const Tensor> gradients) {
  if (scale_ == nullptr) {
    body_->apply(variables, gradients, body_->loss_scale());
    return;
  }
  if (!all_finite(gradients)) {
    const bool keras2 = scale_->options.generation == Generation::keras2;
    scale_->good_steps = 0;
    scale_->scale = keras2 ? std::max(scale_->scale / 2, 1.0) : scale_->scale / 2;
    return;
  }
  body_->apply(variables, gradients, loss_scale());
  if (++scale_->good_steps < scale_->options.dynamic_growth_steps) return;
  scale_->good_steps = 0;
  scale_->scale *= 2;
}

double Optimizer::loss_scale() const noexcept {
  return scale_ == nullptr ? body_->loss_scale() : scale_->scale * body_->loss_scale();
}
void Optimizer::finalize_variable_values(std::span<const Variable> variables) { body_->finalize(variables); }
void Optimizer::swap_averages(std::span<const Variable> variables) { body_->swap_averages(variables); }
bool Optimizer::use_ema() const noexcept { return body_->keeps_averages(); }
bool Optimizer::averages_swapped() const noexcept { return body_->has_swapped_averages(); }
std::vector<Optimizer> Optimizer::inner_optimizers() const { return body_->inner(); }
std::string_view Optimizer::class_name() const { return body_->class_name(); }

void Optimizer::build(std::span<const Variable> variables) {
  for (const Variable& variable : variables) body_->body_for(variable).state_of(0, variable);
}
void Optimizer::exclude_from_weight_decay(std::vector<Variable> variables, std::vector<std::string> names) {
  body_->exclude(std::move(variables), std::move(names));
}

double Optimizer::learning_rate() const { return body_->rate_at(body_->steps); }
void Optimizer::set_learning_rate(double learning_rate) {
  static_cast<void>(body_->rate_at(0));  // several optimizers have none of their own, and say so
  if (body_->learning_rate.is_schedule())
    throw TypeError(name(), "expects a learning rate that is a number, to set another",
                    "it was made with a schedule", "Make the optimizer with a number.");
  body_->learning_rate = learning_rate;
}
std::int64_t Optimizer::iterations() const noexcept { return body_->updates(); }
void Optimizer::set_iterations(std::int64_t iterations) {
  if (iterations < 0)
    throw ValueError(name(), "expects a number of steps", "got " + std::to_string(iterations));
  body_->steps = iterations;
  for (Optimizer& inner : body_->inner()) inner.set_iterations(iterations);
}
std::string Optimizer::name() const { return scale_ == nullptr ? body_->common.name : scale_->options.name; }
std::string Optimizer::name(Generation generation) const {
  const std::string_view of_class = scale_ == nullptr ? class_name() : "LossScaleOptimizer";
  const std::string own = name();
  return generation == Generation::keras3 && own == of_class ? to_snake_case(of_class) : own;
}

Optimizer Optimizer::clone() const {
  Optimizer copy(body_->clone());
  if (scale_ != nullptr)
    copy.scale_ = std::make_shared<detail::DynamicScale>(
        detail::DynamicScale{scale_->options, scale_->options.initial_scale});
  return copy;
}

std::vector<OptimizerSlot> Optimizer::state() const {
  std::vector<OptimizerSlot> state;
  for (const Optimizer& inner : body_->inner()) {
    std::vector<OptimizerSlot> slots = inner.state();
    std::move(slots.begin(), slots.end(), std::back_inserter(state));
  }
  for (const VariableState& one : body_->states)
    visit_slots(*body_, one, [&](std::string_view role, const Tensor& value) {
      state.push_back({one.variable, std::string(role), value.clone()});
    });
  return state;
}

std::vector<Variable> Optimizer::variables() const {
  std::vector<Variable> variables{
      Variable(Tensor::scalar(static_cast<double>(body_->steps), DType::int64), "iteration", false)};
  if (!body_->learning_rate.is_schedule())
    variables.emplace_back(Tensor::scalar(body_->learning_rate(0)), "learning_rate", false);
  for (const VariableState& one : body_->states)
    visit_slots(*body_, one, [&](std::string_view role, const Tensor& value) {
      variables.emplace_back(value, one.variable.name() + "_" + std::string(role), false);
    });
  for (const Optimizer& inner : body_->inner()) {
    const std::vector<Variable> theirs = inner.variables();
    variables.insert(variables.end(), theirs.begin(), theirs.end());
  }
  return variables;
}

void Optimizer::set_state(const OptimizerSlot& slot) {
  detail::OptimizerBody& body = body_->body_for(slot.variable);
  VariableState& state = body.state_of(0, slot.variable);
  std::vector<std::string_view> roles;
  Tensor* place = nullptr;
  visit_slots(body, state, [&](std::string_view role, Tensor& value) {
    roles.push_back(role);
    if (role == slot.role) place = &value;
  });
  if (place == nullptr)
    throw ValueError(name(), "expects a role that it keeps", "got \"" + slot.role + "\"",
                     did_you_mean(slot.role, roles));
  if (slot.value.shape() != place->shape())
    throw ShapeError(name(), "expects shape " + place->shape().to_string() + " for the " + slot.role,
                     "got " + slot.value.shape().to_string());
  *place = slot.value.detach().astype(slot.variable.dtype()).clone();
}

Config Optimizer::serialize(Generation generation) const {
  if (scale_ != nullptr) {
    Config config = Config::object();
    if (generation == Generation::keras3) config["name"] = name(generation);
    config["inner_optimizer"] = Optimizer(body_).serialize(generation);
    if (generation == Generation::keras2) config["dynamic"] = true;
    config["initial_scale"] = scale_->options.initial_scale;
    config["dynamic_growth_steps"] = scale_->options.dynamic_growth_steps;
    return detail::object_config("keras.optimizers", "LossScaleOptimizer", std::move(config));
  }
  if (Config whole = body_->whole_config(generation); !whole.is_null())
    return detail::object_config("keras.optimizers", body_->class_name(), std::move(whole));
  detail::CommonOptions common = body_->common;
  Config config = Config::object();
  config["name"] = name(generation);
  const Config rate = body_->learning_rate.serialize();
  if (generation == Generation::keras3) config["learning_rate"] = rate;
  common.generation = generation;
  const auto write = [&](const char* key, const auto& field) {
    config[key] = detail::argument_config(field);
  };
  if (common.legacy) {
    // Legacy writes the clips only where they are set.
    const auto write_set = [&](const char* key, const std::optional<double>& limit) {
      if (limit) config[key] = *limit;
    };
    write_set("clipnorm", common.clipnorm);
    write_set("clipvalue", common.clipvalue);
    write_set("global_clipnorm", common.global_clipnorm);
    config["learning_rate"] = rate;
    config["decay"] = common.decay;
  } else {
    detail::visit_shared(common, write);
    if (generation == Generation::keras2) {
      config["jit_compile"] = false;
      config["is_legacy_optimizer"] = false;
      config["learning_rate"] = rate;
    }
  }
  const Config own = body_->arguments(generation);
  for (const auto& [key, value] : own.items())
    // Keras 2 reads this one and does not write it.
    if (key != "adaptive_epsilon" || value != false) config[key] = value;
  const char* module = common.legacy ? "keras.optimizers.legacy" : "keras.optimizers";
  return detail::object_config(module, body_->class_name(), std::move(config));
}

#define KERATIN_OPTIMIZER(Class)                                          \
  Class::Class(LearningRate learning_rate, const Class##Options& options) \
      : Optimizer(detail::make_body(learning_rate, options)) {}
KERATIN_OPTIMIZER(SGD)
KERATIN_OPTIMIZER(RMSprop)
KERATIN_OPTIMIZER(Adam)
KERATIN_OPTIMIZER(AdamW)
KERATIN_OPTIMIZER(Adamax)
KERATIN_OPTIMIZER(Nadam)
KERATIN_OPTIMIZER(Adagrad)
KERATIN_OPTIMIZER(Adadelta)
KERATIN_OPTIMIZER(Ftrl)
KERATIN_OPTIMIZER(Lion)
KERATIN_OPTIMIZER(Lamb)
KERATIN_OPTIMIZER(Adafactor)
KERATIN_OPTIMIZER(Muon)
KERATIN_OPTIMIZER(ScheduleFreeAdamW)
#undef KERATIN_OPTIMIZER

LossScaleOptimizer::LossScaleOptimizer(const Optimizer& inner, const LossScaleOptions& options)
    : Optimizer(inner) {
  if (scale_ != nullptr)
    throw ValueError(options.name, "expects an optimizer without a scale of its own",
                     "got another LossScaleOptimizer", "Wrap the optimizer inside.");
  if (!(options.initial_scale > 0) || options.dynamic_growth_steps < 1)
    throw ValueError(
        options.name, "expects initial_scale above 0 and dynamic_growth_steps of at least 1",
        "got " + to_text(options.initial_scale) + " and " + std::to_string(options.dynamic_growth_steps));
  scale_ = std::make_shared<detail::DynamicScale>(detail::DynamicScale{options, options.initial_scale});
}

}  // namespace keratin::inline v0
