#include "keratin/training/metrics.h"

#include <algorithm>
#include <array>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/ops/ops.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/loss_reduction.h"
#include "keratin/training/loss_rows.h"
#include "keratin/training/metric_base.h"

namespace keratin::inline v0 {
namespace detail {

MetricState::~MetricState() = default;
MetricBody::~MetricBody() = default;
Tensor MetricBody::values(const Tensor&, const Tensor&) const {
  throw StateError("metrics", "expects a metric that is a mean of one value a sample", "this one is not",
                   "Collect with update_state, then ask for result().");
}

Tensor as_doubles(const Tensor& a) { return a.detach().astype(DType::float64).contiguous(); }

Tensor metric_weights(const Tensor& weights, const Shape& values) {
  Shape shape = weights.shape();
  if (shape.rank() == values.rank() + 1 && shape.back() == 1) shape = shape.without(shape.rank() - 1);
  while (shape.rank() > 0 && shape.rank() < values.rank()) shape = shape.with_inserted(shape.rank(), 1);
  bool fits = shape.rank() == 0 || shape.rank() == values.rank();
  for (std::size_t axis = 0; fits && axis < shape.rank(); ++axis)
    fits = shape[axis] == values[axis] || shape[axis] == 1;
  if (!fits)
    throw ShapeError("metrics", "expects one weight for each value or sample of shape " + values.to_string(),
                     "got shape " + weights.shape().to_string());
  return as_doubles(weights).reshape(shape).broadcast_to(values).contiguous();
}

namespace {

// Keras's choice for "accuracy": the shapes decide, whatever the loss.
const Metric& accuracy_for(const Tensor& y_true, const Tensor& y_pred) {
  static const Metric binary(metrics::BinaryAccuracy{}), categorical(metrics::CategoricalAccuracy{}),
      sparse(metrics::SparseCategoricalAccuracy{});
  if (y_pred.rank() > 0 && y_pred.shape().back() == 1) return binary;
  const bool is_sparse = y_true.rank() < y_pred.rank() || (y_true.rank() > 0 && y_true.shape().back() == 1);
  return is_sparse ? sparse : categorical;
}

template <class Options>
Metric from_config(const Config& config) {
  constexpr const char* kOperation = "metrics.deserialize";
  Options options{};
  std::vector<std::string_view> keys{"dtype"};
  visit_metric_arguments(options, [&](const char* key, auto& field) {
    keys.emplace_back(key);
    if (config.contains(key)) read_argument(kOperation, config.at(key), key, field);
  });
  check_argument_names(kOperation, config, options.name, keys);
  return options;
}

struct Definition {
  std::string_view class_name, name;
  Metric (*make)(const Config& config);
};
// The classes; Keras also knows each by its name in snake case.
constexpr Definition kMetrics[] = {
    {"Accuracy", "", from_config<metrics::Accuracy>},
    {"BinaryAccuracy", "binary_accuracy", from_config<metrics::BinaryAccuracy>},
    {"CategoricalAccuracy", "categorical_accuracy", from_config<metrics::CategoricalAccuracy>},
    {"SparseCategoricalAccuracy", "sparse_categorical_accuracy",
     from_config<metrics::SparseCategoricalAccuracy>},
    {"TopKCategoricalAccuracy", "top_k_categorical_accuracy", from_config<metrics::TopKCategoricalAccuracy>},
    {"SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy",
     from_config<metrics::SparseTopKCategoricalAccuracy>},
    {"CosineSimilarity", "cosine_similarity", from_config<metrics::CosineSimilarity>},
    {"PearsonCorrelation", "pearson_correlation", from_config<metrics::PearsonCorrelation>},
    {"ConcordanceCorrelation", "concordance_correlation", from_config<metrics::ConcordanceCorrelation>},
    {"RootMeanSquaredError", "root_mean_squared_error", from_config<metrics::RootMeanSquaredError>},
    {"MeanRelativeError", "", from_config<metrics::MeanRelativeError>},
    {"TruePositives", "true_positives", from_config<metrics::TruePositives>},
    {"TrueNegatives", "true_negatives", from_config<metrics::TrueNegatives>},
    {"FalsePositives", "false_positives", from_config<metrics::FalsePositives>},
    {"FalseNegatives", "false_negatives", from_config<metrics::FalseNegatives>},
    {"Precision", "precision", from_config<metrics::Precision>},
    {"Recall", "recall", from_config<metrics::Recall>},
    {"SensitivityAtSpecificity", "", from_config<metrics::SensitivityAtSpecificity>},
    {"SpecificityAtSensitivity", "", from_config<metrics::SpecificityAtSensitivity>},
    {"PrecisionAtRecall", "", from_config<metrics::PrecisionAtRecall>},
    {"RecallAtPrecision", "", from_config<metrics::RecallAtPrecision>},
    {"AUC", "auc", from_config<metrics::AUC>},
    {"IoU", "", from_config<metrics::IoU>},
    {"MeanIoU", "", from_config<metrics::MeanIoU>},
    {"BinaryIoU", "binary_io_u", from_config<metrics::BinaryIoU>},
    {"OneHotIoU", "", from_config<metrics::OneHotIoU>},
    {"OneHotMeanIoU", "", from_config<metrics::OneHotMeanIoU>},
    {"FBetaScore", "f_beta_score", from_config<metrics::FBetaScore>},
    {"F1Score", "f1_score", from_config<metrics::F1Score>},
    {"R2Score", "r2_score", from_config<metrics::R2Score>},
};

// What a loss is called where it is a metric.
std::string_view loss_class_of(std::string_view name) {
  return name == "LogCoshError" || name == "log_cosh_error" ? "LogCosh" : name;
}

}  // namespace
}  // namespace detail

Metric::Metric(detail::MetricPointer body, std::string name, std::string identifier)
    : body_(std::move(body)),
      state_(std::make_shared<std::unique_ptr<detail::MetricState>>()),
      name_(std::move(name)),
      identifier_(std::move(identifier)) {}
Metric::Metric(std::string_view name) : Metric(metrics::get(name)) {}

void Metric::update_state(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight) {
  if (*state_ == nullptr) *state_ = body_->start();
  (*state_)->update(y_true, y_pred, sample_weight);
}
Tensor Metric::results() const { return *state_ == nullptr ? body_->start()->result() : (*state_)->result(); }
void Metric::reset_state() { state_->reset(); }

Config Metric::serialize() const {
  Config config = body_->serialize();
  if (config.is_object()) config["config"]["name"] = name_;
  return config;
}

namespace metrics {

Metric get(std::string_view name) {
  const std::string text(name);
  if (name == "accuracy" || name == "acc") {
    const auto by_shapes = [](const Tensor& y, const Tensor& p) {
      return detail::accuracy_for(y, p).values(y, p);
    };
    return Metric(detail::make_metric(detail::MetricCallable(by_shapes)), text, text);
  }
  for (const detail::Definition& definition : detail::kMetrics)
    if (name == definition.class_name || (!name.empty() && name == definition.name))
      return Metric(definition.make(Config::object()).shared_body(), text, text);
  try {
    // By its class, since a loss that is got by name is saved as that name.
    Config loss = Config::object();
    loss["class_name"] = detail::loss_class_of(name);
    return Metric(detail::make_metric(losses::deserialize(loss)), text, text);
  } catch (const ValueError& unknown) {
    std::vector<std::string_view> known{"accuracy"};
    for (const detail::Definition& definition : detail::kMetrics) {
      known.push_back(definition.class_name);
      if (!definition.name.empty()) known.push_back(definition.name);
    }
    const std::string near = did_you_mean(name, known);
    throw ValueError("metrics", "expects the name of a metric or a loss", "unknown name \"" + text + "\"",
                     near.empty() ? unknown.advice() : near);
  }
}

namespace {

// The mean of a function that Keras names, as H5 files of Keras 2 have it for metrics that were given by
// name.
Metric mean_of_function(const Config& arguments) {
  detail::check_argument_names("metrics.deserialize", arguments, "MeanMetricWrapper",
                               {"name", "dtype", "fn"});
  const Config function = arguments.value("fn", Config());
  if (!function.is_string())
    throw ValueError("metrics.deserialize", "expects the name of a function as \"fn\" of a MeanMetricWrapper",
                     "got " + function.dump(), "Give the metric again in compile.");
  std::string name = function.get<std::string>();
  const Metric metric = get(name);
  if (arguments.contains("name"))
    detail::read_argument("metrics.deserialize", arguments.at("name"), "name", name);
  return Metric(metric.shared_body(), name);
}

}  // namespace

Metric deserialize(const Config& config) {
  if (config.is_string()) return get(config.get<std::string>());
  const auto [name, arguments] = detail::named_arguments("metrics.deserialize", config);
  for (const detail::Definition& definition : detail::kMetrics)
    if (name == definition.class_name) return definition.make(arguments);
  if (name == "MeanMetricWrapper") return mean_of_function(arguments);
  Config loss = config;
  loss["class_name"] = detail::loss_class_of(name);
  return losses::deserialize(loss);
}

}  // namespace metrics

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

void RunningMeanTensor::add(const Tensor& values, const Tensor& weights) {
  if (total_.is_defined() && values.shape() != total_.shape())
    throw ShapeError("MeanTensor", "expects values of the shape before, " + total_.shape().to_string(),
                     "got " + values.shape().to_string(), "Call reset() before values of another shape.");
  const Tensor v = detail::as_doubles(values);
  const Tensor w = weights.is_defined() ? detail::metric_weights(weights, v.shape())
                                        : Tensor::full(v.shape(), 1, DType::float64);
  const Tensor product = ops::multiply(v, w);
  total_ = total_.is_defined() ? ops::add(total_, product) : product;
  weight_ = weight_.is_defined() ? ops::add(weight_, w) : w;
}

Tensor RunningMeanTensor::value() const {
  if (!total_.is_defined())
    throw StateError("MeanTensor", "expects values to be added first", "there are none", "Call add.");
  Tensor mean = total_.clone();
  const auto out = mean.mutable_values<double>();
  const auto weights = weight_.values<double>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = weights[i] == 0 ? 0 : out[i] / weights[i];
  return mean;
}

}  // namespace keratin::inline v0
