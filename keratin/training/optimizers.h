// Optimizers: how gradients change variables.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"
#include "keratin/training/learning_rate.h"

namespace keratin::inline v0 {

// Arguments after the learning rate, in the order of Keras 3's signatures.
//
// weight_decay: w −= w·decay·learning_rate before the update, with the gradient taken at the old w.
// clipnorm: each gradient's norm at most that; global_clipnorm: the norm of all together; clipvalue: each
// entry. Keras 3 refuses two of them; Keras 2 takes the first of norm, global norm, value; its legacy
// optimizers apply value, norm and global norm one after the other.
// use_ema: a moving average of the weights beside them, which takes their place after every
// ema_overwrite_frequency steps and when fit ends.
// loss_scale_factor: the loss times that, the gradients by it, so that small ones survive half precision.
// gradient_accumulation_steps: an update with the mean gradient of so many steps; schedules count the steps.
//
// The last three are not Keras's arguments. generation: whose semantics where the two differ. legacy: those
// of tf_keras.optimizers.legacy, with its argument decay: learning_rate / (1 + decay·iterations); for Nadam
// how fast its momentum is warmed up, 0.004 in Keras.
//
// A macro, since members of a base class cannot be named in a designated initialiser.
#define KERATIN_OPTIMIZER_ARGUMENTS(NAME)                                 \
  std::optional<double> clipnorm = std::nullopt;                          \
  std::optional<double> clipvalue = std::nullopt;                         \
  std::optional<double> global_clipnorm = std::nullopt;                   \
  bool use_ema = false;                                                   \
  double ema_momentum = 0.99;                                             \
  std::optional<std::int64_t> ema_overwrite_frequency = std::nullopt;     \
  std::optional<double> loss_scale_factor = std::nullopt;                 \
  std::optional<std::int64_t> gradient_accumulation_steps = std::nullopt; \
  std::string name = NAME;                                                \
  Generation generation = Generation::keras3;                             \
  bool legacy = false;                                                    \
  double decay = 0.0

struct SGDOptions {
  double momentum = 0.0;
  bool nesterov = false;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("SGD");
};
struct RMSpropOptions {
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("RMSprop");
};
struct AdamOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Adam");
  /// Keras 2 only: epsilon·√(1 − beta_2^t) in place of epsilon.
  bool adaptive_epsilon = false;
};
struct AdamWOptions {
  std::optional<double> weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  KERATIN_OPTIMIZER_ARGUMENTS("AdamW");
};
struct AdamaxOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Adamax");
};
struct NadamOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Nadam");
};
struct AdagradOptions {
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Adagrad");
};
struct AdadeltaOptions {
  double rho = 0.95;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Adadelta");
};
struct FtrlOptions {
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0.0;
  double l2_regularization_strength = 0.0;
  double l2_shrinkage_regularization_strength = 0.0;
  double beta = 0.0;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Ftrl");
};
struct LionOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Lion");
};
struct LambOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Lamb");
};
struct AdafactorOptions {
  double beta_2_decay = -0.8;
  double epsilon_1 = 1e-30;
  double epsilon_2 = 1e-3;
  double clip_threshold = 1.0;
  /// In Keras without effect: the rate is at most 1/√t either way.
  bool relative_step = true;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("Adafactor");
};
struct MuonOptions {
  double adam_beta_1 = 0.9;
  double adam_beta_2 = 0.999;
  std::optional<double> adam_weight_decay = 0.004;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = 0.004;
  KERATIN_OPTIMIZER_ARGUMENTS("Muon");
  /// Parts of the names of variables that take Adam's step: plain text, where Keras has regular expressions
  /// of paths.
  std::vector<std::string> exclude_layers = {};
  bool exclude_embeddings = true;
  double muon_a = 3.4445;
  double muon_b = -4.7750;
  double muon_c = 2.0315;
  double adam_lr_ratio = 1.0;
  double momentum = 0.95;
  std::int64_t ns_steps = 5;
  bool nesterov = true;
  std::optional<double> rms_rate = 0.2;
  /// Not Keras's: variables that take Adam's step, as those of the last layer should.
  std::vector<Variable> exclude_variables = {};
};
struct ScheduleFreeAdamWOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t warmup_steps = 0;
  std::optional<double> weight_decay = std::nullopt;
  KERATIN_OPTIMIZER_ARGUMENTS("ScheduleFreeAdamW");
};
#undef KERATIN_OPTIMIZER_ARGUMENTS

