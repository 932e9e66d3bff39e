// BatchNormalization.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

/// The bounds of what batch renormalization corrects by: r between rmin and rmax, d between -dmax and dmax.
struct RenormClipping {
  std::optional<double> rmax = {}, rmin = {}, dmax = {};
};

struct BatchNormalizationOptions {
  AxisList axis = -1;
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  /// Ioffe 2017: in training y is also r·y + d, constants that put it where the moving
  /// statistics would, so that training and inference agree for small batches.
  bool renorm = false;
  RenormClipping renorm_clipping = {};
  double renorm_momentum = 0.99;
  /// Across devices; there is one here.
  bool synchronized = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = gamma·(x − mean)/√(variance + epsilon) + beta, over all axes but `axis`: in training of the batch,
/// elements that a mask leaves out not counted, and the moving statistics move towards it by 1 − momentum;
/// otherwise, and in a layer that is frozen, of the moving statistics. The variance is that of the batch,
/// divided by its size. x, y: any shape   weights: gamma, beta, moving_mean, moving_variance, of the sizes of
/// `axis`; with renorm moving_stddev, renorm_mean and renorm_stddev too. ValueError for an epsilon or a
/// clipping that cannot be. Ioffe and Szegedy 2015. Keras: keras.layers.BatchNormalization.
class KERATIN_API BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(const BatchNormalizationOptions& options = {});
  static BatchNormalization from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
