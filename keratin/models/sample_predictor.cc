#include "keratin/models/sample_predictor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/layers/dense_parts.h"
#include "keratin/models/model_body.h"
#include "keratin/models/sample_kernels.h"

namespace keratin::inline v0 {
namespace {

constexpr const char* kOperation = "SamplePredictor";

std::int64_t padded_size(std::int64_t columns) {
  return (columns + detail::kColumnStep - 1) / detail::kColumnStep * detail::kColumnStep;
}

// Rows of `padded` columns, the ones that are added zero.
Tensor padded_rows(const Tensor& a, std::int64_t rows, std::int64_t padded) {
  const std::int64_t columns = a.is_defined() ? a.size() / rows : 0;
  Tensor result = Tensor::zeros({rows, padded});
  if (!a.is_defined()) return result;
  const Tensor source = a.contiguous();
  const auto from = source.values<float>();
  const auto to = result.mutable_values<float>();
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(from.begin() + row * columns, columns, to.begin() + row * padded);
  return result;
}

bool is_identity(const Layer& layer) {
  return layer.class_name() == "Dropout" || layer.class_name() == "AlphaDropout" ||
         layer.class_name() == "InputLayer";
}

// Each layer called once, on what the one before gives.
bool is_chain(const LayerBody& body) {
  const auto* model = dynamic_cast<const ModelBody*>(&body);
  if (model == nullptr || !model->has_lists()) return true;
  return model->is_chain();
}

}  // namespace

SamplePredictor::SamplePredictor(const Model& model) {
  if (!model.is_built())
    throw StateError(kOperation, "expects a model that is built", "it is not",
                     "Begin it with Input, or call build.");
  if (!is_chain(model.body()))
    throw ValueError(kOperation, "expects one layer after the other, from one input to one output",
                     "model \"" + model.name() + "\" has branches, shared layers or several outputs",
                     "Take Model.predict.");
  if (const Shape& input = *model.body().built_shape; input.rank() != 2)
    throw ValueError(kOperation, "expects samples of one axis, shape (batch, size)",
                     "model \"" + model.name() + "\" takes " + input.to_string(), "Take Model.predict.");
  for (const Layer& layer : model.layers()) {
    if (is_identity(layer)) continue;
    const auto* dense = dynamic_cast<const detail::HasDenseParts*>(&layer.body());
    const auto parts = dense != nullptr ? dense->dense_parts() : std::nullopt;
    const bool single = layer.dtype() == DType::float32 && layer.compute_dtype() == DType::float32;
    if (single && parts) {
      const std::int64_t in = parts->kernel.shape()[0], units = parts->kernel.shape()[1];
      const std::int64_t padded = padded_size(units);
      if (steps_.empty()) input_size_ = in;
      output_size_ = units;
      steps_.push_back({layer.shared(), padded_rows(parts->kernel, in, padded),
                        padded_rows(parts->bias, 1, padded), parts->activation, in, padded});
    } else if (single && layer.body().elementwise() != nullptr && !steps_.empty()) {
      steps_.push_back(
          {layer.shared(), {}, {}, layer.body().elementwise(), output_size_, padded_size(output_size_)});
    } else {
      throw ValueError(kOperation, "expects Dense layers of float32 and element-wise functions after them",
                       "layer \"" + layer.name() + "\" is " + std::string(layer.class_name()),
                       "Take Model.predict.");
    }
  }
  if (steps_.empty()) throw ValueError(kOperation, "expects a model with a Dense layer", "it has none");
  std::int64_t widest = 0;
  for (const Step& step : steps_) widest = std::max(widest, step.padded);
  for (std::vector<float>& scratch : scratch_) scratch.resize(static_cast<std::size_t>(widest));
}

void SamplePredictor::predict(std::span<const float> x, std::span<float> y) {
  if (static_cast<std::int64_t>(x.size()) != input_size_ ||
      static_cast<std::int64_t>(y.size()) != output_size_)
    throw ShapeError(
        kOperation,
        "expects " + std::to_string(input_size_) + " numbers in and " + std::to_string(output_size_) + " out",
        "got " + std::to_string(x.size()) + " and " + std::to_string(y.size()));
  const FloatEnvironment environment;
  const float* in = x.data();
  std::size_t next = 0;
  for (const Step& step : steps_) {
    float* out = scratch_[next].data();
    if (step.kernel.is_defined()) {
      detail::row_times_matrix(in, static_cast<const float*>(step.kernel.data()),
                               static_cast<const float*>(step.bias.data()), step.in, step.padded, out);
      in = out;
      next = 1 - next;
    } else {
      out = scratch_[1 - next].data();  // in place: the one before wrote it
    }
    // Whole vectors, padding included: no tail.
    if (step.activation != nullptr) step.activation->forward(in, out, static_cast<std::size_t>(step.padded));
  }
  std::copy_n(in, y.size(), y.data());
}

}  // namespace keratin::inline v0
