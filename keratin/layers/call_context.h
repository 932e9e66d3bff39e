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
  /// From rows back to a score for each index: ReversibleEmbedding's, which other layers refuse.
  bool reverse = false;
  /// Where the call puts the mask of each output; null to leave them out.
  Tensors* output_masks = nullptr;
};

/// What models and their configs keep of a context: flags by the names that Keras gives them.
struct CallKeyword {
  const char* name;
  bool CallContext::*value;
};
inline constexpr CallKeyword kCallKeywords[] = {{"use_causal_mask", &CallContext::use_causal_mask},
                                                {"reverse", &CallContext::reverse}};

/// A context of the keywords alone.
inline CallContext keywords_of(const CallContext& context) {
  CallContext keywords;
  for (const CallKeyword& keyword : kCallKeywords) keywords.*keyword.value = context.*keyword.value;
  return keywords;
}

}  // namespace keratin::inline v0
