// What the convolutions share: where windows go, data formats, bias and activation. Internal.
#pragma once

#include <string>
#include <utility>

#include "keratin/layers/convolution.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/window.h"
#include "keratin/ops/conv.h"

namespace keratin::inline v0::detail {

/// A convolution whose options have strides, padding, data_format, dilation_rate, activation and a bias.
/// `Arguments` has kernel_size and options.
template <std::size_t N, class Arguments>
class ConvolutionBody : public LayerBody {
 public:
  ConvolutionBody(std::string class_name, Arguments arguments, bool allows_causal)
      : a_(std::move(arguments)), class_name_(std::move(class_name)) {
    auto& options = a_.options;
    a_.kernel_size = a_.kernel_size.expanded(N, class_name_, "kernel_size");
    options.strides = options.strides.expanded(N, class_name_, "strides");
    options.dilation_rate = options.dilation_rate.expanded(N, class_name_, "dilation_rate");
    check_padding(class_name_, options.padding, allows_causal);
    check_dilation(class_name_, options.strides, options.dilation_rate);
    options.data_format = data_format_of(options.data_format, class_name_);
    set_common(options);
    activity_regularizer = options.activity_regularizer;
  }

  std::string_view class_name() const override { return class_name_; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Shape output_shape(const Shape& input) const override {
    return a_.options.activation.function().output_shape(
        from_channels_last(shape_of(channels_last(input)), format()));
  }

  Config config(Generation target) const override { return write_fields(a_, target); }

 protected:
  /// The result's shape for an input's, channels last both.
  virtual Shape shape_of(const Shape& input) const = 0;

  const std::string& format() const { return *a_.options.data_format; }
  /// The shape with its channels last, checked: rank, known channels, those of the build.
  Shape channels_last(const Shape& input) const {
    if (input.rank() != N + 2) {
      refuse_input("an input of rank " + std::to_string(N + 2), input,
                   "Add a batch axis, or one of channels.");
    }
    const Shape shape = to_channels_last(input, format());
    if (shape.back() == Shape::kUnknown) {
      refuse_input("an input with a known number of channels", input, "Give Input that number.");
    }
    if (built_shape && to_channels_last(*built_shape, format()).back() != shape.back()) {
      refuse_input(
          "an input of " + std::to_string(to_channels_last(*built_shape, format()).back()) + " channels",
          input, "Feed that many, or build a new layer.");
    }
    return shape;
  }
  Window window(std::size_t axis) const {
    return {a_.kernel_size[axis], a_.options.strides[axis], a_.options.dilation_rate[axis]};
  }
  /// The shape after the windows, with that many channels; ShapeError where no window fits.
  Shape moved(const Shape& input, std::int64_t channels) const {
    Shape shape = input;
    for (std::size_t axis = 0; axis < N; ++axis) {
      shape[axis + 1] = window(axis).result(input[axis + 1], a_.options.padding);
      if (shape[axis + 1] != 0 || input[axis + 1] == Shape::kUnknown) continue;
      refuse_input("an input of at least " + std::to_string(window(axis).extent()) + " on spatial axis " +
                       std::to_string(axis),
                   from_channels_last(input, format()), "Take padding=\"same\", or a smaller kernel.");
    }
    shape[N + 1] = channels;
    return shape;
  }
  ops::ConvGeometry geometry(const Shape& input, std::int64_t groups) const {
    ops::ConvGeometry geometry{.groups = groups};
    for (std::size_t axis = 0; axis < N; ++axis) {
      const std::size_t place = axis + 3 - N;
      geometry.strides[place] = a_.options.strides[axis];
      geometry.dilations[place] = a_.options.dilation_rate[axis];
      geometry.before[place] = window(axis).before(input[axis + 1], a_.options.padding);
    }
    return geometry;
  }
  /// (kernel sizes, a, b).
  Shape kernel_shape(std::int64_t a, std::int64_t b) const {
    Shape shape(a_.kernel_size.values());
    return shape.with_inserted(N, a).with_inserted(N + 1, b);
  }
  void add_bias(const Shape& input, std::int64_t filters) {
    const auto& options = a_.options;
    if (options.use_bias) {
      bias_ = add_weight({filters}, "bias", options.bias_initializer, options.bias_regularizer,
                         options.bias_constraint);
    }
    add_activation("activation", options.activation,
                   from_channels_last(shape_of(channels_last(input)), format()));
  }
  Tensor bias() const { return bias_.is_defined() ? bias_.tensor() : Tensor(); }
  /// The result in the layer's format. An activation that acts on elements alone came before: it does not
  /// matter to it where the channels are.
  Tensor finished(const Tensor& y, const CallContext& context) const {
    const Tensor moved = from_channels_last(y, format());
    return a_.options.activation.elementwise() != nullptr ? moved
                                                          : a_.options.activation(moved, context.training);
  }
  /// What a convolution fuses.
  ActivationFn fused() const {
    return a_.options.activation.elementwise() != nullptr ? a_.options.activation : ActivationFn();
  }
  static std::shared_ptr<LayerBody> cloned(auto copy) {
    copy->a_.options.activation = clone_of(copy->a_.options.activation);
    return finish_clone(copy);
  }

  Arguments a_;
  Variable bias_;

 private:
  std::string class_name_;
};

/// The fields from data_format on that all convolutions have, in the order of Keras 3's get_config.
template <class Options, class Fields>
void bias_fields(Options& options, Fields& field) {
  field("activation", options.activation);
  field("use_bias", options.use_bias);
  field("bias_initializer", options.bias_initializer);
  field("bias_regularizer", options.bias_regularizer);
  field("activity_regularizer", options.activity_regularizer);
  field("bias_constraint", options.bias_constraint);
}
template <class Options, class Fields>
void kernel_fields(Options& options, Fields& field) {
  field("kernel_initializer", options.kernel_initializer);
  field("kernel_regularizer", options.kernel_regularizer);
  field("kernel_constraint", options.kernel_constraint);
}
template <class Options, class Fields>
void depthwise_fields(Options& options, Fields& field) {
  field("depthwise_initializer", options.depthwise_initializer);
  field("depthwise_regularizer", options.depthwise_regularizer);
  field("depthwise_constraint", options.depthwise_constraint);
}

}  // namespace keratin::inline v0::detail
