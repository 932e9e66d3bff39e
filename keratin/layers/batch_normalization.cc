#include "keratin/layers/batch_normalization.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/normalize.h"

namespace keratin::inline v0 {
namespace {

struct Arguments {
  bool renorm = false;
  double renorm_momentum = 0.99;
  BatchNormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
    field("momentum", a.options.momentum);
    field("epsilon", a.options.epsilon);
    field("center", a.options.center);
    field("scale", a.options.scale);
    field("beta_initializer", a.options.beta_initializer);
    field("gamma_initializer", a.options.gamma_initializer);
    field("moving_mean_initializer", a.options.moving_mean_initializer);
    field("moving_variance_initializer", a.options.moving_variance_initializer);
    field("beta_regularizer", a.options.beta_regularizer);
    field("gamma_regularizer", a.options.gamma_regularizer);
    field("beta_constraint", a.options.beta_constraint);
    field("gamma_constraint", a.options.gamma_constraint);
    field.keras3("synchronized", a.options.synchronized);
    field.keras3("renorm", a.renorm);
    field.keras3("renorm_momentum", a.renorm_momentum);
  }
};

class BatchNormalizationBody final : public LayerBody {
 public:
  explicit BatchNormalizationBody(const BatchNormalizationOptions& options) : a_{.options = options} {
    if (!(options.epsilon > 0)) {
      throw ValueError("BatchNormalization", "epsilon above 0",
                       "received epsilon=" + to_text(options.epsilon), "It keeps the division from 0.");
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "BatchNormalization"; }

  void build(const Shape& input) override {
    const BatchNormalizationOptions& options = a_.options;
    const Shape shape = detail::shape_of_axes(input, axes_of(input), "batch_normalization");
    if (options.scale) {
      gamma_ = add_weight(shape, "gamma", options.gamma_initializer, options.gamma_regularizer,
                          options.gamma_constraint);
    }
    if (options.center) {
      beta_ = add_weight(shape, "beta", options.beta_initializer, options.beta_regularizer,
                         options.beta_constraint);
    }
    mean_ = add_weight(shape, "moving_mean", options.moving_mean_initializer, {}, {}, false);
    variance_ = add_weight(shape, "moving_variance", options.moving_variance_initializer, {}, {}, false);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    output_shape(x.shape());
    const AxisNumbers axes = axes_of(x.shape());
    const Shape wide = detail::broadcast_shape(x.shape(), axes);
    const auto spread = [&](const Variable& variable) {
      return variable.is_defined() ? ops::reshape(variable.tensor(), wide) : Tensor();
    };
    detail::Moments moments;
    if (context.training && trainable) {
      const Tensor mask = context.mask.is_defined() ? detail::mask_of_rank(context.mask, x.rank()) : Tensor();
      moments = detail::moments(x, detail::other_axes(x.rank(), axes), mask);
      move(mean_, moments.mean);
      move(variance_, moments.variance);
    } else {
      // Not `tensor()`: mixed precision rounds gamma and beta, but not these.
      moments = {mean_.value().reshape(wide), variance_.value().reshape(wide)};
    }
    return detail::normalized(x, moments, a_.options.epsilon, spread(gamma_), spread(beta_));
  }

  Shape output_shape(const Shape& input) const override {
    const AxisNumbers axes = axes_of(input);
    if (!mean_.is_defined()) return input;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::int64_t size = input[static_cast<std::size_t>(axes[i])];
      if (size == mean_.shape()[i] || size == Shape::kUnknown) continue;
      refuse_input(
          "an input of size " + std::to_string(mean_.shape()[i]) + " on axis " + std::to_string(axes[i]),
          input, "Feed that size, or build a new layer.");
    }
    return input;
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if (target == Generation::keras3) config["renorm_clipping"] = nullptr;
    return config;
  }

 private:
  AxisNumbers axes_of(const Shape& shape) const {
    return detail::sorted_axes(shape, a_.options.axis, "batch_normalization");
  }

  void move(Variable variable, const Tensor& towards) const {
    const double momentum = a_.options.momentum;
    const Tensor value = towards.detach().reshape(variable.shape());
    const RecordGradients off(false);
    variable.assign(variable.value() * momentum + value * (1 - momentum));
  }

  Arguments a_;
  Variable gamma_, beta_, mean_, variance_;
};

}  // namespace

BatchNormalization::BatchNormalization(const BatchNormalizationOptions& options)
    : Layer(std::make_shared<BatchNormalizationBody>(options)) {}

BatchNormalization BatchNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments>("BatchNormalization", config, generation, [](const Arguments& a) {
    if (a.renorm) {
      throw ValueError("BatchNormalization config", "\"renorm\" is false", "received true",
                       "Batch renormalization is not supported.");
    }
    return BatchNormalization(a.options);
  });
}

}  // namespace keratin::inline v0
