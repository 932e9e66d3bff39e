// LoRA: fine-tuning a frozen weight through the product of two thin matrices.
#pragma once

#include <cstdint>
#include <optional>

#include "keratin/core/export.h"
#include "keratin/layers/initializers.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct EnableLoraOptions {
  /// Left out: the rank, so that A·B counts once.
  std::optional<double> lora_alpha = {};
  Initializer a_initializer = "he_uniform";
  Initializer b_initializer = "zeros";
};

/// Low-Rank Adaptation (Hu et al. 2021) of a Dense, EinsumDense or Embedding that is built: its kernel or
/// table W is frozen, and it computes with W + lora_alpha/rank · A·B, where A and B are new weights, float32.
/// W: (..., n)   A: (..., rank)   B: (rank, n)
/// A bias stays trained, W's regularizer is that of A and B, too; set_trainable(true) trains W again, as in
/// Keras. ValueError for a rank below 1, a W with a constraint and a layer of another class; StateError for
/// one that is not built or has LoRA. Compile a model again. Not while another thread calls the layer.
/// As an argument lora_alpha counts in all three; Keras 3.15's Dense and Embedding forget it in build.
/// Cost: 2·rank·size(W) flops more in each call. Keras: Layer.enable_lora.
KERATIN_API void enable_lora(const Layer& layer, std::int64_t rank, const EnableLoraOptions& options = {});

}  // namespace keratin::inline v0
