#include "keratin/layers/attention_tools.h"

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

}  // namespace

void check_rate(std::string_view class_name, double rate) {
  if (rate >= 0 && rate <= 1) return;
  throw ValueError(class_name, "dropout is between 0 and 1", "received dropout=" + to_text(rate),
                   "It is the share of scores to drop.");
}

void check_attention_inputs(const LayerBody& body, const Shapes& inputs) {
  std::string shapes;
  bool is_fine = true;
  for (const Shape& shape : inputs) {
    shapes += (shapes.empty() ? "" : ", ") + shape.to_string();
    is_fine = is_fine && shape.rank() == 3;
  }
  if (is_fine && inputs.size() == 3) {
    const std::int64_t values = inputs[1][1], keys = inputs[2][1];
    is_fine = values == keys || values == Shape::kUnknown || keys == Shape::kUnknown;
  }
  if (is_fine) return;
  throw ShapeError(to_snake_case(body.class_name()),
                   "a query (batch, queries, features), a value and a key (batch, keys, features)",
                   "received shapes " + shapes, "Layer \"" + body.name + "\". Reshape them.");
}

void check_attention_inputs(const LayerBody& body, const Shapes& inputs,
                            const std::vector<std::int64_t>& steps) {
  const auto rank = static_cast<std::int64_t>(inputs[0].rank());
  std::set<std::int64_t> inner(steps.begin(), steps.end());
  if (inner.empty() || inner.size() != steps.size() || *inner.begin() < 1 || *inner.rbegin() > rank - 2)
    throw ValueError(to_snake_case(body.class_name()),
                     "different attention_axes between 1 and " + std::to_string(rank - 2),
                     "received " + Shape(steps).to_string() + " for inputs of shape " + inputs[0].to_string(),
                     "Layer \"" + body.name + "\". The first axis is the batch's, the last the features'.");
  std::string shapes;
  bool is_fine = true;
  for (const Shape& shape : inputs) {
    shapes += (shapes.empty() ? "" : ", ") + shape.to_string();
    is_fine = is_fine && shape.rank() == inputs[0].rank();
    for (std::int64_t axis = 1; is_fine && axis + 1 < rank; ++axis) {
      const std::int64_t other = (inner.contains(axis) ? inputs[1] : inputs[0])[axis];
      const bool is_free = inner.contains(axis) && &shape == &inputs[0];
      is_fine = is_free || shape[axis] == other || shape[axis] == Shape::kUnknown || other == Shape::kUnknown;
    }
  }
  if (is_fine) return;
  throw ShapeError(to_snake_case(body.class_name()),
                   "query, value and key of one rank, alike but in features and, the query, attention_axes",
                   "received shapes " + shapes, "Layer \"" + body.name + "\". Reshape them.");
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
