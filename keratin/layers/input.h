// Input: the shape that a model starts from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct InputOptions {
  std::optional<std::int64_t> batch_size = {};
  DType dtype = DType::float32;
  std::string name = {};
  bool optional = false;
};

/// In front of a Sequential: its input has this shape, without the batch axis; the model is built at once. It
/// passes tensors on as they are. Layers can be called on it: then it stands for the tensor that a Model
/// gets. Keras: keras.Input, keras.layers.InputLayer.
class KERATIN_API Input : public Layer {
 public:
  explicit Input(const Shape& shape, const InputOptions& options = {});
  static Input from_config(const Config& config, Generation generation = Generation::keras3);

  /// The tensor it stands for; copies of an Input stand for the same.
  const SymbolicTensor& tensor() const noexcept { return tensor_; }
  operator const SymbolicTensor&() const noexcept { return tensor_; }
  const Shape& shape() const noexcept { return tensor_.shape(); }

 private:
  SymbolicTensor tensor_;
};

}  // namespace keratin::inline v0
