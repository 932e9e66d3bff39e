// SLEEF's vector functions for AVX-512 in plain loops, and what is commonly composed from them.
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

using V = __m512;

V set(float value) { return _mm512_set1_ps(value); }
V abs_of(V x) { return _mm512_abs_ps(x); }
V negative_part(V x) { return _mm512_min_ps(x, _mm512_setzero_ps()); }
V positive_part(V x) { return _mm512_max_ps(x, _mm512_setzero_ps()); }
V negated(V x) { return _mm512_sub_ps(_mm512_setzero_ps(), x); }
V sigmoid(V x) { return _mm512_div_ps(set(1), _mm512_add_ps(set(1), Sleef_expf16_u10(negated(x)))); }
V softplus(V x) {
  return _mm512_add_ps(positive_part(x), Sleef_log1pf16_u10(Sleef_expf16_u10(negated(abs_of(x)))));
}

template <V (*f)(V)>
void loop(const float* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) _mm512_store_ps(out + i, f(_mm512_load_ps(x + i)));
}

V exponential(V x) { return Sleef_expf16_u10(x); }
V tanh_of(V x) { return Sleef_tanhf16_u10(x); }
V elu(V x) { return _mm512_add_ps(positive_part(x), Sleef_expm1f16_u10(negative_part(x))); }
V log_sigmoid(V x) {
  return _mm512_sub_ps(negative_part(x), Sleef_log1pf16_u10(Sleef_expf16_u10(negated(abs_of(x)))));
}
V silu(V x) { return _mm512_mul_ps(x, sigmoid(x)); }
V mish(V x) { return _mm512_mul_ps(x, Sleef_tanhf16_u10(softplus(x))); }
V gelu(V x) {
  const V half = _mm512_mul_ps(set(0.5f), x);
  return _mm512_fmadd_ps(half, Sleef_erff16_u10(_mm512_mul_ps(x, set(0.70710678f))), half);
}
V gelu_tanh(V x) {
  const V cube = _mm512_mul_ps(x, _mm512_mul_ps(x, x));
  const V inner = _mm512_mul_ps(set(0.79788456f), _mm512_fmadd_ps(set(0.044715f), cube, x));
  const V half = _mm512_mul_ps(set(0.5f), x);
  return _mm512_fmadd_ps(half, Sleef_tanhf16_u10(inner), half);
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
  if (wanted.gradient || wanted.row > 0 || wanted.dtype != DType::float32 || wanted.n % 16 != 0) return {};
  if (!__builtin_cpu_supports("avx512f")) return {};
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
