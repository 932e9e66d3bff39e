// Shapes: the size of each axis, broadcasting, and how they print. No memory here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// The size of each axis, outermost first. At most kMaxRank axes; a size is at least 0, or kUnknown (Keras's
/// None) in the shape of a layer's input. A rank of 0 is a scalar.
class KERATIN_API Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;
  static constexpr std::int64_t kUnknown = -1;

  Shape() = default;
  /// ShapeError for more than kMaxRank axes or a size below kUnknown.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);
  explicit Shape(const std::vector<std::int64_t>& sizes) : Shape(std::span(sizes)) {}

  std::size_t rank() const noexcept { return rank_; }
  /// The number of elements: the product of the sizes, 1 for a scalar. ShapeError where a size is unknown or
  /// the product does not fit into 63 bits.
  std::int64_t size() const;
  bool is_known() const noexcept;

  std::int64_t operator[](std::size_t axis) const noexcept { return sizes_[axis]; }
  std::int64_t& operator[](std::size_t axis) noexcept { return sizes_[axis]; }
  std::int64_t back() const noexcept { return sizes_[rank_ - 1]; }
  const std::int64_t* begin() const noexcept { return sizes_.data(); }
  const std::int64_t* end() const noexcept { return sizes_.data() + rank_; }
  std::span<const std::int64_t> sizes() const noexcept { return {sizes_.data(), rank_}; }

  /// The axis counted from the front, for one that may count from the back; ShapeError names `operation`
  /// if there is none.
  std::size_t axis(std::int64_t axis, std::string_view operation) const;
  /// This shape with a size put in or taken out at `axis`, 0 … rank.
  Shape with_inserted(std::size_t axis, std::int64_t size) const;
  Shape without(std::size_t axis) const;
  /// The axes [first, last).
  Shape part(std::size_t first, std::size_t last) const;

  /// As Keras prints them: "(32, 64)", "(None, 10)", "(3,)", "()".
  std::string to_string() const;

  friend KERATIN_API bool operator==(const Shape& a, const Shape& b) noexcept;

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  std::size_t rank_ = 0;
};

/// NumPy's rule: aligned at the last axis, sizes equal or 1. ShapeError names `operation` and both shapes.
KERATIN_API Shape broadcast(const Shape& a, const Shape& b, std::string_view operation);
/// Row-major strides in elements; zeros where there are no elements. Every size is known.
KERATIN_API std::array<std::int64_t, Shape::kMaxRank> row_major_strides(const Shape& shape) noexcept;

}  // namespace keratin::inline v0
