// Metrics of classes and columns: overlap, F scores, R².
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "keratin/core/text.h"
#include "keratin/ops/ops.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/metric_base.h"

namespace keratin::inline v0::detail {
namespace {

using Values = std::vector<double>;

Tensor vector_of(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}
Tensor scalar_of(double value) { return Tensor::scalar(value, DType::float64); }

void add_all(Values& to, const Values& from) {
  if (to.empty()) to.assign(from.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

// ---- Intersection over union.

/// What the five of them come to.
struct OverlapOptions {
  std::string name;
  std::int64_t classes;
  std::vector<std::int64_t> targets;
  std::optional<std::int64_t> ignored = std::nullopt;
  bool sparse_y_true = true, sparse_y_pred = true;
  std::int64_t axis = -1;
  std::optional<double> threshold = std::nullopt;
};
std::vector<std::int64_t> all_of(std::int64_t classes) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < classes; ++i) all.push_back(i);
  return all;
}
OverlapOptions overlap_of(const metrics::IoU& o) {
  return {o.name,          o.num_classes, o.target_class_ids, o.ignore_class, o.sparse_y_true,
          o.sparse_y_pred, o.axis};
}
OverlapOptions overlap_of(const metrics::MeanIoU& o) {
  return {o.name,          o.num_classes, all_of(o.num_classes), o.ignore_class, o.sparse_y_true,
          o.sparse_y_pred, o.axis};
}
OverlapOptions overlap_of(const metrics::BinaryIoU& o) {
  return {.name = o.name, .classes = 2, .targets = o.target_class_ids, .threshold = o.threshold};
}
OverlapOptions overlap_of(const metrics::OneHotIoU& o) {
  return {o.name, o.num_classes, o.target_class_ids, o.ignore_class, false, o.sparse_y_pred, o.axis};
}
OverlapOptions overlap_of(const metrics::OneHotMeanIoU& o) {
  return {o.name, o.num_classes, all_of(o.num_classes), o.ignore_class, false, o.sparse_y_pred, o.axis};
}

template <class Options>
class OverlapState final : public MetricState {
 public:
  explicit OverlapState(const Options& options)
      : options_(overlap_of(options)),
        matrix_(static_cast<std::size_t>(options_.classes * options_.classes), 0) {}

  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    const Tensor y = classes_of(y_true, options_.sparse_y_true, {});
    const Tensor p = classes_of(y_pred, options_.sparse_y_pred, options_.threshold);
    if (y.size() != p.size())
      throw ShapeError(options_.name,
                       "expects a label for each of the predictions " + y_pred.shape().to_string(),
                       "got labels of shape " + y_true.shape().to_string());
    const Tensor w = weights.is_defined() ? metric_weights(weights, p.shape()) : Tensor();
    const auto labels = y.values<std::int64_t>(), found = p.values<std::int64_t>();
    const auto inside = [&](std::int64_t c) { return c >= 0 && c < options_.classes; };
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!inside(labels[i]) || !inside(found[i]) || labels[i] == options_.ignored) continue;
      matrix_[static_cast<std::size_t>(labels[i] * options_.classes + found[i])] +=
          w.is_defined() ? w.values<double>()[i] : 1;
    }
  }
  void merge(const MetricState& other) override {
    add_all(matrix_, static_cast<const OverlapState&>(other).matrix_);
  }
  Tensor result() const override {
    const auto n = static_cast<std::size_t>(options_.classes);
    double sum = 0, present = 0;
    for (const std::int64_t target : options_.targets) {
      const auto c = static_cast<std::size_t>(target);
      double in_either = -matrix_[c * n + c];
      for (std::size_t i = 0; i < n; ++i) in_either += matrix_[c * n + i] + matrix_[i * n + c];
      if (in_either <= 1e-9) continue;
      sum += matrix_[c * n + c] / (in_either + kEpsilon);
      ++present;
    }
    return scalar_of(sum / (present + kEpsilon));
  }

 private:
  // int64 class numbers.
  Tensor classes_of(const Tensor& a, bool sparse, std::optional<double> threshold) const {
    Tensor classes = a.detach();
    if (threshold) {
      const Tensor limit = Tensor::scalar(*threshold, DType::float32);
      const Tensor below = ops::greater(limit, classes.astype(DType::float32));
      classes = 1 - below.astype(DType::float64);
    } else if (!sparse) {
      classes = ops::argmax(classes, options_.axis);
    }
    return classes.astype(DType::int64).contiguous();
  }

  OverlapOptions options_;
  Values matrix_;  // rows are labels
};

