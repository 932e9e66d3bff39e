// Metrics: what is reported beside the loss, collected over many batches.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/losses.h"

namespace keratin::inline v0 {

// The metrics by Keras's class names, fields in its order. Those that Keras has as losses too are the mean of
// the loss's values: `Metric(losses::Huber{})`, `Metric("mse")`.
namespace metrics {

// ---- Means of one value a sample.

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
/// Share of samples whose largest label is among the k largest predictions; equals count as inside.
struct TopKCategoricalAccuracy {
  std::int64_t k = 5;
  std::string name = "top_k_categorical_accuracy";
};
/// The same for class numbers. from_sorted_ids: predictions are class numbers, the best first.
struct SparseTopKCategoricalAccuracy {
  std::int64_t k = 5;
  std::string name = "sparse_top_k_categorical_accuracy";
  bool from_sorted_ids = false;
};
/// Σ y·p/(‖y‖·‖p‖): the loss of that name has the other sign.
struct CosineSimilarity {
  std::string name = "cosine_similarity";
  std::int64_t axis = -1;
};
/// The correlation of each sample's labels with its predictions; NaN for constant ones.
struct PearsonCorrelation {
  std::string name = "pearson_correlation";
  std::int64_t axis = -1;
};
/// 2·cov/(var y + var p + (mean y − mean p)² + 1e-7)
struct ConcordanceCorrelation {
  std::string name = "concordance_correlation";
  std::int64_t axis = -1;
};
/// √ of the mean squared error over everything.
struct RootMeanSquaredError {
  std::string name = "root_mean_squared_error";
};
/// The mean of |y − p|/normalizer over all entries, 0 where the normalizer is; one number for each entry of
/// the last axis, or one for all. Keras 2's.
struct MeanRelativeError {
  std::vector<double> normalizer;
  std::string name = "mean_relative_error";
};

// ---- Counts of binary decisions p > threshold; labels other than 0 are positive. One result a threshold;
// ---- Keras's default is 0.5. class_id: that class alone. top_k: the k largest predictions of a row.

struct TruePositives {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::string name = "true_positives";
};
struct TrueNegatives {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::string name = "true_negatives";
};
struct FalsePositives {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::string name = "false_positives";
};
struct FalseNegatives {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::string name = "false_negatives";
};
/// TP/(TP + FP), 0 without any.
struct Precision {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::optional<std::int64_t> top_k = std::nullopt;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "precision";
};
/// TP/(TP + FN), 0 without any.
struct Recall {
  std::optional<std::vector<double>> thresholds = std::nullopt;
  std::optional<std::int64_t> top_k = std::nullopt;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "recall";
};
/// The best TP/(TP + FN) among evenly spread thresholds where TN/(TN + FP) is at least `specificity`.
struct SensitivityAtSpecificity {
  double specificity;
  std::int64_t num_thresholds = 200;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "sensitivity_at_specificity";
};
struct SpecificityAtSensitivity {
  double sensitivity;
  std::int64_t num_thresholds = 200;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "specificity_at_sensitivity";
};
struct PrecisionAtRecall {
  double recall;
  std::int64_t num_thresholds = 200;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "precision_at_recall";
};
struct RecallAtPrecision {
  double precision;
  std::int64_t num_thresholds = 200;
  std::optional<std::int64_t> class_id = std::nullopt;
  std::string name = "recall_at_precision";
};
/// Area under a curve through num_thresholds points. curve: "ROC", "PR" or "PRGAIN"; summation_method:
/// "interpolation", "minoring" or "majoring". multi_label: the mean over the last axis, weighted with
/// label_weights; without it these weigh the entries.
struct AUC {
  std::int64_t num_thresholds = 200;
  std::string curve = "ROC";
  std::string summation_method = "interpolation";
  std::string name = "auc";
  std::optional<std::vector<double>> thresholds = std::nullopt;
  bool multi_label = false;
  std::optional<std::int64_t> num_labels = std::nullopt;
  std::optional<std::vector<double>> label_weights = std::nullopt;
  bool from_logits = false;
};

// ---- Overlap of classes: TP/(TP + FP + FN) of each, the mean over those that occur. Class numbers, or
// scores
// ---- along `axis` where sparse_… is false; class numbers out of range and ignore_class count nothing.

struct IoU {
  std::int64_t num_classes;
  std::vector<std::int64_t> target_class_ids;
  std::string name = "io_u";
  std::optional<std::int64_t> ignore_class = std::nullopt;
  bool sparse_y_true = true;
  bool sparse_y_pred = true;
  std::int64_t axis = -1;
};
struct MeanIoU {
  std::int64_t num_classes;
  std::string name = "mean_io_u";
  std::optional<std::int64_t> ignore_class = std::nullopt;
  bool sparse_y_true = true;
  bool sparse_y_pred = true;
  std::int64_t axis = -1;
};
/// Of the classes p < threshold and p ≥ threshold.
struct BinaryIoU {
  std::vector<std::int64_t> target_class_ids = {0, 1};
  double threshold = 0.5;
  std::string name = "binary_io_u";
};
struct OneHotIoU {
  std::int64_t num_classes;
  std::vector<std::int64_t> target_class_ids;
  std::string name = "one_hot_io_u";
  std::optional<std::int64_t> ignore_class = std::nullopt;
  bool sparse_y_pred = false;
  std::int64_t axis = -1;
};
struct OneHotMeanIoU {
  std::int64_t num_classes;
  std::string name = "one_hot_mean_io_u";
  std::optional<std::int64_t> ignore_class = std::nullopt;
  bool sparse_y_pred = false;
  std::int64_t axis = -1;
};

// ---- Scores of rows (batch, classes).

/// (1 + beta²)·precision·recall/(beta²·precision + recall) of each class; average: none, "micro", "macro" or
/// "weighted". A class is predicted where p > threshold, or where it is the row's largest.
struct FBetaScore {
  std::optional<std::string> average = std::nullopt;
  double beta = 1.0;
  std::optional<double> threshold = std::nullopt;
  std::string name = "fbeta_score";
};
/// FBetaScore with beta 1.
struct F1Score {
  std::optional<std::string> average = std::nullopt;
  std::optional<double> threshold = std::nullopt;
  std::string name = "f1_score";
};
/// 1 − Σ (y − p)²/Σ (y − mean y)² of each column; class_aggregation: none, "uniform_average" or
/// "variance_weighted_average"; num_regressors above 0: adjusted for so many predictors.
struct R2Score {
  std::optional<std::string> class_aggregation = "uniform_average";
  std::int64_t num_regressors = 0;
  std::string name = "r2_score";
};

}  // namespace metrics

namespace detail {

/// What a metric has collected.
class KERATIN_API MetricState {
 public:
  virtual ~MetricState();
  /// weights: one for each value, or for each sample; undefined for ones.
  virtual void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) = 0;
  /// Adds what another state of the same metric has collected.
  virtual void merge(const MetricState& other) = 0;
  /// float64: a scalar, or one result a class or threshold.
  virtual Tensor result() const = 0;
};

/// A metric's definition. Immutable, safe from many threads.
class KERATIN_API MetricBody {
 public:
  virtual ~MetricBody();
  virtual std::unique_ptr<MetricState> start() const = 0;
  /// One value a sample, for metrics that are means of those; StateError for others.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const;
  /// Whether the result is one number.
  virtual bool is_scalar() const { return true; }
  virtual Config serialize() const = 0;
};
using MetricPointer = std::shared_ptr<const MetricBody>;

KERATIN_API MetricPointer make_metric(const metrics::Accuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::BinaryAccuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::CategoricalAccuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::SparseCategoricalAccuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::TopKCategoricalAccuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::SparseTopKCategoricalAccuracy& options);
KERATIN_API MetricPointer make_metric(const metrics::CosineSimilarity& options);
KERATIN_API MetricPointer make_metric(const metrics::PearsonCorrelation& options);
KERATIN_API MetricPointer make_metric(const metrics::ConcordanceCorrelation& options);
KERATIN_API MetricPointer make_metric(const metrics::RootMeanSquaredError& options);
KERATIN_API MetricPointer make_metric(const metrics::MeanRelativeError& options);
KERATIN_API MetricPointer make_metric(const metrics::TruePositives& options);
KERATIN_API MetricPointer make_metric(const metrics::TrueNegatives& options);
KERATIN_API MetricPointer make_metric(const metrics::FalsePositives& options);
KERATIN_API MetricPointer make_metric(const metrics::FalseNegatives& options);
KERATIN_API MetricPointer make_metric(const metrics::Precision& options);
KERATIN_API MetricPointer make_metric(const metrics::Recall& options);
KERATIN_API MetricPointer make_metric(const metrics::SensitivityAtSpecificity& options);
KERATIN_API MetricPointer make_metric(const metrics::SpecificityAtSensitivity& options);
KERATIN_API MetricPointer make_metric(const metrics::PrecisionAtRecall& options);
KERATIN_API MetricPointer make_metric(const metrics::RecallAtPrecision& options);
KERATIN_API MetricPointer make_metric(const metrics::AUC& options);
KERATIN_API MetricPointer make_metric(const metrics::IoU& options);
KERATIN_API MetricPointer make_metric(const metrics::MeanIoU& options);
KERATIN_API MetricPointer make_metric(const metrics::BinaryIoU& options);
KERATIN_API MetricPointer make_metric(const metrics::OneHotIoU& options);
KERATIN_API MetricPointer make_metric(const metrics::OneHotMeanIoU& options);
KERATIN_API MetricPointer make_metric(const metrics::FBetaScore& options);
KERATIN_API MetricPointer make_metric(const metrics::F1Score& options);
KERATIN_API MetricPointer make_metric(const metrics::R2Score& options);
KERATIN_API MetricPointer make_metric(const Loss& loss);
using MetricCallable = std::function<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
KERATIN_API MetricPointer make_metric(MetricCallable callable);

template <class Options>
concept MetricOptions = !LossOptions<Options> && requires(const Options& options) {
  { make_metric(options) } -> std::same_as<MetricPointer>;
  { options.name } -> std::convertible_to<std::string>;
};
}  // namespace detail

