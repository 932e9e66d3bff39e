// Embedding and Masking: rows for numbers, and which steps count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/lora.h"

namespace keratin::inline v0 {

struct EmbeddingOptions {
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint embeddings_constraint = {};
  /// Index 0 is padding: it does not count, and masks go on to the layers behind.
  bool mask_zero = false;
  /// Adapts a frozen table from the start: enable_lora. lora_alpha left out: lora_rank.
  std::optional<std::int64_t> lora_rank = {};
  std::optional<double> lora_alpha = {};
  /// Noted for files of Keras 2; nothing depends on it.
  std::optional<std::int64_t> input_length = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Row x of a table.
/// x: (...) integers, or floats that are cut   table: (input_dim, output_dim)   y: (..., output_dim)
/// ValueError for sizes below 1 and an index outside [0, input_dim). Keras: keras.layers.Embedding.
class KERATIN_API Embedding : public Layer {
 public:
  Embedding(std::int64_t input_dim, std::int64_t output_dim, const EmbeddingOptions& options = {});
  static Embedding from_config(const Config& config, Generation generation = Generation::keras3);
  /// See keratin::enable_lora.
  void enable_lora(std::int64_t rank, const EnableLoraOptions& options = {}) const;
};

struct MaskingOptions {
  double mask_value = 0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Steps whose features all equal mask_value do not count: they become 0, and layers behind get the mask.
/// x, y: (batch, steps, features), or any rank from 2 on. Keras: keras.layers.Masking.
class KERATIN_API Masking : public Layer {
 public:
  explicit Masking(const MaskingOptions& options = {});
  static Masking from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
