#include "keratin/layers/list_layer.h"

#include <string>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {

Tensors ListLayerBody::output_masks(const Tensors&, const Tensors&) const { return {}; }

Tensor ListLayerBody::call(const Tensor& x, const CallContext& context) const {
  return call_list({x}, context).front();
}

Tensor ListLayerBody::output_mask(const Tensor& x, const Tensor& mask) const {
  const Tensors masks = output_masks({x}, {mask});
  return masks.empty() ? Tensor() : masks.front();
}

void ListLayerBody::check_count(std::size_t count, std::size_t least, std::size_t most,
                                std::string_view what) const {
  if (count >= least && count <= most) return;
  throw ShapeError(to_snake_case(class_name()), what, "received " + std::to_string(count),
                   "Layer \"" + name + "\". Call it on a list of tensors: layer({a, b}).");
}

}  // namespace keratin::inline v0
