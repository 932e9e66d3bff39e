// Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0 {

struct AttentionOptions {
  /// Scores times a weight, which starts at 1.
  bool use_scale = false;
  /// "dot": q·k, or "concat": a weight times Σ tanh(q + k).
  std::string score_mode = "dot";
  double dropout = 0;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct AdditiveAttentionOptions {
  /// A weight for each feature.
  bool use_scale = true;
  double dropout = 0;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

// On a list. query: (batch, queries, features)   value: (batch, keys, size)   key: (batch, keys, features),
// the value where it is missing   y: (batch, queries, size), the values weighted by softmax of the scores.
// Masks: of the queries, whose rows become 0, and of the keys; CallContext::use_causal_mask hides later keys,
// return_attention_scores gives the weights of the values, (batch, queries, keys), as a second output.

/// Luong et al. 2015. Keras: keras.layers.Attention.
class KERATIN_API Attention : public Layer {
 public:
  explicit Attention(const AttentionOptions& options = {});
  static Attention from_config(const Config& config, Generation generation = Generation::keras3);
};

/// Scores Σ scale·tanh(q + k). Bahdanau et al. 2015. Keras: keras.layers.AdditiveAttention.
class KERATIN_API AdditiveAttention : public Layer {
 public:
  explicit AdditiveAttention(const AdditiveAttentionOptions& options = {});
  static AdditiveAttention from_config(const Config& config, Generation generation = Generation::keras3);
};

struct MultiHeadAttentionOptions {
  /// key_dim by default.
  std::optional<std::int64_t> value_dim = {};
  double dropout = 0;
  bool use_bias = true;
  /// The sizes of the result's axes behind the steps; the query's last by default.
  std::optional<Sizes> output_shape = {};
  /// The axes of the steps that see each other; all between batch and features by default.
  std::optional<AxisList> attention_axes = {};
  /// Keys this far from a query's place, or farther, are hidden.
  std::optional<std::int64_t> sliding_window = {};
  /// Keras's way without scores in memory, with the same results: ValueError for what it cannot have, dropout
  /// and a call that asks for scores.
  std::optional<bool> flash_attention = {};
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  /// The heads' results are multiplied by a gate, sigmoid of another projection of the query.
  bool use_gate = false;
  /// Keras 2 only: Softmax's robust_masking.
  bool softmax_robust_masking = false;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// layer({query, value}) or layer({query, value, key}): num_heads attentions beside each other, projected
/// back. query: (batch, queries…, in)   value, key: (batch, keys…, …)   y: (batch, queries…, in or
/// output_shape). Weights: query, key, with use_gate the gate's, value kernels (in, heads, dim) with biases
/// (heads, dim), then the output's (heads, value_dim, out…) and (out…). CallContext: attention_mask (batch,
/// queries…, keys…), use_causal_mask, the masks of query, value and key; return_attention_scores gives
/// (batch, heads, queries…, keys…) too. ShapeError for inputs that do not suit, ValueError for arguments
/// that do not. Vaswani et al. 2017. Keras: keras.layers.MultiHeadAttention.
class KERATIN_API MultiHeadAttention : public Layer {
 public:
  MultiHeadAttention(std::int64_t num_heads, std::int64_t key_dim,
                     const MultiHeadAttentionOptions& options = {});
  static MultiHeadAttention from_config(const Config& config, Generation generation = Generation::keras3);

 private:
  explicit MultiHeadAttention(std::shared_ptr<LayerBody> body);
};

struct GroupQueryAttentionOptions {
  double dropout = 0;
  bool use_bias = true;
  /// As MultiHeadAttention's.
  std::optional<std::int64_t> sliding_window = {};
  std::optional<bool> flash_attention = {};
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// The same where groups of query heads share one head of keys and values. ValueError unless
/// num_key_value_heads divides num_query_heads. Ainslie et al. 2023. Keras: keras.layers.GroupQueryAttention.
class KERATIN_API GroupQueryAttention : public Layer {
 public:
  GroupQueryAttention(std::int64_t head_dim, std::int64_t num_query_heads, std::int64_t num_key_value_heads,
                      const GroupQueryAttentionOptions& options = {});
  static GroupQueryAttention from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
