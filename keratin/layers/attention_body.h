// The body of the layers of attention, which give their scores too where a call asks for them. Internal.
#pragma once

#include <memory>
#include <string_view>

#include "keratin/layers/list_layer.h"

namespace keratin::inline v0::detail {

/// What attention gives, or the shapes of that.
template <class T>
struct Attended {
  T result;
  /// The weights of the values.
  T scores;
};

/// Derive from it, override build_attention, attend and attended_shapes: query, value and maybe key.
class AttentionBody : public ListLayerBody {
 public:
  virtual Attended<Tensor> attend(const Tensors& inputs, const CallContext& context) const = 0;
  virtual Attended<Shape> attended_shapes(const Shapes& inputs) const = 0;

  void build_list(const Shapes& inputs) final;
  Tensors call_list(const Tensors& inputs, const CallContext& context) const final;
  Shapes output_shapes(const Shapes& inputs) const final { return {attended_shapes(inputs).result}; }
  /// The query's mask.
  Tensors output_masks(const Tensors& inputs, const Tensors& masks) const final;
  bool takes_keyword(std::string_view keyword) const override;
  const LayerBody& called(const CallContext& context) const final;

 protected:
  virtual void build_attention(const Shapes& inputs) = 0;

 private:
  std::shared_ptr<const LayerBody> with_scores_;
};

}  // namespace keratin::inline v0::detail
