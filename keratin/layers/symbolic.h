// Tensors without values: what layers are called on to describe a model.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "keratin/core/dtype.h"
#include "keratin/core/export.h"
#include "keratin/core/shapes.h"
#include "keratin/layers/call_context.h"

namespace keratin::inline v0 {

class LayerBody;
struct SymbolicCall;

/// The promise of a tensor: its shape (batch axis unknown), its dtype and the call that will give it. Made by
/// Input and by calling layers on others. Keras: KerasTensor.
class KERATIN_API SymbolicTensor {
 public:
  SymbolicTensor(std::shared_ptr<const SymbolicCall> source, std::size_t index);

  const Shape& shape() const noexcept;
  DType dtype() const noexcept;
  /// The call, and which of its outputs this is.
  const SymbolicCall& source() const noexcept { return *source_; }
  std::size_t index() const noexcept { return index_; }

  friend bool operator==(const SymbolicTensor& a, const SymbolicTensor& b) noexcept = default;

 private:
  std::shared_ptr<const SymbolicCall> source_;
  std::size_t index_;
};

/// One call of a layer; an InputLayer's has no inputs.
struct SymbolicCall {
  std::shared_ptr<LayerBody> layer;
  std::vector<SymbolicTensor> inputs;
  Shapes output_shapes;
  CallContext keywords = {};
  /// Whether the last of the inputs is the call's attention_mask.
  bool has_attention_mask = false;
};

}  // namespace keratin::inline v0
