// What stands behind an Optimizer: the arguments that all share, the state, and a rule. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/training/optimizer_kernels.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0::detail {

/// What an optimizer keeps for one variable.
struct VariableState {
  Variable variable;
  Tensor average, accumulated;  ///< undefined unless used
  Tensors slots;                ///< the rule's, in the order of roles()
  bool decays = true;
};

/// The arguments that all optimizers share, from any of the option structs.
struct CommonOptions {
  std::optional<double> weight_decay, clipnorm, clipvalue, global_clipnorm;
  bool use_ema;
  double ema_momentum;
  std::optional<std::int64_t> ema_overwrite_frequency;
  std::optional<double> loss_scale_factor;
  std::optional<std::int64_t> gradient_accumulation_steps;
  std::string name;
  Generation generation;
  bool legacy;
  double decay;

  template <class Options>
  static CommonOptions of(const Options& o) {
    return {o.weight_decay,
            o.clipnorm,
            o.clipvalue,
            o.global_clipnorm,
            o.use_ema,
            o.ema_momentum,
            o.ema_overwrite_frequency,
            o.loss_scale_factor,
            o.gradient_accumulation_steps,
            o.name,
            o.generation,
            o.legacy,
            o.decay};
  }
};

/// One update, as a rule sees it.
struct UpdateContext {
  StepInput input;
  double learning_rate;
  double t;  ///< this update's number, from 1
};

class OptimizerBody {
 public:
  /// ValueError for arguments out of their range.
  OptimizerBody(LearningRate learning_rate, CommonOptions common);
  virtual ~OptimizerBody() = default;

  virtual std::string_view class_name() const = 0;
  virtual std::vector<std::string_view> roles() const = 0;
  /// The arguments of its own, as get_config of that generation names and orders them.
  virtual Config arguments(Generation generation) const = 0;
  virtual std::shared_ptr<OptimizerBody> clone() const = 0;
  virtual Tensors make_slots(const Variable& variable) const;
  virtual void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) = 0;
  /// The learning rate of an update, where `iterations` steps were done before.
  virtual double rate_at(std::int64_t iterations) const;

  // What a body of several others does with each of them.
  virtual void apply(std::span<const Variable> variables, std::span<const Tensor> gradients,
                     double loss_scale);
  virtual void finalize(std::span<const Variable> variables);
  virtual void swap_averages(std::span<const Variable> variables);
  virtual bool keeps_averages() const { return common.use_ema; }
  virtual bool has_swapped_averages() const { return averages_swapped; }
  virtual void exclude(std::vector<Variable> variables, std::vector<std::string> names);
  /// The others, and which of them has a variable.
  virtual std::vector<Optimizer> inner() const { return {}; }
  virtual OptimizerBody& body_for(const Variable& /*variable*/) { return *this; }
  /// The config, where it is not made of the shared arguments; else null.
  virtual Config whole_config(Generation generation) const;

  VariableState& state_of(std::size_t index, const Variable& variable);

  std::int64_t accumulation_steps() const { return common.gradient_accumulation_steps.value_or(1); }
  std::int64_t updates() const { return steps / accumulation_steps(); }
  double loss_scale() const { return common.loss_scale_factor.value_or(1); }

  LearningRate learning_rate;
  CommonOptions common;
  std::int64_t steps = 0;
  std::vector<VariableState> states;
  bool averages_swapped = false;
  std::vector<Variable> excluded;
  std::vector<std::string> excluded_names;

 protected:
  /// What a step with these would throw, before anything has changed.
  void check_step(std::span<const Variable> variables, std::span<const Tensor> gradients) const;

 private:
  bool decays(const Variable& variable) const;
  /// How each gradient is scaled, after accumulation; the limit with it.
  void find_clips(std::span<const Tensor> gradients, double scale);
  void update_all(std::span<const Variable> variables, std::span<const Tensor> gradients);
  void average(VariableState& state);
  template <class F>
  void for_each_state(std::span<const Variable> variables, F&& f);

  Tensors gradients_;              // of this step, contiguous
  std::vector<StepInput> inputs_;  // beside them
};

template <class F>
void visit_float(DType dtype, F&& f) {
  dtype == DType::float64 ? f(double{}) : f(float{});
}

/// The scale of a loss that finds its own size.
struct DynamicScale {
  LossScaleOptions options;
  double scale;
  std::int64_t good_steps = 0;
};

/// A body from options and a learning rate: what the constructors and configs make.
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const SGDOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const RMSpropOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdamOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdamWOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdamaxOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const NadamOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdagradOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdadeltaOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const FtrlOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const LionOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const LambOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdafactorOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const MuonOptions& options);
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const ScheduleFreeAdamWOptions& options);

}  // namespace keratin::inline v0::detail
