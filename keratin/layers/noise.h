// SpatialDropout1D, 2D, 3D, GaussianDropout, GaussianNoise: noise in training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct SpatialDropoutOptions {
  /// 2D and 3D: "channels_last" (the default) or "channels_first".
  std::optional<std::string> data_format = {};
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Dropout of whole channels of a sample. x, y: (batch, N spatial sizes, channels). ValueError for a rate
/// outside [0, 1]. Tompson et al. 2014. Keras: keras.layers.SpatialDropout2D.
template <std::size_t N>
class KERATIN_API SpatialDropout : public Layer {
 public:
  explicit SpatialDropout(double rate, const SpatialDropoutOptions& options = {});
  static SpatialDropout from_config(const Config& config, Generation generation = Generation::keras3);
};

using SpatialDropout1D = SpatialDropout<1>;
using SpatialDropout2D = SpatialDropout<2>;
using SpatialDropout3D = SpatialDropout<3>;

extern template class KERATIN_API SpatialDropout<1>;
extern template class KERATIN_API SpatialDropout<2>;
extern template class KERATIN_API SpatialDropout<3>;

struct GaussianDropoutOptions {
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// In training: x times normal numbers of mean 1 and standard deviation √(rate/(1 − rate)). ValueError for a
/// rate outside [0, 1). Srivastava et al. 2014. Keras: keras.layers.GaussianDropout.
class KERATIN_API GaussianDropout : public Layer {
 public:
  explicit GaussianDropout(double rate, const GaussianDropoutOptions& options = {});
  static GaussianDropout from_config(const Config& config, Generation generation = Generation::keras3);
};

struct GaussianNoiseOptions {
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// In training: x plus normal numbers of mean 0. ValueError for a negative stddev. Keras:
/// keras.layers.GaussianNoise.
class KERATIN_API GaussianNoise : public Layer {
 public:
  explicit GaussianNoise(double stddev, const GaussianNoiseOptions& options = {});
  static GaussianNoise from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
