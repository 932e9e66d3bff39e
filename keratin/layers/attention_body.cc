#include "keratin/layers/attention_body.h"

#include <nlohmann/json.hpp>

namespace keratin::inline v0::detail {
namespace {

// The layer as a call with return_attention_scores runs it.
class WithScores final : public ListLayerBody {
 public:
  explicit WithScores(const AttentionBody& owner) : owner_(owner) {
    name = owner.name;
    dtype = owner.dtype;
    compute_dtype = owner.compute_dtype;
    activity_regularizer = owner.activity_regularizer;
  }
  std::string_view class_name() const override { return owner_.class_name(); }
  Config config(Generation target) const override { return owner_.config(target); }
  void build_list(const Shapes&) override {}
  Tensors call_list(const Tensors& inputs, const CallContext& context) const override {
    const Attended<Tensor> both = owner_.attend(inputs, context);
    return {both.result, both.scores};
  }
  Shapes output_shapes(const Shapes& inputs) const override {
    const Attended<Shape> both = owner_.attended_shapes(inputs);
    return {both.result, both.scores};
  }
  Tensors output_masks(const Tensors& inputs, const Tensors& masks) const override {
    return owner_.output_masks(inputs, masks);
  }

 private:
  const AttentionBody& owner_;
};

}  // namespace

void AttentionBody::build_list(const Shapes& inputs) {
  build_attention(inputs);
  with_scores_ = std::make_shared<WithScores>(*this);
}

Tensors AttentionBody::call_list(const Tensors& inputs, const CallContext& context) const {
  return {attend(inputs, context).result};
}

Tensors AttentionBody::output_masks(const Tensors&, const Tensors& masks) const {
  return {masks.empty() ? Tensor() : masks.front()};
}

bool AttentionBody::takes_keyword(std::string_view keyword) const {
  return keyword == "use_causal_mask" || keyword == "return_attention_scores";
}

const LayerBody& AttentionBody::called(const CallContext& context) const {
  const LayerBody& body = ListLayerBody::called(context);
  return context.return_attention_scores ? *with_scores_ : body;
}

}  // namespace keratin::inline v0::detail