/// A metric: "accuracy" (binary, sparse or categorical by the shapes), the name of another or of a loss, one
/// of metrics::, a loss, or a callable (y_true, y_pred) -> one value a sample, averaged. Reported under the
/// name given. A handle: copies collect together. compile takes the definition and collects on its own.
class KERATIN_API Metric {
 public:
  /// ValueError proposes the nearest name.
  Metric(const char* name) : Metric(std::string_view(name)) {}
  Metric(std::string_view name);
  Metric(const std::string& name) : Metric(std::string_view(name)) {}
  Metric(const Loss& loss) : Metric(detail::make_metric(loss), loss.name()) {}
  template <detail::LossOptions Options>
  Metric(const Options& options) : Metric(Loss(options)) {}
  template <detail::MetricOptions Options>
  Metric(const Options& options) : Metric(detail::make_metric(options), options.name) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, const F&, const Tensor&, const Tensor&> &&
           !std::same_as<F, Metric> && !std::same_as<F, Loss>)
      Metric(const F& callable, std::string name = "metric")
      : Metric(detail::make_metric(detail::MetricCallable(callable)), std::move(name)) {}
  Metric(detail::MetricPointer body, std::string name, std::string identifier = {});

  const std::string& name() const noexcept { return name_; }
  /// The name that it was asked for by, which files keep; empty for an object.
  const std::string& identifier() const noexcept { return identifier_; }
  const detail::MetricPointer& shared_body() const noexcept { return body_; }
  /// One value a sample, for metrics that are means of those; StateError for others. ShapeError if the labels
  /// do not fit.
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const { return body_->values(y_true, y_pred); }

  /// Collects a batch; sample_weight: one for each value, or each sample. Keras: Metric.update_state.
  void update_state(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {});
  /// Of all that was collected; ShapeError where there is more than one number. Keras: Metric.result.
  double result() const { return results().item(); }
  /// The same where it may be one number a class or threshold, float64.
  Tensor results() const;
  /// Keras: Metric.reset_state.
  void reset_state();

  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}.
  Config serialize() const;

 private:
  detail::MetricPointer body_;
  std::shared_ptr<std::unique_ptr<detail::MetricState>> state_;
  std::string name_, identifier_;
};

