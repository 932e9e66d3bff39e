#include "keratin/layers/attention_equations.h"

#include <algorithm>

namespace keratin::inline v0::detail {
namespace {

// So many letters from the `first` on.
std::string letters(std::int64_t first, std::int64_t count) {
  std::string text;
  for (std::int64_t i = first; i < first + count; ++i) text += static_cast<char>('a' + i);
  return text;
}

}  // namespace

ProjectionEquation::ProjectionEquation(std::int64_t free, std::int64_t bound, std::int64_t output)
    : bias_axes(letters(free + bound, output)) {
  const std::string kept = letters(0, free), summed = letters(free, bound);
  equation = kept + summed + "," + summed + bias_axes + "->" + kept + bias_axes;
}

AttentionEquations::AttentionEquations(std::int64_t rank, const std::vector<std::int64_t>& axes) {
  const std::string query = letters(0, rank);
  std::string key = query, batch = query.substr(0, query.size() - 1), queries, keys;
  for (const std::int64_t axis : axes) {
    const auto at = static_cast<std::size_t>(axis);
    key[at] = static_cast<char>('a' + rank + axis);
    queries += query[at];
    keys += key[at];
    batch.erase(std::find(batch.begin(), batch.end(), query[at]));
  }
  const std::string product = batch + queries + keys;
  scores = query + "," + key + "->" + product;
  result = product + "," + key + "->" + query;
}

}  // namespace keratin::inline v0::detail
