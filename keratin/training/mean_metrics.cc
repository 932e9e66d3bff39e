// Metrics that are means of one value a sample.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/loss_rows.h"
#include "keratin/training/metric_base.h"

namespace keratin::inline v0::detail {
namespace {

// The share of a row's entries for which matches(label, prediction) holds.
template <class Matches>
Tensor share_matching(std::string_view operation, const Tensor& y_true, const Tensor& y_pred,
                      Matches matches) {
  const Tensor labels = labels_like(operation, y_true, y_pred);
  const Tensor predictions = y_pred.detach().contiguous();
  const auto compute = [&]<class T>(T) {
    const Rows rows = rows_of(predictions.shape());
    Tensor values = Tensor::empty(values_shape(predictions.shape()), y_pred.dtype());
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
    const Rows rows = rows_of(predictions.shape());
    Tensor values = Tensor::empty(values_shape(predictions.shape()), y_pred.dtype());
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
  check_predictions(operation, y_pred);
  if (y_pred.rank() == 0 || y_pred.shape().back() == 0)
    throw ShapeError(operation, "expects predictions of shape (..., classes)",
                     "got " + y_pred.shape().to_string());
}

Tensor categorical_accuracy(const metrics::CategoricalAccuracy& options, const Tensor& y_true,
                            const Tensor& y_pred) {
  const std::string& name = options.name;
  check_classes(name, y_pred);
  const Tensor labels = labels_like(name, y_true, y_pred);
  const std::int64_t size = labels.shape().back();
  return largest_at(y_pred, [&](std::int64_t row) {
    const auto largest = [&]<class T>(T) {
      const T* first = labels.values<T>().data() + row * size;
      return static_cast<std::int64_t>(std::max_element(first, first + size) - first);
    };
    return labels.dtype() == DType::float64 ? largest(double{}) : largest(float{});
  });
}

Tensor sparse_categorical_accuracy(const metrics::SparseCategoricalAccuracy& options, const Tensor& y_true,
                                   const Tensor& y_pred) {
  const std::string& name = options.name;
  check_classes(name, y_pred);
  const auto labels = class_labels(name, y_true, y_pred.shape(), {});
  return largest_at(y_pred, [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; });
}

Tensor binary_accuracy(const metrics::BinaryAccuracy& options, const Tensor& y_true, const Tensor& y_pred) {
  return share_matching(options.name, y_true, y_pred, [threshold = options.threshold](auto y, auto p) {
    // The threshold in the predictions' type, as in Keras: 0.4 is not above 0.4.
    return y == (p > static_cast<decltype(p)>(threshold) ? 1 : 0);
  });
}

Tensor accuracy(const metrics::Accuracy& options, const Tensor& y_true, const Tensor& y_pred) {
  return share_matching(options.name, y_true, y_pred, [](auto y, auto p) { return y == p; });
}

// ---- Top k: the label is inside where fewer than k predictions are above its own.

// label_of(row, number of classes) -> class number
template <class LabelOf>
Tensor among_largest(const Tensor& y_pred, std::int64_t k, LabelOf label_of) {
  const Tensor p = as_doubles(y_pred);
  const Rows rows = rows_of(p.shape());
  Tensor values = Tensor::empty(values_shape(p.shape()), DType::float64);
  const auto out = values.mutable_values<double>();
  for (std::int64_t row = 0; row < rows.count; ++row) {
    const double* first = p.values<double>().data() + row * rows.size;
    const double own = first[label_of(row)];
    const auto above = std::count_if(first, first + rows.size, [own](double x) { return x > own; });
    out[static_cast<std::size_t>(row)] = std::isfinite(own) && above < k ? 1 : 0;
  }
  return values;
}

Tensor top_k(const metrics::TopKCategoricalAccuracy& options, const Tensor& y_true, const Tensor& y_pred) {
  check_classes(options.name, y_pred);
  const Tensor labels = as_doubles(labels_like(options.name, y_true, y_pred));
  const std::int64_t size = labels.shape().back();
  return among_largest(y_pred, options.k, [&](std::int64_t row) {
    const double* first = labels.values<double>().data() + row * size;
    return std::max_element(first, first + size) - first;
  });
}

Tensor sparse_top_k(const metrics::SparseTopKCategoricalAccuracy& options, const Tensor& y_true,
                    const Tensor& y_pred) {
  if (!options.from_sorted_ids) {
    check_classes(options.name, y_pred);
    const auto labels = class_labels(options.name, y_true, y_pred.shape(), {});
    return among_largest(y_pred, options.k,
                         [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; });
  }
  const Tensor ids = as_doubles(y_pred), y = as_doubles(y_true);
  const Rows rows = rows_of(ids.shape());
  if (y.size() != rows.count || rows.size < options.k)
    throw ShapeError(options.name, "expects at least " + std::to_string(options.k) + " ids for each label",
                     "got ids of shape " + ids.shape().to_string() + " for labels " + y.shape().to_string());
  Tensor values = Tensor::empty(values_shape(ids.shape()), DType::float64);
  const auto out = values.mutable_values<double>();
  for (std::int64_t row = 0; row < rows.count; ++row) {
    const double* first = ids.values<double>().data() + row * rows.size;
    out[static_cast<std::size_t>(row)] =
        std::count(first, first + options.k, y.values<double>()[static_cast<std::size_t>(row)]) > 0;
  }
  return values;
}

// ---- Agreement of whole rows.

struct Moments {
  double mean_y, mean_p, var_y, var_p, covariance;
};
Moments moments_of(const double* y, const double* p, std::int64_t size) {
  const auto n = static_cast<double>(size);
  const double mean_y = sum_of(size, [&](std::int64_t i) { return y[i]; }) / n;
  const double mean_p = sum_of(size, [&](std::int64_t i) { return p[i]; }) / n;
  const auto product = [&](const double* a, double mean_a, const double* b, double mean_b) {
    return sum_of(size, [&](std::int64_t i) { return (a[i] - mean_a) * (b[i] - mean_b); }) / n;
  };
  return {mean_y, mean_p, product(y, mean_y, y, mean_y), product(p, mean_p, p, mean_p),
          product(y, mean_y, p, mean_p)};
}

// of(y, p, size) for each row along the axis.
template <class Options, class Of>
Tensor row_agreement(const Options& options, const Tensor& y_true, const Tensor& y_pred, Of of) {
  const Tensor labels = labels_like(options.name, y_true, y_pred);
  const Tensor y = as_doubles(with_axis_last(options.name, labels, options.axis));
  const Tensor p = as_doubles(with_axis_last(options.name, y_pred.detach(), options.axis));
  const Rows rows = rows_of(p.shape());
  Tensor values = Tensor::empty(values_shape(p.shape()), DType::float64);
  const auto out = values.mutable_values<double>();
  for (std::int64_t row = 0; row < rows.count; ++row)
    out[static_cast<std::size_t>(row)] = of(y.values<double>().data() + row * rows.size,
                                            p.values<double>().data() + row * rows.size, rows.size);
  return values;
}

Tensor pearson(const metrics::PearsonCorrelation& options, const Tensor& y_true, const Tensor& y_pred) {
  return row_agreement(options, y_true, y_pred, [](const double* y, const double* p, std::int64_t size) {
    const Moments m = moments_of(y, p, size);
    return m.covariance / (std::sqrt(m.var_y) * std::sqrt(m.var_p));
  });
}

Tensor concordance(const metrics::ConcordanceCorrelation& options, const Tensor& y_true,
                   const Tensor& y_pred) {
  return row_agreement(options, y_true, y_pred, [](const double* y, const double* p, std::int64_t size) {
    const Moments m = moments_of(y, p, size);
    const double apart = m.mean_y - m.mean_p;
    return 2 * m.covariance / (m.var_y + m.var_p + apart * apart + kEpsilon);
  });
}

Tensor cosine(const metrics::CosineSimilarity& options, const Tensor& y_true, const Tensor& y_pred) {
  const Loss loss = losses::CosineSimilarity{.axis = options.axis, .name = options.name};
  const Tensor values = as_doubles(loss.values(y_true, y_pred.detach()));
  Tensor agreement = Tensor::empty(values.shape(), DType::float64);
  std::ranges::transform(values.values<double>(), agreement.mutable_values<double>().begin(),
                         std::negate<>());
  return agreement;
}

Tensor squared_error(const metrics::RootMeanSquaredError& options, const Tensor& y_true,
                     const Tensor& y_pred) {
  return Loss(losses::MeanSquaredError{.name = options.name}).values(y_true, y_pred.detach());
}

Tensor relative_error(const metrics::MeanRelativeError& options, const Tensor& y_true, const Tensor& y_pred) {
  const std::vector<double>& normalizer = options.normalizer;
  const Tensor labels = labels_like(options.name, y_true, y_pred);
  const auto count = static_cast<std::int64_t>(normalizer.size());
  const std::int64_t columns = y_pred.rank() == 0 ? 1 : y_pred.shape().back();
  if (count != 1 && count != columns)
    throw ShapeError(options.name, "expects one normalizer, or one for each of " + std::to_string(columns),
                     "got " + std::to_string(count));
  Tensor values = as_doubles(y_pred).clone();
  const Tensor truth = as_doubles(labels);
  const auto out = values.mutable_values<double>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double scale = normalizer[i % normalizer.size()];
    out[i] = scale == 0 ? 0 : std::abs(truth.values<double>()[i] - out[i]) / scale;
  }
  return values;
}

// ---- The metrics.

/// The mean, or its square root.
class MeanState final : public MetricState {
 public:
  MeanState(const MetricBody& body, bool root) : body_(&body), root_(root) {}
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    mean_.add(body_->values(y_true, y_pred), weights);
  }
  void merge(const MetricState& other) override { mean_.add(static_cast<const MeanState&>(other).mean_); }
  Tensor result() const override {
    return Tensor::scalar(root_ ? std::sqrt(mean_.value()) : mean_.value(), DType::float64);
  }

