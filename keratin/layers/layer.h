// What every layer is: a handle to a build (weights from shapes) and a call (ops).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/layers/constraints.h"
#include "keratin/layers/initializers.h"
#include "keratin/layers/regularizers.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"

namespace keratin::inline v0 {

/// Defined in keratin/training.
struct TrainingState;

/// How a layer is called.
struct CallContext {
  bool training = false;
  /// True where an element of the input counts; undefined for all.
  Tensor mask;
  /// Where the call puts losses of its own (activity regularizers), scalars; null to leave them out.
  std::vector<Tensor>* losses = nullptr;
};

/// One weight of a layer with what training does to it.
struct Weight {
  Variable variable;
  Regularizer regularizer;
  Constraint constraint;
};

/// The body behind a Layer. To write a layer: derive, say class_name and config, create weights in build with
/// add_weight, compute in call with ops; the gradient follows. call is const and safe from many threads when not
/// training.
class KERATIN_API LayerBody {
 public:
  virtual ~LayerBody();

  /// Keras's class: "Dense".
  virtual std::string_view class_name() const = 0;
  /// Creates the weights for an input of that shape, batch axis first. Called once, before the first call.
  virtual void build(const Shape& input);
  virtual Tensor call(const Tensor& x, const CallContext& context) const = 0;
  /// The result's shape for an input's; sizes may be unknown. ShapeError if the layer cannot take it.
  virtual Shape output_shape(const Shape& input) const { return input; }
  /// The layer's own arguments as Keras's get_config of that generation writes them, in its order.
  virtual Config config(Generation generation) const = 0;
  /// A new body with the same arguments and copies of the weights. The default makes it from config.
  virtual std::shared_ptr<LayerBody> clone() const;
  /// Weights in Keras's order: trainable ones, then the others; those of layers inside come after.
  virtual std::vector<Weight> weights() const { return weights_; }
  virtual void set_trainable(bool trainable);
  /// The mask for the next layer; the default passes it on.
  virtual Tensor output_mask(const Tensor& /*x*/, const Tensor& mask) const { return mask; }

  std::string name;
  bool trainable = true;
  DType dtype = DType::float32;
  std::optional<Shape> built_shape;
  Regularizer activity_regularizer;
  /// Shape given by an Input or input_shape, batch axis first.
  std::optional<Shape> batch_input_shape;
  /// What Model.compile attached (keratin/training); null before, and not copied by clone.
  std::shared_ptr<TrainingState> training_state;

 protected:
  /// A new weight, initialised; named "<role>", as "kernel".
  Variable add_weight(const Shape& shape, std::string_view role, const Initializer& initializer,
                      const Regularizer& regularizer = {}, const Constraint& constraint = {},
                      bool trainable = true);
  /// Those of a stateful activation, after the layer's own.
  void add_weights_of(const ActivationFn& activation, const Shape& input);

  std::vector<Weight> weights_;
};

/// A handle: copies are the same layer and share its weights; clone() copies them.
class KERATIN_API Layer {
 public:
  explicit Layer(std::shared_ptr<LayerBody> body);

  /// Builds on the first call, from x's shape, then calls. ShapeError names the layer and both shapes.
  Tensor operator()(const Tensor& x, const CallContext& context = {}) const;
  /// Creates the weights for inputs of that shape, batch axis first; nothing if built.
  void build(const Shape& input) const;
  bool is_built() const noexcept { return body_->built_shape.has_value(); }
  Shape compute_output_shape(const Shape& input) const;

  const std::string& name() const noexcept { return body_->name; }
  std::string_view class_name() const { return body_->class_name(); }
  bool trainable() const noexcept { return body_->trainable; }
  void set_trainable(bool trainable) const { body_->set_trainable(trainable); }

  std::vector<Variable> variables() const;
  std::vector<Variable> trainable_variables() const;
  std::vector<Variable> non_trainable_variables() const;
  std::vector<Tensor> get_weights() const;
  /// ShapeError if number or shapes differ; then nothing has changed.
  void set_weights(const std::vector<Tensor>& values) const;
  /// Number of weights, trainable or not. StateError before the layer is built.
  std::int64_t count_params() const;
  /// Penalties of the weights' regularizers, recorded scalars. Keras 3 leaves out frozen weights.
  std::vector<Tensor> regularization_losses(Generation generation = Generation::keras3) const;

  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}.
  Config serialize(Generation generation = Generation::keras3) const;
  Layer clone() const;

  LayerBody& body() const noexcept { return *body_; }
  const std::shared_ptr<LayerBody>& shared() const noexcept { return body_; }
  /// This layer as the value of an `activation` argument.
  ActivationFn to_activation_fn() const;

 protected:
  std::shared_ptr<LayerBody> body_;
};

namespace layers {
/// The layer of a config as Keras of that generation writes it; ValueError for what is unknown or missing, naming
/// the class and the key. Keras: keras.layers.deserialize.
KERATIN_API Layer deserialize(const Config& config, Generation generation = Generation::keras3);
}  // namespace layers

}  // namespace keratin::inline v0
