// Eigen's array expressions, compiled for AVX-512 or AVX2.
#include "bench/peers.h"

#ifdef KERATIN_BENCH_EIGEN
#include <string>
#include <unordered_map>

#include <fmt/format.h>
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>
#endif

namespace keratin::bench {

#ifdef KERATIN_BENCH_EIGEN
namespace {

using Array = Eigen::Map<const Eigen::ArrayXf, Eigen::Aligned64>;
using Out = Eigen::Map<Eigen::ArrayXf, Eigen::Aligned64>;
using Rows = Eigen::Map<const Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using RowsOut = Eigen::Map<Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

using Forward = void (*)(const Array& x, Out& out);
using Gradient = void (*)(const Array& x, const Array& g, const Array& y, Out& out);

const std::unordered_map<std::string, Forward>& forwards() {
  static const std::unordered_map<std::string, Forward> all{
      {"relu", [](const Array& x, Out& out) { out = x.max(0.0f); }},
      {"leaky_relu", [](const Array& x, Out& out) { out = x.max(0.2f * x); }},
      {"relu6", [](const Array& x, Out& out) { out = x.max(0.0f).min(6.0f); }},
      {"hard_sigmoid", [](const Array& x, Out& out) { out = (x * (1.0f / 6) + 0.5f).max(0.0f).min(1.0f); }},
      {"hard_tanh", [](const Array& x, Out& out) { out = x.max(-1.0f).min(1.0f); }},
      {"hard_silu", [](const Array& x, Out& out) { out = x * (x * (1.0f / 6) + 0.5f).max(0.0f).min(1.0f); }},
      {"soft_shrink", [](const Array& x, Out& out) { out = x - x.max(-0.5f).min(0.5f); }},
      {"hard_shrink",
       [](const Array& x, Out& out) { out = (x.abs() > 0.5f).select(x, Eigen::ArrayXf::Zero(x.size())); }},
      {"threshold",
       [](const Array& x, Out& out) { out = (x > 0.0f).select(x, Eigen::ArrayXf::Zero(x.size())); }},
      {"softsign", [](const Array& x, Out& out) { out = x / (x.abs() + 1.0f); }},
      {"exponential", [](const Array& x, Out& out) { out = x.exp(); }},
      {"elu", [](const Array& x, Out& out) { out = x.max(0.0f) + (x.min(0.0f).exp() - 1.0f); }},
      {"selu", [](const Array& x,
                  Out& out) { out = 1.05070098f * x.max(0.0f) + 1.75809932f * (x.min(0.0f).exp() - 1.0f); }},
      {"celu", [](const Array& x, Out& out) { out = x.max(0.0f) + (x.min(0.0f).exp() - 1.0f); }},
      {"tanh", [](const Array& x, Out& out) { out = x.tanh(); }},
      {"tanh_shrink", [](const Array& x, Out& out) { out = x - x.tanh(); }},
      {"sigmoid", [](const Array& x, Out& out) { out = x.logistic(); }},
      {"softplus", [](const Array& x, Out& out) { out = x.max(0.0f) + ((-x.abs()).exp() + 1.0f).log(); }},
      {"log_sigmoid", [](const Array& x, Out& out) { out = x.min(0.0f) - ((-x.abs()).exp() + 1.0f).log(); }},
      {"squareplus", [](const Array& x, Out& out) { out = 0.5f * (x + (x * x + 4.0f).sqrt()); }},
      {"silu", [](const Array& x, Out& out) { out = x * x.logistic(); }},
      {"gelu", [](const Array& x, Out& out) { out = 0.5f * x * ((x * 0.70710678f).erf() + 1.0f); }},
      {"gelu_tanh",
       [](const Array& x, Out& out) {
         out = 0.5f * x * ((0.79788456f * (x + 0.044715f * x * x * x)).tanh() + 1.0f);
       }},
      {"mish",
       [](const Array& x, Out& out) { out = x * (x.max(0.0f) + ((-x.abs()).exp() + 1.0f).log()).tanh(); }},
  };
  return all;
}

const std::unordered_map<std::string, Gradient>& gradients() {
  using A = const Array&;
  static const std::unordered_map<std::string, Gradient> all{
      {"relu", [](A x, A g, A, Out& out) { out = (x > 0.0f).select(g, 0.0f * g); }},
      {"leaky_relu", [](A x, A g, A, Out& out) { out = (x > 0.0f).select(g, 0.2f * g); }},
      {"relu6", [](A x, A g, A, Out& out) { out = (x > 0.0f && x < 6.0f).select(g, 0.0f * g); }},
      {"elu", [](A x, A g, A, Out& out) { out = g * x.min(0.0f).exp(); }},
      {"celu", [](A x, A g, A, Out& out) { out = g * x.min(0.0f).exp(); }},
      {"softsign", [](A x, A g, A, Out& out) { out = g / (x.abs() + 1.0f).square(); }},
      {"sigmoid", [](A, A g, A y, Out& out) { out = g * (y * (1.0f - y)); }},
      {"tanh", [](A, A g, A y, Out& out) { out = g * (1.0f - y * y); }},
      {"exponential", [](A, A g, A y, Out& out) { out = g * y; }},
      {"softplus", [](A x, A g, A, Out& out) { out = g * x.logistic(); }},
      {"silu", [](A x, A g, A, Out& out) { out = g * x.logistic() * (1.0f + x * (1.0f - x.logistic())); }},
  };
  return all;
}

void softmax_rows(const Case& wanted, const Arrays& arrays) {
  const auto rows = static_cast<Eigen::Index>(wanted.n / wanted.row);
  const auto length = static_cast<Eigen::Index>(wanted.row);
  const Rows x(static_cast<const float*>(arrays.x), rows, length);
  RowsOut out(static_cast<float*>(arrays.out), rows, length);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const float largest = x.row(i).maxCoeff();
    if (wanted.function == "softmax") {
      out.row(i) = (x.row(i) - largest).exp();
      out.row(i) *= 1 / out.row(i).sum();
    } else {
      const float sum = (x.row(i) - largest).exp().sum();
      out.row(i) = x.row(i) - (largest + std::log(sum));
    }
  }
}

Call make(const Case& wanted, const Arrays& arrays) {
  if (wanted.dtype != DType::float32) return {};
  if (wanted.row > 0) {
    if (wanted.gradient) return {};
    return [=] { softmax_rows(wanted, arrays); };
  }
  const auto size = static_cast<Eigen::Index>(wanted.n);
  const auto* x = static_cast<const float*>(arrays.x);
  auto* out = static_cast<float*>(arrays.out);
  if (!wanted.gradient) {
    const auto found = forwards().find(wanted.function);
    if (found == forwards().end()) return {};
    return [=, run = found->second] {
      Out result(out, size);
      run(Array(x, size), result);
    };
  }
  const auto found = gradients().find(wanted.function);
  if (found == gradients().end()) return {};
  const auto* g = static_cast<const float*>(arrays.upstream);
  const auto* y = static_cast<const float*>(arrays.y);
  return [=, run = found->second] {
    Out result(out, size);
    run(Array(x, size), Array(g, size), Array(y, size), result);
  };
}

}  // namespace

Library eigen() {
  static const std::string version =
      fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  return {"eigen", version, "", make};
}
#else
Library eigen() {
  return {"eigen", "", "not built in: ./dev bench --peers does, from libeigen3-dev", nullptr};
}
#endif

}  // namespace keratin::bench
