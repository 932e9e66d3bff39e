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

namespace keratin::inline v0 {

// Arguments after the learning rate, in the order of Keras 3's signatures; `generation` last: whose rules for
// several clips at once. Moving averages of the weights (use_ema), accumulated gradients and loss scales are
// ValueErrors. weight_decay: w −= w·decay·learning_rate before the update, with the gradient taken at the old
// w. clipnorm: each gradient's norm at most that; global_clipnorm: the norm of all together; clipvalue: each
// entry.

struct SGDOptions {
  double momentum = 0.0;
  bool nesterov = false;
  std::optional<double> weight_decay = std::nullopt;
  std::optional<double> clipnorm = std::nullopt;
  std::optional<double> clipvalue = std::nullopt;
  std::optional<double> global_clipnorm = std::nullopt;
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> ema_overwrite_frequency = std::nullopt;
  std::optional<double> loss_scale_factor = std::nullopt;
  std::optional<std::int64_t> gradient_accumulation_steps = std::nullopt;
  std::string name = "SGD";
  Generation generation = Generation::keras3;
};

struct RMSpropOptions {
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
  std::optional<double> weight_decay = std::nullopt;
  std::optional<double> clipnorm = std::nullopt;
  std::optional<double> clipvalue = std::nullopt;
  std::optional<double> global_clipnorm = std::nullopt;
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> ema_overwrite_frequency = std::nullopt;
  std::optional<double> loss_scale_factor = std::nullopt;
  std::optional<std::int64_t> gradient_accumulation_steps = std::nullopt;
  std::string name = "RMSprop";
  Generation generation = Generation::keras3;
};

struct AdamOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> weight_decay = std::nullopt;
  std::optional<double> clipnorm = std::nullopt;
  std::optional<double> clipvalue = std::nullopt;
  std::optional<double> global_clipnorm = std::nullopt;
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> ema_overwrite_frequency = std::nullopt;
  std::optional<double> loss_scale_factor = std::nullopt;
  std::optional<std::int64_t> gradient_accumulation_steps = std::nullopt;
  std::string name = "Adam";
  Generation generation = Generation::keras3;
  /// Keras 2 only: epsilon·√(1 − beta_2^t) in place of epsilon.
  bool adaptive_epsilon = false;
};

/// What an optimizer keeps for one variable: "momentum", "velocity", …
struct OptimizerSlot {
  Variable variable;
  std::string role;
  Tensor value;
};

namespace detail {
class OptimizerBody;
}

/// A handle: copies are the same optimizer and share its state, clone() does not.
class KERATIN_API Optimizer {
 public:
  /// "sgd", "rmsprop" or "adam" with Keras's defaults; ValueError proposes the nearest name.
  Optimizer(const char* name);
  Optimizer(std::string_view name);
  Optimizer(const std::string& name) : Optimizer(std::string_view(name)) {}
  explicit Optimizer(std::shared_ptr<detail::OptimizerBody> body);

  /// One step: changes each variable in place by its gradient; an undefined gradient leaves its variable
  /// alone. Memory for the state is taken on the first step only. Float32 and float64; results do not depend
  /// on the number of threads. ValueError if there is no gradient at all, ShapeError if one does not fit;
  /// then nothing has changed. Cost: one pass over each variable. Keras: Optimizer.apply.
  void apply(std::span<const Variable> variables, std::span<const Tensor> gradients);

  double learning_rate() const noexcept;
  /// Takes effect at the next step. ValueError for NaN.
  void set_learning_rate(double learning_rate);
  /// Steps taken.
  std::int64_t iterations() const noexcept;
  void set_iterations(std::int64_t iterations);
  /// What is kept, variable by variable in the order of the first step, in Keras's order for each.
  std::vector<OptimizerSlot> state() const;
  /// Keras 3's variables of an optimizer: "iteration", "learning_rate", then the state, as the summary counts
  /// them. They show the present values; assigning to them changes nothing.
  std::vector<Variable> variables() const;
  /// Puts a slot's value back. ValueError for an unknown role, ShapeError for another shape.
  void set_state(const OptimizerSlot& slot);

  std::string name() const;
  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}.
  Config serialize(Generation generation = Generation::keras3) const;
  /// The same arguments, no steps taken.
  Optimizer clone() const;

 private:
  std::shared_ptr<detail::OptimizerBody> body_;
};

/// v ← momentum·v − lr·g, w += v; with Nesterov w += momentum·v − lr·g, v the new one.
/// ValueError unless 0 ≤ momentum ≤ 1. Keras: keras.optimizers.SGD.
class KERATIN_API SGD : public Optimizer {
 public:
  explicit SGD(double learning_rate = 0.01, const SGDOptions& options = {});
};

/// v ← ρ·v + (1 − ρ)·g², w −= lr·g/√(v + ε), centered: v less the square of the mean gradient; with momentum
/// the increments are accumulated. Keras: keras.optimizers.RMSprop.
class KERATIN_API RMSprop : public Optimizer {
 public:
  explicit RMSprop(double learning_rate = 0.001, const RMSpropOptions& options = {});
};

/// m += (g − m)(1 − β1), v += (g² − v)(1 − β2), w −= lr·√(1 − β2^t)/(1 − β1^t)·m/(√v + ε). Kingma & Ba, 2015,
/// with Keras's place for ε. amsgrad: the largest v so far in place of v. Keras: keras.optimizers.Adam.
class KERATIN_API Adam : public Optimizer {
 public:
  explicit Adam(double learning_rate = 0.001, const AdamOptions& options = {});
};

namespace optimizers {
/// The optimizer of a config as Keras writes it, or of a name; numbers stay as they are written. ValueError
/// for what is unknown or not there yet, naming it. Keras: keras.optimizers.deserialize.
KERATIN_API Optimizer deserialize(const Config& config, Generation generation = Generation::keras3);
}  // namespace optimizers

}  // namespace keratin::inline v0
