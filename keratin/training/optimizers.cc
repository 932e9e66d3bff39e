#include "keratin/training/optimizers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/text.h"
#include "keratin/training/optimizer_kernels.h"

namespace keratin::inline v0 {
namespace detail {

/// What an optimizer keeps for one variable. Slots by index; the body names them.
struct VariableState {
  Variable variable;
  std::vector<Tensor> slots;
};

/// The arguments that all optimizers share.
struct CommonOptions {
  std::optional<double> weight_decay, clipnorm, clipvalue, global_clipnorm;
  std::string name;
  Generation generation;
};

class OptimizerBody {
 public:
  OptimizerBody(double learning_rate, CommonOptions common)
      : learning_rate_(learning_rate), common_(std::move(common)) {}
  virtual ~OptimizerBody() = default;

  virtual std::string_view class_name() const = 0;
  virtual std::vector<std::string_view> roles() const = 0;
  /// The arguments of its own, as get_config of that generation names and orders them.
  virtual Config arguments(Generation generation) const = 0;
  virtual std::shared_ptr<OptimizerBody> clone() const = 0;
  virtual void update(const StepInput& input, Variable& variable, const Tensor& gradient,
                      std::vector<Tensor>& slots) const = 0;

  void apply(std::span<const Variable> variables, std::span<const Tensor> gradients);
  VariableState& state_of(std::size_t index, const Variable& variable);

  double learning_rate_;
  std::int64_t iterations_ = 0;
  CommonOptions common_;
  std::vector<VariableState> states_;

