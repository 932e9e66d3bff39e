// The checks of dtypes that activations share. Internal.
#pragma once

#include <string>
#include <string_view>

#include "keratin/core/error.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::activations::detail {

/// TypeError unless x is float32 or float64.
inline void check_floating(const Tensor& x, std::string_view operation) {
  if (x.dtype() == DType::float32 || x.dtype() == DType::float64) return;
  throw TypeError(operation, "it takes float32 or float64", "x is " + std::string(keratin::name(x.dtype())),
                  "Convert it first: x.astype(DType::float32).");
}

/// TypeError unless x is of a floating dtype.
inline void check_any_floating(const Tensor& x, std::string_view operation) {
  if (is_floating(x.dtype())) return;
  throw TypeError(operation, "it takes float64, float32, float16 or bfloat16",
                  "x is " + std::string(keratin::name(x.dtype())),
                  "Convert it first: x.astype(DType::float32).");
}

}  // namespace keratin::inline v0::activations::detail
