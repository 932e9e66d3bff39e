// UpSampling1D, 2D, 3D: each spatial element several times, or interpolated.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0 {

struct UpSamplingOptions {
  std::optional<std::string> data_format = {};
  /// 2D only: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
  std::string interpolation = "nearest";
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// x: (batch, sizes…, channels)   y: (batch, sizes · size…, channels); channels_first: channels behind the
/// batch. Interpolation takes element i to lie at (i + ½)/n of its axis, and at the border what lies inside.
/// ValueError for a size below 1 or an unknown interpolation. Keras: keras.layers.UpSampling2D.
template <std::size_t N>
class KERATIN_API UpSampling : public Layer {
 public:
  explicit UpSampling(const Sizes& size = 2, const UpSamplingOptions& options = {});
  static UpSampling from_config(const Config& config, Generation generation = Generation::keras3);
};

using UpSampling1D = UpSampling<1>;
using UpSampling2D = UpSampling<2>;
using UpSampling3D = UpSampling<3>;

extern template class KERATIN_API UpSampling<1>;
extern template class KERATIN_API UpSampling<2>;
extern template class KERATIN_API UpSampling<3>;

}  // namespace keratin::inline v0
