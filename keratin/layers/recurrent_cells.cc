#include "keratin/layers/recurrent_cells.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/cell_sequence.h"
#include "keratin/ops/dense.h"
#include "keratin/ops/ops.h"

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
void GatedCellBody<Options>::build_list(const Shapes& inputs) {
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
    bias_ = add_weight(has_two_biases() ? Shape{2, columns} : Shape{columns}, "bias", initializer,
                       o.bias_regularizer, o.bias_constraint);
  const Shape state = {Shape::kUnknown, a_.units};
  add_activation("activation", o.activation, state);
  if constexpr (kHasGates<Options>) add_activation("recurrent_activation", o.recurrent_activation, state);
}

template <class Options>
Tensor GatedCellBody<Options>::project(const Tensor& steps, const StepNoise& noise) const {
  const Tensor x = noise.input.is_defined() ? steps * noise.input : steps;
  return ops::dense(x, kernel_.tensor(), bias_row(0), ActivationFn());
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
Shapes GatedCellBody<Options>::state_shapes(const Shape& step) const {
  if (step.rank() != 2 || step.back() == Shape::kUnknown)
    refuse_input("steps of shape (batch, features), their number known", step, "Reshape them.");
  if (kernel_.is_defined() && step.back() != kernel_.shape()[0])
    refuse_input("steps of " + std::to_string(kernel_.shape()[0]) + " features", step,
                 "Feed that many, or build a new layer.");
  return Shapes(gates_ == 4 ? 2 : 1, Shape{step[0], a_.units});
}

template <class Options>
CellFormula GatedCellBody<Options>::formula() const {
  constexpr bool kIsGru = requires(Options o) { o.reset_after; };
  using Kind = CellFormula::Kind;
  CellFormula formula{.kind = !kHasGates<Options> ? Kind::simple
                              : kIsGru            ? Kind::gru
                                                  : Kind::lstm,
                      .units = a_.units,
                      .reset_after = has_two_biases(),
                      .activation = a_.options.activation,
                      .recurrent_activation = {}};
  if constexpr (kHasGates<Options>) formula.recurrent_activation = a_.options.recurrent_activation;
  return formula;
}

template <class Options>
bool GatedCellBody<Options>::has_two_biases() const {
  if constexpr (requires { a_.options.reset_after; })
    return a_.options.reset_after;
  else
    return false;
}

template <class Options>
Tensor GatedCellBody<Options>::bias_row(std::int64_t row) const {
  if (!bias_.is_defined()) return {};
  if (has_two_biases()) return ops::squeeze(ops::slice(bias_.tensor(), 0, row, row + 1), 0);
  return row == 0 ? bias_.tensor() : Tensor();
}

template <class Options>
Tensors GatedCellBody<Options>::step(const Tensor& x, const Tensors& states, const StepNoise& noise,
                                     bool training) const {
  return formula().step(x, states, recurrent_kernel_.tensor(), bias_row(1), noise.state, training);
}

template <class Options>
std::optional<CellBody::Sequence> GatedCellBody<Options>::run(const Tensor& projected, const Tensors& states,
                                                              const StepNoise& noise,
                                                              const Tensor& mask) const {
  const CellFormula how = formula();
  if (!can_run_sequence(how)) return std::nullopt;
  const Tensor all =
      run_sequence(how, projected, recurrent_kernel_.tensor(), bias_row(1), states, mask, noise.state);
  const std::int64_t steps = projected.shape()[0];
  const auto row = [&](std::int64_t i) { return ops::squeeze(ops::slice(all, 0, i, i + 1), 0); };
  const Tensor last = row(steps);
  Sequence sequence{.outputs = ops::slice(all, 0, 1, steps + 1), .last = last, .states = {last}};
  if (states.size() > 1) sequence.states.push_back(row(steps + 1));
  return sequence;
}

template <class Options>
std::shared_ptr<LayerBody> GatedCellBody<Options>::clone() const {
  const auto copy = std::make_shared<GatedCellBody>(*this);
  copy->a_.clone_activations(&LayerBody::clone_of);
  return finish_clone(copy);
}

std::shared_ptr<CellBody> make_cell(const CellArguments<SimpleRNNOptions>& arguments) {
  return std::make_shared<GatedCellBody<SimpleRNNOptions>>(arguments, 1, "SimpleRNNCell");
}
std::shared_ptr<CellBody> make_cell(const CellArguments<LSTMOptions>& arguments) {
  return std::make_shared<GatedCellBody<LSTMOptions>>(arguments, 4, "LSTMCell");
}
std::shared_ptr<CellBody> make_cell(const CellArguments<GRUOptions>& arguments) {
  return std::make_shared<GatedCellBody<GRUOptions>>(arguments, 3, "GRUCell");
}

}  // namespace keratin::inline v0::detail
