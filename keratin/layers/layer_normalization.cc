#include "keratin/layers/layer_normalization.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/normalize.h"

namespace keratin::inline v0 {
namespace {

// gamma and beta, in the order of Keras's configs.
template <class Self, class Fields>
void affine_fields(Self& options, Fields& field) {
  field("beta_initializer", options.beta_initializer);
  field("gamma_initializer", options.gamma_initializer);
  field("beta_regularizer", options.beta_regularizer);
  field("gamma_regularizer", options.gamma_regularizer);
  field("beta_constraint", options.beta_constraint);
  field("gamma_constraint", options.gamma_constraint);
}

struct LayerNormalizationArguments {
  LayerNormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
    field("epsilon", a.options.epsilon);
    field("center", a.options.center);
    field("scale", a.options.scale);
    field.keras3("rms_scaling", a.options.rms_scaling, a.options.rms_scaling);
    affine_fields(a.options, field);
  }
};

struct GroupNormalizationArguments {
  GroupNormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("groups", a.options.groups);
    field("axis", a.options.axis);
    field("epsilon", a.options.epsilon);
    field("center", a.options.center);
    field("scale", a.options.scale);
    affine_fields(a.options, field);
  }
};

struct RMSNormalizationArguments {
  RMSNormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
    field("epsilon", a.options.epsilon);
  }
};

struct UnitNormalizationArguments {
  UnitNormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
  }
};

// Weights of the sizes of some axes, put where x has them.
class AffineBody : public LayerBody {
 public:
  Shape output_shape(const Shape& input) const override {
    const AxisNumbers axes = axes_of(input);
    for (std::size_t i = 0; i < axes.size() && built_shape; ++i) {
      const auto axis = static_cast<std::size_t>(axes[i]);
      if (input.rank() != built_shape->rank() ||
          (input[axis] != (*built_shape)[axis] && input[axis] != Shape::kUnknown)) {
        refuse_input("an input of size " + std::to_string((*built_shape)[axis]) + " on axis " +
                         std::to_string(axes[i]),
                     input, "Feed that size, or build a new layer.");
      }
    }
    return input;
  }

 protected:
  virtual AxisNumbers axes_of(const Shape& shape) const = 0;

  template <class Options>
  void add_affine(const Shape& input, const Options& options, bool has_scale, bool has_center) {
    const Shape shape = detail::shape_of_axes(input, axes_of(input), to_snake_case(class_name()));
    if (has_scale) {
      gamma_ = add_weight(shape, "gamma", options.gamma_initializer, options.gamma_regularizer,
                          options.gamma_constraint);
    }
    if (has_center) {
      beta_ = add_weight(shape, "beta", options.beta_initializer, options.beta_regularizer,
                         options.beta_constraint);
    }
  }
  Tensor spread(const Variable& variable, const Shape& shape) const {
    if (!variable.is_defined()) return {};
    return ops::reshape(variable.tensor(), detail::broadcast_shape(shape, axes_of(shape)));
  }

  Variable gamma_, beta_;
};

class LayerNormalizationBody final : public AffineBody {
 public:
  explicit LayerNormalizationBody(LayerNormalizationArguments arguments) : a_(std::move(arguments)) {
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "LayerNormalization"; }

  void build(const Shape& input) override {
    const LayerNormalizationOptions& options = a_.options;
    add_affine(input, options, options.scale || options.rms_scaling, options.center && !options.rms_scaling);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    detail::Moments moments = detail::moments(x, axes_of(x.shape()));
    if (a_.options.rms_scaling) moments.mean = Tensor::scalar(0, x.dtype());
    return detail::normalized(x, moments, a_.options.epsilon, spread(gamma_, x.shape()),
                              spread(beta_, x.shape()));
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    // Keras writes a list once the layer is built.
    if (a_.options.axis.is_single() && is_built()) config["axis"] = Config::array({config["axis"]});
    return config;
  }

 private:
  AxisNumbers axes_of(const Shape& shape) const override {
    return detail::sorted_axes(shape, a_.options.axis, "layer_normalization");
  }

  LayerNormalizationArguments a_;
};

class GroupNormalizationBody final : public AffineBody {
 public:
  explicit GroupNormalizationBody(GroupNormalizationArguments arguments) : a_(std::move(arguments)) {
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "GroupNormalization"; }

