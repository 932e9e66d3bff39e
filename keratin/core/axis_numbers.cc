#include "keratin/core/axis_numbers.h"

#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0 {

AxisNumbers::AxisNumbers(std::span<const std::int64_t> axes) : size_(axes.size()) {
  if (axes.size() > Shape::kMaxRank)
    throw ShapeError("axes", "expects at most " + std::to_string(Shape::kMaxRank) + " of them",
                     "got " + std::to_string(axes.size()), "No tensor has more; leave out repeated ones.");
  std::copy(axes.begin(), axes.end(), axes_.begin());
}

AxisNumbers AxisNumbers::range(std::int64_t first, std::size_t end) {
  AxisNumbers axes;
  for (std::int64_t axis = first; axis < static_cast<std::int64_t>(end); ++axis) axes.push_back(axis);
  return axes;
}

void AxisNumbers::push_back(std::int64_t axis) {
  if (size_ == Shape::kMaxRank)
    throw ShapeError("axes", "expects at most " + std::to_string(Shape::kMaxRank) + " of them",
                     "got one more, " + std::to_string(axis));
  axes_[size_++] = axis;
}

AxisNumbers AxisNumbers::inverse() const noexcept {
  AxisNumbers back = *this;
  for (std::size_t i = 0; i < size_; ++i)
    back.axes_[static_cast<std::size_t>(axes_[i])] = static_cast<std::int64_t>(i);
  return back;
}

}  // namespace keratin::inline v0
