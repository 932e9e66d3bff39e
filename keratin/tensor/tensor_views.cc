#include <algorithm>

#include "keratin/core/axis_numbers.h"
#include "keratin/core/error.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {
namespace {

// The strides that give `to` over the same elements of `shape`, at least one; false if only a copy can.
bool strides_for(const Shape& shape, std::span<const std::int64_t> shape_strides, const Shape& to,
                 std::array<std::int64_t, Shape::kMaxRank>& out) {
  // Axes of size 1 have strides without a meaning: leave them out.
  std::array<std::int64_t, Shape::kMaxRank> from{}, strides{};
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) continue;
    from[count] = shape[axis];
    strides[count++] = shape_strides[axis];
  }
  std::size_t i = 0, j = 0;
  while (j < to.rank()) {
    if (to[j] == 1) {
      out[j++] = 0;
      continue;
    }
    // Groups of old and new axes with the same product; the old ones of a group must follow each other.
    std::int64_t old_product = from[i], new_product = to[j];
    std::size_t old_end = i + 1, new_end = j + 1;
    while (old_product != new_product) {
      if (old_product < new_product) {
        if (strides[old_end - 1] != strides[old_end] * from[old_end]) return false;
        old_product *= from[old_end++];
      } else {
        new_product *= to[new_end++];
      }
    }
    std::int64_t stride = strides[old_end - 1];
    for (std::size_t k = new_end; k-- > j;) {
      out[k] = stride;
      stride *= to[k];
    }
    i = old_end;
    j = new_end;
  }
  return true;
}

}  // namespace

Tensor Tensor::view(const Shape& shape, std::span<const std::int64_t> strides, std::int64_t offset_elements,
                    std::string_view operation) const {
  if (!is_defined()) throw StateError(operation, "expects a tensor with elements", "got an undefined one");
  if (node_ != nullptr && is_recording())
    throw StateError(operation, "expects a tensor whose gradient is not wanted",
                     "got one recorded by \"" + std::string(node_->operation) + "\"",
                     "Use the function of the same name in keratin::ops, or detach() first.");
  Tensor result;
  result.storage_ = storage_;
  result.offset_bytes_ = offset_bytes_ + static_cast<std::size_t>(offset_elements) * size_bytes(dtype_);
  result.shape_ = shape;
  std::copy(strides.begin(), strides.begin() + static_cast<std::ptrdiff_t>(shape.rank()),
            result.strides_.begin());
  result.dtype_ = dtype_;
  return result;
}

Tensor Tensor::reshape(const Shape& shape) const {
  Shape target = shape;
  std::int64_t unknown_axis = -1;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] != Shape::kUnknown) continue;
    if (unknown_axis >= 0)
      throw ShapeError("reshape", "expects at most one size of -1 (None)", "got shape " + shape.to_string());
    unknown_axis = static_cast<std::int64_t>(i);
    target[i] = 1;
  }
  const std::int64_t known = target.size();
  const bool fits = unknown_axis < 0 ? known == size() : known > 0 && size() % known == 0;
  if (!fits)
    throw ShapeError("reshape",
                     "expects a shape of " + std::to_string(size()) + " elements for " + shape_.to_string(),
                     "got " + shape.to_string());
  if (unknown_axis >= 0) target[static_cast<std::size_t>(unknown_axis)] = size() / known;
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  if (is_contiguous()) return view(target, row_major_strides(target), 0, "reshape");
  if (size() > 0 && strides_for(shape_, strides_, target, strides))
    return view(target, strides, 0, "reshape");
  return view(shape_, strides_, 0, "reshape").contiguous().reshape(target);
}

