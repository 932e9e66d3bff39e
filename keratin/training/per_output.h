// What compile takes for models of several outputs: one for all, one for each in order, or by name.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/models/tensor_list.h"
#include "keratin/training/metrics.h"

namespace keratin::inline v0 {

/// `"mse"` for all outputs, `{"mse", "mae"}` in their order, `{{"price", "mse"}, {"class", "ce"}}` by their
/// names; a T that is left out is T().
template <class T>
class PerOutput {
 public:
  using Named = std::pair<std::string, T>;

  /// T() for all.
  PerOutput() = default;
  template <std::convertible_to<T> One>
  PerOutput(One one) : values_{T(std::move(one))}, is_one_(true) {}
  PerOutput(std::vector<T> values) : values_(std::move(values)) {}
  PerOutput(std::initializer_list<T> values) : values_(values) {}
  PerOutput(std::vector<Named> values) {
    for (Named& named : values) {
      names_.push_back(std::move(named.first));
      values_.push_back(std::move(named.second));
    }
  }
  PerOutput(std::initializer_list<Named> values) : PerOutput(std::vector<Named>(values)) {}

  bool is_empty() const noexcept { return values_.empty(); }
  const std::vector<T>& values() const noexcept { return values_; }
  /// Empty where they are in order.
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool is_one_for_all() const noexcept { return is_one_; }

 private:
  std::vector<T> values_;
  std::vector<std::string> names_;
  bool is_one_ = false;
};

/// The metrics of all outputs: `{"accuracy", "mae"}` all for the only output, or one for each of several in
/// order; `{{"price", {"mae"}}, {"class", {"accuracy", "auc"}}}` by their names; a vector of vectors in
/// order.
class KERATIN_API MetricSets {
 public:
  using Named = std::pair<std::string, std::vector<Metric>>;

  MetricSets() = default;
  MetricSets(std::vector<Metric> metrics) : flat_(std::move(metrics)) {}
  MetricSets(std::initializer_list<Metric> metrics) : flat_(metrics) {}
  MetricSets(std::vector<std::vector<Metric>> sets) : sets_(std::move(sets)) {}
  MetricSets(std::vector<Named> sets);
  MetricSets(std::initializer_list<Named> sets) : MetricSets(std::vector<Named>(sets)) {}

  /// As they were given: one list, a list for each output, or those beside names.
  const std::vector<Metric>& flat() const noexcept { return flat_; }
  const std::vector<std::vector<Metric>>& sets() const noexcept { return sets_; }
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// A list for each output. ValueError for another number, or for names that no output has.
  std::vector<std::vector<Metric>> in_order(const std::vector<std::string>& outputs,
                                            std::string_view what) const;

 private:
  std::vector<Metric> flat_;
  std::vector<std::vector<Metric>> sets_;
  std::vector<std::string> names_;
};

}  // namespace keratin::inline v0
