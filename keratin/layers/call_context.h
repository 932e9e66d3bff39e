// How a layer is called: beside its inputs.
#pragma once

#include <vector>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

/// How a layer is called.
struct CallContext {
  bool training = false;
  /// True where an element of the input counts; undefined for all.
  Tensor mask = {};
  /// Where the call puts losses of its own (activity regularizers), scalars; null to leave them out.
  Tensors* losses = nullptr;
  /// The masks of several inputs, one each; then `mask` is not looked at.
  Tensors masks = {};
  /// Attention only: which of the keys each query sees, (batch, queries, keys), and whether later keys are
  /// hidden.
  Tensor attention_mask = {};
  bool use_causal_mask = false;
  /// Attention only: the weights of the values come as a second output.
  bool return_attention_scores = false;
  /// From rows back to a score for each index: ReversibleEmbedding only.
  bool reverse = false;
  /// Where the call puts the mask of each output; null to leave them out.
  Tensors* output_masks = nullptr;
};

/// What models and their configs keep of a context: flags by the names that Keras gives them.
struct CallKeyword {
  const char* name;
  bool CallContext::*value;
  /// Who knows it, for those who pass it to others.
  const char* taken_by;
};
inline constexpr CallKeyword kCallKeywords[] = {
    {"use_causal_mask", &CallContext::use_causal_mask, "Attention layers alone hide later keys."},
    {"return_attention_scores", &CallContext::return_attention_scores, "Attention layers alone have scores."},
    {"reverse", &CallContext::reverse, "ReversibleEmbedding alone goes back."}};

inline constexpr const char* kAttentionMaskTakenBy = "MultiHeadAttention and GroupQueryAttention take one.";

/// A context of the keywords alone.
inline CallContext keywords_of(const CallContext& context) {
  CallContext keywords;
  for (const CallKeyword& keyword : kCallKeywords) keywords.*keyword.value = context.*keyword.value;
  return keywords;
}

}  // namespace keratin::inline v0
