// Permute, RepeatVector: the same elements in another order, or several times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct PermuteOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct RepeatVectorOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Axes in another order; dims counts from 1, behind the batch: Permute({2, 1}).
/// x: (batch, d_1, …, d_n)   y: (batch, d_dims[0], …)
/// ValueError unless dims holds 1 … n once each. Keras: keras.layers.Permute.
class KERATIN_API Permute : public Layer {
 public:
  explicit Permute(const std::vector<std::int64_t>& dims, const PermuteOptions& options = {});
  static Permute from_config(const Config& config, Generation generation = Generation::keras3);
};

/// x: (batch, features)   y: (batch, n, features)
/// ValueError for n below 1. Keras: keras.layers.RepeatVector.
class KERATIN_API RepeatVector : public Layer {
 public:
  explicit RepeatVector(std::int64_t n, const RepeatVectorOptions& options = {});
  static RepeatVector from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
