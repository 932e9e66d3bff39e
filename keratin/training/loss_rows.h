// One recorded op for all losses: a function of each row of labels and predictions, with its gradient.
// Internal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/parallel.h"
#include "keratin/tensor/node.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/sums.h"

namespace keratin::inline v0::detail {

/// Rows are the samples: all axes but the last.
struct Rows {
  std::int64_t count = 1, size = 1;
};
inline Rows rows_of(const Shape& shape) {
  const std::int64_t size = shape.rank() == 0 ? 1 : shape.back();
  return {shape.rank() == 0 ? 1 : shape.without(shape.rank() - 1).size(), size};
}
inline Shape values_shape(const Shape& shape) {
  return shape.rank() == 0 ? shape : shape.without(shape.rank() - 1);
}

/// Rows in a chunk of a parallel loop: some ten microseconds of work, whatever the number of threads.
inline std::int64_t rows_grain(const Rows& rows) {
  return std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, rows.size));
}

/// StateError: losses have first derivatives.
Tensors refuse_second_derivative(const Tensor& upstream);

/// The values of a loss for rows of y_pred (contiguous, of type T), recorded. `kernel` has
///   double value(std::int64_t row, const T* p) const;
///   void gradient(std::int64_t row, const T* p, double upstream, T* out) const;
/// where row counts the rows of y_pred, and keeps alive whatever it reads.
template <class T, class Kernel>
Tensor row_loss(std::string_view operation, const Tensor& y_pred, Kernel kernel) {
  const Tensor p = y_pred.detach().contiguous();
  const Rows rows = rows_of(p.shape());
  Tensor values = Tensor::empty(values_shape(p.shape()), kDType<T>);
  T* out = values.mutable_values<T>().data();
  const T* in = p.values<T>().data();
  parallel_for(rows.count, rows_grain(rows), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      out[row] = static_cast<T>(kernel.value(row, in + row * rows.size));
  });
  if (!wants_gradient({&y_pred})) return values;
  const auto backward = [y_pred, rows, kernel = std::move(kernel)](const Tensor& upstream) {
    const Tensor p = y_pred.detach().contiguous();
    const Tensor u = upstream.contiguous();
    Tensor gradient = Tensor::empty(p.shape(), kDType<T>);
    T* to = gradient.mutable_values<T>().data();
    const T* from = p.values<T>().data();
    const T* scale = u.values<T>().data();
    parallel_for(rows.count, rows_grain(rows), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        kernel.gradient(row, from + row * rows.size, static_cast<double>(scale[row]), to + row * rows.size);
    });
    // Whoever differentiates the gradient is told, rather than given zeros.
    if (wants_gradient({&y_pred, &upstream}))
      gradient = record(std::move(gradient), "loss_gradient", {&y_pred, &upstream}, refuse_second_derivative);
    return Tensors{gradient};
  };
  return record(std::move(values), operation, {&y_pred}, backward);
}

/// A kernel for row_loss from a function of one label and one prediction:
///   T value(T y, T p) const;   T slope(T y, T p) const;   // slope = d value / d p
/// Rows are averaged, or summed where Function::kSums.
template <class T, class Function>
struct ElementKernel {
  Tensor labels;  ///< keeps y alive
  const T* y;
  std::int64_t size;
  Function function;

  double value(std::int64_t row, const T* p) const {
    const T* label = y + row * size;
    const double sum = sum_of(size, [&](std::int64_t i) { return function.value(label[i], p[i]); });
    return Function::kSums ? sum : sum / static_cast<double>(size);
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    const T* label = y + row * size;
    const T scale = static_cast<T>(Function::kSums ? upstream : upstream / static_cast<double>(size));
    for (std::int64_t i = 0; i < size; ++i) out[i] = scale * function.slope(label[i], p[i]);
  }
};

}  // namespace keratin::inline v0::detail
