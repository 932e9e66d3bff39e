#include "keratin/core/shape.h"

#include <algorithm>

#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

void check(std::span<const std::int64_t> sizes) {
  if (sizes.size() > Shape::kMaxRank)
    throw ShapeError("shape", "expects at most " + std::to_string(Shape::kMaxRank) + " axes",
                     "got " + std::to_string(sizes.size()));
  for (const std::int64_t size : sizes)
    if (size < Shape::kUnknown)
      throw ShapeError("shape", "expects sizes of at least 0 (or -1 for an unknown one)",
                       "got " + std::to_string(size));
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) : rank_(sizes.size()) {
  check(sizes);
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
}

std::int64_t Shape::size() const {
  std::int64_t product = 1;
  bool overflow = false;
  for (const std::int64_t size : *this) {
    if (size == kUnknown)
      throw ShapeError("shape", "expects every size to be known here", "got " + to_string(),
                       "Give the batch size, or build the layer first.");
    if (size == 0) return 0;
    overflow = __builtin_mul_overflow(product, size, &product) || overflow;
  }
  if (overflow) throw ShapeError("shape", "expects at most 2^63 - 1 elements", "got " + to_string());
  return product;
}

bool Shape::is_known() const noexcept { return std::find(begin(), end(), kUnknown) == end(); }

std::size_t Shape::axis(std::int64_t axis, std::string_view operation) const {
  const auto rank = static_cast<std::int64_t>(rank_);
  if (axis < -rank || axis >= rank)
    throw ShapeError(operation,
                     rank == 0 ? std::string("expects no axis for a scalar")
                               : "expects an axis from " + std::to_string(-rank) + " to " +
                                     std::to_string(rank - 1) + " for shape " + to_string(),
                     "got " + std::to_string(axis));
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

Shape Shape::with_inserted(std::size_t axis, std::int64_t size) const {
  std::array<std::int64_t, kMaxRank + 1> sizes{};
  std::int64_t* const place = std::copy_n(begin(), axis, sizes.data());
  *place = size;
  std::copy(begin() + axis, end(), place + 1);
  return Shape(std::span(sizes).first(rank_ + 1));
}

Shape Shape::without(std::size_t axis) const {
  std::array<std::int64_t, kMaxRank> sizes{};
  std::copy(begin() + axis + 1, end(), std::copy_n(begin(), axis, sizes.data()));
  return Shape(std::span(sizes).first(rank_ - 1));
}

Shape Shape::part(std::size_t first, std::size_t last) const {
  return Shape(std::span(sizes_).subspan(first, last - first));
}

std::string Shape::to_string() const {
  std::string text = "(";
  for (std::size_t i = 0; i < rank_; ++i) {
    if (i > 0) text += ", ";
    text += sizes_[i] == kUnknown ? "None" : std::to_string(sizes_[i]);
  }
  return text + (rank_ == 1 ? ",)" : ")");
}

bool operator==(const Shape& a, const Shape& b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Shape broadcast(const Shape& a, const Shape& b, std::string_view operation) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const std::size_t offset = longer.rank() - shorter.rank();
  for (std::size_t i = 0; i < shorter.rank(); ++i) {
    const std::int64_t x = longer[offset + i], y = shorter[i];
    if (x != y && x != 1 && y != 1)
      throw ShapeError(operation, "expects shapes that are equal or 1 on each axis, aligned at the last",
                       "got " + a.to_string() + " and " + b.to_string());
    result[offset + i] = x == 1 ? y : x;
  }
  return result;
}

std::array<std::int64_t, Shape::kMaxRank> row_major_strides(const Shape& shape) noexcept {
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  // Beside a size of 0 the others may be so large that strides would overflow; nothing walks along them.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return strides;
  std::int64_t stride = 1;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

}  // namespace keratin::inline v0
