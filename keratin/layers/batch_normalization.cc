#include "keratin/layers/batch_normalization.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/normalize.h"

namespace keratin::inline v0 {
namespace {

struct Arguments {
  std::optional<Config> renorm_clipping = {};
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
    const bool renorm = a.options.renorm;
    field.keras3("renorm", a.options.renorm, renorm);
    field.keras3("renorm_clipping", a.renorm_clipping, renorm);
    field.keras3("renorm_momentum", a.options.renorm_momentum, renorm);
  }
};

class BatchNormalizationBody final : public LayerBody {
 public:
  explicit BatchNormalizationBody(const BatchNormalizationOptions& options)
      : a_{.renorm_clipping = config_of(options), .options = options} {
    check_clipping(options.renorm_clipping);
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
    if (!options.renorm) return;
    const Initializer stddev([of = options.moving_variance_initializer](const Shape& sizes, DType type) {
      return ops::sqrt(of(sizes, type));
    });
    stddev_ = add_weight(shape, "moving_stddev", stddev, {}, {}, false);
    renorm_mean_ = add_weight(shape, "renorm_mean", options.moving_mean_initializer, {}, {}, false);
    renorm_stddev_ = add_weight(shape, "renorm_stddev", stddev, {}, {}, false);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    output_shape(x.shape());
    const AxisNumbers axes = axes_of(x.shape());
    const Shape wide = detail::broadcast_shape(x.shape(), axes);
    const auto spread = [&](const Variable& variable) {
      return variable.is_defined() ? ops::reshape(variable.tensor(), wide) : Tensor();
    };
    detail::Moments moments;
    Tensor gamma = spread(gamma_), beta = spread(beta_);
    if (context.training && trainable) {
      const Tensor mask = context.mask.is_defined() ? detail::mask_of_rank(context.mask, x.rank()) : Tensor();
      moments = detail::moments(x, detail::other_axes(x.rank(), axes), mask);
      if (a_.options.renorm) {
        renormalize(moments, gamma, beta);
      } else {
        move(variance_, moments.variance, a_.options.momentum);
      }
      move(mean_, moments.mean, a_.options.momentum);
    } else {
      // Not `tensor()`: mixed precision rounds gamma and beta, but not these.
      moments = {mean_.value().reshape(wide), variance_.value().reshape(wide)};
    }
    return detail::normalized(x, moments, a_.options.epsilon, gamma, beta);
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

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  AxisNumbers axes_of(const Shape& shape) const {
    return detail::sorted_axes(shape, a_.options.axis, "batch_normalization");
  }

  void move(Variable variable, const Tensor& towards, double momentum) const {
    const Tensor value = towards.detach().reshape(variable.shape());
    const RecordGradients off(false);
    variable.assign(variable.value() * momentum + value * (1 - momentum));
  }

  // gamma and beta for this batch: r·gamma and d·gamma + beta, r and d constants from the statistics before
  // it, which then move.
  void renormalize(const detail::Moments& moments, Tensor& gamma, Tensor& beta) const {
    const double epsilon = a_.options.epsilon;
    const RenormClipping& clipping = a_.options.renorm_clipping;
    const Shape wide = moments.mean.shape();
    const Tensor mean = moments.mean.detach();
    const Tensor stddev = ops::sqrt(moments.variance.detach() + epsilon);
    const Tensor known = ops::maximum(renorm_stddev_.value().reshape(wide),
                                      Tensor::full(wide, std::sqrt(epsilon), mean.dtype()));
    Tensor r = stddev / known, d = (mean - renorm_mean_.value().reshape(wide)) / known;
    const auto bound = [&](double value) { return Tensor::full(wide, value, mean.dtype()); };
    if (clipping.rmin) r = ops::maximum(r, bound(*clipping.rmin));
    if (clipping.rmax) r = ops::minimum(r, bound(*clipping.rmax));
    if (clipping.dmax) d = ops::maximum(ops::minimum(d, bound(*clipping.dmax)), bound(-*clipping.dmax));
    const Tensor shift = gamma.is_defined() ? d * gamma : d;
    gamma = gamma.is_defined() ? r * gamma : r;
    beta = beta.is_defined() ? shift + beta : shift;

    move(renorm_mean_, mean, a_.options.renorm_momentum);
    move(renorm_stddev_, stddev, a_.options.renorm_momentum);
    move(stddev_, stddev, a_.options.momentum);
    const RecordGradients off(false);
    const Tensor square = stddev_.value() * stddev_.value() - epsilon;
    Variable(variance_).assign(ops::maximum(square, Tensor::zeros(square.shape(), square.dtype())));
  }

  static void check_clipping(const RenormClipping& clipping) {
    const auto refuse = [](const char* expects, double a, double b) {
      throw ValueError("BatchNormalization", expects, "received " + to_text(a) + " and " + to_text(b),
                       "See renorm_clipping.");
    };
    if (clipping.rmax && clipping.rmin && *clipping.rmax < *clipping.rmin)
      refuse("rmax of at least rmin", *clipping.rmax, *clipping.rmin);
    if (clipping.dmax && *clipping.dmax < 0) refuse("dmax of at least 0", *clipping.dmax, 0);
  }

  // As Keras writes it: nothing without renorm, else the bounds that there are.
  static std::optional<Config> config_of(const BatchNormalizationOptions& options) {
    if (!options.renorm) return std::nullopt;
    Config config = Config::object();
    if (options.renorm_clipping.rmax) config["rmax"] = *options.renorm_clipping.rmax;
    if (options.renorm_clipping.rmin) config["rmin"] = *options.renorm_clipping.rmin;
    if (options.renorm_clipping.dmax) config["dmax"] = *options.renorm_clipping.dmax;
    return config;
  }

  Arguments a_;
  Variable gamma_, beta_, mean_, variance_;
  // With renorm.
  Variable stddev_, renorm_mean_, renorm_stddev_;
};

}  // namespace

BatchNormalization::BatchNormalization(const BatchNormalizationOptions& options)
    : Layer(std::make_shared<BatchNormalizationBody>(options)) {}

BatchNormalization BatchNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments>("BatchNormalization", config, generation, [&](const Arguments& a) {
    BatchNormalizationOptions options = a.options;
    if (a.renorm_clipping) {
      detail::ConfigReader reader("BatchNormalization renorm_clipping", *a.renorm_clipping, generation);
      options.renorm_clipping = {reader.optional_number("rmax"), reader.optional_number("rmin"),
                                 reader.optional_number("dmax")};
      reader.finish();
    }
    return BatchNormalization(options);
  });
}

}  // namespace keratin::inline v0
