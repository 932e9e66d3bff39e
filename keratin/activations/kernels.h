// The compiled loops of each definition and instruction set. For the registry alone.
#pragma once

#include <cstddef>

#include "keratin/activations/definition_names.h"
#include "keratin/core/dtype.h"
#include "keratin/simd/dispatch.h"

namespace keratin::inline v0::activations::detail {

/// y[i] = f(x[i]) and out[i] = upstream[i] f'(x[i]); in place allowed. The parameters are the definition's
/// struct, which the loops round to x's type first. The caller holds a FloatEnvironment. With
/// `streams` results go past the caches: for large arrays, and never in place.
template <class T>
struct Loops {
  void (*forward)(const void* parameters, const T* x, T* y, std::size_t n, bool streams) = nullptr;
  void (*gradient)(const void* parameters, const T* x, const T* upstream, T* out, std::size_t n,
                   bool streams) = nullptr;
};

struct Kernels {
  Loops<float> f32;
  Loops<double> f64;
  Loops<float16> f16;
  Loops<bfloat16> bf16;
};

/// Of one definition, each compiled in a file of its own, which kernels.cc.in becomes.
template <Index index>
Kernels kernels_of(simd::Isa isa);

}  // namespace keratin::inline v0::activations::detail
