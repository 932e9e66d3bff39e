// oneDNN's eltwise and softmax primitives.
#include "bench/peers.h"

#ifdef KERATIN_BENCH_ONEDNN
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace keratin::bench {

#ifdef KERATIN_BENCH_ONEDNN
namespace {

using dnnl::algorithm;
using dnnl::memory;

struct Eltwise {
  algorithm kind;
  float alpha = 0, beta = 0;
};

std::optional<Eltwise> eltwise(const std::string& function) {
  static const std::unordered_map<std::string, Eltwise> all{
      {"relu", {algorithm::eltwise_relu}},
      {"leaky_relu", {algorithm::eltwise_relu, 0.2f}},
      {"relu6", {algorithm::eltwise_clip, 0, 6}},
      {"hard_tanh", {algorithm::eltwise_clip, -1, 1}},
      {"hard_silu", {algorithm::eltwise_hardswish}},
      {"elu", {algorithm::eltwise_elu, 1}},
      {"celu", {algorithm::eltwise_elu, 1}},
      {"sigmoid", {algorithm::eltwise_logistic}},
      {"tanh", {algorithm::eltwise_tanh}},
      {"softplus", {algorithm::eltwise_soft_relu, 1}},
      {"log_sigmoid", {algorithm::eltwise_logsigmoid}},
      {"exponential", {algorithm::eltwise_exp}},
      {"gelu", {algorithm::eltwise_gelu_erf}},
      {"gelu_tanh", {algorithm::eltwise_gelu_tanh}},
      {"silu", {algorithm::eltwise_swish, 1}},
      {"mish", {algorithm::eltwise_mish}},
  };
  const auto found = all.find(function);
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

struct Prepared {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

// The forward description that a backward one wants as its hint is made for training.
template <class Forward, class Backward, class Desc, class BackwardDesc>
Prepared prepare(const dnnl::engine& engine, const Case& wanted, const Arrays& arrays,
                 const memory::desc& shape, const Desc& forward_desc, const BackwardDesc& backward_desc,
                 bool gradient_takes_y) {
  const typename Forward::primitive_desc forward(forward_desc, engine);
  const auto at = [&](const void* data) { return memory(shape, engine, const_cast<void*>(data)); };
  if (!wanted.gradient)
    return {Forward(forward), {{DNNL_ARG_SRC, at(arrays.x)}, {DNNL_ARG_DST, at(arrays.out)}}};
  const typename Backward::primitive_desc backward(backward_desc, engine, forward);
  return {Backward(backward),
          {{gradient_takes_y ? DNNL_ARG_DST : DNNL_ARG_SRC, at(gradient_takes_y ? arrays.y : arrays.x)},
           {DNNL_ARG_DIFF_DST, at(arrays.upstream)},
           {DNNL_ARG_DIFF_SRC, at(arrays.out)}}};
}

Prepared prepare(const dnnl::engine& engine, const Case& wanted, const Arrays& arrays,
                 memory::data_type type) {
  const auto n = static_cast<memory::dim>(wanted.n);
  if (wanted.row > 0) {
    const auto row = static_cast<memory::dim>(wanted.row);
    const memory::desc shape({n / row, row}, type, memory::format_tag::ab);
    const auto kind = wanted.function == "softmax" ? algorithm::softmax_accurate : algorithm::softmax_log;
    return prepare<dnnl::softmax_v2_forward, dnnl::softmax_v2_backward>(
        engine, wanted, arrays, shape,
        dnnl::softmax_v2_forward::desc(dnnl::prop_kind::forward_training, kind, shape, shape, 1),
        dnnl::softmax_v2_backward::desc(kind, shape, shape, shape, 1), true);
  }
  const Eltwise f = eltwise(wanted.function).value();
  const memory::desc shape({n}, type, memory::format_tag::a);
  return prepare<dnnl::eltwise_forward, dnnl::eltwise_backward>(
      engine, wanted, arrays, shape,
      dnnl::eltwise_forward::desc(dnnl::prop_kind::forward_training, f.kind, shape, f.alpha, f.beta),
      dnnl::eltwise_backward::desc(f.kind, shape, shape, f.alpha, f.beta), false);
}

Call make(const Case& wanted, const Arrays& arrays) {
  if (wanted.row == 0 && !eltwise(wanted.function)) return {};
  if (wanted.dtype != DType::float32 && wanted.dtype != DType::bfloat16) return {};
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  omp_set_num_threads(1);
  try {
    auto prepared =
        prepare(engine, wanted, arrays,
                wanted.dtype == DType::float32 ? memory::data_type::f32 : memory::data_type::bf16);
    return [prepared = std::move(prepared)]() mutable {
      prepared.primitive.execute(stream, prepared.arguments);
      stream.wait();
    };
  } catch (const dnnl::error&) {
    return {};  // Not for this dtype.
  }
}

}  // namespace

Library onednn() {
  static const std::string version = [] {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return {"onednn", version, "", make};
}
#else
Library onednn() {
  return {"onednn", "", "not built in: ./dev bench --peers does, from libdnnl-dev", nullptr};
}
#endif

}  // namespace keratin::bench