struct LossScaleOptions {
  double initial_scale = 32768.0;
  std::int64_t dynamic_growth_steps = 2000;
  std::string name = "LossScaleOptimizer";
  Generation generation = Generation::keras3;
};

/// What an optimizer keeps for one variable: "momentum", "velocity", "average", …
struct OptimizerSlot {
  Variable variable;
  std::string role;
  Tensor value;
};

namespace detail {
class OptimizerBody;
struct DynamicScale;
}  // namespace detail

/// A handle: copies are the same optimizer and share its state, clone() does not.
class KERATIN_API Optimizer {
 public:
  /// An optimizer with Keras's defaults: "sgd", "adam", …; ValueError proposes the nearest name.
  Optimizer(const char* name);
  Optimizer(std::string_view name);
  Optimizer(const std::string& name) : Optimizer(std::string_view(name)) {}
  explicit Optimizer(std::shared_ptr<detail::OptimizerBody> body);

  /// One step: changes each variable in place by its gradient, which is that of the loss times loss_scale();
  /// an undefined gradient leaves its variable alone. Memory for the state is taken on the first step only.
  /// Float32 and float64; results do not depend on the number of threads. ValueError if there is no gradient
  /// at all, ShapeError if one does not fit; then nothing has changed. Cost: one pass over each variable.
  /// Keras: Optimizer.apply.
  void apply(std::span<const Variable> variables, std::span<const Tensor> gradients);

  /// Makes the state for these variables, which else the first step does. Keras: Optimizer.build.
  void build(std::span<const Variable> variables);
  /// What the loss has to be multiplied with before gradients are taken. Keras: Optimizer.scale_loss.
  double loss_scale() const noexcept;
  /// Whether that scale finds its own size: LossScaleOptimizer.
  bool scales_itself() const noexcept { return scale_ != nullptr; }
  /// With use_ema the averages take the place of the weights, as fit does at its end; else nothing. Keras:
  /// Optimizer.finalize_variable_values.
  void finalize_variable_values(std::span<const Variable> variables);
  /// The weights and their averages change places; called again, all is as before. In between nothing is to
  /// be learned: apply throws. ValueError without use_ema. Cost: a copy of the weights.
  void swap_averages(std::span<const Variable> variables);
  bool use_ema() const noexcept;
  /// Whether the averages stand where the weights were: swap_averages.
  bool averages_swapped() const noexcept;
  /// No weight decay for these variables, nor for those whose name holds one of `names`. Replaces an earlier
  /// choice. Keras: Optimizer.exclude_from_weight_decay, whose regular expressions are plain text here.
  void exclude_from_weight_decay(std::vector<Variable> variables, std::vector<std::string> names = {});

  /// That of the next step.
  double learning_rate() const;
  /// Takes effect at the next step. ValueError for NaN, TypeError where a schedule decides.
  void set_learning_rate(double learning_rate);
  /// Those of a MultiOptimizer, in the order of its map; of another optimizer, none.
  std::vector<Optimizer> inner_optimizers() const;
  /// Updates done: steps, divided by gradient_accumulation_steps.
  std::int64_t iterations() const noexcept;
  /// Steps done, by all inner optimizers too.
  void set_iterations(std::int64_t iterations);
  /// What is kept, variable by variable in the order of the first step, in Keras's order for each.
  std::vector<OptimizerSlot> state() const;
  /// Keras 3's variables of an optimizer: "iteration", "learning_rate", then the state, as the summary counts
  /// them. They show the present values; assigning to them changes nothing.
  std::vector<Variable> variables() const;
  /// Puts a slot's value back. ValueError for an unknown role, ShapeError for another shape.
  void set_state(const OptimizerSlot& slot);

