// Convolution of floats, sample by sample on oneDNN's primitives. Internal.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/ops/conv_patches.h"

namespace keratin::inline v0::ops::detail {

// What the functions of conv_rows.h compute, in parallel over blocks of samples that depend on the sizes
// alone. False, and nothing done, where oneDNN has no kernel for the sizes.

bool conv_blocks(const ConvSizes& sizes, const float* x, const float* kernel, const float* bias,
                 const ElementwiseFunction* activation, float* z, float* y);
bool conv_data_blocks(const ConvSizes& sizes, const float* upstream, const float* kernel, float* x);
bool conv_kernel_blocks(const ConvSizes& sizes, const float* x, const float* upstream, float* kernel);

}  // namespace keratin::inline v0::ops::detail
