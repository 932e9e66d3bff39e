// A layer as the value of an `activation` argument. Internal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0::detail {

/// A layer that ops can fuse: ReLU, LeakyReLU, ELU, ThresholdedReLU.
class ElementwiseLayer final : public ElementwiseFunction {
 public:
  /// The layer's elementwise() is not null.
  explicit ElementwiseLayer(Layer layer) : layer_(std::move(layer)) {}

  const Layer& layer() const noexcept { return layer_; }
  std::string name() const override { return std::string(layer_.class_name()); }
  Config serialize(Generation generation) const override { return layer_.serialize(generation); }
  void forward(const float* x, float* y, std::size_t count) const override { inner().forward(x, y, count); }
  void forward(const double* x, double* y, std::size_t count) const override { inner().forward(x, y, count); }
  void gradient(const float* x, const float* upstream, float* out, std::size_t count) const override {
    inner().gradient(x, upstream, out, count);
  }
  void gradient(const double* x, const double* upstream, double* out, std::size_t count) const override {
    inner().gradient(x, upstream, out, count);
  }
  std::shared_ptr<const ElementwiseFunction> derivative() const override { return inner().derivative(); }
  bool is_linear() const noexcept override { return inner().is_linear(); }
  activations::BoundFunction bound() const noexcept override { return inner().bound(); }

 private:
  const ElementwiseFunction& inner() const { return *layer_.body().elementwise(); }

  Layer layer_;
};

/// Any other layer: it may have weights, and act otherwise in training.
class LayerActivation final : public StatefulActivation {
 public:
  explicit LayerActivation(Layer layer) : layer_(std::move(layer)) {}

  const Layer& layer() const noexcept { return layer_; }
  std::string name() const override { return std::string(layer_.class_name()); }
  Tensor apply(const Tensor& x, bool training) const override { return layer_(x, {.training = training}); }
  Shape output_shape(const Shape& input) const override { return layer_.compute_output_shape(input); }
  Config serialize(Generation generation) const override { return layer_.serialize(generation); }
  void build(const Shape& input) override { layer_.build(input); }
  std::vector<Variable> variables() const override { return layer_.variables(); }
  std::shared_ptr<StatefulActivation> clone() const override {
    return std::make_shared<LayerActivation>(layer_.clone());
  }

 private:
  Layer layer_;
};

}  // namespace keratin::inline v0::detail
