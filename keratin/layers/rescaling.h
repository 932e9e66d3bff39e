// Rescaling and Normalization: inputs scaled by numbers given or measured, and ActivityRegularization.
#pragma once

#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct RescalingOptions {
  double offset = 0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x·scale + offset, any shape. Keras: keras.layers.Rescaling.
class KERATIN_API Rescaling : public Layer {
 public:
  explicit Rescaling(double scale, const RescalingOptions& options = {});
  static Rescaling from_config(const Config& config, Generation generation = Generation::keras3);
};

struct NormalizationOptions {
  AxisList axis = -1;
  /// One number, or one for each element of `axis`. Both or neither: then adapt measures them.
  std::vector<double> mean = {};
  std::vector<double> variance = {};
  bool invert = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = (x − mean)/max(√variance, 1e-7), each element of `axis` with its own; inverted: x·√variance + mean.
/// StateError for a call before adapt where mean and variance were not given. Keras:
/// keras.layers.Normalization.
class KERATIN_API Normalization : public Layer {
 public:
  explicit Normalization(const NormalizationOptions& options = {});
  static Normalization from_config(const Config& config, Generation generation = Generation::keras3);
  /// Measures mean and variance of data of shape (samples, ...).
  void adapt(const Tensor& data) const;
};

struct ActivityRegularizationOptions {
  double l1 = 0;
  double l2 = 0;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x; the loss grows by (l1·Σ|x| + l2·Σx²)/batch. Keras: keras.layers.ActivityRegularization.
class KERATIN_API ActivityRegularization : public Layer {
 public:
  explicit ActivityRegularization(const ActivityRegularizationOptions& options = {});
  static ActivityRegularization from_config(const Config& config, Generation generation = Generation::keras3);
};

}  // namespace keratin::inline v0
