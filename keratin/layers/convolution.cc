#include "keratin/layers/convolution.h"

#include "keratin/core/error.h"
#include "keratin/layers/convolution_body.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

std::string named(std::size_t n, const char* base = "Conv", const char* behind = "") {
  return base + std::to_string(n) + "D" + behind;
}

void check_filters(std::string_view class_name, std::int64_t filters, std::int64_t groups) {
  if (filters >= 1 && groups >= 1 && filters % groups == 0) return;
  throw ValueError(class_name, "filters of at least 1, and groups that divide them",
                   "received filters=" + std::to_string(filters) + " and groups=" + std::to_string(groups),
                   "Each group gives filters/groups channels.");
}

struct ConvArguments {
  std::int64_t filters = 0;
  Sizes kernel_size = 1;
  ConvOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("filters", a.filters);
    field.required("kernel_size", a.kernel_size);
    field("strides", a.options.strides);
    field("padding", a.options.padding);
    field("data_format", a.options.data_format);
    field("dilation_rate", a.options.dilation_rate);
    field("groups", a.options.groups);
    detail::kernel_fields(a.options, field);
    detail::bias_fields(a.options, field);
  }
};

template <std::size_t N>
class ConvBody final : public detail::ConvolutionBody<N, ConvArguments> {
 public:
  using Base = detail::ConvolutionBody<N, ConvArguments>;
  explicit ConvBody(ConvArguments arguments) : Base(named(N), std::move(arguments), N == 1) {
    check_filters(this->class_name(), this->a_.filters, this->a_.options.groups);
  }

  void build(const Shape& input) override {
    const ConvOptions& options = this->a_.options;
    const std::int64_t channels = this->channels_last(input).back();
    if (channels % options.groups != 0) {
      this->refuse_input("a number of channels that groups=" + std::to_string(options.groups) + " divides",
                         input, "Choose another number of groups.");
    }
    kernel_ =
        this->add_weight(this->kernel_shape(channels / options.groups, this->a_.filters), "kernel",
                         options.kernel_initializer, options.kernel_regularizer, options.kernel_constraint);
    this->add_bias(input, this->a_.filters);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Shape input = this->channels_last(x.shape());
    const Tensor y =
        ops::conv(detail::to_channels_last(x, this->format()), kernel_.tensor(), this->bias(), this->fused(),
                  this->geometry(input, this->a_.options.groups), shape_of(input), &kept_);
    return this->finished(y, context);
  }

  std::shared_ptr<LayerBody> clone() const override {
    return this->cloned(std::make_shared<ConvBody>(*this));
  }

 private:
  Shape shape_of(const Shape& input) const override { return this->moved(input, this->a_.filters); }

  Variable kernel_;
  ops::KeptKernel kept_;
};

template <std::size_t N>
struct TransposeArguments {
  std::int64_t filters = 0;
  Sizes kernel_size = 1;
  std::int64_t groups = 1;  // Keras 2 writes it, always 1
  ConvTransposeOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("filters", a.filters);
    field.required("kernel_size", a.kernel_size);
    field("strides", a.options.strides);
    field("padding", a.options.padding);
    field("output_padding", a.options.output_padding);
    field("data_format", a.options.data_format);
    if constexpr (N == 3) {
      const auto& rates = a.options.dilation_rate.values();
      field.keras3("dilation_rate", a.options.dilation_rate,
                   rates != std::vector<std::int64_t>(rates.size(), 1));
    } else {
      field("dilation_rate", a.options.dilation_rate);
    }
    field.keras2("groups", a.groups);
    detail::kernel_fields(a.options, field);
    detail::bias_fields(a.options, field);
  }
};

template <std::size_t N>
class TransposeBody final : public detail::ConvolutionBody<N, TransposeArguments<N>> {
 public:
  using Base = detail::ConvolutionBody<N, TransposeArguments<N>>;
  explicit TransposeBody(TransposeArguments<N> arguments)
      : Base(named(N, "Conv", "Transpose"), std::move(arguments), false) {
    check_filters(this->class_name(), this->a_.filters, 1);
    std::optional<Sizes>& padding = this->a_.options.output_padding;
    if (!padding) return;
    padding = padding->expanded(N, this->class_name(), "output_padding", 0);
    for (std::size_t axis = 0; axis < N; ++axis) {
      if ((*padding)[axis] < this->a_.options.strides[axis]) continue;
      throw ValueError(this->class_name(), "an output_padding below the strides",
                       "received " + std::to_string((*padding)[axis]) + " with a stride of " +
                           std::to_string(this->a_.options.strides[axis]),
                       "More rows would see nothing of the input.");
    }
  }

