#include "keratin/models/tensor_list.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return list;
}

}  // namespace

TensorList::TensorList(std::vector<Named> tensors) {
  for (Named& named : tensors) {
    names_.push_back(std::move(named.first));
    tensors_.push_back(std::move(named.second));
  }
}

bool TensorList::is_defined() const noexcept {
  return std::ranges::any_of(tensors_, [](const Tensor& tensor) { return tensor.is_defined(); });
}

Tensors TensorList::in_order(const std::vector<std::string>& expected, std::string_view operation,
                             std::string_view what) const {
  if (names_.empty()) {
    if (tensors_.size() == expected.size()) return tensors_;
    throw ValueError(operation,
                     "expects " + std::string(what) + " as " + std::to_string(expected.size()) +
                         " tensors, for " + listed(expected),
                     "got " + std::to_string(tensors_.size()), "Pass them in that order, or by name.");
  }
  Tensors ordered(expected.size());
  const std::vector<std::size_t> places = detail::places_of(names_, expected, operation, what);
  for (std::size_t i = 0; i < places.size(); ++i) ordered[places[i]] = tensors_[i];
  return ordered;
}

namespace detail {

std::vector<std::size_t> places_of(const std::vector<std::string>& given,
                                   const std::vector<std::string>& expected, std::string_view operation,
                                   std::string_view what) {
  std::vector<std::size_t> places;
  for (const std::string& name : given) {
    const auto found = std::find(expected.begin(), expected.end(), name);
    if (found == expected.end())
      throw ValueError(operation, "expects " + std::string(what) + " for " + listed(expected),
                       "got \"" + name + "\"",
                       did_you_mean(name, std::vector<std::string_view>(expected.begin(), expected.end())));
    const auto place = static_cast<std::size_t>(found - expected.begin());
    if (std::find(places.begin(), places.end(), place) != places.end())
      throw ValueError(operation, "expects " + std::string(what) + " once for each name",
                       "got \"" + name + "\" twice");
    places.push_back(place);
  }
  return places;
}

}  // namespace detail
}  // namespace keratin::inline v0
