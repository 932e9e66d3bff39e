#include "keratin/layers/conv_lstm.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/attention_tools.h"
#include "keratin/layers/cell.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/window.h"
#include "keratin/ops/conv.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

std::string named(std::size_t n) { return "ConvLSTM" + std::to_string(n) + "D"; }

struct Arguments {
  std::int64_t filters = 0;
  Sizes kernel_size = 1;
  bool time_major = false;  // Keras 2 writes it
  ConvLSTMOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    auto& o = a.options;
    field("return_sequences", o.return_sequences);
    field("return_state", o.return_state);
    field("go_backwards", o.go_backwards);
    field("stateful", o.stateful);
    field("unroll", o.unroll);
    field.keras2("time_major", a.time_major);
    field.keras3("zero_output_for_mask", o.zero_output_for_mask, o.zero_output_for_mask);
    field.required("filters", a.filters);
    field.required("kernel_size", a.kernel_size);
    field("strides", o.strides);
    field("padding", o.padding);
    field("data_format", o.data_format);
    field("dilation_rate", o.dilation_rate);
    field("activation", o.activation);
    field("recurrent_activation", o.recurrent_activation);
    field("use_bias", o.use_bias);
    field("kernel_initializer", o.kernel_initializer);
    field("recurrent_initializer", o.recurrent_initializer);
    field("bias_initializer", o.bias_initializer);
    field("unit_forget_bias", o.unit_forget_bias);
    field("kernel_regularizer", o.kernel_regularizer);
    field("recurrent_regularizer", o.recurrent_regularizer);
    field("bias_regularizer", o.bias_regularizer);
    field("activity_regularizer", o.activity_regularizer);
    field("kernel_constraint", o.kernel_constraint);
    field("recurrent_constraint", o.recurrent_constraint);
    field("bias_constraint", o.bias_constraint);
    field("dropout", o.dropout);
    field("recurrent_dropout", o.recurrent_dropout);
    field.keras3("seed", o.seed);
  }
};

Initializer with_forget_ones(const Initializer& initializer, std::int64_t filters) {
  return Initializer([initializer, filters](const Shape& shape, DType dtype) {
    const Tensor whole = initializer(shape, dtype);
    return ops::concatenate({whole.slice(0, 0, filters), Tensor::full({filters}, 1, dtype),
                             whole.slice(0, 2 * filters, 4 * filters)},
                            0);
  });
}

// States have channels last; the layer around turns the outputs.
template <std::size_t N>
class ConvLSTMCellBody final : public CellBody {
 public:
  explicit ConvLSTMCellBody(const Arguments& arguments) : a_(arguments), seed_(arguments.options.seed) {
    const std::string class_name = named(N);
    ConvLSTMOptions& o = a_.options;
    if (a_.filters < 1) {
      throw ValueError(class_name, "filters is at least 1", "received filters=" + std::to_string(a_.filters),
                       "It is the number of channels of the state.");
    }
    a_.kernel_size = a_.kernel_size.expanded(N, class_name, "kernel_size");
    o.strides = o.strides.expanded(N, class_name, "strides");
    o.dilation_rate = o.dilation_rate.expanded(N, class_name, "dilation_rate");
    detail::check_padding(class_name, o.padding, false);
    detail::check_dilation(class_name, o.strides, o.dilation_rate);
    o.data_format = detail::data_format_of(o.data_format, class_name);
    detail::check_rate(class_name, o.dropout);
    detail::check_rate(class_name, o.recurrent_dropout);
    set_common("", o.trainable, o.dtype);
  }

  std::string_view class_name() const override { return "ConvLSTMCell"; }
  const Arguments& arguments() const noexcept { return a_; }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

  void build_list(const Shapes& inputs) override {
    const ConvLSTMOptions& o = a_.options;
    const std::int64_t channels = last(inputs.front()).back(), columns = 4 * a_.filters;
    kernel_ = add_weight(kernel_shape(channels), "kernel", o.kernel_initializer, o.kernel_regularizer,
                         o.kernel_constraint);
    recurrent_kernel_ = add_weight(kernel_shape(a_.filters), "recurrent_kernel", o.recurrent_initializer,
                                   o.recurrent_regularizer, o.recurrent_constraint);
    const Initializer initializer =
        o.unit_forget_bias ? with_forget_ones(o.bias_initializer, a_.filters) : o.bias_initializer;
    if (o.use_bias) bias_ = add_weight({columns}, "bias", initializer, o.bias_regularizer, o.bias_constraint);
    const Shape state = state_shapes(inputs.front()).front();
    add_activation("activation", o.activation, state);
    add_activation("recurrent_activation", o.recurrent_activation, state);
  }

  Shapes state_shapes(const Shape& step) const override {
    Shape shape = last(step);
    if (shape.back() == Shape::kUnknown)
      refuse_input("a known number of channels", step, "Give Input that number.");
    for (std::size_t axis = 0; axis < N; ++axis) {
      shape[axis + 1] = window(axis).result(shape[axis + 1], a_.options.padding);
      if (shape[axis + 1] == 0)
        refuse_input("steps of at least the kernel's size", step, "Take padding=\"same\".");
    }
    shape[N + 1] = a_.filters;
    return {shape, shape};
  }
  Shape step_shape(const Shape& step) const override {
    return detail::from_channels_last(state_shapes(step).front(), *a_.options.data_format);
  }