  std::string name() const;
  /// As that Keras has it where none was given: "Adam", or "adam" in Keras 3.
  std::string name(Generation generation) const;
  /// Keras's class of the rule: "Adam".
  std::string_view class_name() const;
  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}.
  Config serialize(Generation generation = Generation::keras3) const;
  /// The same arguments, no steps taken.
  Optimizer clone() const;

  const std::shared_ptr<detail::OptimizerBody>& shared() const noexcept { return body_; }
  /// Whether both are the same optimizer.
  friend bool operator==(const Optimizer& a, const Optimizer& b) noexcept { return a.body_ == b.body_; }

 protected:
  std::shared_ptr<detail::OptimizerBody> body_;
  std::shared_ptr<detail::DynamicScale> scale_;  // null unless the loss scale adapts itself
};

// t counts updates from 1, lr is the learning rate, g the gradient.

/// v ← momentum·v − lr·g, w += v; with Nesterov w += momentum·v − lr·g, v the new one.
/// ValueError unless 0 ≤ momentum ≤ 1. Keras: keras.optimizers.SGD.
class KERATIN_API SGD : public Optimizer {
 public:
  explicit SGD(LearningRate learning_rate = 0.01, const SGDOptions& options = {});
};

/// v ← ρ·v + (1 − ρ)·g², w −= lr·g/√(v + ε), centered: v less the square of the mean gradient; with momentum
/// the increments are accumulated. Legacy without momentum: √v + ε. Keras: keras.optimizers.RMSprop.
class KERATIN_API RMSprop : public Optimizer {
 public:
  explicit RMSprop(LearningRate learning_rate = 0.001, const RMSpropOptions& options = {});
};

/// m += (g − m)(1 − β1), v += (g² − v)(1 − β2), w −= lr·√(1 − β2^t)/(1 − β1^t)·m/(√v + ε). Kingma & Ba, 2015,
/// with Keras's place for ε. amsgrad: the largest v so far in place of v. Keras: keras.optimizers.Adam.
class KERATIN_API Adam : public Optimizer {
 public:
  explicit Adam(LearningRate learning_rate = 0.001, const AdamOptions& options = {});
};

/// Adam with weight decay. Loshchilov & Hutter, 2019. Keras: keras.optimizers.AdamW.
class KERATIN_API AdamW : public Optimizer {
 public:
  explicit AdamW(LearningRate learning_rate = 0.001, const AdamWOptions& options = {});
};

/// m as Adam, u ← max(β2·u, |g|), w −= lr·m/((1 − β1^t)(u + ε)). Keras: keras.optimizers.Adamax.
class KERATIN_API Adamax : public Optimizer {
 public:
  explicit Adamax(LearningRate learning_rate = 0.001, const AdamaxOptions& options = {});
};

/// Adam with Nesterov momentum: m and v as Adam, u_t = β1(1 − ½·0.96^t), U_t = u_1·…·u_t,
/// w −= lr·(u_{t+1}·m/(1 − U_{t+1}) + (1 − u_t)·g/(1 − U_t))/(√(v/(1 − β2^t)) + ε). Legacy: 0.96^(decay·t).
/// Dozat, 2015. Keras: keras.optimizers.Nadam.
class KERATIN_API Nadam : public Optimizer {
 public:
  explicit Nadam(LearningRate learning_rate = 0.001, const NadamOptions& options = {});
};

/// a += g², w −= lr·g/√(a + ε); legacy: √a + ε. Duchi et al., 2011. Keras: keras.optimizers.Adagrad.
class KERATIN_API Adagrad : public Optimizer {
 public:
  explicit Adagrad(LearningRate learning_rate = 0.001, const AdagradOptions& options = {});
};

/// a ← ρ·a + (1 − ρ)·g², d = −√(s + ε)/√(a + ε)·g, s ← ρ·s + (1 − ρ)·d², w += lr·d. Zeiler, 2012.
/// Keras: keras.optimizers.Adadelta.
class KERATIN_API Adadelta : public Optimizer {
 public:
  explicit Adadelta(LearningRate learning_rate = 0.001, const AdadeltaOptions& options = {});
};

