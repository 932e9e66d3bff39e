#include "keratin/training/loss_labels.h"

#include <algorithm>
#include <string>

#include "keratin/core/error.h"
#include "keratin/ops/ops.h"
#include "keratin/tensor/strided.h"

namespace keratin::inline v0::detail {
namespace {

bool matches(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (std::size_t axis = 0; axis < a.rank(); ++axis)
    if (a[axis] != b[axis] && a[axis] != Shape::kUnknown && b[axis] != Shape::kUnknown) return false;
  return true;
}

std::string position_text(std::int64_t flat, const Shape& shape) {
  std::string text;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    text.insert(0, std::to_string(flat % shape[axis]) + (text.empty() ? "" : ", "));
    flat /= shape[axis];
  }
  return "[" + text + "]";
}

}  // namespace

void check_predictions(std::string_view operation, const Tensor& y_pred) {
  if (!y_pred.is_defined())
    throw StateError(operation, "expects predictions", "y_pred is undefined", "Pass the model's result.");
  if (y_pred.dtype() != DType::float32 && y_pred.dtype() != DType::float64)
    throw TypeError(operation, "expects float32 or float64 predictions",
                    "got " + std::string(name(y_pred.dtype())), "Convert them with astype.");
}

Shape aligned_labels(std::string_view operation, const Shape& y_true, const Shape& y_pred) {
  Shape shape = y_true;
  if (y_true.rank() + 1 == y_pred.rank() && y_pred.back() == 1)
    shape = y_true.with_inserted(y_true.rank(), 1);
  if (y_true.rank() == y_pred.rank() + 1 && y_true.back() == 1) shape = y_true.without(y_true.rank() - 1);
  if (!matches(shape, y_pred))
    throw ShapeError(
        operation, "expects labels of the predictions' shape " + y_pred.to_string(),
        "got labels of shape " + y_true.to_string(),
        "Give the model as many units as a label has entries, or reshape the labels; for class numbers "
        "take sparse_categorical_crossentropy.");
  return shape;
}

Tensor labels_like(std::string_view operation, const Tensor& y_true, const Tensor& y_pred) {
  check_predictions(operation, y_pred);
  if (!y_true.is_defined()) throw StateError(operation, "expects labels", "y_true is undefined", "");
  aligned_labels(operation, y_true.shape(), y_pred.shape());
  return y_true.detach().contiguous().astype(y_pred.dtype()).reshape(y_pred.shape());
}

Labels class_labels(std::string_view operation, const Tensor& y_true, const Shape& y_pred,
                    std::optional<std::int64_t> ignored) {
  if (!y_true.is_defined()) throw StateError(operation, "expects labels", "y_true is undefined", "");
  if (y_pred.rank() == 0)
    throw ShapeError(operation, "expects predictions of shape (..., classes)", "got a scalar", "");
  const Shape rows = y_pred.without(y_pred.rank() - 1);
  const bool column = y_true.rank() == y_pred.rank() && y_true.shape().back() == 1;
  if (!matches(column ? y_true.shape().without(y_true.rank() - 1) : y_true.shape(), rows))
    throw ShapeError(operation,
                     "expects class numbers of shape " + rows.to_string() + " for predictions of shape " +
                         y_pred.to_string(),
                     "got labels of shape " + y_true.shape().to_string(),
                     "For one-hot labels take categorical_crossentropy.");
  const std::int64_t classes = y_pred.back();
  Labels labels(static_cast<std::size_t>(y_true.size()));
  const Tensor source = y_true.detach().contiguous();
  visit(source.dtype(), [&]<class T>(T) {
    const auto values = source.values<T>();
    std::transform(values.begin(), values.end(), labels.begin(),
                   [](T v) { return convert<std::int64_t>(v); });
  });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if ((labels[i] >= 0 && labels[i] < classes) || labels[i] == ignored) continue;
    throw ValueError(operation,
                     "expects class numbers from 0 to " + std::to_string(classes - 1) +
                         ", as the model has " + std::to_string(classes) + " outputs",
                     "label " + position_text(static_cast<std::int64_t>(i), source.shape()) + " is " +
                         std::to_string(labels[i]),
                     "Number the classes from 0, give the last layer more units, or set ignore_class.");
  }
  return labels;
}

Tensor with_axis_last(std::string_view operation, const Tensor& a, std::int64_t axis) {
  if (axis == -1) return a;
  const std::size_t moved = a.shape().axis(axis, operation);
  if (moved + 1 == a.rank()) return a;
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < a.rank(); ++i)
    if (i != moved) order.push_back(static_cast<std::int64_t>(i));
  order.push_back(static_cast<std::int64_t>(moved));
  return ops::transpose(a, order);
}

}  // namespace keratin::inline v0::detail
