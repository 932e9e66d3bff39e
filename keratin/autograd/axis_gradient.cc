#include "keratin/autograd/axis_gradient.h"

#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {
namespace {

using activations::detail::AxisCall;
using activations::detail::AxisKind;

// x = [a, b] along the axis and u·∂glu = [u·σ(b), u·a·σ'(b)].
Tensors of_glu(const AxisCall& call, const Tensor& u, const Tensor& v) {
  const std::int64_t axis = call.axes[0];
  const std::int64_t half = u.shape()[static_cast<std::size_t>(axis)];
  const Tensor x = call.input();
  const auto halves = [&](const Tensor& t) {
    return std::pair(ops::slice(t, axis, 0, half), ops::slice(t, axis, half, 2 * half));
  };
  const auto [a, b] = halves(x);
  const auto [va, vb] = halves(v);
  const ActivationFn sigmoid("sigmoid");
  // 1 - σ(b) as σ(-b), which keeps its digits.
  const Tensor s = sigmoid(b), rest = sigmoid(-b), slope = s * rest;
  const Tensor by_b = va * u * slope + vb * u * a * slope * (rest - s);
  return {ops::concatenate({vb * u * slope, by_b}, axis), va * s + vb * a * slope};
}

}  // namespace

Tensors axis_second_gradient(const AxisCall& call, const Tensor& u, const Tensor& v) {
  const auto sum = [&](const Tensor& t) { return ops::sum(t, call.axes, true); };
  switch (call.kind) {
    case AxisKind::softmax: {
      // g = y·(u - Σuy), so Σvg = Σvuy - Σvy·Σuy; its slope by y goes back through softmax.
      const Tensor y = call.result();
      return {call.gradient(v * u - v * sum(u * y) - u * sum(v * y)), call.gradient(v)};
    }
    case AxisKind::log_softmax: {
      // g = u - y·Σu.
      const AxisCall softmax = call.as_softmax();
      return {softmax.gradient(-(v * sum(u))), v - sum(v * softmax.result())};
    }
    case AxisKind::sparsemax:
      // Linear in u, and constant in x where it has a derivative.
      return {Tensor(), call.gradient(v)};
    case AxisKind::glu:
      break;
  }
  return of_glu(call, u, v);
}

}  // namespace keratin::inline v0::detail
