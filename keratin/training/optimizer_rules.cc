// The optimizers one by one: what each keeps, and the numbers of its update.
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/factored_update.h"
#include "keratin/training/optimizer_arguments.h"
#include "keratin/training/optimizer_body.h"

namespace keratin::inline v0::detail {
namespace {

void check_unit(std::string_view operation, const char* argument, double value) {
  if (value >= 0 && value <= 1) return;
  throw ValueError(operation, std::string("expects ") + argument + " from 0 to 1", "got " + to_text(value));
}

void refuse_legacy(const CommonOptions& common) {
  if (common.legacy)
    throw ValueError(common.name, "expects an optimizer that tf_keras.optimizers.legacy has", "it has none",
                     "Leave legacy out.");
}

template <class T>
T* data_of(Tensor& tensor) {
  return tensor.is_defined() ? tensor.mutable_values<T>().data() : nullptr;
}

/// The arrays of a variable's state, its slots in the order given; undefined ones are null.
template <class T>
StepArrays<T> arrays_of(VariableState& state, const Tensor& gradient, std::array<Tensor*, 3> slots) {
  StepArrays<T> arrays{.w = state.variable.mutable_value().mutable_values<T>().data(),
                       .g = gradient.is_defined() ? gradient.values<T>().data() : nullptr};
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (slots[i] != nullptr) arrays.slots[i] = data_of<T>(*slots[i]);
  arrays.average = data_of<T>(state.average);
  return arrays;
}

/// Runs a rule with the slots in their order.
template <template <class> class Rule>
void run(const Rule<double>& rule, const UpdateContext& context, VariableState& state,
         const Tensor& gradient) {
  std::array<Tensor*, 3> slots{};
  for (std::size_t i = 0; i < std::min(slots.size(), state.slots.size()); ++i) slots[i] = &state.slots[i];
  visit_float(gradient.dtype(), [&]<class T>(T) {
    update(rule, context.input, arrays_of<T>(state, gradient, slots), gradient.size());
  });
}

/// What the bodies share: options in, configs and clones out.
template <class Options, class Derived>
class BodyOf : public OptimizerBody {
 public:
  BodyOf(const LearningRate& rate, const Options& options)
      : OptimizerBody(rate, CommonOptions::of(options)), options_(options) {
    // Legacy takes 0 for "not given".
    if constexpr (requires { options_.epsilon; })
      if (options_.legacy && options_.epsilon == 0) options_.epsilon = 1e-7;
  }
  std::string_view class_name() const final { return Derived::kClass; }
  Config arguments(Generation generation) const final {
    Config config = Config::object();
    visit_own(options_, generation,
              [&](const char* key, const auto& field) { config[key] = argument_config(field); });
    return config;
  }
  std::shared_ptr<OptimizerBody> clone() const final {
    auto copy = std::make_shared<Derived>(learning_rate, options_);
    copy->excluded = excluded;
    copy->excluded_names = excluded_names;
    return copy;
  }

 protected:
  Options options_;
};

using Roles = std::vector<std::string_view>;

class SgdBody final : public BodyOf<SGDOptions, SgdBody> {
 public:
  static constexpr std::string_view kClass = "SGD";
  SgdBody(const LearningRate& rate, const SGDOptions& options) : BodyOf(rate, options) {
    check_unit(kClass, "momentum", options.momentum);
  }
  Roles roles() const override { return options_.momentum == 0 ? Roles{} : Roles{"momentum"}; }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    run(SgdStep<double>{context.learning_rate, options_.momentum, options_.nesterov}, context, state,
        gradient);
  }
};

class RmspropBody final : public BodyOf<RMSpropOptions, RmspropBody> {
 public:
  static constexpr std::string_view kClass = "RMSprop";
  using BodyOf::BodyOf;
  Roles roles() const override {
    Roles roles{"velocity"};
    if (has_momentum()) roles.emplace_back("momentum");
    if (options_.centered) roles.emplace_back("average_gradient");
    return roles;
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const RmspropStep<double> rule{.rate = context.learning_rate,
                                   .rho = options_.rho,
                                   .rest = 1 - options_.rho,
                                   .momentum = options_.momentum,
                                   .epsilon = options_.epsilon,
                                   .epsilon_outside = options_.legacy && !has_momentum()};
    std::vector<Tensor>& slots = state.slots;
    visit_float(gradient.dtype(), [&]<class T>(T) {
      detail::update(rule, context.input,
                     arrays_of<T>(state, gradient,
                                  {&slots[0], has_momentum() ? &slots[1] : nullptr,
                                   options_.centered ? &slots.back() : nullptr}),
                     gradient.size());
    });
  }

