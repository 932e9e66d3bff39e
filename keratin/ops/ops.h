// Functions of tensors, by Keras's names (keras.ops). Each records itself where a gradient is wanted.
// Arithmetic is on float32 and float64 (others: cast), changes of shape on every dtype; the two operands of
// an op have one dtype, or a TypeError names both.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "keratin/core/axis_numbers.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops {

// Element-wise, NumPy broadcasting; the gradient is summed over the axes that were broadcast.
KERATIN_API Tensor add(const Tensor& a, const Tensor& b);
KERATIN_API Tensor subtract(const Tensor& a, const Tensor& b);
KERATIN_API Tensor multiply(const Tensor& a, const Tensor& b);
KERATIN_API Tensor divide(const Tensor& a, const Tensor& b);
/// NaN wins, as in NumPy. Where equal, each operand gets half of the gradient.
KERATIN_API Tensor maximum(const Tensor& a, const Tensor& b);
KERATIN_API Tensor minimum(const Tensor& a, const Tensor& b);
/// a^exponent, the exponent a constant.
KERATIN_API Tensor power(const Tensor& a, double exponent);
KERATIN_API Tensor negative(const Tensor& a);
KERATIN_API Tensor absolute(const Tensor& a);
KERATIN_API Tensor square(const Tensor& a);
KERATIN_API Tensor sqrt(const Tensor& a);
KERATIN_API Tensor exp(const Tensor& a);
KERATIN_API Tensor log(const Tensor& a);
/// Gradient 1 on [low, high], ends included, 0 outside.
KERATIN_API Tensor clip(const Tensor& a, double low, double high);
/// `condition` is a bool tensor, not differentiated.
KERATIN_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
// Comparisons, also of integers and bools, give bool tensors and are never recorded.
KERATIN_API Tensor equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor not_equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor greater(const Tensor& a, const Tensor& b);
KERATIN_API Tensor greater_equal(const Tensor& a, const Tensor& b);
KERATIN_API Tensor less(const Tensor& a, const Tensor& b);
KERATIN_API Tensor less_equal(const Tensor& a, const Tensor& b);
// Of bool tensors; TypeError for others.
KERATIN_API Tensor logical_and(const Tensor& a, const Tensor& b);
KERATIN_API Tensor logical_or(const Tensor& a, const Tensor& b);
KERATIN_API Tensor logical_not(const Tensor& a);

/// Axes to reduce over: none given means all.
using Axes = std::optional<AxisNumbers>;
// Sums are added up in double, pairwise in an order that depends on the shape alone, and rounded once.
KERATIN_API Tensor sum(const Tensor& a, const Axes& axes = {}, bool keepdims = false);
KERATIN_API Tensor mean(const Tensor& a, const Axes& axes = {}, bool keepdims = false);
/// The gradient is shared equally among the largest. NaN wins. ShapeError where there is nothing to reduce.
KERATIN_API Tensor max(const Tensor& a, const Axes& axes = {}, bool keepdims = false);
/// int32, the first of equals, the first NaN before all else as in NumPy; never recorded.
KERATIN_API Tensor argmax(const Tensor& a, std::int64_t axis = -1);

/// (m, k)·(k, n); leading axes broadcast as in NumPy. f32 on oneDNN's GEMM, f64 on a plain blocked product.
KERATIN_API Tensor matmul(const Tensor& a, const Tensor& b);

// Shape changes, recorded; see the members of Tensor of the same names.
KERATIN_API Tensor reshape(const Tensor& a, const Shape& shape);
KERATIN_API Tensor transpose(const Tensor& a, std::span<const std::int64_t> order = {});
KERATIN_API Tensor broadcast_to(const Tensor& a, const Shape& shape);
KERATIN_API Tensor expand_dims(const Tensor& a, std::int64_t axis);
KERATIN_API Tensor squeeze(const Tensor& a, std::int64_t axis);
KERATIN_API Tensor slice(const Tensor& a, std::int64_t axis, std::int64_t begin, std::int64_t end,
                         std::int64_t step = 1);
KERATIN_API Tensor concatenate(const Tensors& parts, std::int64_t axis = -1);
/// Rows of axis 0 in the order of `indices` (int32, int64 or uint8, rank 1; negative ones count from the
/// end); ValueError for one out of range. The gradient adds up the rows of equal indices, in their order.
KERATIN_API Tensor take(const Tensor& a, const Tensor& indices);
/// 1 at the index, 0 elsewhere: shape (..., classes). Indices out of range give rows of zeros, as in Keras.
KERATIN_API Tensor one_hot(const Tensor& indices, std::int64_t classes, DType dtype = DType::float32);
/// Converted; the gradient is converted back.
KERATIN_API Tensor cast(const Tensor& a, DType dtype);

}  // namespace keratin::inline v0::ops

namespace keratin::inline v0 {

KERATIN_API Tensor operator+(const Tensor& a, const Tensor& b);
KERATIN_API Tensor operator-(const Tensor& a, const Tensor& b);
KERATIN_API Tensor operator*(const Tensor& a, const Tensor& b);
KERATIN_API Tensor operator/(const Tensor& a, const Tensor& b);
KERATIN_API Tensor operator-(const Tensor& a);
// With a number, taken in the tensor's dtype.
KERATIN_API Tensor operator+(const Tensor& a, double b);
KERATIN_API Tensor operator+(double a, const Tensor& b);
KERATIN_API Tensor operator-(const Tensor& a, double b);
KERATIN_API Tensor operator-(double a, const Tensor& b);
KERATIN_API Tensor operator*(const Tensor& a, double b);
KERATIN_API Tensor operator*(double a, const Tensor& b);
KERATIN_API Tensor operator/(const Tensor& a, double b);
KERATIN_API Tensor operator/(double a, const Tensor& b);

}  // namespace keratin::inline v0
