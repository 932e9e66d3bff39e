// Inference of one sample at a time, for audio and control.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/models/model.h"

namespace keratin::inline v0 {

/// A chain of Dense and element-wise layers, Sequential or functional, that predicts one sample of float32
/// without taking memory or a lock, however often: an MLP 16-32-32-1 in a fraction of a microsecond. Dropout
/// does nothing here. It keeps the weights as they were when it was made. One thread at a time; copies are
/// independent.
class KERATIN_API SamplePredictor {
 public:
  /// StateError for a model that is not built; ValueError for one with branches or samples of several axes,
  /// and for a layer that is neither Dense of float32 nor an element-wise function, naming it.
  explicit SamplePredictor(const Model& model);

  std::int64_t input_size() const noexcept { return input_size_; }
  std::int64_t output_size() const noexcept { return output_size_; }
  /// ShapeError unless x has input_size() numbers and y output_size(). The sums are added up in the order of
  /// the inputs, on every instruction set the same bits; Model.predict may differ by rounding.
  void predict(std::span<const float> x, std::span<float> y);

 private:
  struct Step {
    std::shared_ptr<LayerBody> owner;  // keeps the activation alive
    Tensor kernel, bias;               // (in, padded) and (padded,), undefined for a function alone
    const ElementwiseFunction* activation;
    std::int64_t in, padded;
  };

  std::vector<Step> steps_;
  std::vector<float> scratch_[2];
  std::int64_t input_size_ = 0, output_size_ = 0;
};

}  // namespace keratin::inline v0
