#include "keratin/training/loss_reduction.h"

#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/ops/ops.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0::detail {
namespace {

template <class T>
Tensor scaled(const Shape& shape, const Tensor& weights, double factor) {
  Tensor result = Tensor::empty(shape, kDType<T>);
  const auto out = result.mutable_values<T>();
  const T scale = static_cast<T>(factor);
  const T* w = weights.is_defined() ? weights.values<T>().data() : nullptr;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = w == nullptr ? scale : scale * w[i];
  return result;
}

bool repeats(const Shape& from, const Shape& to) {
  if (from.rank() != to.rank()) return false;
  for (std::size_t axis = 0; axis < from.rank(); ++axis)
    if (from[axis] != to[axis] && from[axis] != 1) return false;
  return true;
}

}  // namespace

Tensors refuse_second_derivative(const Tensor&) {
  throw StateError("gradients", "expects first derivatives of a loss", "a second derivative was asked for",
                   "Write the loss with ops, whose gradients are recorded.");
}

Tensor weights_like(std::string_view operation, const Tensor& weights, const Tensor& values,
                    Generation generation) {
  const Shape& to = values.shape();
  Shape shape = weights.shape();
  if (shape.rank() == to.rank() + 1 && shape.back() == 1) {
    shape = shape.without(shape.rank() - 1);
  } else if (shape.rank() > 0 && shape.rank() + 1 == to.rank() &&
             (to.back() == 1 || generation == Generation::keras2)) {
    shape = shape.with_inserted(shape.rank(), 1);
  }
  if (shape.rank() != 0 && !repeats(shape, to))
    throw ShapeError(operation, "expects weights or a mask of the values' shape " + to.to_string(),
                     "got shape " + weights.shape().to_string(), "Give one weight for each value.");
  return weights.detach().astype(values.dtype()).reshape(shape).broadcast_to(to).contiguous();
}

double total_of(const Tensor& values, const Tensor& weights) {
  const auto compute = [&]<class T>(T) {
    const T* v = values.values<T>().data();
    const T* w = weights.is_defined() ? weights.values<T>().data() : nullptr;
    return sum_of(values.size(), [&](std::int64_t i) {
      return w == nullptr ? static_cast<double>(v[i]) : static_cast<double>(v[i]) * static_cast<double>(w[i]);
    });
  };
  return values.dtype() == DType::float64 ? compute(double{}) : compute(float{});
}

Tensor weighted_sum(const Tensor& values, const Tensor& weights, double divisor) {
  const auto compute = [&]<class T>(T) {
    Tensor result = Tensor::scalar(total_of(values.detach().contiguous(), weights) / divisor, kDType<T>);
    if (!wants_gradient({&values})) return result;
    return record(std::move(result), "loss_reduction", {&values},
                  [shape = values.shape(), weights, divisor](const Tensor& upstream) {
                    if (wants_gradient({&upstream}))
                      return Tensors{ops::multiply(upstream, scaled<T>(shape, weights, 1 / divisor))};
                    return Tensors{scaled<T>(shape, weights, upstream.item() / divisor)};
                  });
  };
  return values.dtype() == DType::float64 ? compute(double{}) : compute(float{});
}

Tensor weights_product(const Tensor& a, const Tensor& b) {
  if (!a.is_defined()) return b;
  return b.is_defined() ? ops::multiply(a, b) : a;
}

Tensor reduce_values(const Tensor& values, const Tensor& w, const Tensor& m, Reduction reduction) {
  const Tensor weights = weights_product(w, m);
  switch (reduction) {
    case Reduction::none:
      return weights.is_defined() ? ops::multiply(values, weights) : values;
    case Reduction::sum:
      return weighted_sum(values, weights, 1);
    case Reduction::mean_with_sample_weight: {
      const double divisor =
          weights.is_defined() ? total_of(weights, {}) : static_cast<double>(values.size());
      return divisor == 0 ? weighted_sum(values, Tensor::zeros(values.shape(), values.dtype()), 1)
                          : weighted_sum(values, weights, divisor);
    }
    case Reduction::sum_over_batch_size:
      break;
  }
  const double divisor = m.is_defined() ? total_of(m, {}) : static_cast<double>(values.size());
  if (divisor == 0) return weighted_sum(values, Tensor::zeros(values.shape(), values.dtype()), 1);
  return weighted_sum(values, weights, divisor);
}

}  // namespace keratin::inline v0::detail
