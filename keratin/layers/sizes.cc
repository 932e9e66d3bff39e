#include "keratin/layers/sizes.h"

#include <algorithm>
#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0 {
namespace {

template <class Values>
std::string listed(const Values& values) {
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "(" + text + ")";
}

}  // namespace

Sizes Sizes::expanded(std::size_t axes, std::string_view class_name, std::string_view argument,
                      std::int64_t least) const {
  std::vector<std::int64_t> all = values_;
  if (all.size() == 1) all.assign(axes, values_.front());
  const bool is_large = std::all_of(all.begin(), all.end(), [&](std::int64_t size) { return size >= least; });
  if (all.size() == axes && is_large) return all;
  throw ValueError(class_name,
                   std::string(argument) + " is one integer or " + std::to_string(axes) +
                       " of them, at least " + std::to_string(least),
                   "received " + std::string(argument) + "=" + listed(values_), "One for each spatial axis.");
}

std::vector<Paddings::Pair> Paddings::expanded(std::size_t axes, std::string_view class_name,
                                               std::string_view argument) const {
  std::vector<Pair> all = pairs_;
  if (sizes_.size() == 1) {
    all.assign(axes, {sizes_.front(), sizes_.front()});
  } else if (axes == 1 && sizes_.size() == 2) {
    all = {{sizes_[0], sizes_[1]}};
  } else if (!sizes_.empty()) {
    for (const std::int64_t size : sizes_) all.emplace_back(size, size);
  }
  bool is_fine = all.size() == axes;
  std::vector<std::int64_t> flat = sizes_;
  for (const auto& [before, after] : all) {
    is_fine = is_fine && before >= 0 && after >= 0;
    if (sizes_.empty()) flat.insert(flat.end(), {before, after});
  }
  if (is_fine) return all;
  throw ValueError(class_name,
                   std::string(argument) + " is one integer of at least 0, or a pair for each of " +
                       std::to_string(axes) + " axes",
                   "received " + std::string(argument) + "=" + listed(flat), "Write {{1, 0}, {2, 1}}.");
}

}  // namespace keratin::inline v0
