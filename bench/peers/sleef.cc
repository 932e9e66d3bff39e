// SLEEF's vector functions for AVX-512 or AVX2 in plain loops, and what is commonly composed from them.
#include "bench/peers.h"

#ifdef KERATIN_BENCH_SLEEF
#include <string>
#include <unordered_map>

#include <immintrin.h>
#include <sleef.h>
#endif

namespace keratin::bench {

#ifdef KERATIN_BENCH_SLEEF
namespace {

#ifdef __AVX512F__
using V = __m512;
#define KERATIN_SLEEF(name) Sleef_##name##f16_u10
#else
using V = __m256;
#define KERATIN_SLEEF(name) Sleef_##name##f8_u10
#endif
constexpr std::size_t kLanes = sizeof(V) / sizeof(float);

V negative_part(V x) { return x < V{} ? x : V{}; }
V positive_part(V x) { return x > V{} ? x : V{}; }
V exponential(V x) { return KERATIN_SLEEF(exp)(x); }
V tanh_of(V x) { return KERATIN_SLEEF(tanh)(x); }
V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }
// ln(1 + e^-|x|)
V tail(V x) { return KERATIN_SLEEF(log1p)(exponential(negative_part(x) - positive_part(x))); }
V softplus(V x) { return positive_part(x) + tail(x); }
V elu(V x) { return positive_part(x) + KERATIN_SLEEF(expm1)(negative_part(x)); }
V log_sigmoid(V x) { return negative_part(x) - tail(x); }
V silu(V x) { return x * sigmoid(x); }
V mish(V x) { return x * tanh_of(softplus(x)); }
V gelu(V x) {
  const V half = 0.5f * x;
  return half * KERATIN_SLEEF(erf)(x * 0.70710678f) + half;
}
V gelu_tanh(V x) {
  const V inner = 0.79788456f * (0.044715f * (x * x * x) + x), half = 0.5f * x;
  return half * tanh_of(inner) + half;
}

template <V (*f)(V)>
void loop(const float* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLanes)
    *reinterpret_cast<V*>(out + i) = f(*reinterpret_cast<const V*>(x + i));
}

using Run = void (*)(const float*, float*, std::size_t);

Call make(const Case& wanted, const Arrays& arrays) {
  static const std::unordered_map<std::string, Run> all{{"exponential", loop<exponential>},
                                                        {"tanh", loop<tanh_of>},
                                                        {"sigmoid", loop<sigmoid>},
                                                        {"softplus", loop<softplus>},
                                                        {"elu", loop<elu>},
                                                        {"celu", loop<elu>},
                                                        {"log_sigmoid", loop<log_sigmoid>},
                                                        {"silu", loop<silu>},
                                                        {"mish", loop<mish>},
                                                        {"gelu", loop<gelu>},
                                                        {"gelu_tanh", loop<gelu_tanh>}};
  if (wanted.gradient || wanted.row > 0 || wanted.dtype != DType::float32 || wanted.n % kLanes != 0)
    return {};
  const auto found = all.find(wanted.function);
  if (found == all.end()) return {};
  return [=, run = found->second] {
    run(static_cast<const float*>(arrays.x), static_cast<float*>(arrays.out), wanted.n);
  };
}

}  // namespace

Library sleef() {
  static const std::string version = std::to_string(SLEEF_VERSION_MAJOR) + "." +
                                     std::to_string(SLEEF_VERSION_MINOR) + "." +
                                     std::to_string(SLEEF_VERSION_PATCHLEVEL);
  return {"sleef", version, "", make};
}
#else
Library sleef() {
  return {"sleef", "", "not built in: ./dev bench --peers does, from libsleef-dev", nullptr};
}
#endif

}  // namespace keratin::bench
