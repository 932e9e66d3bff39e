#include "keratin/training/per_output.h"

#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0 {

MetricSets::MetricSets(std::vector<Named> sets) {
  for (Named& named : sets) {
    names_.push_back(std::move(named.first));
    sets_.push_back(std::move(named.second));
  }
}

std::vector<std::vector<Metric>> MetricSets::in_order(const std::vector<std::string>& outputs,
                                                      std::string_view what) const {
  std::vector<std::vector<Metric>> ordered(outputs.size());
  if (!names_.empty()) {
    const auto places = detail::places_of(names_, outputs, "compile", what);
    for (std::size_t i = 0; i < places.size(); ++i) ordered[places[i]] = sets_[i];
  } else if (!sets_.empty() || outputs.size() > 1) {
    const std::size_t count = sets_.empty() ? flat_.size() : sets_.size();
    if (count == 0) return ordered;
    if (count != outputs.size())
      throw ValueError(
          "compile",
          "expects " + std::string(what) + " for each of " + std::to_string(outputs.size()) + " outputs",
          "got " + std::to_string(count), "Give one list of them for each output, or name the outputs.");
    for (std::size_t i = 0; i < count; ++i)
      ordered[i] = sets_.empty() ? std::vector<Metric>{flat_[i]} : sets_[i];
  } else {
    ordered.front() = flat_;
  }
  return ordered;
}

}  // namespace keratin::inline v0