 private:
  bool has_momentum() const { return options_.momentum > 0; }
};

/// Adam and AdamW, which differ in their default of weight_decay.
template <class Options, class Derived>
class AdamLike : public BodyOf<Options, Derived> {
 public:
  using BodyOf<Options, Derived>::BodyOf;
  Roles roles() const final {
    if (!this->options_.amsgrad) return {"momentum", "velocity"};
    return {"momentum", "velocity", "velocity_hat"};
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) final {
    const Options& o = this->options_;
    const double correction = std::sqrt(1 - std::pow(o.beta_2, context.t));
    double epsilon = o.epsilon;
    if constexpr (requires { o.adaptive_epsilon; })
      if (o.adaptive_epsilon) epsilon *= correction;
    run(AdamStep<double>{.rate = context.learning_rate * correction / (1 - std::pow(o.beta_1, context.t)),
                         .rest_1 = 1 - o.beta_1,
                         .rest_2 = 1 - o.beta_2,
                         .epsilon = epsilon},
        context, state, gradient);
  }
};
class AdamBody final : public AdamLike<AdamOptions, AdamBody> {
 public:
  static constexpr std::string_view kClass = "Adam";
  using AdamLike::AdamLike;
};
class AdamwBody final : public AdamLike<AdamWOptions, AdamwBody> {
 public:
  static constexpr std::string_view kClass = "AdamW";
  AdamwBody(const LearningRate& rate, const AdamWOptions& options) : AdamLike(rate, options) {
    refuse_legacy(common);
  }
};

class AdamaxBody final : public BodyOf<AdamaxOptions, AdamaxBody> {
 public:
  static constexpr std::string_view kClass = "Adamax";
  using BodyOf::BodyOf;
  Roles roles() const override { return {"momentum", "norm"}; }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    run(AdamaxStep<double>{.rate = context.learning_rate / (1 - std::pow(options_.beta_1, context.t)),
                           .rest_1 = 1 - options_.beta_1,
                           .beta_2 = options_.beta_2,
                           .epsilon = options_.epsilon},
        context, state, gradient);
  }
};

class NadamBody final : public BodyOf<NadamOptions, NadamBody> {
 public:
  static constexpr std::string_view kClass = "Nadam";
  using BodyOf::BodyOf;
  Roles roles() const override { return {"momentum", "velocity"}; }
  // decay is about the momentum, not the learning rate.
  double rate_at(std::int64_t iterations) const override { return learning_rate(iterations); }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const double now = momentum_at(context.t), after = momentum_at(context.t + 1);
    const double product = product_until(context.t);
    run(NadamStep<double>{.rate = context.learning_rate,
                          .rest_1 = 1 - options_.beta_1,
                          .rest_2 = 1 - options_.beta_2,
                          .epsilon = options_.epsilon,
                          .of_m = after / (1 - product * after),
                          .of_g = (1 - now) / (1 - product),
                          .correction_2 = 1 - std::pow(options_.beta_2, context.t)},
        context, state, gradient);
  }

 private:
  double momentum_at(double t) const {
    return options_.beta_1 * (1 - 0.5 * std::pow(0.96, options_.legacy ? options_.decay * t : t));
  }
  // Of the momenta 1 … t, remembered for the next step and the next variable.
  double product_until(double t) {
    if (t < product_t_) product_t_ = 0, product_ = 1;
    while (product_t_ < t) product_ *= momentum_at(++product_t_);
    return product_;
  }
  double product_t_ = 0, product_ = 1;
};

