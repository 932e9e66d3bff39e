// Layers that merge several tensors into one: Add, Subtract, Multiply, Average, Maximum, Minimum,
// Concatenate, Dot.
#pragma once

#include <cstdint>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct MergeOptions {
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct ConcatenateOptions {
  std::int64_t axis = -1;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct DotOptions {
  /// Both samples scaled to length 1 along the axis before: the cosine.
  bool normalize = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

// Element-wise: x_i: (batch, ...), shapes that broadcast; a tensor of lower rank gets axes of size 1 behind
// the batch. ShapeError names both shapes. In files of Keras 3 a result counts where any input does, in Keras
// 2 where all do.

/// Σ x_i. Keras: keras.layers.Add.
class KERATIN_API Add : public Layer {
 public:
  explicit Add(const MergeOptions& options = {});
  static Add from_config(const Config& config, Generation generation = Generation::keras3);
};

/// x_0 − x_1, of two tensors. Keras: keras.layers.Subtract.
class KERATIN_API Subtract : public Layer {
 public:
  explicit Subtract(const MergeOptions& options = {});
  static Subtract from_config(const Config& config, Generation generation = Generation::keras3);
};

/// Π x_i. Keras: keras.layers.Multiply.
class KERATIN_API Multiply : public Layer {
 public:
  explicit Multiply(const MergeOptions& options = {});
  static Multiply from_config(const Config& config, Generation generation = Generation::keras3);
};

/// Σ x_i / n. Keras: keras.layers.Average.
class KERATIN_API Average : public Layer {
 public:
  explicit Average(const MergeOptions& options = {});
  static Average from_config(const Config& config, Generation generation = Generation::keras3);
};

/// The largest; where equal, each gets half of the gradient. Keras: keras.layers.Maximum.
class KERATIN_API Maximum : public Layer {
 public:
  explicit Maximum(const MergeOptions& options = {});
  static Maximum from_config(const Config& config, Generation generation = Generation::keras3);
};

/// The smallest. Keras: keras.layers.Minimum.
class KERATIN_API Minimum : public Layer {
 public:
  explicit Minimum(const MergeOptions& options = {});
  static Minimum from_config(const Config& config, Generation generation = Generation::keras3);
};

/// One behind the other along an axis; the other sizes are equal, or ShapeError. Keras:
/// keras.layers.Concatenate.
class KERATIN_API Concatenate : public Layer {
 public:
  explicit Concatenate(const ConcatenateOptions& options = {});
  static Concatenate from_config(const Config& config, Generation generation = Generation::keras3);
};

/// Σ over one axis of each of two tensors, sample by sample.
/// x: (batch, ..., n, ...)   y: (batch, ..., n, ...)   result: (batch, rest of x, rest of y), (batch, 1) at
/// least. ValueError for other than one or two axes or the batch axis; ShapeError if the sizes differ. Keras:
/// keras.layers.Dot.
class KERATIN_API Dot : public Layer {
 public:
  explicit Dot(const AxisList& axes, const DotOptions& options = {});
  static Dot from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
