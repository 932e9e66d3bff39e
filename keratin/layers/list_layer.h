// The body of a layer with several inputs or outputs.
#pragma once

#include <vector>

#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

/// Derive from it, override the list functions; those of one tensor lead there.
class KERATIN_API ListLayerBody : public LayerBody {
 public:
  void build_list(const Shapes& inputs) override = 0;
  Tensors call_list(const Tensors& inputs, const CallContext& context) const override = 0;
  Shapes output_shapes(const Shapes& inputs) const override = 0;
  /// The default: no masks.
  Tensors output_masks(const Tensors& inputs, const Tensors& masks) const override;

  bool has_lists() const final { return true; }
  void build(const Shape& input) final { build_list({input}); }
  Tensor call(const Tensor& x, const CallContext& context) const final;
  Shape output_shape(const Shape& input) const final { return output_shapes({input}).front(); }
  Tensor output_mask(const Tensor& x, const Tensor& mask) const final;

 protected:
  /// ShapeError, naming this layer, unless there are `least` to `most` inputs.
  void check_count(std::size_t count, std::size_t least, std::size_t most, std::string_view what) const;
};

}  // namespace keratin::inline v0