 private:
  double global_scale(std::span<const Tensor> gradients) const;
  StepInput input_for(const Tensor& gradient, double global_scale) const;
};

namespace {

double norm_squared(const Tensor& gradient) {
  return gradient.dtype() == DType::float64
             ? sum_of_squares(gradient.values<double>().data(), gradient.size())
             : sum_of_squares(gradient.values<float>().data(), gradient.size());
}

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

template <class T>
T* slot(std::vector<Tensor>& slots, std::size_t index) {
  return index < slots.size() ? slots[index].mutable_values<T>().data() : nullptr;
}

}  // namespace

VariableState& OptimizerBody::state_of(std::size_t index, const Variable& variable) {
  // The variables of step after step are the same in the same order.
  if (index < states_.size() && states_[index].variable == variable) return states_[index];
  const auto found = std::find_if(states_.begin(), states_.end(),
                                  [&](const VariableState& state) { return state.variable == variable; });
  if (found != states_.end()) return *found;
  VariableState fresh{variable, {}};
  for (std::size_t i = 0; i < roles().size(); ++i)
    fresh.slots.push_back(Tensor::zeros(variable.shape(), variable.dtype()));
  return states_.emplace_back(std::move(fresh));
}

double OptimizerBody::global_scale(std::span<const Tensor> gradients) const {
  if (!common_.global_clipnorm) return 1;
  double sum = 0;
  for (const Tensor& gradient : gradients)
    if (gradient.is_defined()) sum += norm_squared(gradient.contiguous());
  const double limit = *common_.global_clipnorm;
  return limit * std::min(1 / std::sqrt(sum), 1 / limit);
}

StepInput OptimizerBody::input_for(const Tensor& gradient, double global_scale) const {
  StepInput input;
  // Keras 2 takes the first that is set of the three; Keras 3 has refused two.
  if (common_.clipnorm) {
    input.gradient_scale = *common_.clipnorm / std::max(std::sqrt(norm_squared(gradient)), *common_.clipnorm);
  } else if (common_.global_clipnorm) {
    input.gradient_scale = global_scale;
  } else if (common_.clipvalue) {
    input.gradient_limit = *common_.clipvalue;
  }
  input.decay = common_.weight_decay.value_or(0) * learning_rate_;
  return input;
}

void OptimizerBody::apply(std::span<const Variable> variables, std::span<const Tensor> gradients) {
  check_gradients(common_.name, variables, gradients);
  const FloatEnvironment environment;
  const double scale = common_.clipnorm ? 1 : global_scale(gradients);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    VariableState& state = state_of(i, variables[i]);
    if (!gradients[i].is_defined()) continue;
    const Tensor gradient = gradients[i].contiguous();
    update(input_for(gradient, scale), state.variable, gradient, state.slots);
  }
  ++iterations_;
}

namespace {

template <class Options>
void check_common(std::string_view operation, double learning_rate, const Options& options) {
  const auto later = [&](bool set, const char* argument) {
    if (set)
      throw ValueError(operation, std::string("expects no ") + argument, "it is set",
                       "This version does not have it yet.");
  };
  later(options.use_ema, "use_ema");
  later(options.loss_scale_factor.has_value(), "loss_scale_factor");
  later(options.gradient_accumulation_steps.value_or(1) != 1, "gradient_accumulation_steps");
  if (std::isnan(learning_rate)) throw ValueError(operation, "expects a learning rate", "got NaN");
  for (const auto& [argument, limit] : {std::pair{"clipnorm", options.clipnorm},
                                        {"clipvalue", options.clipvalue},
                                        {"global_clipnorm", options.global_clipnorm}})
    if (limit && !(*limit > 0))
      throw ValueError(operation, std::string("expects ") + argument + " above 0", "got " + to_text(*limit),
                       "Leave it out to clip nothing.");
  const int clips =
      options.clipnorm.has_value() + options.clipvalue.has_value() + options.global_clipnorm.has_value();
  const bool conflict = options.generation == Generation::keras3
                            ? clips > 1
                            : options.clipnorm.has_value() && options.global_clipnorm.has_value();
  if (conflict)
    throw ValueError(operation, "expects only one of clipnorm, clipvalue and global_clipnorm",
                     std::to_string(clips) + " are set", "");
}

void check_unit(std::string_view operation, const char* argument, double value) {
  if (value >= 0 && value <= 1) return;
  throw ValueError(operation, std::string("expects ") + argument + " from 0 to 1", "got " + to_text(value));
}

template <class Options>
CommonOptions common_of(const Options& options) {
  return {options.weight_decay,    options.clipnorm, options.clipvalue,
          options.global_clipnorm, options.name,     options.generation};
}

template <class F>
void visit_float(DType dtype, F&& f) {
  dtype == DType::float64 ? f(double{}) : f(float{});
}

class SgdBody final : public OptimizerBody {
 public:
  SgdBody(double learning_rate, const SGDOptions& options)
      : OptimizerBody(learning_rate, common_of(options)), options_(options) {
    check_common("SGD", learning_rate, options);
    check_unit("SGD", "momentum", options.momentum);
  }
  std::string_view class_name() const override { return "SGD"; }
  std::vector<std::string_view> roles() const override {
    if (options_.momentum == 0) return {};
    return {"momentum"};
  }
  Config arguments(Generation) const override {
    return {{"momentum", options_.momentum}, {"nesterov", options_.nesterov}};
  }
  std::shared_ptr<OptimizerBody> clone() const override {
    return std::make_shared<SgdBody>(learning_rate_, options_);
  }
  void update(const StepInput& input, Variable& variable, const Tensor& gradient,
              std::vector<Tensor>& slots) const override {
    const SgdStep step{input, learning_rate_, options_.momentum, options_.nesterov};
    visit_float(variable.dtype(), [&]<class T>(T) {
      sgd_update(step, variable.mutable_value().mutable_values<T>().data(), gradient.values<T>().data(),
                 slot<T>(slots, 0), gradient.size());
    });
  }