  void build(const Shape& input) override {
    add_affine(input, a_.options, a_.options.scale, a_.options.center);
    groups_of(input);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    const auto axis = static_cast<std::size_t>(axes_of(x.shape())[0]);
    const std::int64_t groups = groups_of(x.shape());
    // The channels' axis in two, groups and channels of a group.
    const auto split = [&](const Shape& shape) {
      Shape wide = shape.with_inserted(axis, shape[axis] == 1 ? 1 : groups);
      wide[axis + 1] = shape[axis] == 1 ? 1 : shape[axis] / groups;
      return wide;
    };
    const auto split_weight = [&](const Variable& variable) {
      const Tensor weight = spread(variable, x.shape());
      return weight.is_defined() ? ops::reshape(weight, split(weight.shape())) : weight;
    };
    const Tensor wide = ops::reshape(x, split(x.shape()));
    AxisNumbers axes = detail::other_axes(wide.rank(), {0, static_cast<std::int64_t>(axis)});
    const Tensor y = detail::normalized(wide, detail::moments(wide, axes), a_.options.epsilon,
                                        split_weight(gamma_), split_weight(beta_));
    return ops::reshape(y, x.shape());
  }

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  AxisNumbers axes_of(const Shape& shape) const override {
    return detail::sorted_axes(shape, a_.options.axis, "group_normalization");
  }
  std::int64_t groups_of(const Shape& shape) const {
    const std::int64_t channels = shape[static_cast<std::size_t>(axes_of(shape)[0])];
    const std::int64_t groups = a_.options.groups == -1 ? channels : a_.options.groups;
    if (groups < 1 || channels % groups != 0) {
      refuse_input("a number of channels that groups=" + std::to_string(groups) + " divides", shape,
                   "Choose another number of groups.");
    }
    return groups;
  }

  GroupNormalizationArguments a_;
};

class RMSNormalizationBody final : public AffineBody {
 public:
  explicit RMSNormalizationBody(RMSNormalizationArguments arguments) : a_(std::move(arguments)) {
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "RMSNormalization"; }

  void build(const Shape& input) override {
    gamma_ = add_weight(detail::shape_of_axes(input, axes_of(input), "rms_normalization"), "scale", "ones");
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    const Tensor squares = ops::mean(ops::square(x), axes_of(x.shape()), true);
    return detail::normalized(x, {Tensor::scalar(0, x.dtype()), squares}, a_.options.epsilon,
                              spread(gamma_, x.shape()), {});
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if (a_.options.axis.is_single() && is_built()) config["axis"] = Config::array({config["axis"]});
    return config;
  }

 private:
  AxisNumbers axes_of(const Shape& shape) const override {
    return detail::sorted_axes(shape, a_.options.axis, "rms_normalization");
  }

  RMSNormalizationArguments a_;
};

class UnitNormalizationBody final : public LayerBody {
 public:
  explicit UnitNormalizationBody(UnitNormalizationArguments arguments) : a_(std::move(arguments)) {
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "UnitNormalization"; }
  bool builds_from_shape() const override { return false; }
  bool depends_on_generation() const override { return true; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Tensor squares =
        ops::sum(ops::square(x), detail::sorted_axes(x.shape(), a_.options.axis, "unit_normalization"), true);
    const double least = generation == Generation::keras2 ? 1e-12 : 1e-24;
    return x / ops::sqrt(ops::maximum(squares, Tensor::scalar(least, x.dtype())));
  }

  Shape output_shape(const Shape& input) const override {
    detail::sorted_axes(input, a_.options.axis, "unit_normalization");
    return input;
  }

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  UnitNormalizationArguments a_;
};

}  // namespace

LayerNormalization::LayerNormalization(const LayerNormalizationOptions& options)
    : Layer(std::make_shared<LayerNormalizationBody>(LayerNormalizationArguments{options})) {}
LayerNormalization LayerNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<LayerNormalizationArguments>(
      "LayerNormalization", config, generation, [](const auto& a) { return LayerNormalization(a.options); });
}

GroupNormalization::GroupNormalization(const GroupNormalizationOptions& options)
    : Layer(std::make_shared<GroupNormalizationBody>(GroupNormalizationArguments{options})) {}
GroupNormalization GroupNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<GroupNormalizationArguments>(
      "GroupNormalization", config, generation, [](const auto& a) { return GroupNormalization(a.options); });
}

RMSNormalization::RMSNormalization(const RMSNormalizationOptions& options)
    : Layer(std::make_shared<RMSNormalizationBody>(RMSNormalizationArguments{options})) {}
RMSNormalization RMSNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<RMSNormalizationArguments>(
      "RMSNormalization", config, generation, [](const auto& a) { return RMSNormalization(a.options); });
}

UnitNormalization::UnitNormalization(const UnitNormalizationOptions& options)
    : Layer(std::make_shared<UnitNormalizationBody>(UnitNormalizationArguments{options})) {}
UnitNormalization UnitNormalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<UnitNormalizationArguments>(
      "UnitNormalization", config, generation, [](const auto& a) { return UnitNormalization(a.options); });
}

}  // namespace keratin::inline v0
