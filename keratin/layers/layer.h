// What every layer is: a handle to a build (weights from shapes) and a call (ops).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/core/shapes.h"
#include "keratin/layers/call_context.h"
#include "keratin/layers/constraints.h"
#include "keratin/layers/dtype_policy.h"
#include "keratin/layers/initializers.h"
#include "keratin/layers/regularizers.h"
#include "keratin/layers/symbolic.h"
#include "keratin/tensor/tensor.h"
#include "keratin/tensor/variable.h"

namespace keratin::inline v0 {

/// Defined in keratin/training.
struct TrainingState;

/// One weight of a layer with what training does to it.
struct Weight {
  Variable variable;
  Regularizer regularizer = {};
  Constraint constraint = {};
  /// Made to be trained; freezing the layer freezes the variable and leaves this.
  bool trainable = true;

  /// Whether the loss has the regularizer's penalty: in Keras 3 not that of a frozen weight.
  bool is_penalized(Generation generation) const {
    return regularizer && (generation == Generation::keras2 || variable.trainable());
  }
};

class LayerBody;

/// A layer inside another, under the name of Keras's attribute that holds it ("activation"): files store its
/// weights there.
struct LayerPart {
  std::string attribute;
  std::shared_ptr<LayerBody> body;
};

/// Which inputs a layer converts to its dtype before it computes. `as_given`: none, half types included, and
/// its results are rounded by the layer itself.
enum class InputCast : std::uint8_t { all, floats, none, as_given };

/// The body behind a Layer. To write a layer: derive, say class_name and config, create weights in build with
/// add_weight, compute in call with ops; the gradient follows. call is const and safe from many threads when
/// not training. A layer with several inputs or outputs derives from ListLayerBody (list_layer.h) instead.
class KERATIN_API LayerBody {
 public:
  LayerBody() = default;
  virtual ~LayerBody();
  LayerBody& operator=(const LayerBody&) = delete;

  /// Keras's class: "Dense".
  virtual std::string_view class_name() const = 0;
  /// Creates the weights for an input of that shape, batch axis first and unknown. Called once, before the
  /// first call.
  virtual void build(const Shape& input);
  virtual Tensor call(const Tensor& x, const CallContext& context) const = 0;
  /// The result's shape for an input's; sizes may be unknown. ShapeError if the layer cannot take it.
  virtual Shape output_shape(const Shape& input) const { return input; }
  /// The layer's own arguments as Keras's get_config of that generation writes them, in its order: not those
  /// that every layer has (base_config).
  virtual Config config(Generation generation) const = 0;
  /// A new body with the same arguments and copies of the weights. Override it with finish_clone; the default
  /// makes it from the config, which a custom class has to be registered for (layers::register_class).
  virtual std::shared_ptr<LayerBody> clone() const;
  /// Weights in Keras's order: those made to be trained, then the others, then those of the parts.
  virtual std::vector<Weight> weights() const;
  /// Layers inside, in Keras's order; the default gives the activations that have weights.
  virtual std::vector<LayerPart> parts() const { return parts_; }
  virtual void set_trainable(bool trainable);
  /// The mask for the next layer; the default passes it on.
  virtual Tensor output_mask(const Tensor& /*x*/, const Tensor& mask) const { return mask; }
  virtual InputCast input_cast() const { return InputCast::all; }

  // What Layer calls; one input and one output go to the functions above. ShapeError for another number.
  virtual void build_list(const Shapes& inputs);
  virtual Tensors call_list(const Tensors& inputs, const CallContext& context) const;
  virtual Shapes output_shapes(const Shapes& inputs) const;
  /// One mask an output; `masks` has one an input, undefined where all elements count.
  virtual Tensors output_masks(const Tensors& inputs, const Tensors& masks) const;
  /// Whether the list functions are the layer's own.
  virtual bool has_lists() const { return false; }
  /// Whether call puts the masks of its outputs into CallContext::output_masks itself: models, whose layers
  /// alone know them.
  virtual bool gives_masks() const { return false; }
  /// Whether Keras calls it with its inputs one by one, rather than with a list of them.
  virtual bool separates_inputs() const { return false; }
  /// The keyword by which Keras 3 gets the inputs behind the first, in a list; empty where it is another way.
  virtual std::string_view keyword_of_rest() const { return {}; }
  /// Whether a call may have that keyword (kCallKeywords, "attention_mask").
  virtual bool takes_keyword(std::string_view /*keyword*/) const { return false; }
  /// The body that runs such a call: another one where a keyword makes the layer one, as `reverse` does.
  /// ValueError for a keyword that the layer does not take.
  virtual const LayerBody& called(const CallContext& context) const;
  /// The function this layer applies to each element alone, if that is all it does: as an activation it is
  /// fused.
  virtual const ElementwiseFunction* elementwise() const { return nullptr; }

