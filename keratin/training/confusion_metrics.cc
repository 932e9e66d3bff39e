// Metrics of binary decisions at one or many thresholds.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "keratin/core/text.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/metric_base.h"

namespace keratin::inline v0::detail {
namespace {

using Values = std::vector<double>;

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

struct Counts {
  double tp = 0, fp = 0, tn = 0, fn = 0;
  double precision() const { return ratio(tp, tp + fp); }
  double recall() const { return ratio(tp, tp + fn); }
  double specificity() const { return ratio(tn, tn + fp); }
};

/// Weights of positive and negative entries between neighbouring thresholds, from which the counts at each
/// follow: one search an entry, however many thresholds. Compared in float32, as Keras does.
class Histogram {
 public:
  Histogram(const Values& thresholds, std::int64_t labels) : order_(thresholds.size()), labels_(labels) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return thresholds[a] < thresholds[b]; });
    for (const std::size_t i : order_) sorted_.push_back(static_cast<float>(thresholds[i]));
    positive_.assign(static_cast<std::size_t>(labels) * (sorted_.size() + 1), 0);
    negative_ = positive_;
  }
  std::size_t size() const { return sorted_.size(); }
  std::int64_t labels() const { return labels_; }
  void add(bool positive, double p, double weight, std::int64_t label = 0) {
    const auto above = std::lower_bound(sorted_.begin(), sorted_.end(), static_cast<float>(p));
    const auto place = static_cast<std::size_t>(above - sorted_.begin()) +
                       static_cast<std::size_t>(label) * (sorted_.size() + 1);
    (positive ? positive_ : negative_)[place] += weight;
  }
  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < positive_.size(); ++i) positive_[i] += other.positive_[i];
    for (std::size_t i = 0; i < negative_.size(); ++i) negative_[i] += other.negative_[i];
  }
  /// In the order that the thresholds were given in.
  std::vector<Counts> counts(std::int64_t label = 0) const {
    const std::size_t n = sorted_.size(), start = static_cast<std::size_t>(label) * (n + 1);
    std::vector<Counts> counts(n);
    Counts below;
    for (std::size_t i = 0; i < n; ++i) {
      below.fn += positive_[start + i];
      below.tn += negative_[start + i];
      counts[order_[i]] = below;
    }
    Counts above;
    for (std::size_t i = n; i-- > 0;) {
      above.tp += positive_[start + i + 1];
      above.fp += negative_[start + i + 1];
      counts[order_[i]].tp = above.tp;
      counts[order_[i]].fp = above.fp;
    }
    return counts;
  }

 private:
  std::vector<std::size_t> order_;
  std::vector<float> sorted_;
  std::int64_t labels_;
  Values positive_, negative_;
};

void check_thresholds(std::string_view name, const Values& thresholds) {
  if (thresholds.empty()) throw ValueError(name, "expects a threshold", "the list is empty");
  for (const double t : thresholds)
    if (!(t >= 0 && t <= 1)) throw ValueError(name, "expects thresholds from 0 to 1", "got " + to_text(t));
}

// 0, 1/(n − 1), …, 1; the ends a little outside with `beyond`, so that 0 is above the first one.
Values even_thresholds(std::int64_t count, double beyond) {
  Values thresholds;
  for (std::int64_t i = 0; i < count; ++i)
    thresholds.push_back(static_cast<double>(i) / static_cast<double>(count - 1));
  thresholds.front() -= beyond;
  thresholds.back() += beyond;
  return thresholds;
}

/// Labels, predictions and weights of equal shape, all float64, with the class chosen and the rest of each
/// row below every threshold where only the top k count.
struct Decisions {
  Tensor y, p, w;

