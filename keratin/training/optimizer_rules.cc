// The optimizers one by one: what each keeps, and the numbers of its update. Those that need a whole
// direction first are in optimizer_directions.cc.
#include <cmath>
#include <memory>
#include <vector>

#include "keratin/training/optimizer_rule.h"

namespace keratin::inline v0::detail {
namespace {

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
    Tensors& slots = state.slots;
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
  Tensors make_slots(const Variable& variable) const override {
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
  Tensors make_slots(const Variable& variable) const override {
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

class ScheduleFreeAdamwBody final : public BodyOf<ScheduleFreeAdamWOptions, ScheduleFreeAdamwBody> {
 public:
  static constexpr std::string_view kClass = "ScheduleFreeAdamW";
  ScheduleFreeAdamwBody(const LearningRate& rate, const ScheduleFreeAdamWOptions& options)
      : BodyOf(rate, options) {
    refuse_legacy(common);
    if (!(options.beta_1 > 0))
      throw ValueError(kClass, "expects beta_1 above 0", "got " + to_text(options.beta_1));
  }
  Roles roles() const override { return {"momentum", "velocity"}; }
  Tensors make_slots(const Variable& variable) const override {
    return {variable.value().clone(), Tensor::zeros(variable.shape(), variable.dtype())};
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    const auto& o = options_;
    const auto warmup = static_cast<double>(o.warmup_steps);
    const double warmed = warmup > 0 ? std::min(context.t / warmup, 1.0) : 1;
    run(ScheduleFreeStep<double>{.rate = context.learning_rate * warmed,
                                 .beta_1 = o.beta_1,
                                 .rest_1 = 1 - o.beta_1,
                                 .rest_2 = 1 - o.beta_2,
                                 .correction_2 = 1 - std::pow(o.beta_2, context.t),
                                 .epsilon = o.epsilon,
                                 .share = 1 / context.t,
                                 .rest_share = 1 - 1 / context.t},
        context, state, gradient);
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
KERATIN_BODY(ScheduleFreeAdamWOptions, ScheduleFreeAdamwBody)
#undef KERATIN_BODY

}  // namespace keratin::inline v0::detail
