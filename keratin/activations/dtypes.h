// What activations share about dtypes. Internal.
#pragma once

#include <string>
#include <string_view>

#include "keratin/core/error.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::activations::detail {

/// TypeError unless x is of a floating dtype.
inline void check_floating(const Tensor& x, std::string_view operation) {
  if (is_floating(x.dtype())) return;
  throw TypeError(operation, "it takes float64, float32, float16 or bfloat16",
                  "x is " + std::string(keratin::name(x.dtype())),
                  "Convert it first: x.astype(DType::float32).");
}

/// Calls visitor(T{}) for a floating dtype.
template <class Visitor>
void visit_floating(DType dtype, const Visitor& visitor) {
  visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (is_floating(kDType<T>)) visitor(zero);
  });
}

}  // namespace keratin::inline v0::activations::detail
