#include "keratin/training/metrics.h"

#include <algorithm>
#include <array>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/loss_reduction.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0 {
namespace {

using detail::rows_of;

// The share of a row's entries for which matches(label, prediction) holds.
template <class Matches>
Tensor share_matching(std::string_view operation, const Tensor& y_true, const Tensor& y_pred,
                      Matches matches) {
  const Tensor labels = detail::labels_like(operation, y_true, y_pred);
  const Tensor predictions = y_pred.detach().contiguous();
  const auto compute = [&]<class T>(T) {
    const detail::Rows rows = rows_of(predictions.shape());
    Tensor values = Tensor::empty(detail::values_shape(predictions.shape()), y_pred.dtype());
    const T *y = labels.values<T>().data(), *p = predictions.values<T>().data();
    T* out = values.mutable_values<T>().data();
    for (std::int64_t row = 0; row < rows.count; ++row) {
      std::int64_t hits = 0;
      for (std::int64_t i = 0; i < rows.size; ++i)
        hits += matches(y[row * rows.size + i], p[row * rows.size + i]);
      out[row] = static_cast<T>(hits) / static_cast<T>(rows.size);
    }
    return values;
  };
  return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
}

// 1 where the largest prediction of a row is at label_of(row), else 0; the first of equals.
template <class LabelOf>
Tensor largest_at(const Tensor& y_pred, LabelOf label_of) {
  const Tensor predictions = y_pred.detach().contiguous();
  const auto compute = [&]<class T>(T) {
    const detail::Rows rows = rows_of(predictions.shape());
    Tensor values = Tensor::empty(detail::values_shape(predictions.shape()), y_pred.dtype());
    const T* p = predictions.values<T>().data();
    T* out = values.mutable_values<T>().data();
    for (std::int64_t row = 0; row < rows.count; ++row) {
      const T* first = p + row * rows.size;
      out[row] = std::max_element(first, first + rows.size) - first == label_of(row) ? T(1) : T(0);
    }
    return values;
  };
  return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
}

void check_classes(std::string_view operation, const Tensor& y_pred) {
  detail::check_predictions(operation, y_pred);
  if (y_pred.rank() == 0 || y_pred.shape().back() == 0)
    throw ShapeError(operation, "expects predictions of shape (..., classes)",
                     "got " + y_pred.shape().to_string());
}

Tensor categorical_accuracy(const std::string& name, const Tensor& y_true, const Tensor& y_pred) {
  check_classes(name, y_pred);
  const Tensor labels = detail::labels_like(name, y_true, y_pred);
  const std::int64_t size = labels.shape().back();
  return largest_at(y_pred, [&](std::int64_t row) {
    const auto largest = [&]<class T>(T) {
      const T* first = labels.values<T>().data() + row * size;
      return static_cast<std::int64_t>(std::max_element(first, first + size) - first);
    };
    return labels.dtype() == DType::float64 ? largest(double{}) : largest(float{});
  });
}

Tensor sparse_categorical_accuracy(const std::string& name, const Tensor& y_true, const Tensor& y_pred) {
  check_classes(name, y_pred);
  const auto labels = detail::class_labels(name, y_true, y_pred.shape(), {});
  return largest_at(y_pred, [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; });
}

Tensor binary_accuracy(const metrics::BinaryAccuracy& options, const Tensor& y_true, const Tensor& y_pred) {
  return share_matching(options.name, y_true, y_pred, [threshold = options.threshold](auto y, auto p) {
    return y == (p > threshold ? 1 : 0);
  });
}

// Keras's choice for "accuracy": the shapes decide, whatever the loss.
Tensor accuracy_by_shapes(const std::string& name, const Tensor& y_true, const Tensor& y_pred) {
  if (y_pred.rank() > 0 && y_pred.shape().back() == 1)
    return binary_accuracy({.name = name, .threshold = 0.5}, y_true, y_pred);
  if (y_true.rank() < y_pred.rank() || (y_true.rank() > 0 && y_true.shape().back() == 1))
    return sparse_categorical_accuracy(name, y_true, y_pred);
  return categorical_accuracy(name, y_true, y_pred);
}

detail::MetricFunction function_named(std::string_view name) {
  const std::string text(name);
  if (name == "accuracy" || name == "acc")
    return [text](const Tensor& y, const Tensor& p) { return accuracy_by_shapes(text, y, p); };
  if (name == "Accuracy") return detail::make_metric(metrics::Accuracy{text});
  if (name == "binary_accuracy" || name == "BinaryAccuracy")
    return detail::make_metric(metrics::BinaryAccuracy{.name = text});
  if (name == "categorical_accuracy" || name == "CategoricalAccuracy")
    return detail::make_metric(metrics::CategoricalAccuracy{text});
  if (name == "sparse_categorical_accuracy" || name == "SparseCategoricalAccuracy")
    return detail::make_metric(metrics::SparseCategoricalAccuracy{text});
  try {
    const Loss loss = losses::get(name);
    return [loss](const Tensor& y, const Tensor& p) { return loss.values(y, p); };
  } catch (const ValueError& unknown) {
    constexpr std::array<std::string_view, 4> kKnown{"accuracy", "binary_accuracy", "categorical_accuracy",
                                                     "sparse_categorical_accuracy"};
    const std::string near = did_you_mean(name, kKnown);
    throw ValueError("metrics", "expects the name of a metric or a loss", "unknown name \"" + text + "\"",
                     near.empty() ? unknown.advice() : near);
  }
}

}  // namespace

namespace detail {

MetricFunction make_metric(const metrics::Accuracy& options) {
  return [name = options.name](const Tensor& y_true, const Tensor& y_pred) {
    return share_matching(name, y_true, y_pred, [](auto y, auto p) { return y == p; });
  };
}
MetricFunction make_metric(const metrics::BinaryAccuracy& options) {
  return [options](const Tensor& y_true, const Tensor& y_pred) {
    return binary_accuracy(options, y_true, y_pred);
  };
}
MetricFunction make_metric(const metrics::CategoricalAccuracy& options) {
  return [name = options.name](const Tensor& y_true, const Tensor& y_pred) {
    return categorical_accuracy(name, y_true, y_pred);
  };
}
MetricFunction make_metric(const metrics::SparseCategoricalAccuracy& options) {
  return [name = options.name](const Tensor& y_true, const Tensor& y_pred) {
    return sparse_categorical_accuracy(name, y_true, y_pred);
  };
}

}  // namespace detail

Metric::Metric(std::string_view name) : function_(function_named(name)), name_(name) {}
Metric::Metric(const Loss& loss)
    : function_([loss](const Tensor& y_true, const Tensor& y_pred) { return loss.values(y_true, y_pred); }),
      name_(loss.name()) {}

void RunningMean::add(const Tensor& values, const Tensor& weights) {
  const Tensor v = values.detach().contiguous();
  if (!weights.is_defined()) {
    total_ += detail::total_of(v, {});
    weight_ += static_cast<double>(v.size());
    return;
  }
  const Tensor w = detail::weights_like("metrics", weights, v, Generation::keras2);
  total_ += detail::total_of(v, w);
  weight_ += detail::total_of(w, {});
}

}  // namespace keratin::inline v0
