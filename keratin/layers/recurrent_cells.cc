#include "keratin/layers/recurrent_cells.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/ops/dense.h"

namespace keratin::inline v0::detail {
namespace {

// Zeros, but ones for the second gate of four, forget.
Initializer with_forget_ones(const Initializer& initializer, std::int64_t units) {
  return Initializer([initializer, units](const Shape& shape, DType dtype) {
    const Tensor whole = initializer(shape, dtype);
    return ops::concatenate(
        {whole.slice(0, 0, units), Tensor::full({units}, 1, dtype), whole.slice(0, 2 * units, 4 * units)}, 0);
  });
}

// Factors that drop with a rate and keep the mean.
Tensor drop_factors(const Shape& shape, double rate, RandomKey key, DType dtype) {
  const double scale = rate < 1 ? 1 / (1 - rate) : 0;
  return drop(Tensor::full(shape, 1, dtype), shape, rate, key, {.scale = scale});
}

}  // namespace

template <class Options>
GatedCellBody<Options>::GatedCellBody(CellArguments<Options> arguments, std::int64_t gates,
                                      const char* class_name)
    : a_(std::move(arguments)), gates_(gates), class_name_(class_name), seed_(a_.options.seed) {
  if (a_.units < 1) {
    throw ValueError(class_name, "units is at least 1", "received units=" + std::to_string(a_.units),
                     "It is the size of the state.");
  }
  for (const double rate : {a_.options.dropout, a_.options.recurrent_dropout}) {
    if (rate >= 0 && rate <= 1) continue;
    throw ValueError(class_name, "rates between 0 and 1", "received " + to_text(rate),
                     "They are the shares to drop.");
  }
  set_common("", a_.options.trainable, a_.options.dtype);
}

template <class Options>
void GatedCellBody<Options>::build_list(const std::vector<Shape>& inputs) {
  const Options& o = a_.options;
  const std::int64_t columns = gates_ * a_.units;
  kernel_ = add_weight({inputs.front().back(), columns}, "kernel", o.kernel_initializer, o.kernel_regularizer,
                       o.kernel_constraint);
  recurrent_kernel_ = add_weight({a_.units, columns}, "recurrent_kernel", o.recurrent_initializer,
                                 o.recurrent_regularizer, o.recurrent_constraint);
  Initializer initializer = o.bias_initializer;
  if constexpr (requires { o.unit_forget_bias; }) {
    if (o.unit_forget_bias) initializer = with_forget_ones(initializer, a_.units);
  }
  if (o.use_bias)
    bias_ = add_weight(bias_shape(), "bias", initializer, o.bias_regularizer, o.bias_constraint);
  const Shape state = {Shape::kUnknown, a_.units};
  add_activation("activation", o.activation, state);
  if constexpr (kHasGates<Options>) add_activation("recurrent_activation", o.recurrent_activation, state);
}

template <class Options>
Tensor GatedCellBody<Options>::project(const Tensor& steps, const StepNoise& noise) const {
  const Tensor x = noise.input.is_defined() ? steps * noise.input : steps;
  return ops::dense(x, kernel_.tensor(), input_bias(), ActivationFn());
}

template <class Options>
StepNoise GatedCellBody<Options>::noise(const Shape& step, bool training) const {
  StepNoise noise;
  if (!training) return noise;
  const Options& o = a_.options;
  if (o.dropout > 0) noise.input = drop_factors(step, o.dropout, seed_.next(), dtype);
  if (o.recurrent_dropout > 0)
    noise.state = drop_factors({step[0], a_.units}, o.recurrent_dropout, seed_.next(), dtype);
  return noise;
}

template <class Options>
std::vector<Shape> GatedCellBody<Options>::state_shapes(const Shape& step) const {
  if (step.rank() != 2 || step.back() == Shape::kUnknown)
    refuse_input("steps of shape (batch, features), their number known", step, "Reshape them.");
  if (kernel_.is_defined() && step.back() != kernel_.shape()[0])
    refuse_input("steps of " + std::to_string(kernel_.shape()[0]) + " features", step,
                 "Feed that many, or build a new layer.");
  return std::vector<Shape>(gates_ == 4 ? 2 : 1, Shape{step[0], a_.units});
}

template <class Options>
Tensor GatedCellBody<Options>::recurrent(const Tensor& h, const StepNoise& noise, std::int64_t begin,
                                         std::int64_t end) const {
  const Tensor state = noise.state.is_defined() ? h * noise.state : h;
  const Tensor kernel = recurrent_kernel_.tensor();
  const bool is_whole = begin == 0 && end == gates_;
  return ops::matmul(state, is_whole ? kernel : ops::slice(kernel, 1, begin * a_.units, end * a_.units));
}

template <class Options>
std::shared_ptr<LayerBody> GatedCellBody<Options>::cloned(std::shared_ptr<GatedCellBody> copy) const {
  copy->a_.options.activation = clone_of(a_.options.activation);
  if constexpr (kHasGates<Options>)
    copy->a_.options.recurrent_activation = clone_of(a_.options.recurrent_activation);
  return finish_clone(copy);
}

namespace {

class SimpleCellBody final : public GatedCellBody<SimpleRNNOptions> {
 public:
  explicit SimpleCellBody(const CellArguments<SimpleRNNOptions>& arguments)
      : GatedCellBody(arguments, 1, "SimpleRNNCell") {}