template <class Options>
MetricPointer overlap(std::string_view class_name, const Options& given) {
  const OverlapOptions options = overlap_of(given);
  if (options.classes < 1)
    throw ValueError(options.name, "expects num_classes of at least 1",
                     "got " + std::to_string(options.classes));
  for (const std::int64_t target : options.targets)
    if (target < 0 || target >= options.classes)
      throw ValueError(options.name,
                       "expects target_class_ids from 0 to " + std::to_string(options.classes - 1),
                       "got " + std::to_string(target));
  return metric_of<OverlapState<Options>>(class_name, given);
}

// ---- F scores.

template <class Options>
class FScoreState final : public MetricState {
 public:
  explicit FScoreState(const Options& options) : options_(options) {}
  static bool is_scalar(const Options& options) { return options.average.has_value(); }

  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    if (y_pred.rank() != 2 || y_true.shape() != y_pred.shape())
      throw ShapeError(options_.name, "expects labels and predictions of shape (samples, classes)",
                       "got " + y_true.shape().to_string() + " and " + y_pred.shape().to_string());
    const Tensor y = as_doubles(y_true), p = as_doubles(y_pred);
    const Tensor w = weights.is_defined() ? metric_weights(weights, p.shape()) : Tensor();
    const auto classes = static_cast<std::size_t>(p.shape()[1]);
    const auto labels = y.values<double>(), scores = p.values<double>();
    Values tp(classes), fp(classes), fn(classes), all(classes);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t c = i % classes, row = i - c;
      const double largest = *std::max_element(scores.begin() + static_cast<std::ptrdiff_t>(row),
                                               scores.begin() + static_cast<std::ptrdiff_t>(row + classes));
      // A row of zeros predicts nothing.
      // In float32, as Keras compares.
      const double hit = options_.threshold
                             ? static_cast<float>(scores[i]) > static_cast<float>(*options_.threshold)
                             : scores[i] >= largest && std::abs(scores[i]) > 1e-9;
      const double weight = w.is_defined() ? w.values<double>()[i] : 1;
      tp[c] += weight * hit * labels[i];
      fp[c] += weight * hit * (1 - labels[i]);
      fn[c] += weight * (1 - hit) * labels[i];
      all[c] += weight * labels[i];
    }
    add_all(tp_, tp);
    add_all(fp_, fp);
    add_all(fn_, fn);
    add_all(all_, all);
  }
  void merge(const MetricState& state) override {
    const auto& other = static_cast<const FScoreState&>(state);
    add_all(tp_, other.tp_);
    add_all(fp_, other.fp_);
    add_all(fn_, other.fn_);
    add_all(all_, other.all_);
  }
  Tensor result() const override {
    if (options_.average == "micro") return scalar_of(score(total(tp_), total(fp_), total(fn_)));
    Values scores;
    for (std::size_t c = 0; c < tp_.size(); ++c) scores.push_back(score(tp_[c], fp_[c], fn_[c]));
    if (!options_.average) return vector_of(scores);
    if (scores.empty()) return scalar_of(0);
    if (options_.average == "macro") return scalar_of(total(scores) / static_cast<double>(scores.size()));
    double sum = 0;
    for (std::size_t c = 0; c < scores.size(); ++c) sum += scores[c] * all_[c];
    return scalar_of(sum / (total(all_) + kEpsilon));
  }

 private:
  static double total(const Values& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum;
  }
  double score(double tp, double fp, double fn) const {
    double beta = 1;
    if constexpr (requires { options_.beta; }) beta = options_.beta;
    const double precision = tp / (tp + fp + kEpsilon), recall = tp / (tp + fn + kEpsilon);
    return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall + kEpsilon);
  }

  Options options_;
  Values tp_, fp_, fn_, all_;
};

template <class Options>
MetricPointer f_score(std::string_view class_name, const Options& options) {
  if (options.average && options.average != "micro" && options.average != "macro" &&
      options.average != "weighted")
    throw ValueError(options.name, "expects average \"micro\", \"macro\", \"weighted\" or none",
                     "got \"" + *options.average + "\"");
  if constexpr (requires { options.beta; })
    if (!(options.beta > 0))
      throw ValueError(options.name, "expects beta above 0", "got " + to_text(options.beta));
  if (options.threshold && !(*options.threshold > 0 && *options.threshold <= 1))
    throw ValueError(options.name, "expects a threshold above 0 and at most 1",
                     "got " + to_text(*options.threshold));
  return metric_of<FScoreState<Options>>(class_name, options);
}