Tensor Tensor::transpose(std::span<const std::int64_t> order) const {
  if (!order.empty() && order.size() != rank())
    throw ShapeError("transpose",
                     "expects " + std::to_string(rank()) + " axes for shape " + shape_.to_string(),
                     "got " + std::to_string(order.size()));
  AxisNumbers axes = order.empty() ? AxisNumbers::range(0, rank()) : AxisNumbers(order);
  if (order.empty()) std::reverse(axes.begin(), axes.end());
  Shape shape = shape_;
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::array<bool, Shape::kMaxRank> seen{};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = shape_.axis(axes[i], "transpose");
    if (seen[axis])
      throw ShapeError("transpose", "expects each axis once", "got axis " + std::to_string(axis) + " twice");
    seen[axis] = true;
    shape[i] = shape_[axis];
    strides[i] = strides_[axis];
  }
  return view(shape, strides, 0, "transpose");
}

Tensor Tensor::slice(std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) const {
  const std::size_t a = shape_.axis(axis, "slice");
  if (step < 1) throw ValueError("slice", "expects a step of at least 1", "got " + std::to_string(step));
  const std::int64_t size = shape_[a];
  const auto place = [size](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size);
  };
  const std::int64_t first = place(begin), last = std::max(first, place(end));
  Shape shape = shape_;
  shape[a] = last == first ? 0 : (last - first - 1) / step + 1;
  auto strides = strides_;
  if (shape[a] > 1) strides[a] *= step;
  return view(shape, strides, shape[a] == 0 ? 0 : first * strides_[a], "slice");
}

Tensor Tensor::select(std::int64_t axis, std::int64_t index) const {
  const std::size_t a = shape_.axis(axis, "select");
  const std::int64_t i = index < 0 ? index + shape_[a] : index;
  if (i < 0 || i >= shape_[a])
    throw ShapeError("select",
                     "expects an index below " + std::to_string(shape_[a]) + " on axis " + std::to_string(a) +
                         " of shape " + shape_.to_string(),
                     "got " + std::to_string(index));
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::copy(strides_.begin(), strides_.begin() + static_cast<std::ptrdiff_t>(a), strides.begin());
  std::copy(strides_.begin() + static_cast<std::ptrdiff_t>(a) + 1, strides_.end(),
            strides.begin() + static_cast<std::ptrdiff_t>(a));
  return view(shape_.without(a), strides, i * strides_[a], "select");
}

Tensor Tensor::expand_dims(std::int64_t axis) const {
  const auto rank_after = static_cast<std::int64_t>(rank()) + 1;
  if (axis < -rank_after || axis >= rank_after)
    throw ShapeError(
        "expand_dims",
        "expects an axis from " + std::to_string(-rank_after) + " to " + std::to_string(rank_after - 1),
        "got " + std::to_string(axis));
  const auto a = static_cast<std::size_t>(axis < 0 ? axis + rank_after : axis);
  auto strides = strides_;
  const Shape shape = shape_.with_inserted(a, 1);
  std::copy_backward(strides_.begin() + static_cast<std::ptrdiff_t>(a), strides_.end() - 1, strides.end());
  strides[a] = 0;
  return view(shape, strides, 0, "expand_dims");
}

Tensor Tensor::squeeze(std::int64_t axis) const {
  const std::size_t a = shape_.axis(axis, "squeeze");
  if (shape_[a] != 1)
    throw ShapeError("squeeze", "expects axis " + std::to_string(a) + " of size 1",
                     "got shape " + shape_.to_string());
  return select(axis, 0);
}

Tensor Tensor::broadcast_to(const Shape& shape) const {
  if (shape.rank() < rank() || broadcast(shape_, shape, "broadcast_to") != shape)
    throw ShapeError("broadcast_to", "expects a shape that " + shape_.to_string() + " can be repeated to",
                     "got " + shape.to_string());
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  const std::size_t offset = shape.rank() - rank();
  for (std::size_t i = 0; i < rank(); ++i)
    strides[offset + i] = shape_[i] == shape[offset + i] ? strides_[i] : 0;
  return view(shape, strides, 0, "broadcast_to");
}

}  // namespace keratin::inline v0