class AdagradBody final : public BodyOf<AdagradOptions, AdagradBody> {
 public:
  static constexpr std::string_view kClass = "Adagrad";
  using BodyOf::BodyOf;
  Roles roles() const override { return {"accumulator"}; }
  std::vector<Tensor> make_slots(const Variable& variable) const override {
    return {Tensor::full(variable.shape(), options_.initial_accumulator_value, variable.dtype())};
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    run(AdagradStep<double>{context.learning_rate, options_.epsilon, options_.legacy}, context, state,
        gradient);
  }
};

class AdadeltaBody final : public BodyOf<AdadeltaOptions, AdadeltaBody> {
 public:
  static constexpr std::string_view kClass = "Adadelta";
  using BodyOf::BodyOf;
  Roles roles() const override { return {"accumulated_grad", "accumulated_delta_var"}; }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    run(AdadeltaStep<double>{context.learning_rate, options_.rho, 1 - options_.rho, options_.epsilon},
        context, state, gradient);
  }
};

class FtrlBody final : public BodyOf<FtrlOptions, FtrlBody> {
 public:
  static constexpr std::string_view kClass = "Ftrl";
  FtrlBody(const LearningRate& rate, const FtrlOptions& o) : BodyOf(rate, o) {
    const auto refuse_below_0 = [](const char* argument, double value) {
      if (value < 0)
        throw ValueError(kClass, std::string("expects ") + argument + " of at least 0",
                         "got " + to_text(value));
    };
    refuse_below_0("initial_accumulator_value", o.initial_accumulator_value);
    refuse_below_0("l1_regularization_strength", o.l1_regularization_strength);
    refuse_below_0("l2_regularization_strength", o.l2_regularization_strength);
    refuse_below_0("l2_shrinkage_regularization_strength", o.l2_shrinkage_regularization_strength);
    if (o.learning_rate_power > 0)
      throw ValueError(kClass, "expects learning_rate_power of at most 0",
                       "got " + to_text(o.learning_rate_power));
  }
  Roles roles() const override { return {"accumulator", "linear"}; }
  std::vector<Tensor> make_slots(const Variable& variable) const override {
    return {Tensor::full(variable.shape(), options_.initial_accumulator_value, variable.dtype()),
            Tensor::zeros(variable.shape(), variable.dtype())};
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const double rate = context.learning_rate;
    run(FtrlStep<double>{.rate = rate,
                         .power = -options_.learning_rate_power,
                         .l1 = options_.l1_regularization_strength,
                         .twice_l2 = 2 * options_.l2_regularization_strength + options_.beta / rate,
                         .twice_shrinkage = 2 * options_.l2_shrinkage_regularization_strength},
        context, state, gradient);
  }
};

class LionBody final : public BodyOf<LionOptions, LionBody> {
 public:
  static constexpr std::string_view kClass = "Lion";
  LionBody(const LearningRate& rate, const LionOptions& options) : BodyOf(rate, options) {
    refuse_legacy(common);
    if (!(options.beta_1 > 0 && options.beta_1 <= 1))
      throw ValueError(kClass, "expects beta_1 above 0 and at most 1", "got " + to_text(options.beta_1),
                       "Otherwise the optimizer degenerates into SignSGD.");
  }
  Roles roles() const override { return {"momentum"}; }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    run(LionStep<double>{context.learning_rate, options_.beta_1, 1 - options_.beta_1, options_.beta_2,
                         1 - options_.beta_2},
        context, state, gradient);
  }
};

/// w −= rate·direction and what comes after a rule; what came before is done.
template <class T>
void move_along(double rate, const UpdateContext& context, VariableState& state, Tensor& direction) {
  const StepInput after{.average_momentum = context.input.average_momentum};
  update(DirectionStep<double>{rate}, after, arrays_of<T>(state, {}, {&direction, nullptr, nullptr}),
         direction.size());
}

