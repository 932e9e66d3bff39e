// PReLU: a rectifier that learns its slopes below zero.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "keratin/core/export.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct PReLUOptions {
  Initializer alpha_initializer = "zeros";
  Regularizer alpha_regularizer = {};
  Constraint alpha_constraint = {};
  /// Axes along which one slope serves all, the batch axis being 0: {1, 2} gives one a channel.
  std::optional<AxisList> shared_axes = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = x for x > 0, alpha·x otherwise; at 0 the derivative is 0, as Keras takes it.
/// x: (batch, ...)   alpha: x's shape without the batch axis, 1 on shared axes
/// ShapeError for an axis that x lacks, a size left open, or a shape other than at build.
/// He et al. 2015. Keras: keras.layers.PReLU.
class KERATIN_API PReLU : public Layer {
 public:
  explicit PReLU(const PReLUOptions& options = {});
  static PReLU from_config(const Config& config, Generation generation = Generation::keras3);

 private:
  explicit PReLU(std::shared_ptr<LayerBody> body) : Layer(std::move(body)) {}
};

}  // namespace keratin::inline v0
