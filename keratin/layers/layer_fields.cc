#include "keratin/layers/layer_fields.h"

namespace keratin::inline v0::detail {

Config FieldWriter::plain(const std::vector<Pair>& value) {
  Config list = Config::array();
  for (const auto& [before, after] : value) list.push_back(Config::array({before, after}));
  return list;
}

// [[1, 2], [3, 4]], or [1, 2] for one axis.
void FieldReader::read(const char* key, std::vector<Pair>& value) {
  const Config& given = *reader_.find(key);
  const auto refuse = [&] { reader_.refuse(key, "pairs of integers", given); };
  const auto pair_in = [&](const Config& pair) -> Pair {
    if (!pair.is_array() || pair.size() != 2) refuse();
    const auto first = integer_in(pair[0]), second = integer_in(pair[1]);
    if (!first || !second) refuse();
    return {*first, *second};
  };
  if (!given.is_array() || given.empty()) refuse();
  value.clear();
  if (!given[0].is_array()) {
    value.push_back(pair_in(given));
    return;
  }
  for (const Config& pair : given) value.push_back(pair_in(pair));
}

void FieldReader::read(const char* key, std::vector<double>& value) {
  const Config& given = *reader_.find(key);
  value.clear();
  if (const auto single = number_in(given)) {
    value.push_back(*single);
    return;
  }
  if (!given.is_array()) reader_.refuse(key, "a number or a list of numbers", given);
  for (const Config& number : given) {
    const auto element = number_in(number);
    if (!element) reader_.refuse(key, "a number or a list of numbers", given);
    value.push_back(*element);
  }
}

}  // namespace keratin::inline v0::detail
