#include "keratin/layers/spectral_normalization.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// Of length 1; Keras divides by no less than 1e-12.
Tensor normalized(const Tensor& x) {
  const double length = std::sqrt(ops::sum(ops::square(x)).item());
  return x / std::max(length, 1e-12);
}

class SpectralNormalizationBody final : public LayerBody {
 public:
  SpectralNormalizationBody(const Layer& layer, const SpectralNormalizationOptions& options)
      : layer_(layer), power_iterations_(options.power_iterations) {
    if (power_iterations_ < 1) {
      throw ValueError("SpectralNormalization", "power_iterations of at least 1",
                       "received power_iterations=" + std::to_string(power_iterations_),
                       "1 is enough: the estimate is carried on from call to call.");
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "SpectralNormalization"; }
  InputCast input_cast() const override { return InputCast::none; }
  std::vector<LayerPart> parts() const override { return {{"layer", layer_.shared()}}; }

  void build(const Shape& input) override {
    layer_.build(input);
    if (!trainable) layer_.set_trainable(false);
    kernel_ = kernel_of_layer();
    vector_u_ = add_weight({1, kernel_.shape().back()}, "vector_u",
                           initializers::TruncatedNormal{.stddev = 0.02}, {}, {}, false);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    if (context.training) normalize();
    CallContext inner = context;
    inner.output_masks = nullptr;
    return layer_(x, inner);
  }

  Shape output_shape(const Shape& input) const override { return layer_.compute_output_shape(input); }
  Tensor output_mask(const Tensor& x, const Tensor& mask) const override {
    return layer_.body().output_mask(x, mask);
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["layer"] = layer_.serialize(target);
    config["power_iterations"] = power_iterations_;
    return config;
  }

 private:
  // The layer's own, not one of a layer inside of it.
  Variable kernel_of_layer() const {
    const std::vector<Weight> weights = layer_.weights();
    std::size_t own = weights.size();
    for (const LayerPart& part : layer_.body().parts()) own -= part.body->weights().size();
    for (const std::string_view role : {"kernel", "embeddings"}) {
      for (std::size_t i = 0; i < own; ++i) {
        const std::string_view name = weights[i].variable.name();
        if (name.substr(name.rfind('/') + 1) == role) return weights[i].variable;
      }
    }
    throw ValueError("SpectralNormalization", "a layer with a kernel or embeddings",
                     "received a " + std::string(layer_.class_name()) + ", \"" + layer_.name() + "\"",
                     "Wrap a Dense, a convolution or an Embedding.");
  }

  void normalize() const {
    const RecordGradients off(false);
    Variable kernel = kernel_, vector_u = vector_u_;
    const std::int64_t columns = kernel.shape().back();
    const Tensor matrix = ops::reshape(kernel.value(), {kernel.value().size() / columns, columns});
    Tensor u = vector_u.value(), v;
    // No direction to start from: Keras leaves the kernel as it is.
    if (ops::max(ops::absolute(u)).item() == 0) return;
    for (std::int64_t i = 0; i < power_iterations_; ++i) {
      v = normalized(ops::matmul(u, ops::transpose(matrix)));
      u = normalized(ops::matmul(v, matrix));
    }
    const double sigma = ops::sum(ops::matmul(v, matrix) * u).item();
    vector_u.assign(u);
    kernel.assign(kernel.value() / sigma);
  }

  Layer layer_;
  std::int64_t power_iterations_;
  Variable kernel_, vector_u_;
};

}  // namespace

SpectralNormalization::SpectralNormalization(const Layer& layer, const SpectralNormalizationOptions& options)
    : Layer(std::make_shared<SpectralNormalizationBody>(layer, options)) {}

SpectralNormalization SpectralNormalization::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("SpectralNormalization", config, generation);
  const Config* layer = reader.find("layer");
  if (layer == nullptr) reader.refuse("layer", "a layer with a kernel or embeddings", nullptr);
  SpectralNormalizationOptions options;
  options.power_iterations = reader.integer("power_iterations", options.power_iterations);
  reader.read_common(options);
  return reader.finish(SpectralNormalization(layers::deserialize(*layer, generation), options));
}

}  // namespace keratin::inline v0
