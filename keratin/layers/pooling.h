// Pooling: the largest or the mean of windows, of whole axes, or of a given number of parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0 {

/// Which elements of a window are taken.
enum class Pool : std::uint8_t { max, average };

struct PoolingOptions {
  /// pool_size by default.
  std::optional<Sizes> strides = {};
  /// "valid": only whole windows; "same": windows that reach over the edge too, of what lies inside.
  std::string padding = "valid";
  std::optional<std::string> data_format = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Over N spatial axes.
/// x: (batch, N sizes, channels)   y: (batch, N sizes / strides, channels); channels_first: channels behind
/// the batch. The gradient of the largest goes to the first of equals. ValueError for sizes below 1;
/// ShapeError for an input smaller than the window. Keras: keras.layers.MaxPooling2D, AveragePooling2D.
template <Pool P, std::size_t N>
class KERATIN_API Pooling : public Layer {
 public:
  explicit Pooling(const Sizes& pool_size = 2, const PoolingOptions& options = {});
  static Pooling from_config(const Config& config, Generation generation = Generation::keras3);
};

struct GlobalPoolingOptions {
  std::optional<std::string> data_format = {};
  bool keepdims = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Over all of the N spatial axes; a mean over one leaves out what a mask leaves out.
/// x: (batch, N sizes, channels)   y: (batch, channels), or with sizes of 1. Equal largest ones share the
/// gradient. Keras: keras.layers.GlobalMaxPooling2D, GlobalAveragePooling2D.
template <Pool P, std::size_t N>
class KERATIN_API GlobalPooling : public Layer {
 public:
  explicit GlobalPooling(const GlobalPoolingOptions& options = {});
  static GlobalPooling from_config(const Config& config, Generation generation = Generation::keras3);
};

struct AdaptivePoolingOptions {
  std::optional<std::string> data_format = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Element i of `output_size` n is made of the elements ⌊i·size/n⌋ to ⌈(i + 1)·size/n⌉ of an axis. Keras:
/// keras.layers.AdaptiveAveragePooling2D, AdaptiveMaxPooling2D.
template <Pool P, std::size_t N>
class KERATIN_API AdaptivePooling : public Layer {
 public:
  explicit AdaptivePooling(const Sizes& output_size, const AdaptivePoolingOptions& options = {});
  static AdaptivePooling from_config(const Config& config, Generation generation = Generation::keras3);
};

using MaxPooling1D = Pooling<Pool::max, 1>;
using MaxPooling2D = Pooling<Pool::max, 2>;
using MaxPooling3D = Pooling<Pool::max, 3>;
using AveragePooling1D = Pooling<Pool::average, 1>;
using AveragePooling2D = Pooling<Pool::average, 2>;
using AveragePooling3D = Pooling<Pool::average, 3>;
using GlobalMaxPooling1D = GlobalPooling<Pool::max, 1>;
using GlobalMaxPooling2D = GlobalPooling<Pool::max, 2>;
using GlobalMaxPooling3D = GlobalPooling<Pool::max, 3>;
using GlobalAveragePooling1D = GlobalPooling<Pool::average, 1>;
using GlobalAveragePooling2D = GlobalPooling<Pool::average, 2>;
using GlobalAveragePooling3D = GlobalPooling<Pool::average, 3>;
using AdaptiveMaxPooling1D = AdaptivePooling<Pool::max, 1>;
using AdaptiveMaxPooling2D = AdaptivePooling<Pool::max, 2>;
using AdaptiveMaxPooling3D = AdaptivePooling<Pool::max, 3>;
using AdaptiveAveragePooling1D = AdaptivePooling<Pool::average, 1>;
using AdaptiveAveragePooling2D = AdaptivePooling<Pool::average, 2>;
using AdaptiveAveragePooling3D = AdaptivePooling<Pool::average, 3>;

#define KERATIN_POOLING(PREFIX, P, N)                    \
  PREFIX template class KERATIN_API Pooling<P, N>;       \
  PREFIX template class KERATIN_API GlobalPooling<P, N>; \
  PREFIX template class KERATIN_API AdaptivePooling<P, N>;
KERATIN_POOLING(extern, Pool::max, 1)
KERATIN_POOLING(extern, Pool::max, 2)
KERATIN_POOLING(extern, Pool::max, 3)
KERATIN_POOLING(extern, Pool::average, 1)
KERATIN_POOLING(extern, Pool::average, 2)
KERATIN_POOLING(extern, Pool::average, 3)
#undef KERATIN_POOLING

}  // namespace keratin::inline v0
