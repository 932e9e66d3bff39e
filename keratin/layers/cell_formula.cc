#include "keratin/layers/cell_formula.h"

#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {
namespace {

Tensor dropped(const Tensor& h, const Tensor& drops) { return drops.is_defined() ? h * drops : h; }

}  // namespace

Tensor CellFormula::gate(const Tensor& all, std::int64_t i) const {
  return ops::slice(all, 1, i * units, (i + 1) * units);
}

Tensors CellFormula::gru(const Tensor& x, const Tensor& h, const Tensor& kernel, const Tensor& bias,
                         const Tensor& drops, bool training) const {
  const ActivationFn &act = activation, &rec = recurrent_activation;
  const Tensor for_gates = reset_after ? kernel : ops::slice(kernel, 1, 0, 2 * units);
  Tensor inner = ops::matmul(dropped(h, drops), for_gates);
  if (bias.is_defined()) inner = inner + bias;
  const Tensor z = rec(gate(x, 0) + gate(inner, 0), training);
  const Tensor r = rec(gate(x, 1) + gate(inner, 1), training);
  const Tensor past = reset_after
                          ? r * gate(inner, 2)
                          : ops::matmul(dropped(r * h, drops), ops::slice(kernel, 1, 2 * units, 3 * units));
  const Tensor next = z * h + (1.0 - z) * act(gate(x, 2) + past, training);
  return {next, next};
}

Tensors CellFormula::step(const Tensor& x, const Tensors& states, const Tensor& kernel, const Tensor& bias,
                          const Tensor& drops, bool training) const {
  if (kind == Kind::gru) return gru(x, states[0], kernel, bias, drops, training);
  const ActivationFn &act = activation, &rec = recurrent_activation;
  const Tensor z = x + ops::matmul(dropped(states[0], drops), kernel);
  if (kind == Kind::simple) {
    const Tensor h = act(z, training);
    return {h, h};
  }
  const Tensor i = rec(gate(z, 0), training), f = rec(gate(z, 1), training);
  const Tensor c = f * states[1] + i * act(gate(z, 2), training);
  const Tensor h = rec(gate(z, 3), training) * act(c, training);
  return {h, h, c};
}

}  // namespace keratin::inline v0::detail
