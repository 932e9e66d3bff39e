// Masks: which elements of a tensor count. Internal.
#pragma once

#include "keratin/ops/ops.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// 1 and 0 in a dtype to compute with.
inline Tensor mask_values(const Tensor& mask, DType dtype) { return ops::cast(mask.detach(), dtype); }

inline Tensor mask_of(const Tensor& values) {
  return ops::greater(values, Tensor::scalar(0.5, values.dtype()));
}

inline Tensor as_mask(const Tensor& mask) {
  return mask.dtype() == DType::boolean ? mask : mask_of(mask_values(mask, DType::float32));
}

inline Tensor mask_and(const Tensor& a, const Tensor& b) {
  return mask_of(ops::minimum(mask_values(a, DType::float32), mask_values(b, DType::float32)));
}

inline Tensor mask_or(const Tensor& a, const Tensor& b) {
  return mask_of(ops::maximum(mask_values(a, DType::float32), mask_values(b, DType::float32)));
}

inline Tensor mask_not(const Tensor& a) { return mask_of(1.0 - mask_values(a, DType::float32)); }

/// Whether any, all along an axis.
inline Tensor mask_any(const Tensor& a, std::int64_t axis) {
  return mask_of(ops::max(mask_values(a, DType::float32), {{axis}}));
}
inline Tensor mask_all(const Tensor& a, std::int64_t axis) { return mask_not(mask_any(mask_not(a), axis)); }

/// The mask with axes of size 1 behind, up to a rank.
inline Tensor mask_of_rank(Tensor mask, std::size_t rank) {
  while (mask.rank() < rank) mask = mask.expand_dims(-1);
  return mask;
}

}  // namespace keratin::inline v0::detail