 private:
  const MetricBody* body_;  // outlives its states: Metric and TrainingState keep it
  bool root_;
  RunningMean mean_;
};

template <class Options>
using ValuesOf = Tensor (*)(const Options& options, const Tensor& y_true, const Tensor& y_pred);

template <class Options>
class MeanMetric final : public DescribedMetric<Options> {
 public:
  MeanMetric(std::string_view class_name, const Options& options, ValuesOf<Options> values)
      : DescribedMetric<Options>(class_name, options), values_(values) {}
  std::unique_ptr<MetricState> start() const override {
    return std::make_unique<MeanState>(*this, std::is_same_v<Options, metrics::RootMeanSquaredError>);
  }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return values_(this->options_, y_true, y_pred);
  }

 private:
  ValuesOf<Options> values_;
};

template <class Options>
MetricPointer mean_metric(std::string_view class_name, const Options& options, ValuesOf<Options> values) {
  return std::make_shared<MeanMetric<Options>>(class_name, options, values);
}

class CallableMetric final : public MetricBody {
 public:
  explicit CallableMetric(MetricCallable callable) : callable_(std::move(callable)) {}
  std::unique_ptr<MetricState> start() const override { return std::make_unique<MeanState>(*this, false); }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return callable_(y_true, y_pred);
  }
  Config serialize() const override {
    throw ValueError("metrics.serialize", "expects a metric of the library", "it is a callable",
                     "Compile the loaded model with it again.");
  }

 private:
  MetricCallable callable_;
};

