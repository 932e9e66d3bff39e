// KERATIN_CHOOSE: the one place that goes from an Isa to what was compiled for it.
#pragma once

#include <hwy/detect_targets.h>

#include "keratin/simd/dispatch.h"

#if HWY_TARGETS & HWY_AVX3
#define KERATIN_CASE_AVX512(space, ...) \
  case ::keratin::simd::Isa::avx512:    \
    return space::N_AVX3::__VA_ARGS__;
#else
#define KERATIN_CASE_AVX512(space, ...)
#endif
#if HWY_TARGETS & HWY_AVX2
#define KERATIN_CASE_AVX2(space, ...) \
  case ::keratin::simd::Isa::avx2:    \
    return space::N_AVX2::__VA_ARGS__;
#else
#define KERATIN_CASE_AVX2(space, ...)
#endif
#if HWY_TARGETS & HWY_SSE4
#define KERATIN_CASE_SSE4(space, ...) \
  case ::keratin::simd::Isa::sse4:    \
    return space::N_SSE4::__VA_ARGS__;
#else
#define KERATIN_CASE_SSE4(space, ...)
#endif

/// Returns space::N_TARGET::expression of the instruction set `isa`, where HWY_NAMESPACE is N_TARGET inside
/// of `space`: all of a function's body, in a .cc or where HWY_ONCE. What Highway compiles last, plain C++,
/// is for any other.
#define KERATIN_CHOOSE(isa, space, ...)         \
  switch (isa) {                                \
    KERATIN_CASE_AVX512(space, __VA_ARGS__)     \
    KERATIN_CASE_AVX2(space, __VA_ARGS__)       \
    KERATIN_CASE_SSE4(space, __VA_ARGS__)       \
    default:                                    \
      return space::HWY_NAMESPACE::__VA_ARGS__; \
  }
