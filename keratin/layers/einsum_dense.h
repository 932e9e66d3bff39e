// EinsumDense: a Dense over any axes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/lora.h"

namespace keratin::inline v0 {

struct EinsumDenseOptions {
  ActivationFn activation = {};
  /// The letters of the result that have a bias each: "c".
  std::optional<std::string> bias_axes = {};
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  /// Adapts a frozen kernel from the start: enable_lora. lora_alpha left out: lora_rank.
  std::optional<std::int64_t> lora_rank = {};
  std::optional<double> lora_alpha = {};
  Regularizer activity_regularizer = {};
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// y = act(einsum(equation, x, W) + b), as "abc,cd->abd"; "..." stands for axes that x and y have alike.
/// `output_shape` has the sizes of y's letters but the batch, Shape::kUnknown for those of x. ValueError for
/// an equation of another form; ShapeError for an x that does not suit. Keras: keras.layers.EinsumDense.
class KERATIN_API EinsumDense : public Layer {
 public:
  EinsumDense(const std::string& equation, const Shape& output_shape, const EinsumDenseOptions& options = {});
  static EinsumDense from_config(const Config& config, Generation generation = Generation::keras3);
  /// See keratin::enable_lora.
  void enable_lora(std::int64_t rank, const EnableLoraOptions& options = {}) const;
};

}  // namespace keratin::inline v0