  Tensor project(const Tensor& steps, const StepNoise& noise) const override {
    const Tensor x = noise.input.is_defined() ? steps * noise.input : steps;
    // All steps as one batch.
    Shape flat = x.shape().without(0);
    const Shape state = state_shapes(flat).front();
    flat[0] *= x.shape()[0];
    const Tensor images = detail::to_channels_last(ops::reshape(x, flat), *a_.options.data_format);
    Shape shape = state;
    shape[0] = flat[0];
    shape[N + 1] = 4 * a_.filters;
    ops::ConvGeometry geometry;
    for (std::size_t axis = 0; axis < N; ++axis) {
      geometry.strides[axis + 3 - N] = a_.options.strides[axis];
      geometry.dilations[axis + 3 - N] = a_.options.dilation_rate[axis];
      geometry.before[axis + 3 - N] = window(axis).before(images.shape()[axis + 1], a_.options.padding);
    }
    const Tensor bias = bias_.is_defined() ? bias_.tensor() : Tensor();
    const Tensor z = ops::conv(images, kernel_.tensor(), bias, ActivationFn(), geometry, shape);
    shape[0] = state[0];
    return ops::reshape(z, shape.with_inserted(0, x.shape()[0]));
  }

  StepNoise noise(const Shape& step, bool training) const override {
    StepNoise noise;
    if (!training) return noise;
    const auto factors = [&](const Shape& shape, double rate) {
      return detail::dropped(Tensor::full(shape, 1, dtype), rate, seed_, {.training = true});
    };
    if (a_.options.dropout > 0) noise.input = factors(step, a_.options.dropout);
    if (a_.options.recurrent_dropout > 0)
      noise.state = factors(state_shapes(step).front(), a_.options.recurrent_dropout);
    return noise;
  }

  Tensors step(const Tensor& x, const Tensors& states, const StepNoise& noise, bool training) const override {
    const ActivationFn &act = a_.options.activation, &rec = a_.options.recurrent_activation;
    const Tensor h = noise.state.is_defined() ? states[0] * noise.state : states[0];
    ops::ConvGeometry geometry;
    for (std::size_t axis = 0; axis < N; ++axis)
      geometry.before[axis + 3 - N] =
          detail::Window{a_.kernel_size[axis], 1}.before(h.shape()[axis + 1], "same");
    const Tensor z = x + ops::conv(h, recurrent_kernel_.tensor(), {}, ActivationFn(), geometry, x.shape());
    const auto gate = [&](std::int64_t i) { return ops::slice(z, -1, i * a_.filters, (i + 1) * a_.filters); };
    const Tensor i = rec(gate(0), training), f = rec(gate(1), training);
    const Tensor c = f * states[1] + i * act(gate(2), training);
    const Tensor next = rec(gate(3), training) * act(c, training);
    return {detail::from_channels_last(next, *a_.options.data_format), next, c};
  }

 private:
  Shape last(const Shape& step) const {
    if (step.rank() != N + 2) {
      refuse_input("steps of rank " + std::to_string(N + 2), step, "Feed (batch, steps, sizes, channels).");
    }
    return detail::to_channels_last(step, *a_.options.data_format);
  }
  detail::Window window(std::size_t axis) const {
    return {a_.kernel_size[axis], a_.options.strides[axis], a_.options.dilation_rate[axis]};
  }
  Shape kernel_shape(std::int64_t channels) const {
    return Shape(a_.kernel_size.values()).with_inserted(N, channels).with_inserted(N + 1, 4 * a_.filters);
  }

  Arguments a_;
  detail::DropSeed seed_;
  Variable kernel_, recurrent_kernel_, bias_;
};

template <std::size_t N>
class ConvLSTMBody final : public detail::RecurrentBody {
 public:
  explicit ConvLSTMBody(const std::shared_ptr<ConvLSTMCellBody<N>>& cell)
      : RecurrentBody(detail::named_by_class(cell), recurrence_of(cell->arguments().options)),
        a_(cell->arguments()),
        name_(named(N)) {
    set_common(a_.options);
    activity_regularizer = a_.options.activity_regularizer;
  }
  std::string_view class_name() const override { return name_; }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  static detail::Recurrence recurrence_of(const ConvLSTMOptions& o) {
    return {o.return_sequences, o.return_state, o.go_backwards, o.stateful, o.unroll, o.zero_output_for_mask};
  }

  Arguments a_;
  std::string name_;
};

}  // namespace

template <std::size_t N>
ConvLSTM<N>::ConvLSTM(std::int64_t filters, const Sizes& kernel_size, const ConvLSTMOptions& options)
    : Layer(std::make_shared<ConvLSTMBody<N>>(std::make_shared<ConvLSTMCellBody<N>>(
          Arguments{.filters = filters, .kernel_size = kernel_size, .options = options}))) {}

template <std::size_t N>
ConvLSTM<N> ConvLSTM<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments>(named(N), config, generation, [](const auto& a) {
    if (a.time_major) {
      throw ValueError(named(N), "\"time_major\" is false", "received true",
                       "Transpose the inputs: the batch is their first axis.");
    }
    return ConvLSTM(a.filters, a.kernel_size, a.options);
  });
}

template <std::size_t N>
void ConvLSTM<N>::reset_states() const {
  static_cast<const detail::RecurrentBody&>(body()).reset_states();
}

template class ConvLSTM<1>;
template class ConvLSTM<2>;
template class ConvLSTM<3>;

}  // namespace keratin::inline v0