  Decisions(std::string_view name, const Tensor& y_true, const Tensor& y_pred, const Tensor& weights,
            std::optional<std::int64_t> top_k, std::optional<std::int64_t> class_id)
      : y(as_doubles(labels_like(name, y_true, y_pred))), p(as_doubles(y_pred)) {
    if (weights.is_defined()) w = metric_weights(weights, p.shape());
    if (top_k) keep_largest(*top_k);
    if (class_id) {
      if (p.rank() < 2)
        throw ShapeError(name, "expects predictions of shape (samples, classes) with class_id",
                         "got " + p.shape().to_string());
      if (*class_id < 0 || *class_id >= p.shape().back())
        throw ValueError(name, "expects class_id from 0 to " + std::to_string(p.shape().back() - 1),
                         "got " + std::to_string(*class_id));
      const auto of_class = [&](const Tensor& a) { return a.select(-1, *class_id).contiguous(); };
      y = of_class(y);
      p = of_class(p);
      if (w.is_defined()) w = of_class(w);
    }
  }
  void keep_largest(std::int64_t k) {
    const std::int64_t size = p.rank() == 0 ? 1 : p.shape().back();
    const auto values = p.mutable_values<double>();
    std::vector<std::int64_t> order(static_cast<std::size_t>(size));
    for (std::size_t row = 0; row < values.size(); row += static_cast<std::size_t>(size)) {
      std::iota(order.begin(), order.end(), std::int64_t{0});
      double* at = values.data() + row;
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return at[a] > at[b]; });
      for (std::int64_t i = std::min(k, size); i < size; ++i)
        at[order[static_cast<std::size_t>(i)]] = -std::numeric_limits<double>::infinity();
    }
  }
  // visit(is positive, prediction, weight, index)
  template <class Visit>
  void each(Visit visit) const {
    const auto labels = y.values<double>(), predictions = p.values<double>();
    const double* weights = w.is_defined() ? w.values<double>().data() : nullptr;
    for (std::size_t i = 0; i < labels.size(); ++i)
      visit(labels[i] != 0, predictions[i], weights == nullptr ? 1 : weights[i], i);
  }
};

// ---- One result a threshold.

template <class Options, double (*kOf)(const Counts&)>
class CountState final : public MetricState {
 public:
  explicit CountState(const Options& options) : options_(options), histogram_(thresholds_of(options), 1) {}
  static bool is_scalar(const Options& options) { return thresholds_of(options).size() == 1; }
  static Values thresholds_of(const Options& options) {
    if (options.thresholds) return *options.thresholds;
    // With top_k every prediction that is left counts.
    if constexpr (requires { options.top_k; })
      if (options.top_k) return {-std::numeric_limits<float>::max()};
    return {0.5};
  }
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    std::optional<std::int64_t> top_k, class_id;
    if constexpr (requires { options_.top_k; }) {
      top_k = options_.top_k;
      class_id = options_.class_id;
    }
    Decisions(options_.name, y_true, y_pred, weights, top_k, class_id)
        .each([&](bool positive, double p, double w, std::size_t) { histogram_.add(positive, p, w); });
  }
  void merge(const MetricState& other) override {
    histogram_.merge(static_cast<const CountState&>(other).histogram_);
  }
  Tensor result() const override {
    Values results;
    for (const Counts& counts : histogram_.counts()) results.push_back(kOf(counts));
    if (results.size() == 1) return Tensor::scalar(results[0], DType::float64);
    return Tensor::from(results, {static_cast<std::int64_t>(results.size())});
  }

 private:
  Options options_;
  Histogram histogram_;
};

double true_positives(const Counts& c) { return c.tp; }
double true_negatives(const Counts& c) { return c.tn; }
double false_positives(const Counts& c) { return c.fp; }
double false_negatives(const Counts& c) { return c.fn; }
double precision(const Counts& c) { return c.precision(); }
double recall(const Counts& c) { return c.recall(); }
double specificity(const Counts& c) { return c.specificity(); }

// ---- The best of one where the other is high enough.

template <class Options, double (*kConstrained)(const Counts&), double (*kBest)(const Counts&)>
class ConstrainedState final : public MetricState {
 public:
  explicit ConstrainedState(const Options& options)
      : options_(options),
        histogram_(options.num_thresholds == 1 ? Values{0.5} : even_thresholds(options.num_thresholds, 0),
                   1) {}
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    Decisions(options_.name, y_true, y_pred, weights, {}, options_.class_id)
        .each([&](bool positive, double p, double w, std::size_t) { histogram_.add(positive, p, w); });
  }
  void merge(const MetricState& other) override {
    histogram_.merge(static_cast<const ConstrainedState&>(other).histogram_);
  }
  Tensor result() const override {
    double best = 0;
    for (const Counts& counts : histogram_.counts())
      if (kConstrained(counts) >= limit()) best = std::max(best, kBest(counts));
    return Tensor::scalar(best, DType::float64);
  }

 private:
  double limit() const { return limit_of(options_); }
  static double limit_of(const metrics::SensitivityAtSpecificity& o) { return o.specificity; }
  static double limit_of(const metrics::SpecificityAtSensitivity& o) { return o.sensitivity; }
  static double limit_of(const metrics::PrecisionAtRecall& o) { return o.recall; }
  static double limit_of(const metrics::RecallAtPrecision& o) { return o.precision; }

  Options options_;
  Histogram histogram_;
};

