// Element types: their names, sizes, C++ types, and the two 16-bit floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// IEEE binary16, storage only: converted to float32 for arithmetic.
struct float16 {
  std::uint16_t bits = 0;
};

/// The upper half of a float32, storage only: converted to float32 for arithmetic.
struct bfloat16 {
  std::uint16_t bits = 0;
};

/// Correctly rounded to nearest even; overflow gives infinity, NaN stays NaN.
KERATIN_API float16 to_float16(double value) noexcept;
KERATIN_API bfloat16 to_bfloat16(double value) noexcept;
/// Exact.
KERATIN_API float to_float(float16 value) noexcept;
KERATIN_API float to_float(bfloat16 value) noexcept;

enum class DType : std::uint8_t { float64, float32, float16, bfloat16, int32, int64, uint8, boolean };

/// NumPy's name: "float32", "bool", …
KERATIN_API std::string_view name(DType dtype) noexcept;
/// The dtype of that name; ValueError proposes the nearest for an unknown one.
KERATIN_API DType dtype_of(std::string_view name);
/// Bytes an element.
KERATIN_API std::size_t size_bytes(DType dtype) noexcept;
constexpr bool is_floating(DType dtype) noexcept { return dtype <= DType::bfloat16; }

namespace detail {
template <class T>
consteval DType dtype_for() {
  if constexpr (std::is_same_v<T, double>) return DType::float64;
  if constexpr (std::is_same_v<T, float>) return DType::float32;
  if constexpr (std::is_same_v<T, float16>) return DType::float16;
  if constexpr (std::is_same_v<T, bfloat16>) return DType::bfloat16;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::int32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::int64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::uint8;
  if constexpr (std::is_same_v<T, bool>) return DType::boolean;
}
}  // namespace detail

/// kDType<float> is DType::float32, and so on for every element type; no other type compiles.
template <class T>
inline constexpr DType kDType = detail::dtype_for<T>();

/// Calls visitor(T{}) with the C++ type of `dtype`.
template <class Visitor>
decltype(auto) visit(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::float64:
      return visitor(double{});
    case DType::float32:
      return visitor(float{});
    case DType::float16:
      return visitor(float16{});
    case DType::bfloat16:
      return visitor(bfloat16{});
    case DType::int32:
      return visitor(std::int32_t{});
    case DType::int64:
      return visitor(std::int64_t{});
    case DType::uint8:
      return visitor(std::uint8_t{});
    case DType::boolean:
      break;
  }
  return visitor(bool{});
}

}  // namespace keratin::inline v0