  /// name, trainable, dtype and, where set, activity_regularizer and the input's shape.
  virtual Config base_config(Generation generation) const;
  /// What stands beside the config in a file of that generation, as a compiled model's compile_config.
  virtual void add_to_object(Config& /*object*/, Generation /*generation*/) const {}
  /// Takes what add_to_object wrote, of a layer just made of the object's config.
  virtual void take_from_object(const std::shared_ptr<LayerBody>& /*self*/, const Config& /*object*/,
                                Generation /*generation*/) {}
  /// The class that a file of that generation names, where it is another.
  virtual std::string_view saved_class_name(Generation /*generation*/) const { return class_name(); }
  /// The class as Keras calls it inside, which automatic names are made of, where it is another.
  virtual std::string_view inner_class_name() const { return class_name(); }
  /// Keras's module of the class.
  virtual std::string_view module_name() const { return "keras.layers"; }
  /// Whether Keras builds it from an input's shape, which it then writes as build_config; false for classes
  /// that it counts as built from the start.
  virtual bool builds_from_shape() const { return true; }
  /// Whether what this layer computes depends on `generation`; then files of the other one note it.
  virtual bool depends_on_generation() const { return false; }

  /// Builds for inputs of that shape unless that is done; safe from many threads. ShapeError before anything
  /// has changed.
  void ensure_built(const Shapes& inputs);
  /// ValueError, naming this layer, unless it takes that keyword; `advice` says who does.
  void check_keyword(std::string_view keyword, std::string_view advice) const;
  /// ShapeError, naming this layer, unless there is one input.
  void check_single(std::size_t count) const;
  DTypePolicy policy() const { return {dtype, compute_dtype}; }
  bool is_built() const noexcept { return guard_.is_built.load(std::memory_order_acquire); }

  std::string name;
  bool trainable = true;
  /// Of the weights, and of what build and call work on.
  DType dtype = DType::float32;
  /// What inputs, weights and outputs are rounded to: `dtype`, or a half type in mixed precision.
  DType compute_dtype = DType::float32;
  /// Whose semantics the layer has where the two differ, and how it is saved by default.
  Generation generation = Generation::keras3;
  /// The shape of the first input it was built for, and those of all.
  std::optional<Shape> built_shape;
  Shapes built_shapes;
  Regularizer activity_regularizer;
  /// Shape given by an Input or batch_input_shape, batch axis first.
  std::optional<Shape> batch_input_shape;
  /// What Model.compile attached (keratin/training); null before, and not copied by clone.
  std::shared_ptr<TrainingState> training_state;

 protected:
  /// The same arguments and weights; finish_clone gives it weights of its own.
  LayerBody(const LayerBody&) = default;

  /// Takes over the options that every layer has. ValueError for a name with '/', TypeError for a policy
  /// whose weights are neither float32 nor float64.
  template <class Options>
  void set_common(const Options& options) {
    set_common(options.name, options.trainable, options.dtype);
  }
  void set_common(const std::string& name, bool trainable, const DTypePolicy& policy);

  /// A new weight, initialised; named by its role, "kernel", its path that of the layers being built; of the
  /// layer's dtype unless another is given.
  Variable add_weight(const Shape& shape, std::string_view role, const Initializer& initializer,
                      const Regularizer& regularizer = {}, const Constraint& constraint = {},
                      bool trainable = true, std::optional<DType> weight_dtype = {});
  /// Whether add_weight gives out copies of another layer's weights, which are trained or frozen as those.
  bool builds_clone() const noexcept { return !given_.empty(); }
  /// Within which layers it was built, "net/block/": how the paths of its weights begin.
  const std::string& scopes() const noexcept { return scopes_; }
  /// Builds an activation that has weights; they come after the layer's own, in files under `attribute`.
  /// Nothing for one that has none.
  void add_activation(std::string_view attribute, const ActivationFn& activation, const Shape& input);
  /// The activation, with weights of its own if it has any.
  static ActivationFn clone_of(const ActivationFn& activation);
  /// `copy`, a copy of a body, built anew with copies of the weights' values.
  static std::shared_ptr<LayerBody> finish_clone(std::shared_ptr<LayerBody> copy);
  /// `fresh`, a new body with the arguments of this one, built as it is, with copies of the weights' values.
  std::shared_ptr<LayerBody> built_alike(const std::shared_ptr<LayerBody>& fresh) const;