 private:
  SGDOptions options_;
};

class RmspropBody final : public OptimizerBody {
 public:
  RmspropBody(double learning_rate, const RMSpropOptions& options)
      : OptimizerBody(learning_rate, common_of(options)), options_(options) {
    check_common("RMSprop", learning_rate, options);
  }
  std::string_view class_name() const override { return "RMSprop"; }
  std::vector<std::string_view> roles() const override {
    std::vector<std::string_view> roles{"velocity"};
    if (options_.momentum > 0) roles.emplace_back("momentum");
    if (options_.centered) roles.emplace_back("average_gradient");
    return roles;
  }
  Config arguments(Generation) const override {
    return {{"rho", options_.rho},
            {"momentum", options_.momentum},
            {"epsilon", options_.epsilon},
            {"centered", options_.centered}};
  }
  std::shared_ptr<OptimizerBody> clone() const override {
    return std::make_shared<RmspropBody>(learning_rate_, options_);
  }
  void update(const StepInput& input, Variable& variable, const Tensor& gradient,
              std::vector<Tensor>& slots) const override {
    const RmspropStep step{input, learning_rate_, options_.rho, options_.momentum, options_.epsilon};
    const bool momentum = options_.momentum > 0;
    visit_float(variable.dtype(), [&]<class T>(T) {
      rmsprop_update(step, variable.mutable_value().mutable_values<T>().data(), gradient.values<T>().data(),
                     slot<T>(slots, 0), momentum ? slot<T>(slots, 1) : nullptr,
                     options_.centered ? slot<T>(slots, momentum ? 2 : 1) : nullptr, gradient.size());
    });
  }

 private:
  RMSpropOptions options_;
};

class AdamBody final : public OptimizerBody {
 public:
  AdamBody(double learning_rate, const AdamOptions& options)
      : OptimizerBody(learning_rate, common_of(options)), options_(options) {
    check_common("Adam", learning_rate, options);
  }
  std::string_view class_name() const override { return "Adam"; }
  std::vector<std::string_view> roles() const override {
    if (!options_.amsgrad) return {"momentum", "velocity"};
    return {"momentum", "velocity", "velocity_hat"};
  }
  Config arguments(Generation generation) const override {
    Config config{{"beta_1", options_.beta_1}, {"beta_2", options_.beta_2}, {"epsilon", options_.epsilon}};
    if (generation == Generation::keras2) config["adaptive_epsilon"] = options_.adaptive_epsilon;
    config["amsgrad"] = options_.amsgrad;
    return config;
  }
  std::shared_ptr<OptimizerBody> clone() const override {
    return std::make_shared<AdamBody>(learning_rate_, options_);
  }
  void update(const StepInput& input, Variable& variable, const Tensor& gradient,
              std::vector<Tensor>& slots) const override {
    const auto t = static_cast<double>(iterations_ + 1);
    const double correction = std::sqrt(1 - std::pow(options_.beta_2, t));
    const AdamStep step{input, learning_rate_ * correction / (1 - std::pow(options_.beta_1, t)),
                        options_.beta_1, options_.beta_2,
                        options_.epsilon * (options_.adaptive_epsilon ? correction : 1)};
    visit_float(variable.dtype(), [&]<class T>(T) {
      adam_update(step, variable.mutable_value().mutable_values<T>().data(), gradient.values<T>().data(),
                  slot<T>(slots, 0), slot<T>(slots, 1), slot<T>(slots, 2), gradient.size());
    });
  }

 private:
  AdamOptions options_;
};

}  // namespace
}  // namespace detail

Optimizer::Optimizer(std::shared_ptr<detail::OptimizerBody> body) : body_(std::move(body)) {}
Optimizer::Optimizer(const char* name) : Optimizer(std::string_view(name)) {}
Optimizer::Optimizer(std::string_view name) : Optimizer(optimizers::deserialize(Config(name))) {}

void Optimizer::apply(std::span<const Variable> variables, std::span<const Tensor> gradients) {
  body_->apply(variables, gradients);
}
double Optimizer::learning_rate() const noexcept { return body_->learning_rate_; }
void Optimizer::set_learning_rate(double learning_rate) {
  if (std::isnan(learning_rate)) throw ValueError(name(), "expects a learning rate", "got NaN");
  body_->learning_rate_ = learning_rate;
}
std::int64_t Optimizer::iterations() const noexcept { return body_->iterations_; }
void Optimizer::set_iterations(std::int64_t iterations) {
  if (iterations < 0)
    throw ValueError(name(), "expects a number of steps", "got " + std::to_string(iterations));
  body_->iterations_ = iterations;
}
std::string Optimizer::name() const { return body_->common_.name; }
Optimizer Optimizer::clone() const { return Optimizer(body_->clone()); }

