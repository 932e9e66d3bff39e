// Checks that ops share: defined tensors, dtypes that fit. Internal.
#pragma once

#include <string_view>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops::detail {

/// StateError for an undefined tensor.
void check_defined(std::string_view operation, const Tensor& a);
/// Also TypeError unless float32 or float64.
void check_arithmetic(std::string_view operation, const Tensor& a);
/// Also TypeError unless both have the same dtype.
void check_same_dtype(std::string_view operation, const Tensor& a, const Tensor& b);
/// TypeError unless int32, int64 or uint8.
void check_indices(std::string_view operation, const Tensor& indices);

/// Calls visitor(T{}) with float or double, the dtype of a checked tensor.
template <class Visitor>
decltype(auto) visit_arithmetic(DType dtype, Visitor&& visitor) {
  if (dtype == DType::float64) return visitor(double{});
  return visitor(float{});
}

/// The same for every dtype that has comparisons: f32, f64, int32, int64, uint8, bool.
template <class Visitor>
decltype(auto) visit_ordered(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::float64:
      return visitor(double{});
    case DType::int32:
      return visitor(std::int32_t{});
    case DType::int64:
      return visitor(std::int64_t{});
    case DType::uint8:
      return visitor(std::uint8_t{});
    case DType::boolean:
      return visitor(bool{});
    default:
      return visitor(float{});
  }
}

/// TypeError for float16 and bfloat16, which only store.
void check_ordered(std::string_view operation, const Tensor& a);

}  // namespace keratin::inline v0::ops::detail
