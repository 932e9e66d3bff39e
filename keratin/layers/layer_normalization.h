// Layers that normalize each sample alone: LayerNormalization, GroupNormalization, RMSNormalization,
// UnitNormalization.
#pragma once

#include <cstdint>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct LayerNormalizationOptions {
  AxisList axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  /// Keras 3: x/√(variance + epsilon)·gamma, with no mean taken off and no beta.
  bool rms_scaling = false;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = gamma·(x − mean)/√(variance + epsilon) + beta, mean and variance over `axis`.
/// x, y: any shape   gamma, beta: the sizes of `axis`
/// Ba et al. 2016. Keras: keras.layers.LayerNormalization.
class KERATIN_API LayerNormalization : public Layer {
 public:
  explicit LayerNormalization(const LayerNormalizationOptions& options = {});
  static LayerNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

struct GroupNormalizationOptions {
  /// -1: as many as channels, which is instance normalization.
  std::int64_t groups = 32;
  std::int64_t axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// The same over all axes and over groups of channels, those of `axis`; gamma and beta have one number a
/// channel. ShapeError unless `groups` divides the channels. Wu and He 2018. Keras:
/// keras.layers.GroupNormalization.
class KERATIN_API GroupNormalization : public Layer {
 public:
  explicit GroupNormalization(const GroupNormalizationOptions& options = {});
  static GroupNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

struct RMSNormalizationOptions {
  AxisList axis = -1;
  double epsilon = 1e-6;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = scale·x/√(mean of x² over `axis` + epsilon); scale: the sizes of `axis`. Zhang and Sennrich 2019.
/// Keras: keras.layers.RMSNormalization.
class KERATIN_API RMSNormalization : public Layer {
 public:
  explicit RMSNormalization(const RMSNormalizationOptions& options = {});
  static RMSNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

struct UnitNormalizationOptions {
  AxisList axis = -1;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x/√max(Σ x² over `axis`, 1e-12 or, in files of Keras 3, 1e-24): length 1. Keras:
/// keras.layers.UnitNormalization.
class KERATIN_API UnitNormalization : public Layer {
 public:
  explicit UnitNormalization(const UnitNormalizationOptions& options = {});
  static UnitNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
