#include "keratin/layers/rescaling.h"

#include "keratin/core/error.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/normalize.h"

namespace keratin::inline v0 {
namespace {

struct RescalingArguments {
  double scale = 1;
  RescalingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("scale", a.scale);
    field("offset", a.options.offset);
  }
};

class RescalingBody final : public LayerBody {
 public:
  explicit RescalingBody(const RescalingArguments& arguments) : a_(arguments) { set_common(a_.options); }
  std::string_view class_name() const override { return "Rescaling"; }
  Tensor call(const Tensor& x, const CallContext&) const override { return x * a_.scale + a_.options.offset; }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  RescalingArguments a_;
};

struct NormalizationArguments {
  NormalizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
    field("invert", a.options.invert);
    field("mean", a.options.mean);
    field("variance", a.options.variance);
  }
};

class NormalizationBody final : public LayerBody {
 public:
  explicit NormalizationBody(NormalizationArguments arguments) : a_(std::move(arguments)) {
    const std::size_t means = a_.options.mean.size(), variances = a_.options.variance.size();
    if ((means == 0) != (variances == 0)) {
      throw ValueError("Normalization", "mean and variance, or neither of them",
                       "received " + std::to_string(means) + " and " + std::to_string(variances) + " numbers",
                       "Leave both out and call adapt(data) to measure them.");
    }
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "Normalization"; }

  void build(const Shape& input) override {
    const Shape shape = detail::shape_of_axes(input, axes_of(input), "normalization");
    if (is_given()) {
      spread_given(shape);
      return;
    }
    mean_ = add_weight(shape, "mean", "zeros", {}, {}, false);
    variance_ = add_weight(shape, "variance", "ones", {}, {}, false);
    count_ = add_weight({}, "count", "zeros", {}, {}, false);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    if (!is_given() && count_.value().item() == 0) {
      throw StateError("normalization", "a layer that was adapted", "\"" + name + "\" was not",
                       "Call adapt(data), or give mean and variance.");
    }
    const Shape wide = detail::broadcast_shape(x.shape(), axes_of(x.shape()));
    const auto spread = [&](const std::vector<double>& given, const Variable& variable) {
      if (!is_given()) return variable.value().reshape(wide);
      const Tensor values = Tensor::from(given, {static_cast<std::int64_t>(given.size())}).astype(x.dtype());
      return given.size() == 1 ? values : values.reshape(wide);
    };
    const Tensor mean = spread(a_.options.mean, mean_);
    const Tensor deviation =
        ops::maximum(ops::sqrt(spread(a_.options.variance, variance_)), Tensor::scalar(1e-7, x.dtype()));
    return a_.options.invert ? x * deviation + mean : (x - mean) / deviation;
  }

  Shape output_shape(const Shape& input) const override {
    axes_of(input);
    return input;
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if (!is_given()) config["mean"] = config["variance"] = nullptr;
    if (a_.options.axis.is_single()) config["axis"] = Config::array({config["axis"]});
    return config;
  }

  void adapt(const Tensor& data) {
    const AxisNumbers axes = axes_of(data.shape());
    const detail::Moments moments =
        detail::moments(data.detach().astype(DType::float64), detail::other_axes(data.rank(), axes));
    mean_.assign(moments.mean.reshape(mean_.shape()));
    variance_.assign(moments.variance.reshape(variance_.shape()));
    count_.assign(Tensor::scalar(static_cast<double>(data.shape()[0])));
  }

  bool is_given() const { return !a_.options.mean.empty(); }

 private:
  AxisNumbers axes_of(const Shape& shape) const {
    if (a_.options.axis.values().empty()) return {};
    return detail::sorted_axes(shape, a_.options.axis, "normalization");
  }
  void spread_given(const Shape& shape) const {
    for (const std::size_t count : {a_.options.mean.size(), a_.options.variance.size()}) {
      if (count == 1 || static_cast<std::int64_t>(count) == shape.size()) continue;
      refuse_input("mean and variance for each of " + std::to_string(shape.size()) + " elements", shape,
                   "There are " + std::to_string(count) + ".");
    }
  }

  NormalizationArguments a_;
  Variable mean_, variance_, count_;
};

struct ActivityRegularizationArguments {
  ActivityRegularizationOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("l1", a.options.l1);
    field("l2", a.options.l2);
  }
};

class ActivityRegularizationBody final : public LayerBody {
 public:
  explicit ActivityRegularizationBody(const ActivityRegularizationArguments& arguments) : a_(arguments) {
    set_common(a_.options);
    activity_regularizer = regularizers::L1L2{.l1 = a_.options.l1, .l2 = a_.options.l2};
  }
  std::string_view class_name() const override { return "ActivityRegularization"; }
  bool builds_from_shape() const override { return false; }
  Tensor call(const Tensor& x, const CallContext&) const override { return x; }
  Config base_config(Generation target) const override {
    Config config = LayerBody::base_config(target);
    config.erase("activity_regularizer");
    return config;
  }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  ActivityRegularizationArguments a_;
};

}  // namespace

Rescaling::Rescaling(double scale, const RescalingOptions& options)
    : Layer(std::make_shared<RescalingBody>(RescalingArguments{scale, options})) {}
Rescaling Rescaling::from_config(const Config& config, Generation generation) {
  return detail::read_layer<RescalingArguments>("Rescaling", config, generation,
                                                [](const auto& a) { return Rescaling(a.scale, a.options); });
}

Normalization::Normalization(const NormalizationOptions& options)
    : Layer(std::make_shared<NormalizationBody>(NormalizationArguments{options})) {}
Normalization Normalization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<NormalizationArguments>("Normalization", config, generation,
                                                    [](const auto& a) { return Normalization(a.options); });
}
void Normalization::adapt(const Tensor& data) const {
  auto& body = static_cast<NormalizationBody&>(*body_);
  if (body.is_given()) {
    throw StateError("adapt", "a layer without mean and variance", "\"" + name() + "\" was given them",
                     "Leave them out to measure them.");
  }
  build(data.shape());
  body.adapt(data);
}

ActivityRegularization::ActivityRegularization(const ActivityRegularizationOptions& options)
    : Layer(std::make_shared<ActivityRegularizationBody>(ActivityRegularizationArguments{options})) {}
ActivityRegularization ActivityRegularization::from_config(const Config& config, Generation generation) {
  return detail::read_layer<ActivityRegularizationArguments>(
      "ActivityRegularization", config, generation,
      [](const auto& a) { return ActivityRegularization(a.options); });
}

}  // namespace keratin::inline v0
