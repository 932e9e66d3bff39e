// Lists of axes: a tensor has few, so they lie in the list itself and ask nothing of the heap.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "keratin/core/shape.h"

namespace keratin::inline v0 {

/// Numbers of axes in an order, negative ones counting from the last: what is reduced over, how axes are
/// turned. At most Shape::kMaxRank; ShapeError for more.
class KERATIN_API AxisNumbers {
 public:
  using value_type = std::int64_t;
  using iterator = std::int64_t*;
  using const_iterator = const std::int64_t*;

  AxisNumbers() = default;
  AxisNumbers(std::initializer_list<std::int64_t> axes) : AxisNumbers(std::span(axes.begin(), axes.size())) {}
  AxisNumbers(const std::vector<std::int64_t>& axes) : AxisNumbers(std::span(axes)) {}
  explicit AxisNumbers(std::span<const std::int64_t> axes);
  /// first, first + 1, … below `end`.
  static AxisNumbers range(std::int64_t first, std::size_t end);

  void push_back(std::int64_t axis);
  void clear() noexcept { size_ = 0; }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::int64_t operator[](std::size_t i) const noexcept { return axes_[i]; }
  std::int64_t& operator[](std::size_t i) noexcept { return axes_[i]; }
  std::int64_t front() const noexcept { return axes_[0]; }
  std::int64_t back() const noexcept { return axes_[size_ - 1]; }
  const std::int64_t* data() const noexcept { return axes_.data(); }
  std::int64_t* data() noexcept { return axes_.data(); }
  const std::int64_t* begin() const noexcept { return axes_.data(); }
  const std::int64_t* end() const noexcept { return axes_.data() + size_; }
  std::int64_t* begin() noexcept { return axes_.data(); }
  std::int64_t* end() noexcept { return axes_.data() + size_; }

  bool contains(std::int64_t axis) const noexcept { return std::find(begin(), end(), axis) != end(); }
  /// Of an order of all axes, the order that turns them back.
  AxisNumbers inverse() const noexcept;

  friend bool operator==(const AxisNumbers& a, const AxisNumbers& b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<std::int64_t, Shape::kMaxRank> axes_{};
  std::size_t size_ = 0;
};

}  // namespace keratin::inline v0
