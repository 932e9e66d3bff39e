// Models: layers that are called one after the other, trained and evaluated as one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"
#include "keratin/models/tensor_list.h"

namespace keratin::inline v0 {

// Defined in keratin/training.
struct CompileOptions;
struct FitOptions;
struct EvaluateOptions;
struct PredictOptions;
struct BatchOptions;
class History;
class Metrics;

class ModelBody;

/// A model of layers called one on the other, with branches, layers that are shared, several inputs and
/// outputs; and what all models share. A handle, and itself a layer, so that models may stand in models:
///
///     const Input x({784});
///     const SymbolicTensor h = Dense(64, {.activation = "gelu"})(x);
///     Model model(x, Dense(10, {.activation = "softmax"})(h));
///
/// Keras: keras.Model, the functional API.
class KERATIN_API Model : public Layer {
 public:
  /// From Inputs to what was computed from them. ValueError for an Input that is missing, and for two layers
  /// of one name.
  Model(const std::vector<SymbolicTensor>& inputs, const std::vector<SymbolicTensor>& outputs,
        std::string name = "");
  Model(const SymbolicTensor& input, const SymbolicTensor& output, std::string name = "");
  /// The model of a config that Keras wrote, Functional or Sequential: Model.get_config, the object around
  /// it, or parsed Model.to_json; either generation, whose semantics the layers get. An object that has a
  /// "compile_config" gives a compiled model; ValueError, as compile_from_config, for functions of a
  /// caller's: erase the key to read such a model.
  static Model from_config(const Config& config, Generation generation = Generation::keras3);
  Model clone() const;

  /// The layers in Keras's order; those of a Sequential without the input.
  std::vector<Layer> layers() const;
  /// ValueError for an unknown name, with the nearest, or an index out of range; negative ones count from the
  /// end.
  Layer get_layer(std::string_view name) const;
  Layer get_layer(std::int64_t index) const;
  /// As Keras prints it on a terminal of that many columns: a table of layers, output shapes and numbers of
  /// weights, cut to fit; the totals below it stay whole. A model that is not built shows "?". ValueError for
  /// less than 20 columns.
  std::string summary(int width = 80) const;

  /// The names of what the model takes and gives, in order: those of the layers, numbered where one gives
  /// several of them. Keras: Model.input_names, Model.output_names.
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;

  // Training: keratin/training/model_training.cc. Where the model has several inputs or outputs, x, y and
  // sample weights are lists in their order or by their names: fit({a, b}, {{"price", p}, {"class", c}}).
  /// Keras: Model.compile.
  void compile(const CompileOptions& options);
  /// What compile was called with, as Keras writes it into files; an empty object before. ValueError for
  /// functions of the caller's: see compile_config. Keras: Model.get_compile_config.
  Config get_compile_config() const;
  /// Compiles with that; of a .keras or an H5 file, of the model's generation. Keras:
  /// Model.compile_from_config.
  void compile_from_config(const Config& config);
  /// Trains; x: (samples, ...), y: as the loss takes it. Keras: Model.fit.
  History fit(const TensorList& x, const TensorList& y, const FitOptions& options);
  History fit(const TensorList& x, const TensorList& y);
  /// Loss and metrics by name, in order.
  Metrics evaluate(const TensorList& x, const TensorList& y, const EvaluateOptions& options) const;
  Metrics evaluate(const TensorList& x, const TensorList& y) const;
  /// In batches, nothing recorded; safe on one model from many threads. StateError for a model of several
  /// outputs: see predict_list.
  Tensor predict(const TensorList& x, const PredictOptions& options) const;
  Tensor predict(const TensorList& x) const;
  /// All outputs.
  Tensors predict_list(const TensorList& x, const PredictOptions& options) const;
  Tensors predict_list(const TensorList& x) const;

  /// One update with these samples as one batch; its loss, from before the update, and metrics. Keras:
  /// Model.train_on_batch.
  Metrics train_on_batch(const TensorList& x, const TensorList& y, const BatchOptions& options);
  Metrics train_on_batch(const TensorList& x, const TensorList& y);
  /// Keras: Model.test_on_batch.
  Metrics test_on_batch(const TensorList& x, const TensorList& y, const BatchOptions& options) const;
  Metrics test_on_batch(const TensorList& x, const TensorList& y) const;
  /// All outputs for these samples at once. Keras: Model.predict_on_batch.
  Tensors predict_on_batch(const TensorList& x) const;

 protected:
  friend class ModelBody;
  explicit Model(std::shared_ptr<ModelBody> body);
  const ModelBody& model_body() const noexcept;
};

/// A stack of layers. Built as soon as the shape of the input is known: from an Input in front, or from the
/// first tensor it is called on. Keras: keras.Sequential.
class KERATIN_API Sequential : public Model {
 public:
  /// ValueError for two layers of one name and for an Input that is not the first; ShapeError for a layer
  /// that cannot take what the one before gives. `Sequential{model}` is a stack of one model; copies are made
  /// with parentheses or clone().
  Sequential(std::initializer_list<Layer> layers = {}, std::string name = "");
  explicit Sequential(const std::vector<Layer>& layers, std::string name = "");
  /// The model of a config that Keras wrote: what Model.get_config gives, the object around it, or parsed
  /// Model.to_json; either generation, whose semantics the layers get.
  static Sequential from_config(const Config& config, Generation generation = Generation::keras3);

  /// As in the constructor; then nothing has changed. What compile attached is dropped.
  void add(const Layer& layer);
  /// Takes the last layer out. StateError if there is none.
  void pop();
  Sequential clone() const;

 private:
  explicit Sequential(std::shared_ptr<ModelBody> body) : Model(std::move(body)) {}
};

}  // namespace keratin::inline v0
