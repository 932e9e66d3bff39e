// ReversibleEmbedding: rows for numbers, and back from rows to a score for each number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct ReversibleEmbeddingOptions {
  /// Whether the way back takes the table itself; else it has a matrix of its own.
  bool tie_weights = true;
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Constraint embeddings_constraint = {};
  /// Index 0 is padding: it does not count, and masks go on to the layers behind.
  bool mask_zero = false;
  /// What the way back computes in and gives; left out, what its input and the layer's dtype have in common.
  std::optional<DType> reverse_dtype = {};
  /// Scores s become cap·tanh(s / cap).
  std::optional<double> logit_soft_cap = {};
  Regularizer activity_regularizer = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// An Embedding that goes back, too: called with CallContext::reverse, h·tableᵀ, or h·M without tie_weights.
/// table: (input_dim, output_dim)   M: (output_dim, input_dim)
/// x: (...) integers   y: (..., output_dim); reversed h: (..., output_dim)   y: (..., input_dim), no mask
/// In mixed precision scores are of the half type; with reverse_dtype float32 the table is read unrounded.
/// ValueError as Embedding, and for a cap that is not above 0. Cost reversed: 2·rows·input_dim·output_dim
/// flops; the table is not transposed in memory. Keras: keras.layers.ReversibleEmbedding.
class KERATIN_API ReversibleEmbedding : public Layer {
 public:
  ReversibleEmbedding(std::int64_t input_dim, std::int64_t output_dim,
                      const ReversibleEmbeddingOptions& options = {});
  static ReversibleEmbedding from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