class LambBody final : public BodyOf<LambOptions, LambBody> {
 public:
  static constexpr std::string_view kClass = "Lamb";
  LambBody(const LearningRate& rate, const LambOptions& options) : BodyOf(rate, options) {
    refuse_legacy(common);
  }
  Roles roles() const override { return {"momentum", "velocity"}; }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const LambDirection<double> rule{.rest_1 = 1 - options_.beta_1,
                                     .rest_2 = 1 - options_.beta_2,
                                     .correction_1 = 1 - std::pow(options_.beta_1, context.t),
                                     .correction_2 = 1 - std::pow(options_.beta_2, context.t),
                                     .epsilon = options_.epsilon};
    Tensor direction = Tensor::empty(gradient.shape(), gradient.dtype());
    visit_float(gradient.dtype(), [&]<class T>(T) {
      StepArrays<T> arrays = arrays_of<T>(state, gradient, {&state.slots[0], &state.slots[1], &direction});
      arrays.average = nullptr;
      detail::update(rule, context.input, arrays, gradient.size());
      const double of_w = std::sqrt(sum_of_squares<T>(arrays.w, gradient.size()));
      const double of_direction = std::sqrt(sum_of_squares<T>(arrays.slots[2], gradient.size()));
      const double ratio = of_w > 0 && of_direction > 0 ? of_w / of_direction : 1;
      move_along<T>(ratio * context.learning_rate, context, state, direction);
    });
  }
};

class AdafactorBody final : public BodyOf<AdafactorOptions, AdafactorBody> {
 public:
  static constexpr std::string_view kClass = "Adafactor";
  AdafactorBody(const LearningRate& rate, const AdafactorOptions& options) : BodyOf(rate, options) {
    refuse_legacy(common);
  }
  Roles roles() const override { return {"r", "c", "velocity"}; }
  // r and c only where there are rows and columns; v of a matrix follows from them.
  std::vector<Tensor> make_slots(const Variable& variable) const override {
    const Shape& shape = variable.shape();
    const DType dtype = variable.dtype();
    if (shape.rank() < 2) return {Tensor(), Tensor(), Tensor::zeros(shape, dtype)};
    return {Tensor::zeros(shape.without(shape.rank() - 1), dtype),
            Tensor::zeros(shape.without(shape.rank() - 2), dtype), Tensor()};
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const FactoredStep step{.input = context.input,
                            .beta = 1 - std::pow(context.t, options_.beta_2_decay),
                            .epsilon = options_.epsilon_1};
    Tensor direction = Tensor::empty(gradient.shape(), gradient.dtype());
    visit_float(gradient.dtype(), [&]<class T>(T) {
      const auto w = state.variable.mutable_value().mutable_values<T>();
      const std::int64_t count = gradient.size();
      const StepInput decay_only{.decay = context.input.decay};
      detail::update(NoStep<double>{}, decay_only, StepArrays<T>{.w = w.data(), .g = nullptr}, count);
      factored_direction<T>(step, gradient, state.slots[0], state.slots[1], state.slots[2], direction);
      const auto root_mean_square = [count](const T* values) {
        return std::sqrt(sum_of_squares(values, count) /
                         static_cast<double>(std::max<std::int64_t>(count, 1)));
      };
      const double size = std::max(options_.epsilon_2, root_mean_square(w.data()));
      const double rate = std::min(context.learning_rate, 1 / std::sqrt(context.t));
      const double shrink =
          std::max(1.0, root_mean_square(direction.values<T>().data()) / options_.clip_threshold);
      move_along<T>(size * rate / shrink, context, state, direction);
    });
  }
};

}  // namespace

#define KERATIN_BODY(Options, Body)                                                            \
  std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const Options& options) { \
    return std::make_shared<Body>(rate, options);                                              \
  }
KERATIN_BODY(SGDOptions, SgdBody)
KERATIN_BODY(RMSpropOptions, RmspropBody)
KERATIN_BODY(AdamOptions, AdamBody)
KERATIN_BODY(AdamWOptions, AdamwBody)
KERATIN_BODY(AdamaxOptions, AdamaxBody)
KERATIN_BODY(NadamOptions, NadamBody)
KERATIN_BODY(AdagradOptions, AdagradBody)
KERATIN_BODY(AdadeltaOptions, AdadeltaBody)
KERATIN_BODY(FtrlOptions, FtrlBody)
KERATIN_BODY(LionOptions, LionBody)
KERATIN_BODY(LambOptions, LambBody)
KERATIN_BODY(AdafactorOptions, AdafactorBody)
#undef KERATIN_BODY

}  // namespace keratin::inline v0::detail
