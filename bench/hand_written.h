// The custom bench's measure: kernels that an expert would write for the same expressions, with our own
// mathematics. The only file here that looks inside the library.
#pragma once

#include <cstddef>
#include <string_view>

namespace keratin::bench {

/// out[i] = f(x[i]), or upstream[i]·f'(x[i]), in float32; for the instruction set in use. n is a multiple of
/// 64. The caller holds a FloatEnvironment.
using HandWritten = void (*)(const float* x, const float* upstream, float* out, std::size_t n);

/// Of an expression of the custom bench by name; null for an unknown one.
HandWritten hand_written(std::string_view expression, bool gradient);

}  // namespace keratin::bench