  /// ShapeError: this layer `expects` something else than `shape`, which `advice` mends.
  [[noreturn]] void refuse_input(std::string_view expects, const Shape& shape, std::string_view advice) const;

  std::vector<Weight> weights_;

 private:
  struct BuildGuard {
    BuildGuard() = default;
    BuildGuard(const BuildGuard&) {}
    std::mutex mutex;
    std::atomic<bool> is_built = false;
  };

  BuildGuard guard_;
  std::string scopes_;
  std::vector<LayerPart> parts_;
  /// While a clone is built: the values that add_weight gives out instead of new ones, last first.
  std::vector<Weight> given_;
};

/// A handle: copies are the same layer and share its weights; clone() copies them.
class KERATIN_API Layer {
 public:
  /// Named as Keras names layers ("dense", "dense_1") if the body has no name.
  explicit Layer(std::shared_ptr<LayerBody> body);

  /// Builds on the first call, from x's shape, then calls. ShapeError names the layer and both shapes.
  /// StateError for a layer that gives several tensors: see call.
  Tensor operator()(const Tensor& x, const CallContext& context = {}) const;
  /// The same on several inputs: `Add()({a, b})`.
  Tensor operator()(const Tensors& inputs, const CallContext& context = {}) const;
  /// All outputs: `LSTM(8, {.return_state = true}).call({x})`.
  Tensors call(const Tensors& inputs, const CallContext& context = {}) const;

  // On tensors without values (Input): nothing is computed, Model(inputs, outputs) collects the calls. Of the
  // context, the keywords alone are kept.
  SymbolicTensor operator()(const SymbolicTensor& x, const CallContext& context = {}) const;
  SymbolicTensor operator()(const std::vector<SymbolicTensor>& inputs, const CallContext& context = {}) const;
  std::vector<SymbolicTensor> call(const std::vector<SymbolicTensor>& inputs,
                                   const CallContext& context = {}) const;
  /// With an attention_mask that has no values either.
  std::vector<SymbolicTensor> call(const std::vector<SymbolicTensor>& inputs, const CallContext& context,
                                   const SymbolicTensor& attention_mask) const;

  /// Creates the weights for inputs of that shape, batch axis first; nothing if built.
  void build(const Shape& input) const {
    if (!is_built()) body_->ensure_built({input});
  }
  void build_list(const Shapes& inputs) const { body_->ensure_built(inputs); }
  bool is_built() const noexcept { return body_->is_built(); }
  Shape compute_output_shape(const Shape& input) const { return body_->output_shape(input); }
  Shapes compute_output_shapes(const Shapes& inputs) const { return body_->output_shapes(inputs); }

  const std::string& name() const noexcept { return body_->name; }
  std::string_view class_name() const { return body_->class_name(); }
  /// Of the weights; compute_dtype: of inputs and outputs.
  DType dtype() const noexcept { return body_->dtype; }
  DType compute_dtype() const noexcept { return body_->compute_dtype; }
  bool trainable() const noexcept { return body_->trainable; }
  void set_trainable(bool trainable) const { body_->set_trainable(trainable); }

  std::vector<Weight> weights() const { return body_->weights(); }
  std::vector<Variable> variables() const;
  std::vector<Variable> trainable_variables() const;
  std::vector<Variable> non_trainable_variables() const;
  Tensors get_weights() const;
  /// ShapeError if number or shapes differ; then nothing has changed.
  void set_weights(const Tensors& values) const;
  /// Number of weights, trainable or not. StateError before the layer is built, if it builds from a shape.
  std::int64_t count_params() const;
  /// Penalties of the weights' regularizers, recorded scalars. Keras 3 leaves out frozen weights.
  Tensors regularization_losses(Generation generation = Generation::keras3) const;

  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}, "build_config" once built,
  /// and "compile_config" of a compiled model unless a function of the caller's is in it; by default for the
  /// generation that the layer came from.
  Config serialize() const;
  Config serialize(Generation generation) const;
  /// A new layer with the same name, arguments and weights' values.
  Layer clone() const { return Layer(body_->clone()); }

  LayerBody& body() const noexcept { return *body_; }
  const std::shared_ptr<LayerBody>& shared() const noexcept { return body_; }
  /// This layer as the value of an `activation` argument; weights it has then belong to the layer that uses
  /// it.
  ActivationFn to_activation_fn() const;

 protected:
  std::shared_ptr<LayerBody> body_;
};

/// Automatic names start anew: the next Dense is "dense". Keras: keras.utils.clear_session.
KERATIN_API void clear_session();

}  // namespace keratin::inline v0
