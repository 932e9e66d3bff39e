// Convolution of floats, sample by sample on oneDNN's primitives. Internal.
#pragma once

#include <memory>
#include <mutex>

#include "keratin/activations/activation_fn.h"
#include "keratin/ops/conv_patches.h"
#include "keratin/ops/conv_primitive.h"

namespace keratin::inline v0::ops {

struct KeptKernel::State {
  std::mutex mutex;
  /// What was packed. While it is kept, whoever writes to the weights writes to a copy of them: the same
  /// address means the same values.
  Tensor kernel;
  std::shared_ptr<const detail::ConvPrimitive> primitive;
  std::shared_ptr<std::byte> packed;
};

namespace detail {

// What the functions of conv_rows.h compute, in parallel over blocks of samples that depend on the sizes
// alone. False, and nothing done, where oneDNN has no kernel for the sizes.

bool conv_blocks(const ConvSizes& sizes, const float* x, const Tensor& kernel, const KeptKernel* kept,
                 const float* bias, const ElementwiseFunction* activation, float* z, float* y);
bool conv_data_blocks(const ConvSizes& sizes, const float* upstream, const float* kernel, float* x);
bool conv_kernel_blocks(const ConvSizes& sizes, const float* x, const float* upstream, float* kernel);

}  // namespace detail
}  // namespace keratin::inline v0::ops
