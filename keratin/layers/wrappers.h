// Layers around layers: TimeDistributed, Bidirectional.
#pragma once

#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct TimeDistributedOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// A layer on each step. x: (batch, steps, ...)   y: (batch, steps, what the layer gives)
/// Keras: keras.layers.TimeDistributed.
class KERATIN_API TimeDistributed : public Layer {
 public:
  explicit TimeDistributed(const Layer& layer, const TimeDistributedOptions& options = {});
  static TimeDistributed from_config(const Config& config, Generation generation = Generation::keras3);
};

struct BidirectionalOptions {
  /// "concat", "sum", "mul", "ave"; nothing gives both results.
  std::optional<std::string> merge_mode = "concat";
  /// The layer for the other direction; by default one like the first, with weights of its own.
  std::optional<Layer> backward_layer = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// A recurrent layer in both directions. x: (batch, steps, features), and the states of both layers as
/// further inputs; y: what the layer gives, merged, then with return_state the states of both. Weights: those
/// forward, then those backward. TypeError for a layer that is not recurrent; ValueError for an unknown
/// merge_mode and for two layers of one direction. Keras: keras.layers.Bidirectional.
class KERATIN_API Bidirectional : public Layer {
 public:
  explicit Bidirectional(const Layer& layer, const BidirectionalOptions& options = {});
  static Bidirectional from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