class LossMetric final : public MetricBody {
 public:
  explicit LossMetric(Loss loss) : loss_(std::move(loss)) {}
  std::unique_ptr<MetricState> start() const override { return std::make_unique<MeanState>(*this, false); }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return loss_.values(y_true, y_pred);
  }
  // The metric of the loss's name, without what only a loss has.
  Config serialize() const override {
    Config config = loss_.serialize();
    if (!config.is_object()) return config;
    config["module"] = "keras.metrics";
    Config arguments = Config::object();
    arguments["name"] = config["config"]["name"];
    arguments["dtype"] = "float32";
    arguments.update(config["config"]);
    arguments.erase("reduction");
    config["config"] = std::move(arguments);
    if (config["class_name"] == "LogCosh") config["class_name"] = "LogCoshError";
    return config;
  }

 private:
  Loss loss_;
};

}  // namespace

MetricPointer make_metric(const metrics::Accuracy& o) { return mean_metric("Accuracy", o, accuracy); }
MetricPointer make_metric(const metrics::BinaryAccuracy& o) {
  return mean_metric("BinaryAccuracy", o, binary_accuracy);
}
MetricPointer make_metric(const metrics::CategoricalAccuracy& o) {
  return mean_metric("CategoricalAccuracy", o, categorical_accuracy);
}
MetricPointer make_metric(const metrics::SparseCategoricalAccuracy& o) {
  return mean_metric("SparseCategoricalAccuracy", o, sparse_categorical_accuracy);
}
MetricPointer make_metric(const metrics::TopKCategoricalAccuracy& o) {
  return mean_metric("TopKCategoricalAccuracy", o, top_k);
}
MetricPointer make_metric(const metrics::SparseTopKCategoricalAccuracy& o) {
  return mean_metric("SparseTopKCategoricalAccuracy", o, sparse_top_k);
}
MetricPointer make_metric(const metrics::CosineSimilarity& o) {
  return mean_metric("CosineSimilarity", o, cosine);
}
MetricPointer make_metric(const metrics::PearsonCorrelation& o) {
  return mean_metric("PearsonCorrelation", o, pearson);
}
MetricPointer make_metric(const metrics::ConcordanceCorrelation& o) {
  return mean_metric("ConcordanceCorrelation", o, concordance);
}
MetricPointer make_metric(const metrics::RootMeanSquaredError& o) {
  return mean_metric("RootMeanSquaredError", o, squared_error);
}
MetricPointer make_metric(const metrics::MeanRelativeError& o) {
  if (o.normalizer.empty())
    throw ValueError("MeanRelativeError", "expects a normalizer", "it is empty", "Give one number, or more.");
  return mean_metric("MeanRelativeError", o, relative_error);
}
MetricPointer make_metric(const Loss& loss) {
  if (!loss.is_defined()) throw StateError("metrics", "expects a loss", "there is none");
  return std::make_shared<LossMetric>(loss);
}
MetricPointer make_metric(MetricCallable callable) {
  return std::make_shared<CallableMetric>(std::move(callable));
}

}  // namespace keratin::inline v0::detail