  std::vector<Tensor> step(const Tensor& x, const std::vector<Tensor>& states, const StepNoise& noise,
                           bool training) const override {
    const Tensor h = a_.options.activation(x + recurrent(states[0], noise, 0, 1), training);
    return {h, h};
  }
  std::shared_ptr<LayerBody> clone() const override {
    return cloned(std::make_shared<SimpleCellBody>(*this));
  }
};

class LSTMCellBody final : public GatedCellBody<LSTMOptions> {
 public:
  explicit LSTMCellBody(const CellArguments<LSTMOptions>& arguments)
      : GatedCellBody(arguments, 4, "LSTMCell") {}

  std::vector<Tensor> step(const Tensor& x, const std::vector<Tensor>& states, const StepNoise& noise,
                           bool training) const override {
    const ActivationFn &act = a_.options.activation, &rec = a_.options.recurrent_activation;
    const Tensor z = x + recurrent(states[0], noise, 0, 4);
    const Tensor i = rec(gate(z, 0), training), f = rec(gate(z, 1), training);
    const Tensor c = f * states[1] + i * act(gate(z, 2), training);
    const Tensor h = rec(gate(z, 3), training) * act(c, training);
    return {h, h, c};
  }
  std::shared_ptr<LayerBody> clone() const override { return cloned(std::make_shared<LSTMCellBody>(*this)); }
};

class GRUCellBody final : public GatedCellBody<GRUOptions> {
 public:
  explicit GRUCellBody(const CellArguments<GRUOptions>& arguments) : GatedCellBody(arguments, 3, "GRUCell") {}

  std::vector<Tensor> step(const Tensor& x, const std::vector<Tensor>& states, const StepNoise& noise,
                           bool training) const override {
    const ActivationFn &act = a_.options.activation, &rec = a_.options.recurrent_activation;
    const Tensor& h = states[0];
    Tensor inner = recurrent(h, noise, 0, a_.options.reset_after ? 3 : 2);
    if (a_.options.reset_after && bias_.is_defined())
      inner = inner + ops::squeeze(ops::slice(bias_.tensor(), 0, 1, 2), 0);
    const Tensor z = rec(gate(x, 0) + gate(inner, 0), training);
    const Tensor r = rec(gate(x, 1) + gate(inner, 1), training);
    const Tensor past = a_.options.reset_after ? r * gate(inner, 2) : recurrent(r * h, noise, 2, 3);
    const Tensor next = z * h + (1.0 - z) * act(gate(x, 2) + past, training);
    return {next, next};
  }
  std::shared_ptr<LayerBody> clone() const override { return cloned(std::make_shared<GRUCellBody>(*this)); }

 private:
  Shape bias_shape() const override {
    return a_.options.reset_after ? Shape{2, 3 * a_.units} : Shape{3 * a_.units};
  }
  Tensor input_bias() const override {
    if (!bias_.is_defined() || !a_.options.reset_after) return GatedCellBody::input_bias();
    return ops::squeeze(ops::slice(bias_.tensor(), 0, 0, 1), 0);
  }
};

}  // namespace

std::shared_ptr<CellBody> make_cell(const CellArguments<SimpleRNNOptions>& arguments) {
  return std::make_shared<SimpleCellBody>(arguments);
}
std::shared_ptr<CellBody> make_cell(const CellArguments<LSTMOptions>& arguments) {
  return std::make_shared<LSTMCellBody>(arguments);
}
std::shared_ptr<CellBody> make_cell(const CellArguments<GRUOptions>& arguments) {
  return std::make_shared<GRUCellBody>(arguments);
}

}  // namespace keratin::inline v0::detail