/// n' = n + g², z += g + 2·l2_shrinkage·w − (n'^q − n^q)/lr·w with q = −learning_rate_power,
/// w = (clip(z, ±l1) − z)/(n'^q/lr + 2·l2 + beta/lr). McMahan et al., 2013. Keras: keras.optimizers.Ftrl.
class KERATIN_API Ftrl : public Optimizer {
 public:
  explicit Ftrl(LearningRate learning_rate = 0.001, const FtrlOptions& options = {});
};

/// w −= lr·sign(β1·m + (1 − β1)·g), then m ← β2·m + (1 − β2)·g. Chen et al., 2023. Keras 2 starts from a
/// learning rate of 0.0001. Keras: keras.optimizers.Lion.
class KERATIN_API Lion : public Optimizer {
 public:
  explicit Lion(LearningRate learning_rate = 0.001, const LionOptions& options = {});
};

/// m and v as Adam, r = m/(1 − β1^t)/(√(v/(1 − β2^t)) + ε), w −= lr·‖w‖/‖r‖·r. You et al., 2020.
/// Keras: keras.optimizers.Lamb.
class KERATIN_API Lamb : public Optimizer {
 public:
  explicit Lamb(LearningRate learning_rate = 0.001, const LambOptions& options = {});
};

/// Second moments by rows and columns of the last two axes only: β = 1 − t^beta_2_decay, q = g² + ε1, running
/// means r and c of q over the last and the one before, v = r/mean(r)·c; u = g/√v,
/// w −= max(ε2, rms w)·min(lr, 1/√t)·u/max(1, rms(u)/clip_threshold). Shazeer & Stern, 2018.
/// Keras: keras.optimizers.Adafactor.
class KERATIN_API Adafactor : public Optimizer {
 public:
  explicit Adafactor(LearningRate learning_rate = 0.001, const AdafactorOptions& options = {});
};

/// Matrices step along their momentum m += g − (1 − momentum)·m, with Nesterov g + momentum·m, made nearly
/// orthogonal: d/‖d‖, then ns_steps times x ← a·x + (b·A + c·A²)·x with A = x·xᵀ; w −= lr·√(max(rows,
/// columns))·rms_rate·x. All else, and embeddings, take Adam's step with lr·adam_lr_ratio. Jordan et al.,
/// 2024; Liu et al., 2025. Cost: ns_steps products of the matrix's size. Keras: keras.optimizers.Muon.
class KERATIN_API Muon : public Optimizer {
 public:
  explicit Muon(LearningRate learning_rate = 0.001, const MuonOptions& options = {});
};

/// v as Adam, z −= lr·g/(√(v/(1 − β2^t)) + ε), x the mean of all z so far, w = (1 − β1)·z + β1·x; lr rises
/// over warmup_steps. z, the "momentum" of its state, starts at w. Defazio et al., 2024. Keras:
/// keras.optimizers.ScheduleFreeAdamW.
class KERATIN_API ScheduleFreeAdamW : public Optimizer {
 public:
  explicit ScheduleFreeAdamW(LearningRate learning_rate = 0.0025,
                             const ScheduleFreeAdamWOptions& options = {});
};

/// `inner`, whose state it shares, on losses times a scale that finds its own size: halved after a step with
/// a gradient that is not finite, which changes nothing else; doubled after dynamic_growth_steps good ones in
/// a row. Keras: keras.optimizers.LossScaleOptimizer.
class KERATIN_API LossScaleOptimizer : public Optimizer {
 public:
  explicit LossScaleOptimizer(const Optimizer& inner, const LossScaleOptions& options = {});
};

namespace optimizers {
/// The optimizer of a config as Keras writes it, or of a name; numbers stay as they are written. Of Keras
/// 2, those are legacy ones whose arguments do not say "is_legacy_optimizer": false. ValueError for what is
/// unknown, naming it. Keras: keras.optimizers.deserialize.
KERATIN_API Optimizer deserialize(const Config& config, Generation generation = Generation::keras3);
}  // namespace optimizers

}  // namespace keratin::inline v0
