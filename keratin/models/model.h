// Models: layers that are called one after the other, trained and evaluated as one.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

// Defined in keratin/training.
struct CompileOptions;
struct FitOptions;
struct EvaluateOptions;
struct PredictOptions;
class History;
class Metrics;

/// What all models share. A handle, and itself a layer.
class KERATIN_API Model : public Layer {
 public:
  std::vector<Layer> layers() const;
  Layer get_layer(std::string_view name) const;
  /// As Keras prints it: a table of layers, output shapes and numbers of weights. StateError before building.
  std::string summary(int width = 80) const;

  // Training: keratin/training/model_training.cc.
  /// Keras: Model.compile.
  void compile(const CompileOptions& options);
  /// Trains; x: (samples, ...), y: as the loss takes it. Keras: Model.fit.
  History fit(const Tensor& x, const Tensor& y, const FitOptions& options);
  History fit(const Tensor& x, const Tensor& y);
  /// Loss and metrics by name, in order.
  Metrics evaluate(const Tensor& x, const Tensor& y, const EvaluateOptions& options) const;
  Metrics evaluate(const Tensor& x, const Tensor& y) const;
  /// In batches, nothing recorded; safe on one model from many threads once it is built.
  Tensor predict(const Tensor& x, const PredictOptions& options) const;
  Tensor predict(const Tensor& x) const;

 protected:
  using Layer::Layer;
};

/// A stack of layers. Built as soon as the shape of the input is known: from an Input in front, or from the first
/// tensor it is called on. Keras: keras.Sequential.
class KERATIN_API Sequential : public Model {
 public:
  Sequential(std::initializer_list<Layer> layers = {}, std::string name = "");
  explicit Sequential(const std::vector<Layer>& layers, std::string name = "");
  /// The model of a config that Keras wrote (Model.get_config / to_json), either generation.
  static Sequential from_config(const Config& config, Generation generation = Generation::keras3);

  void add(const Layer& layer);
  /// Takes the last layer out. StateError if there is none.
  void pop();
  Sequential clone() const;
};

}  // namespace keratin::inline v0
