// Walking strided tensors and converting single elements. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

template <class T>
double to_double(T value) noexcept {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    return to_float(value);
  } else {
    return static_cast<double>(value);
  }
}

/// One element in another type: correctly rounded to a float; to an integer cut towards zero, NaN to 0 and
/// what is out of range to the nearest end; to bool whether it is not zero.
template <class To, class From>
To convert(From value) noexcept {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<To, float16>) {
    return to_float16(to_double(value));
  } else if constexpr (std::is_same_v<To, bfloat16> && std::is_same_v<From, std::int64_t>) {
    // More bits than a double has: the lowest are folded into one, so that the value rounds only once.
    constexpr std::int64_t kLow = 1023, kExact = std::int64_t{1} << 53;
    if (value >= kExact || value <= -kExact) value = (value & ~kLow) | ((value & kLow) != 0 ? kLow + 1 : 0);
    return to_bfloat16(static_cast<double>(value));
  } else if constexpr (std::is_same_v<To, bfloat16>) {
    return to_bfloat16(to_double(value));
  } else if constexpr (std::is_same_v<From, float16> || std::is_same_v<From, bfloat16>) {
    return convert<To>(to_float(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (std::isnan(value)) return 0;
    // 2^63 is a float, the largest int64 is not: compare with the power of two above the range.
    constexpr double kAbove = -2.0 * static_cast<double>(std::numeric_limits<std::make_signed_t<To>>::min());
    const double top = std::is_signed_v<To> ? kAbove / 2 : kAbove;
    const auto wide = static_cast<double>(value);
    if (wide >= top) return std::numeric_limits<To>::max();
    if (wide <= static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(wide);
  } else if constexpr (std::is_integral_v<To>) {
    const auto wide = static_cast<std::int64_t>(value);
    if (wide > static_cast<std::int64_t>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
    if (wide < static_cast<std::int64_t>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    return static_cast<To>(wide);
  } else {
    return static_cast<To>(value);
  }
}

/// Calls visit_row(offset_in_elements, position) for each run along the last axis, in row-major order.
template <class VisitRow>
void for_each_row(const Shape& shape, std::span<const std::int64_t> strides, VisitRow&& visit_row) {
  const std::size_t rank = shape.rank();
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  std::array<std::int64_t, Shape::kMaxRank> index{};
  const std::int64_t row = rank == 0 ? 1 : shape.back();
  std::int64_t offset = 0;
  for (std::int64_t position = 0;; position += row) {
    visit_row(offset, position);
    std::size_t axis = rank == 0 ? 0 : rank - 1;
    for (; axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(-1)) return;
  }
}

/// Copies a tensor of elements of sizeof(Word) bytes to `out` in row-major order.
template <class Word>
void copy_strided(const Tensor& tensor, void* out) {
  const auto* in = static_cast<const Word*>(tensor.data());
  auto* to = static_cast<Word*>(out);
  if (tensor.is_contiguous()) {
    std::memcpy(to, in, static_cast<std::size_t>(tensor.size()) * sizeof(Word));
    return;
  }
  const std::int64_t row = tensor.shape().back(), step = tensor.strides().back();
  for_each_row(tensor.shape(), tensor.strides(), [&](std::int64_t offset, std::int64_t position) {
    for (std::int64_t i = 0; i < row; ++i) to[position + i] = in[offset + i * step];
  });
}

}  // namespace keratin::inline v0::detail