  void build(const Shape& input) override {
    const ConvTransposeOptions& options = this->a_.options;
    kernel_ =
        this->add_weight(this->kernel_shape(this->a_.filters, this->channels_last(input).back()), "kernel",
                         options.kernel_initializer, options.kernel_regularizer, options.kernel_constraint);
    this->add_bias(input, this->a_.filters);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Shape input = this->channels_last(x.shape()), shape = shape_of(input);
    ops::ConvGeometry geometry = this->geometry(input, 1);
    for (std::size_t axis = 0; axis < N; ++axis) {
      geometry.before[axis + 3 - N] =
          this->window(axis).transposed_before(input[axis + 1], shape[axis + 1], this->a_.options.padding);
    }
    Tensor y = ops::conv_data(detail::to_channels_last(x, this->format()), kernel_.tensor(), geometry, shape);
    if (this->bias_.is_defined()) y = y + this->bias_.tensor();
    return this->finished(this->fused()(y), context);
  }

  std::shared_ptr<LayerBody> clone() const override {
    return this->cloned(std::make_shared<TransposeBody>(*this));
  }

 private:
  Shape shape_of(const Shape& input) const override {
    const std::optional<Sizes>& padding = this->a_.options.output_padding;
    Shape shape = input;
    for (std::size_t axis = 0; axis < N; ++axis) {
      shape[axis + 1] = this->window(axis).transposed_result(input[axis + 1], this->a_.options.padding,
                                                             padding ? (*padding)[axis] : -1);
    }
    shape[N + 1] = this->a_.filters;
    return shape;
  }

  Variable kernel_;
};

struct DepthwiseArguments {
  Sizes kernel_size = 1;
  std::int64_t groups = 1;
  DepthwiseConvOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("depth_multiplier", a.options.depth_multiplier);
    field.required("kernel_size", a.kernel_size);
    field("strides", a.options.strides);
    field("padding", a.options.padding);
    field("data_format", a.options.data_format);
    field("dilation_rate", a.options.dilation_rate);
    field.keras2("groups", a.groups);
    detail::depthwise_fields(a.options, field);
    detail::bias_fields(a.options, field);
  }
};

template <std::size_t N>
class DepthwiseBody final : public detail::ConvolutionBody<N, DepthwiseArguments> {
 public:
  using Base = detail::ConvolutionBody<N, DepthwiseArguments>;
  explicit DepthwiseBody(DepthwiseArguments arguments)
      : Base(named(N, "DepthwiseConv"), std::move(arguments), false) {
    check_filters(this->class_name(), this->a_.options.depth_multiplier, 1);
  }

  void build(const Shape& input) override {
    const DepthwiseConvOptions& options = this->a_.options;
    const std::int64_t channels = this->channels_last(input).back();
    kernel_ = this->add_weight(this->kernel_shape(channels, options.depth_multiplier), "kernel",
                               options.depthwise_initializer, options.depthwise_regularizer,
                               options.depthwise_constraint);
    this->add_bias(input, channels * options.depth_multiplier);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Shape input = this->channels_last(x.shape()), shape = shape_of(input);
    const Tensor kernel = ops::reshape(kernel_.tensor(), this->kernel_shape(1, shape.back()));
    const Tensor y = ops::conv(detail::to_channels_last(x, this->format()), kernel, this->bias(),
                               this->fused(), this->geometry(input, input.back()), shape, &kept_);
    return this->finished(y, context);
  }

  std::shared_ptr<LayerBody> clone() const override {
    return this->cloned(std::make_shared<DepthwiseBody>(*this));
  }

 private:
  Shape shape_of(const Shape& input) const override {
    return this->moved(input, input.back() * this->a_.options.depth_multiplier);
  }

  Variable kernel_;
  ops::KeptKernel kept_;
};

struct SeparableArguments {
  std::int64_t filters = 0;
  Sizes kernel_size = 1;
  std::int64_t groups = 1;
  // Keras 2 writes those of a Conv too, which nothing uses.
  Initializer kernel_initializer = "glorot_uniform";
  Regularizer kernel_regularizer = {};
  Constraint kernel_constraint = {};
  SeparableConvOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("depth_multiplier", a.options.depth_multiplier);
    field.required("filters", a.filters);
    field.required("kernel_size", a.kernel_size);
    field("strides", a.options.strides);
    field("padding", a.options.padding);
    field("data_format", a.options.data_format);
    field("dilation_rate", a.options.dilation_rate);
    field.keras2("groups", a.groups);
    field.keras2("kernel_initializer", a.kernel_initializer);
    field.keras2("kernel_regularizer", a.kernel_regularizer);
    field.keras2("kernel_constraint", a.kernel_constraint);
    detail::depthwise_fields(a.options, field);
    field("pointwise_initializer", a.options.pointwise_initializer);
    field("pointwise_regularizer", a.options.pointwise_regularizer);
    field("pointwise_constraint", a.options.pointwise_constraint);
    detail::bias_fields(a.options, field);
  }
};