// ---- Areas.

Values auc_thresholds(const metrics::AUC& options) {
  if (!options.thresholds) return even_thresholds(options.num_thresholds, kEpsilon);
  Values thresholds = *options.thresholds;
  std::sort(thresholds.begin(), thresholds.end());
  thresholds.insert(thresholds.begin(), -kEpsilon);
  thresholds.push_back(1 + kEpsilon);
  return thresholds;
}

// Davis and Goadrich's interpolation between neighbouring points of the precision-recall curve: with P = TP +
// FP and TP linear in P between them, ∫ precision dP = ΔTP + (TP_b − slope·P_b)·ln(P_a/P_b).
double interpolated_pr_area(const std::vector<Counts>& counts) {
  double area = 0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    const Counts &a = counts[i], &b = counts[i + 1];
    const double p_a = a.tp + a.fp, p_b = b.tp + b.fp, rise = a.tp - b.tp;
    const double slope = ratio(rise, std::max(p_a - p_b, 0.0)), intercept = b.tp - slope * p_b;
    const double step = p_a > 0 && p_b > 0 ? std::log(p_a / p_b) : 0;
    area += ratio(slope * (rise + intercept * step), b.tp + b.fn);
  }
  return area;
}

struct Point {
  double x, y;
};
Point point_of(const std::string& curve, const Counts& c) {
  if (curve == "ROC") return {ratio(c.fp, c.fp + c.tn), c.recall()};
  if (curve == "PR") return {c.recall(), c.precision()};
  const double scale = ratio(c.tp + c.fn, c.tn + c.fp);  // Flach and Kull, 2015
  if (c.tp == 0) return {0, 1};
  return {std::max(1 - scale * ratio(c.fn, c.tp), 0.0), 1 - scale * ratio(c.fp, c.tp)};
}

double area_of(const metrics::AUC& options, const std::vector<Counts>& counts) {
  if (options.curve == "PR" && options.summation_method == "interpolation")
    return interpolated_pr_area(counts);
  double area = 0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    const Point a = point_of(options.curve, counts[i]), b = point_of(options.curve, counts[i + 1]);
    const double height = options.summation_method == "minoring"   ? std::min(a.y, b.y)
                          : options.summation_method == "majoring" ? std::max(a.y, b.y)
                                                                   : (a.y + b.y) / 2;
    area += (a.x - b.x) * height;
  }
  return area;
}

class AucState final : public MetricState {
 public:
  explicit AucState(const metrics::AUC& options) : options_(options) {
    if (!options.multi_label || options.num_labels) make(options.num_labels.value_or(1));
  }
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& weights) override {
    const std::int64_t columns = y_pred.rank() == 0 ? 1 : y_pred.shape().back();
    if (options_.multi_label && y_pred.rank() != 2)
      throw ShapeError(options_.name, "expects predictions of shape (samples, labels) with multi_label",
                       "got " + y_pred.shape().to_string());
    if (histograms_.empty()) make(columns);
    const std::int64_t labels = histograms_[0].labels();
    if (options_.multi_label && labels != columns)
      throw ShapeError(options_.name, "expects " + std::to_string(labels) + " labels",
                       "got predictions of shape " + y_pred.shape().to_string());
    const Values& label_weights = options_.label_weights ? *options_.label_weights : Values{};
    const bool weighs = !options_.multi_label && !label_weights.empty();
    if (!label_weights.empty() && static_cast<std::int64_t>(label_weights.size()) != columns)
      throw ShapeError(options_.name, "expects a weight for each of " + std::to_string(columns) + " labels",
                       "got " + std::to_string(label_weights.size()));
    Decisions(options_.name, y_true, y_pred, weights, {}, {})
        .each([&](bool positive, double p, double w, std::size_t i) {
          const auto column = static_cast<std::int64_t>(i) % columns;
          if (options_.from_logits) p = logistic(p);
          if (weighs) w *= label_weights[static_cast<std::size_t>(column)];
          histograms_[0].add(positive, p, w, options_.multi_label ? column : 0);
        });
  }
  void merge(const MetricState& state) override {
    const auto& other = static_cast<const AucState&>(state);
    if (other.histograms_.empty()) return;
    if (histograms_.empty()) make(other.histograms_[0].labels());
    histograms_[0].merge(other.histograms_[0]);
  }
  Tensor result() const override {
    if (histograms_.empty()) return Tensor::scalar(0, DType::float64);
    const Histogram& histogram = histograms_[0];
    double sum = 0, weight = 0;
    for (std::int64_t label = 0; label < histogram.labels(); ++label) {
      const bool weighs = options_.multi_label && options_.label_weights;
      const double w = weighs ? (*options_.label_weights)[static_cast<std::size_t>(label)] : 1;
      sum += w * area_of(options_, histogram.counts(label));
      weight += w;
    }
    return Tensor::scalar(ratio(sum, weight), DType::float64);
  }

 private:
  void make(std::int64_t labels) { histograms_.emplace_back(auc_thresholds(options_), labels); }

  metrics::AUC options_;
  std::vector<Histogram> histograms_;  // one, as soon as the number of labels is known
};