std::vector<OptimizerSlot> Optimizer::state() const {
  std::vector<OptimizerSlot> state;
  const auto roles = body_->roles();
  for (const auto& [variable, slots] : body_->states_)
    for (std::size_t i = 0; i < slots.size(); ++i)
      state.push_back({variable, std::string(roles[i]), slots[i].clone()});
  return state;
}

std::vector<Variable> Optimizer::variables() const {
  std::vector<Variable> variables{
      Variable(Tensor::scalar(static_cast<double>(body_->iterations_), DType::int64), "iteration", false),
      Variable(Tensor::scalar(body_->learning_rate_), "learning_rate", false)};
  const auto roles = body_->roles();
  for (const auto& [variable, slots] : body_->states_)
    for (std::size_t i = 0; i < slots.size(); ++i)
      variables.emplace_back(slots[i], variable.name() + "_" + std::string(roles[i]), false);
  return variables;
}

void Optimizer::set_state(const OptimizerSlot& slot) {
  const auto roles = body_->roles();
  const auto role = std::find(roles.begin(), roles.end(), slot.role);
  if (role == roles.end())
    throw ValueError(name(), "expects a role that it keeps", "got \"" + slot.role + "\"",
                     did_you_mean(slot.role, roles));
  if (slot.value.shape() != slot.variable.shape())
    throw ShapeError(name(), "expects shape " + slot.variable.shape().to_string() + " for the " + slot.role,
                     "got " + slot.value.shape().to_string());
  Tensor& value = body_->state_of(0, slot.variable).slots[static_cast<std::size_t>(role - roles.begin())];
  value = slot.value.detach().astype(slot.variable.dtype()).clone();
}

Config Optimizer::serialize(Generation generation) const {
  const auto number = [](const auto& value) { return value ? Config(*value) : Config(); };
  const detail::CommonOptions& common = body_->common_;
  Config config = Config::object();
  config["name"] = common.name;
  if (generation == Generation::keras3) config["learning_rate"] = body_->learning_rate_;
  config["weight_decay"] = number(common.weight_decay);
  config["clipnorm"] = number(common.clipnorm);
  config["global_clipnorm"] = number(common.global_clipnorm);
  config["clipvalue"] = number(common.clipvalue);
  config["use_ema"] = false;
  config["ema_momentum"] = 0.99;
  config["ema_overwrite_frequency"] = nullptr;
  if (generation == Generation::keras3) {
    config["loss_scale_factor"] = nullptr;
    config["gradient_accumulation_steps"] = nullptr;
  } else {
    config["jit_compile"] = false;
    config["is_legacy_optimizer"] = false;
    config["learning_rate"] = body_->learning_rate_;
  }
  const Config own = body_->arguments(generation);
  for (const auto& [key, value] : own.items()) config[key] = value;
  Config object = Config::object();
  object["module"] = "keras.optimizers";
  object["class_name"] = body_->class_name();
  object["config"] = std::move(config);
  object["registered_name"] = nullptr;
  return object;
}

SGD::SGD(double learning_rate, const SGDOptions& options)
    : Optimizer(std::make_shared<detail::SgdBody>(learning_rate, options)) {}
RMSprop::RMSprop(double learning_rate, const RMSpropOptions& options)
    : Optimizer(std::make_shared<detail::RmspropBody>(learning_rate, options)) {}
Adam::Adam(double learning_rate, const AdamOptions& options)
    : Optimizer(std::make_shared<detail::AdamBody>(learning_rate, options)) {}

}  // namespace keratin::inline v0
