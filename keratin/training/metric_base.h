// What the metrics share: options in, config out, states that are made alike. Internal.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/metrics.h"

namespace keratin::inline v0::detail {

/// A metric's arguments in the order of Keras's get_config: visit("k", options.k).
template <class Options, class Visit>
void visit_metric_arguments(Options& options, Visit&& visit) {
  visit("name", options.name);
#define KERATIN_ARGUMENT(field) \
  if constexpr (requires { options.field; }) visit(#field, options.field)
  KERATIN_ARGUMENT(num_classes);
  KERATIN_ARGUMENT(target_class_ids);
  KERATIN_ARGUMENT(ignore_class);
  KERATIN_ARGUMENT(sparse_y_true);
  KERATIN_ARGUMENT(sparse_y_pred);
  KERATIN_ARGUMENT(axis);
  KERATIN_ARGUMENT(k);
  KERATIN_ARGUMENT(from_sorted_ids);
  KERATIN_ARGUMENT(average);
  KERATIN_ARGUMENT(beta);
  KERATIN_ARGUMENT(threshold);
  KERATIN_ARGUMENT(num_thresholds);
  KERATIN_ARGUMENT(specificity);
  KERATIN_ARGUMENT(sensitivity);
  KERATIN_ARGUMENT(recall);
  KERATIN_ARGUMENT(precision);
  KERATIN_ARGUMENT(curve);
  KERATIN_ARGUMENT(summation_method);
  KERATIN_ARGUMENT(thresholds);
  KERATIN_ARGUMENT(top_k);
  KERATIN_ARGUMENT(class_id);
  KERATIN_ARGUMENT(multi_label);
  KERATIN_ARGUMENT(num_labels);
  KERATIN_ARGUMENT(label_weights);
  KERATIN_ARGUMENT(from_logits);
  KERATIN_ARGUMENT(class_aggregation);
  KERATIN_ARGUMENT(num_regressors);
  KERATIN_ARGUMENT(normalizer);
#undef KERATIN_ARGUMENT
}

/// The definition behind options.
template <class Options>
class DescribedMetric : public MetricBody {
 public:
  DescribedMetric(std::string_view class_name, Options options)
      : class_name_(class_name), options_(std::move(options)) {}
  Config serialize() const override {
    Config config = Config::object();
    visit_metric_arguments(options_, [&](const char* key, const auto& field) {
      config[key] = argument_config(field);
      if (std::string_view(key) == "name") config["dtype"] = "float32";
    });
    // Keras reads it and does not write it.
    if constexpr (requires { options_.from_sorted_ids; })
      if (!options_.from_sorted_ids) config.erase("from_sorted_ids");
    if constexpr (requires { options_.curve; })
      if (!options_.thresholds) config.erase("thresholds");
    return object_config("keras.metrics", class_name_, std::move(config));
  }

 protected:
  std::string_view class_name_;
  Options options_;
};

/// One whose State is made from the options.
template <class Options, class State>
class MetricOf final : public DescribedMetric<Options> {
 public:
  using DescribedMetric<Options>::DescribedMetric;
  std::unique_ptr<MetricState> start() const override { return std::make_unique<State>(this->options_); }
  bool is_scalar() const override {
    if constexpr (requires { State::is_scalar(this->options_); })
      return State::is_scalar(this->options_);
    else
      return true;
  }
};

template <class State, class Options>
MetricPointer metric_of(std::string_view class_name, const Options& options) {
  return std::make_shared<MetricOf<Options, State>>(class_name, options);
}

/// Weights beside values of a shape: as they are where the ranks agree, one a row, or one a sample where they
/// have fewer axes; a last axis of size 1 may be missing or too much. float64, contiguous; ShapeError.
Tensor metric_weights(const Tensor& weights, const Shape& values);
/// float64, contiguous.
Tensor as_doubles(const Tensor& a);

}  // namespace keratin::inline v0::detail