void check_one_of(std::string_view name, const char* argument, const std::string& value,
                  const std::vector<std::string_view>& known) {
  if (std::find(known.begin(), known.end(), value) == known.end())
    throw ValueError(name, std::string("expects a ") + argument + " that it knows", "got \"" + value + "\"",
                     did_you_mean(value, known));
}

template <class Options>
void check_decisions(const Options& options) {
  if (options.thresholds) check_thresholds(options.name, *options.thresholds);
  if constexpr (requires { options.top_k; })
    if (options.top_k && *options.top_k < 1)
      throw ValueError(options.name, "expects top_k of at least 1", "got " + std::to_string(*options.top_k));
}

template <class Options>
void check_constraint(const Options& options, const char* argument, double limit) {
  if (!(limit >= 0 && limit <= 1))
    throw ValueError(options.name, std::string("expects ") + argument + " from 0 to 1",
                     "got " + to_text(limit));
  if (options.num_thresholds < 1)
    throw ValueError(options.name, "expects num_thresholds of at least 1",
                     "got " + std::to_string(options.num_thresholds));
}

template <double (*kOf)(const Counts&), class Options>
MetricPointer counting(std::string_view class_name, const Options& options) {
  check_decisions(options);
  return metric_of<CountState<Options, kOf>>(class_name, options);
}

}  // namespace

MetricPointer make_metric(const metrics::TruePositives& o) {
  return counting<true_positives>("TruePositives", o);
}
MetricPointer make_metric(const metrics::TrueNegatives& o) {
  return counting<true_negatives>("TrueNegatives", o);
}
MetricPointer make_metric(const metrics::FalsePositives& o) {
  return counting<false_positives>("FalsePositives", o);
}
MetricPointer make_metric(const metrics::FalseNegatives& o) {
  return counting<false_negatives>("FalseNegatives", o);
}
MetricPointer make_metric(const metrics::Precision& o) { return counting<precision>("Precision", o); }
MetricPointer make_metric(const metrics::Recall& o) { return counting<recall>("Recall", o); }

MetricPointer make_metric(const metrics::SensitivityAtSpecificity& o) {
  check_constraint(o, "specificity", o.specificity);
  return metric_of<ConstrainedState<metrics::SensitivityAtSpecificity, specificity, recall>>(
      "SensitivityAtSpecificity", o);
}
MetricPointer make_metric(const metrics::SpecificityAtSensitivity& o) {
  check_constraint(o, "sensitivity", o.sensitivity);
  return metric_of<ConstrainedState<metrics::SpecificityAtSensitivity, recall, specificity>>(
      "SpecificityAtSensitivity", o);
}
MetricPointer make_metric(const metrics::PrecisionAtRecall& o) {
  check_constraint(o, "recall", o.recall);
  return metric_of<ConstrainedState<metrics::PrecisionAtRecall, recall, precision>>("PrecisionAtRecall", o);
}
MetricPointer make_metric(const metrics::RecallAtPrecision& o) {
  check_constraint(o, "precision", o.precision);
  return metric_of<ConstrainedState<metrics::RecallAtPrecision, precision, recall>>("RecallAtPrecision", o);
}
MetricPointer make_metric(const metrics::AUC& o) {
  check_one_of(o.name, "curve", o.curve, {"ROC", "PR", "PRGAIN"});
  check_one_of(o.name, "summation_method", o.summation_method, {"interpolation", "minoring", "majoring"});
  if (o.thresholds) check_thresholds(o.name, *o.thresholds);
  if (o.num_thresholds < 2)
    throw ValueError(o.name, "expects num_thresholds of at least 2",
                     "got " + std::to_string(o.num_thresholds));
  if (o.num_labels && !o.multi_label)
    throw ValueError(o.name, "expects num_labels only with multi_label", "multi_label is false");
  return metric_of<AucState>("AUC", o);
}

}  // namespace keratin::inline v0::detail
