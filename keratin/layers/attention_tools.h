// What the attentions share. Internal.
#pragma once

#include <string_view>
#include <vector>

#include "keratin/layers/drop.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0::detail {

/// ValueError, naming the class, for a dropout rate outside [0, 1].
void check_rate(std::string_view class_name, double rate);
/// ShapeError unless all inputs have three axes, and value and key the same steps.
void check_attention_inputs(const LayerBody& body, const Shapes& inputs);
/// The same for any number of axes, of which those of the steps may differ between query and value.
void check_attention_inputs(const LayerBody& body, const Shapes& inputs,
                            const std::vector<std::int64_t>& steps);
/// ValueError for axes of steps that are not between batch and features, or not different.
void check_attention_axes(const LayerBody& body, const Shape& query, const std::vector<std::int64_t>& steps);
/// (1, queries, keys): a key is seen by the queries from its own place on.
Tensor causal_mask(std::int64_t queries, std::int64_t keys);
/// (1, queries, keys): a key is seen by the queries less than `window` places from its own.
Tensor window_mask(std::int64_t queries, std::int64_t keys, std::int64_t window);
/// Both, broadcast; either may be undefined.
Tensor joined_masks(const Tensor& a, const Tensor& b);
/// Scores with dropout, in training.
Tensor dropped(const Tensor& scores, double rate, const DropSeed& seed, const CallContext& context);

}  // namespace keratin::inline v0::detail