namespace metrics {
/// The metric of a name or alias: "accuracy", "auc", "AUC", "mse". Keras: keras.metrics.get.
KERATIN_API Metric get(std::string_view name);
/// The metric of a config as Keras writes it, or of a name; ValueError for what is unknown, naming it.
/// Keras: keras.metrics.deserialize.
KERATIN_API Metric deserialize(const Config& config);
}  // namespace metrics

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
  /// Σ v·w. Keras: keras.metrics.Sum.
  double sum() const noexcept { return total_; }

 private:
  double total_ = 0, weight_ = 0;
};

/// The same element by element, of tensors of one shape. Keras 2: keras.metrics.MeanTensor.
class KERATIN_API RunningMeanTensor {
 public:
  /// weights: of the values' shape, or of fewer axes, as one a row; undefined for ones. ShapeError if the
  /// shape is not that of the values before.
  void add(const Tensor& values, const Tensor& weights = {});
  /// float64; 0 where the weights are. StateError before anything is added.
  Tensor value() const;
  /// Σ v·w and Σ w.
  const Tensor& total() const noexcept { return total_; }
  const Tensor& weight() const noexcept { return weight_; }
  void reset() { total_ = weight_ = Tensor(); }

 private:
  Tensor total_, weight_;
};

}  // namespace keratin::inline v0
