// The optimizers that need the whole direction of a variable before they move it: its norm, its rows and
// columns.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "keratin/ops/ops.h"
#include "keratin/training/factored_update.h"
#include "keratin/training/optimizer_rule.h"

namespace keratin::inline v0::detail {
namespace {

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
  Tensors make_slots(const Variable& variable) const override {
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

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// x of nearly the same singular vectors, its singular values near 1: a quintic Newton-Schulz iteration.
Tensor nearly_orthogonal(const Tensor& direction, const MuonOptions& o) {
  const bool is_tall = direction.shape()[0] > direction.shape()[1];
  Tensor x = is_tall ? direction.transpose().contiguous() : direction;
  double squares = 0;
  visit_float(x.dtype(), [&]<class T>(T) { squares = sum_of_squares(x.values<T>().data(), x.size()); });
  x = x / (std::sqrt(squares) + 1e-7);
  for (std::int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor a = ops::matmul(x, x.transpose().contiguous());
    x = x * o.muon_a + ops::matmul(a * o.muon_b + ops::matmul(a * o.muon_c, a), x);
  }
  return is_tall ? x.transpose().contiguous() : x;
}

class MuonBody final : public BodyOf<MuonOptions, MuonBody> {
 public:
  static constexpr std::string_view kClass = "Muon";
  MuonBody(const LearningRate& rate, const MuonOptions& options) : BodyOf(rate, options) {
    refuse_legacy(common);
    if (options.ns_steps < 1)
      throw ValueError(kClass, "expects ns_steps of at least 1", "got " + std::to_string(options.ns_steps));
  }
  Roles roles() const override { return {"momentum", "velocity"}; }
  Tensors make_slots(const Variable& variable) const override {
    Tensors slots = BodyOf::make_slots(variable);
    if (!takes_adam(variable)) slots[1] = Tensor();
    return slots;
  }
  void update(const UpdateContext& context, VariableState& state, const Tensor& gradient) override {
    takes_adam(state.variable) ? adam(context, state, gradient) : muon(context, state, gradient);
  }

 private:
  bool takes_adam(const Variable& variable) const {
    const auto& o = options_;
    return variable.shape().rank() != 2 || (o.exclude_embeddings && holds(variable.name(), "embedding")) ||
           std::ranges::any_of(o.exclude_layers,
                               [&](const std::string& part) { return holds(variable.name(), part); }) ||
           std::ranges::find(o.exclude_variables, variable) != o.exclude_variables.end();
  }
  void adam(UpdateContext context, VariableState& state, const Tensor& gradient) const {
    const auto& o = options_;
    if (state.decays) context.input.decay = o.adam_weight_decay.value_or(0) * context.learning_rate;
    const double correction = std::sqrt(1 - std::pow(o.adam_beta_2, context.t));
    const double rate = context.learning_rate * o.adam_lr_ratio;
    run(AdamStep<double>{.rate = rate * correction / (1 - std::pow(o.adam_beta_1, context.t)),
                         .rest_1 = 1 - o.adam_beta_1,
                         .rest_2 = 1 - o.adam_beta_2,
                         .epsilon = o.epsilon},
        context, state, gradient);
  }
  void muon(const UpdateContext& context, VariableState& state, const Tensor& gradient) const {
    const auto& o = options_;
    const Shape& shape = gradient.shape();
    const double size = std::sqrt(static_cast<double>(std::max(shape[0], shape[1])));
    Tensor direction = Tensor::empty(shape, gradient.dtype());
    visit_float(gradient.dtype(), [&]<class T>(T) {
      StepArrays<T> arrays = arrays_of<T>(state, gradient, {&state.slots[0], &direction, nullptr});
      arrays.average = nullptr;
      detail::update(MuonDirection<double>{o.momentum, o.momentum - 1, o.nesterov}, context.input, arrays,
                     gradient.size());
      direction = nearly_orthogonal(direction, o);
      move_along<T>(context.learning_rate * (o.rms_rate ? size * *o.rms_rate : 1), context, state, direction);
    });
  }
};

}  // namespace

std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const LambOptions& options) {
  return std::make_shared<LambBody>(rate, options);
}
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const AdafactorOptions& options) {
  return std::make_shared<AdafactorBody>(rate, options);
}
std::shared_ptr<OptimizerBody> make_body(const LearningRate& rate, const MuonOptions& options) {
  return std::make_shared<MuonBody>(rate, options);
}

}  // namespace keratin::inline v0::detail