// ---- R².

class R2State final : public MetricState {
 public:
  explicit R2State(const metrics::R2Score& options) : options_(options) {}
  static bool is_scalar(const metrics::R2Score& options) { return options.class_aggregation.has_value(); }

  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    const Tensor y = as_doubles(labels_like(options_.name, y_true, y_pred)), p = as_doubles(y_pred);
    if (p.rank() != 2)
      throw ShapeError(options_.name, "expects predictions of shape (samples, columns)",
                       "got " + p.shape().to_string());
    const Tensor w = weights.is_defined() ? metric_weights(weights, p.shape()) : Tensor();
    const auto columns = static_cast<std::size_t>(p.shape()[1]);
    Values sum(columns), squares(columns), errors(columns), count(columns);
    const auto labels = y.values<double>(), predictions = p.values<double>();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t c = i % columns;
      const double weight = w.is_defined() ? w.values<double>()[i] : 1, error = labels[i] - predictions[i];
      sum[c] += weight * labels[i];
      squares[c] += weight * labels[i] * labels[i];
      errors[c] += weight * error * error;
      count[c] += weight;
    }
    add_all(sum_, sum);
    add_all(squares_, squares);
    add_all(errors_, errors);
    add_all(count_, count);
    samples_ += static_cast<double>(labels.size());
  }
  void merge(const MetricState& state) override {
    const auto& other = static_cast<const R2State&>(state);
    add_all(sum_, other.sum_);
    add_all(squares_, other.squares_);
    add_all(errors_, other.errors_);
    add_all(count_, other.count_);
    samples_ += other.samples_;
  }
  Tensor result() const override {
    Values scores, spreads;
    double sum = 0, weighted = 0, spread = 0;
    for (std::size_t c = 0; c < sum_.size(); ++c) {
      spreads.push_back(squares_[c] - sum_[c] * (sum_[c] / count_[c]));
      const double score = 1 - errors_[c] / spreads[c];
      scores.push_back(std::isinf(score) ? 0 : score);
      sum += scores[c];
      weighted += scores[c] * spreads[c];
      spread += spreads[c];
    }
    if (!options_.class_aggregation) {
      for (double& score : scores) score = adjusted(score);
      return vector_of(scores);
    }
    if (scores.empty()) return scalar_of(0);
    const bool uniform = options_.class_aggregation == "uniform_average";
    return scalar_of(adjusted(uniform ? sum / static_cast<double>(scores.size()) : weighted / spread));
  }

 private:
  // Keras counts all entries as samples; with too few of them it reports the plain score.
  double adjusted(double score) const {
    const auto predictors = static_cast<double>(options_.num_regressors);
    if (predictors == 0 || predictors >= samples_ - 1) return score;
    return 1 - (1 - score) * (samples_ - 1) / (samples_ - predictors - 1);
  }

  metrics::R2Score options_;
  Values sum_, squares_, errors_, count_;
  double samples_ = 0;
};

}  // namespace

MetricPointer make_metric(const metrics::IoU& o) { return overlap("IoU", o); }
MetricPointer make_metric(const metrics::MeanIoU& o) { return overlap("MeanIoU", o); }
MetricPointer make_metric(const metrics::BinaryIoU& o) { return overlap("BinaryIoU", o); }
MetricPointer make_metric(const metrics::OneHotIoU& o) { return overlap("OneHotIoU", o); }
MetricPointer make_metric(const metrics::OneHotMeanIoU& o) { return overlap("OneHotMeanIoU", o); }
MetricPointer make_metric(const metrics::FBetaScore& o) { return f_score("FBetaScore", o); }
MetricPointer make_metric(const metrics::F1Score& o) { return f_score("F1Score", o); }
MetricPointer make_metric(const metrics::R2Score& o) {
  if (o.class_aggregation && o.class_aggregation != "uniform_average" &&
      o.class_aggregation != "variance_weighted_average")
    throw ValueError(o.name,
                     "expects class_aggregation \"uniform_average\", \"variance_weighted_average\" or none",
                     "got \"" + *o.class_aggregation + "\"");
  if (o.num_regressors < 0)
    throw ValueError(o.name, "expects num_regressors of at least 0",
                     "got " + std::to_string(o.num_regressors));
  return metric_of<R2State>("R2Score", o);
}

}  // namespace keratin::inline v0::detail
