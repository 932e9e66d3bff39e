// Convolution over rows of patches: products of matrices in the working type. For doubles, and for what
// oneDNN has no kernel for. Internal.
#pragma once

#include "keratin/activations/activation_fn.h"
#include "keratin/ops/conv_patches.h"

namespace keratin::inline v0::ops::detail {

/// z = x * kernel + bias, y = f(z); no activation leaves y alone. z may be y.
template <class T>
void conv_rows(const ConvSizes& sizes, const T* x, const T* kernel, const T* bias,
               const ElementwiseFunction* activation, T* z, T* y);
/// The gradient of x.
template <class T>
void conv_data_rows(const ConvSizes& sizes, const T* upstream, const T* kernel, T* x);
/// The gradient of the kernel.
template <class T>
void conv_kernel_rows(const ConvSizes& sizes, const T* x, const T* upstream, T* kernel);

#define KERATIN_CONV_ROWS_OF(KEYWORD, T)                                          \
  KEYWORD template void conv_rows(const ConvSizes&, const T*, const T*, const T*, \
                                  const ElementwiseFunction*, T*, T*);            \
  KEYWORD template void conv_data_rows(const ConvSizes&, const T*, const T*, T*); \
  KEYWORD template void conv_kernel_rows(const ConvSizes&, const T*, const T*, T*);
KERATIN_CONV_ROWS_OF(extern, float)
KERATIN_CONV_ROWS_OF(extern, double)

}  // namespace keratin::inline v0::ops::detail