template <std::size_t N>
class SeparableBody final : public detail::ConvolutionBody<N, SeparableArguments> {
 public:
  using Base = detail::ConvolutionBody<N, SeparableArguments>;
  explicit SeparableBody(SeparableArguments arguments)
      : Base(named(N, "SeparableConv"), std::move(arguments), N == 1) {
    check_filters(this->class_name(), this->a_.filters, 1);
    check_filters(this->class_name(), this->a_.options.depth_multiplier, 1);
  }

  void build(const Shape& input) override {
    const SeparableConvOptions& options = this->a_.options;
    const std::int64_t channels = this->channels_last(input).back();
    depthwise_ = this->add_weight(this->kernel_shape(channels, options.depth_multiplier), "depthwise_kernel",
                                  options.depthwise_initializer, options.depthwise_regularizer,
                                  options.depthwise_constraint);
    pointwise_ = this->add_weight(point_shape(channels), "pointwise_kernel", options.pointwise_initializer,
                                  options.pointwise_regularizer, options.pointwise_constraint);
    this->add_bias(input, this->a_.filters);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Shape input = this->channels_last(x.shape());
    const std::int64_t middle = input.back() * this->a_.options.depth_multiplier;
    const Shape shape = this->moved(input, middle);
    const Tensor kernel = ops::reshape(depthwise_.tensor(), this->kernel_shape(1, middle));
    const Tensor deep = ops::conv(detail::to_channels_last(x, this->format()), kernel, {}, ActivationFn(),
                                  this->geometry(input, input.back()), shape, &kept_depthwise_);
    const Tensor y = ops::conv(deep, pointwise_.tensor(), this->bias(), this->fused(), ops::ConvGeometry{},
                               shape_of(input), &kept_pointwise_);
    return this->finished(y, context);
  }

  std::shared_ptr<LayerBody> clone() const override {
    return this->cloned(std::make_shared<SeparableBody>(*this));
  }

 private:
  Shape shape_of(const Shape& input) const override { return this->moved(input, this->a_.filters); }
  Shape point_shape(std::int64_t channels) const {
    const std::vector<std::int64_t> ones(N, 1);
    return Shape(ones)
        .with_inserted(N, channels * this->a_.options.depth_multiplier)
        .with_inserted(N + 1, this->a_.filters);
  }

  Variable depthwise_, pointwise_;
  ops::KeptKernel kept_depthwise_, kept_pointwise_;
};

}  // namespace

template <std::size_t N>
Conv<N>::Conv(std::int64_t filters, const Sizes& kernel_size, const ConvOptions& options)
    : Layer(std::make_shared<ConvBody<N>>(ConvArguments{filters, kernel_size, options})) {}
template <std::size_t N>
Conv<N> Conv<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<ConvArguments>(
      named(N), config, generation, [](const auto& a) { return Conv(a.filters, a.kernel_size, a.options); });
}

template <std::size_t N>
ConvTranspose<N>::ConvTranspose(std::int64_t filters, const Sizes& kernel_size,
                                const ConvTransposeOptions& options)
    : Layer(std::make_shared<TransposeBody<N>>(TransposeArguments<N>{filters, kernel_size, 1, options})) {}
template <std::size_t N>
ConvTranspose<N> ConvTranspose<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<TransposeArguments<N>>(
      named(N, "Conv", "Transpose"), config, generation,
      [](const auto& a) { return ConvTranspose(a.filters, a.kernel_size, a.options); });
}

template <std::size_t N>
DepthwiseConv<N>::DepthwiseConv(const Sizes& kernel_size, const DepthwiseConvOptions& options)
    : Layer(std::make_shared<DepthwiseBody<N>>(DepthwiseArguments{kernel_size, 1, options})) {}
template <std::size_t N>
DepthwiseConv<N> DepthwiseConv<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<DepthwiseArguments>(
      named(N, "DepthwiseConv"), config, generation,
      [](const auto& a) { return DepthwiseConv(a.kernel_size, a.options); });
}

template <std::size_t N>
SeparableConv<N>::SeparableConv(std::int64_t filters, const Sizes& kernel_size,
                                const SeparableConvOptions& options)
    : Layer(std::make_shared<SeparableBody<N>>(
          SeparableArguments{.filters = filters, .kernel_size = kernel_size, .options = options})) {}
template <std::size_t N>
SeparableConv<N> SeparableConv<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<SeparableArguments>(
      named(N, "SeparableConv"), config, generation,
      [](const auto& a) { return SeparableConv(a.filters, a.kernel_size, a.options); });
}

template class Conv<1>;
template class Conv<2>;
template class Conv<3>;
template class ConvTranspose<1>;
template class ConvTranspose<2>;
template class ConvTranspose<3>;
template class DepthwiseConv<1>;
template class DepthwiseConv<2>;
template class SeparableConv<1>;
template class SeparableConv<2>;

}  // namespace keratin::inline v0
