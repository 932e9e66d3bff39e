// Metrics: what is reported beside the loss, as means over many batches.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/losses.h"

namespace keratin::inline v0 {

// The metrics by Keras's class names, fields in its order.
namespace metrics {

/// Share of entries that are equal.
struct Accuracy {
  std::string name = "accuracy";
};
/// Share of entries on the label's side of the threshold: p > threshold, strictly, against a label of 1.
struct BinaryAccuracy {
  std::string name = "binary_accuracy";
  double threshold = 0.5;
};
/// Share of samples whose largest prediction is where the largest label is; the first of equals.
struct CategoricalAccuracy {
  std::string name = "categorical_accuracy";
};
/// Share of samples whose largest prediction is that of the label, a class number.
struct SparseCategoricalAccuracy {
  std::string name = "sparse_categorical_accuracy";
};

}  // namespace metrics

namespace detail {
using MetricFunction = std::function<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
KERATIN_API MetricFunction make_metric(const metrics::Accuracy& options);
KERATIN_API MetricFunction make_metric(const metrics::BinaryAccuracy& options);
KERATIN_API MetricFunction make_metric(const metrics::CategoricalAccuracy& options);
KERATIN_API MetricFunction make_metric(const metrics::SparseCategoricalAccuracy& options);

template <class Options>
concept MetricOptions = requires(const Options& options) {
  { make_metric(options) } -> std::same_as<MetricFunction>;
};
}  // namespace detail

/// A metric as a value: "accuracy" (binary, sparse or categorical by the shapes), the name of another or of a
/// loss, one of metrics::, a loss, or a callable (y_true, y_pred) -> one value a sample. Reported under the
/// name given.
class KERATIN_API Metric {
 public:
  /// ValueError proposes the nearest name.
  Metric(const char* name) : Metric(std::string_view(name)) {}
  Metric(std::string_view name);
  Metric(const std::string& name) : Metric(std::string_view(name)) {}
  Metric(const Loss& loss);
  template <detail::LossOptions Options>
  Metric(const Options& options) : Metric(Loss(options)) {}
  template <detail::MetricOptions Options>
  Metric(const Options& options) : function_(detail::make_metric(options)), name_(options.name) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, const F&, const Tensor&, const Tensor&> &&
           !std::same_as<F, Metric> && !std::same_as<F, Loss>)
      Metric(const F& callable, std::string name = "metric")
      : function_(callable), name_(std::move(name)) {}

  const std::string& name() const noexcept { return name_; }
  /// One value a sample. ShapeError if the labels do not fit.
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const { return function_(y_true, y_pred); }

 private:
  detail::MetricFunction function_;
  std::string name_;
};

/// Σ v·w / Σ w over all that is added. Keras: keras.metrics.Mean.
class KERATIN_API RunningMean {
 public:
  /// weights: of the values' shape or one that differs by a last axis of size 1; undefined for ones.
  void add(const Tensor& values, const Tensor& weights = {});
  void add(double value, double weight = 1) {
    total_ += value * weight;
    weight_ += weight;
  }
  void add(const RunningMean& other) {
    total_ += other.total_;
    weight_ += other.weight_;
  }
  /// 0 before anything is added, as in Keras.
  double value() const noexcept { return weight_ == 0 ? 0 : total_ / weight_; }

 private:
  double total_ = 0, weight_ = 0;
};

}  // namespace keratin::inline v0
