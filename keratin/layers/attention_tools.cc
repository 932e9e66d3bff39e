#include "keratin/layers/attention_tools.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/masks.h"

namespace keratin::inline v0::detail {
namespace {

template <class Seen>
Tensor mask_where(std::int64_t queries, std::int64_t keys, const Seen& seen) {
  Tensor mask = Tensor::empty({1, queries, keys}, DType::boolean);
  const auto values = mask.mutable_values<bool>();
  for (std::int64_t q = 0; q < queries; ++q)
    for (std::int64_t k = 0; k < keys; ++k) values[static_cast<std::size_t>(q * keys + k)] = seen(q, k);
  return mask;
}

// Sizes that may be the same.
bool fit(std::int64_t a, std::int64_t b) { return a == b || a == Shape::kUnknown || b == Shape::kUnknown; }

[[noreturn]] void refuse_shapes(const LayerBody& body, std::string_view expects, const Shapes& inputs) {
  std::string shapes;
  for (const Shape& shape : inputs) shapes += (shapes.empty() ? "" : ", ") + shape.to_string();
  throw ShapeError(to_snake_case(body.class_name()), expects, "received shapes " + shapes,
                   "Layer \"" + body.name + "\". Reshape them.");
}

}  // namespace

void check_rate(std::string_view class_name, double rate) {
  if (rate >= 0 && rate <= 1) return;
  throw ValueError(class_name, "dropout is between 0 and 1", "received dropout=" + to_text(rate),
                   "It is the share of scores to drop.");
}

void check_attention_inputs(const LayerBody& body, const Shapes& inputs) {
  bool is_fine = true;
  for (const Shape& shape : inputs) is_fine = is_fine && shape.rank() == 3;
  is_fine = is_fine && fit(inputs[1][1], inputs.back()[1]);
  if (!is_fine)
    refuse_shapes(body, "a query (batch, queries, features), a value and a key (batch, keys, features)",
                  inputs);
}

void check_attention_inputs(const LayerBody& body, const Shapes& inputs,
                            const std::vector<std::int64_t>& steps) {
  bool is_fine = true;
  for (const Shape& shape : inputs) is_fine = is_fine && shape.rank() == inputs[0].rank();
  for (std::int64_t axis = 1; is_fine && axis + 1 < static_cast<std::int64_t>(inputs[0].rank()); ++axis) {
    const bool is_step = std::find(steps.begin(), steps.end(), axis) != steps.end();
    is_fine = (is_step || fit(inputs[0][axis], inputs[1][axis])) && fit(inputs[1][axis], inputs.back()[axis]);
  }
  if (!is_fine)
    refuse_shapes(body,
                  "query, value and key of one rank, alike but in features and, the query, attention_axes",
                  inputs);
}

void check_attention_axes(const LayerBody& body, const Shape& query, const std::vector<std::int64_t>& steps) {
  const std::set<std::int64_t> axes(steps.begin(), steps.end());
  const auto last = static_cast<std::int64_t>(query.rank()) - 2;
  if (!axes.empty() && axes.size() == steps.size() && *axes.begin() >= 1 && *axes.rbegin() <= last) return;
  throw ValueError(to_snake_case(body.class_name()),
                   "different attention_axes between 1 and " + std::to_string(last),
                   "received " + Shape(steps).to_string() + " for a query of shape " + query.to_string(),
                   "Layer \"" + body.name + "\". The first axis is the batch's, the last the features'.");
}

Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
  return mask_where(queries, keys, [](std::int64_t query, std::int64_t key) { return key <= query; });
}

Tensor window_mask(std::int64_t queries, std::int64_t keys, std::int64_t window) {
  return mask_where(queries, keys, [window](std::int64_t query, std::int64_t key) {
    return std::abs(query - key) < window;
  });
}

Tensor joined_masks(const Tensor& a, const Tensor& b) {
  if (!a.is_defined() || !b.is_defined()) return a.is_defined() ? a : b;
  return mask_and(a, b);
}

Tensor dropped(const Tensor& scores, double rate, const DropSeed& seed, const CallContext& context) {
  if (!context.training || rate == 0) return scores;
  return drop(scores, scores.shape(), rate, seed.next(), {.scale = rate < 1 ? 1 / (1 - rate) : 0});
}

}  // namespace keratin::inline v0::detail
