// ZeroPadding1D, 2D, 3D and Cropping1D, 2D, 3D.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0 {

struct ZeroPaddingOptions {
  std::optional<std::string> data_format = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Zeros around the N spatial axes.
/// x: (batch, sizes…, channels)   y: (batch, before + sizes + after…, channels); channels_first: channels
/// behind the batch. ValueError for a negative padding. Keras: keras.layers.ZeroPadding2D.
template <std::size_t N>
class KERATIN_API ZeroPadding : public Layer {
 public:
  explicit ZeroPadding(const Paddings& padding = 1, const ZeroPaddingOptions& options = {});
  static ZeroPadding from_config(const Config& config, Generation generation = Generation::keras3);
};

struct CroppingOptions {
  std::optional<std::string> data_format = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Rows cut off both ends of the N spatial axes.
/// x: (batch, sizes…, channels)   y: (batch, sizes − before − after…, channels)
/// As in Keras, cropping is 1, for two axes 0. ShapeError where nothing is left. Keras:
/// keras.layers.Cropping2D.
template <std::size_t N>
class KERATIN_API Cropping : public Layer {
 public:
  explicit Cropping(const Paddings& cropping = N == 2 ? 0 : 1, const CroppingOptions& options = {});
  static Cropping from_config(const Config& config, Generation generation = Generation::keras3);
};

using ZeroPadding1D = ZeroPadding<1>;
using ZeroPadding2D = ZeroPadding<2>;
using ZeroPadding3D = ZeroPadding<3>;
using Cropping1D = Cropping<1>;
using Cropping2D = Cropping<2>;
using Cropping3D = Cropping<3>;

extern template class KERATIN_API ZeroPadding<1>;
extern template class KERATIN_API ZeroPadding<2>;
extern template class KERATIN_API ZeroPadding<3>;
extern template class KERATIN_API Cropping<1>;
extern template class KERATIN_API Cropping<2>;
extern template class KERATIN_API Cropping<3>;

}  // namespace keratin::inline v0
