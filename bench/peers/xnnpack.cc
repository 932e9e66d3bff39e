// XNNPACK's unary operators, on the calling thread; its microkernels are not exported by Debian's library.
#include "bench/peers.h"

#ifdef KERATIN_BENCH_XNNPACK
#include <limits>
#include <memory>

#include <xnnpack.h>
#endif

namespace keratin::bench {

#ifdef KERATIN_BENCH_XNNPACK
namespace {

using Operator = std::shared_ptr<xnn_operator>;

Operator own(xnn_status status, xnn_operator_t made) {
  return status == xnn_status_success ? Operator(made, [](xnn_operator_t op) { xnn_delete_operator(op); })
                                      : nullptr;
}

// Elements are channels of one row, as XNNPACK's own benchmarks have them.
Call make(const Case& wanted, const Arrays& arrays) {
  if (wanted.gradient || wanted.dtype != DType::float32) return {};
  if (xnn_initialize(nullptr) != xnn_status_success) return {};
  const auto* x = static_cast<const float*>(arrays.x);
  auto* out = static_cast<float*>(arrays.out);
  const std::size_t n = wanted.n;
  const std::string& f = wanted.function;
  xnn_operator_t made = nullptr;
  Operator op;
  xnn_status ready = xnn_status_invalid_state;
  const auto clamp = [&](float low, float high) {
    op = own(xnn_create_clamp_nc_f32(1, 1, 1, low, high, 0, &made), made);
    if (op) ready = xnn_setup_clamp_nc_f32(op.get(), n, x, out, nullptr);
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (f == "relu") clamp(0, kInfinity);
  if (f == "relu6") clamp(0, 6);
  if (f == "hard_tanh") clamp(-1, 1);
  if (f == "leaky_relu") {
    op = own(xnn_create_leaky_relu_nc_f32(1, 1, 1, 0.2f, 0, &made), made);
    if (op) ready = xnn_setup_leaky_relu_nc_f32(op.get(), n, x, out, nullptr);
  }
  if (f == "hard_silu") {
    op = own(xnn_create_hardswish_nc_f32(1, 1, 1, 0, &made), made);
    if (op) ready = xnn_setup_hardswish_nc_f32(op.get(), n, x, out, nullptr);
  }
  if (f == "elu" || f == "celu") {
    op = own(xnn_create_elu_nc_f32(1, 1, 1, 1.0f, 0, &made), made);
    if (op) ready = xnn_setup_elu_nc_f32(op.get(), n, x, out, nullptr);
  }
  if (f == "sigmoid") {
    op = own(xnn_create_sigmoid_nc_f32(1, 1, 1, 0, &made), made);
    if (op) ready = xnn_setup_sigmoid_nc_f32(op.get(), n, x, out, nullptr);
  }
  if (f == "softmax") {
    op = own(xnn_create_softmax_nc_f32(wanted.row, wanted.row, wanted.row, 0, &made), made);
    if (op) ready = xnn_setup_softmax_nc_f32(op.get(), n / wanted.row, x, out, nullptr);
  }
  if (ready != xnn_status_success) return {};
  return [op] { xnn_run_operator(op.get(), nullptr); };
}

}  // namespace

Library xnnpack() { return {"xnnpack", "Debian 20220216", "", make}; }
#else
Library xnnpack() {
  return {"xnnpack", "", "not built in: ./dev bench --peers does, from libxnnpack-dev", nullptr};
}
#endif

}  // namespace keratin::bench
