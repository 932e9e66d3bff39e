// Attention and AdditiveAttention.
#include "keratin/layers/attention.h"

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/functions.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/attention_body.h"
#include "keratin/layers/attention_tools.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/list_layer.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/einsum.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// What both do around the scores.
template <class Arguments>
class ScoredBody : public detail::AttentionBody {
 public:
  explicit ScoredBody(Arguments arguments) : a_(std::move(arguments)), seed_(a_.options.seed) {
    detail::check_rate(class_name_of(), a_.options.dropout);
    set_common(a_.options);
  }
  std::string_view class_name() const override { return class_name_of(); }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

  detail::Attended<Tensor> attend(const Tensors& inputs, const CallContext& context) const override {
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    attended_shapes(shapes);
    const Tensor &query = inputs[0], &value = inputs[1], &key = inputs.back();
    Tensor scores = score(query, inputs.size() == 3 ? key : value);
    const auto mask_at = [&](std::size_t i) {
      return i < context.masks.size() ? context.masks[i] : Tensor();
    };
    const Tensor padding = detail::joined_masks(
        mask_at(1).is_defined() ? mask_at(1).expand_dims(1) : Tensor(),
        context.use_causal_mask ? detail::causal_mask(query.shape()[1], value.shape()[1]) : Tensor());
    if (padding.is_defined()) scores = scores - (1.0 - detail::mask_values(padding, scores.dtype())) * 1e9;
    const Tensor weights = detail::dropped(softmax_(scores), a_.options.dropout, seed_, context);
    Tensor y = ops::matmul(weights, value);
    if (mask_at(0).is_defined()) y = y * detail::mask_values(mask_at(0).expand_dims(-1), y.dtype());
    return {y, weights};
  }

  detail::Attended<Shape> attended_shapes(const Shapes& inputs) const override {
    check_count(inputs.size(), 2, 3, "two or three inputs: query, value, key");
    detail::check_attention_inputs(*this, inputs);
    const Shape &query = inputs[0], &key = inputs.size() == 3 ? inputs[2] : inputs[1];
    if (query[2] != key[2] && query[2] != Shape::kUnknown && key[2] != Shape::kUnknown) {
      throw ShapeError(to_snake_case(class_name()), "queries and keys of one size",
                       "received shapes " + query.to_string() + " and " + key.to_string(),
                       "Layer \"" + name + "\". Put a Dense before one of them.");
    }
    Shape shape = query;
    shape[2] = inputs[1][2];
    return {shape, {query[0], query[1], inputs[1][1]}};
  }

 protected:
  static std::string_view class_name_of() { return Arguments::kName; }
  virtual Tensor score(const Tensor& query, const Tensor& key) const = 0;
  /// tanh(q + k) of each query with each key: (batch, queries, keys, features).
  static Tensor pairs(const Tensor& query, const Tensor& key) {
    return activations::tanh(ops::expand_dims(query, 2) + ops::expand_dims(key, 1));
  }

  Arguments a_;
  detail::DropSeed seed_;
  ActivationFn softmax_ = activations::Softmax{};
};

struct DotArguments {
  static constexpr std::string_view kName = "Attention";
  AttentionOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.keras2("dropout", a.options.dropout);
    field("use_scale", a.options.use_scale);
    field("score_mode", a.options.score_mode);
    field.keras3("dropout", a.options.dropout);
    field.keras3("seed", a.options.seed);
  }
};

class DotAttentionBody final : public ScoredBody<DotArguments> {
 public:
  explicit DotAttentionBody(DotArguments arguments) : ScoredBody(std::move(arguments)) {
    if (a_.options.score_mode == "dot" || a_.options.score_mode == "concat") return;
    constexpr std::string_view kModes[] = {"dot", "concat"};
    throw ValueError("Attention", R"(score_mode is "dot" or "concat")",
                     "received score_mode=\"" + a_.options.score_mode + "\"",
                     did_you_mean(a_.options.score_mode, kModes));
  }
  void build_attention(const Shapes&) override {
    if (a_.options.use_scale) scale_ = add_weight({}, "scale", "ones");
    if (a_.options.score_mode == "concat") concat_ = add_weight({}, "concat_score_weight", "ones");
  }

 private:
  Tensor score(const Tensor& query, const Tensor& key) const override {
    if (!concat_.is_defined()) {
      const Tensor scores = ops::einsum("bqd,bkd->bqk", query, key);
      return scale_.is_defined() ? scores * scale_.tensor() : scores;
    }
    const Tensor sum = ops::expand_dims(query, 2) + ops::expand_dims(key, 1);
    const Tensor scaled = scale_.is_defined() ? sum * scale_.tensor() : sum;
    return concat_.tensor() * ops::sum(activations::tanh(scaled), {{-1}});
  }

  Variable scale_, concat_;
};

struct AdditiveArguments {
  static constexpr std::string_view kName = "AdditiveAttention";
  AdditiveAttentionOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.keras2("dropout", a.options.dropout);
    field("use_scale", a.options.use_scale);
    field.keras3("dropout", a.options.dropout);
    field.keras3("seed", a.options.seed);
  }
};

class AdditiveAttentionBody final : public ScoredBody<AdditiveArguments> {
 public:
  explicit AdditiveAttentionBody(AdditiveArguments arguments) : ScoredBody(std::move(arguments)) {}
  void build_attention(const Shapes& inputs) override {
    if (a_.options.use_scale) scale_ = add_weight({inputs[0].back()}, "scale", "glorot_uniform");
  }

 private:
  Tensor score(const Tensor& query, const Tensor& key) const override {
    const Tensor all = pairs(query, key);
    return ops::sum(scale_.is_defined() ? all * scale_.tensor() : all, {{-1}});
  }

  Variable scale_;
};

}  // namespace

Attention::Attention(const AttentionOptions& options)
    : Layer(std::make_shared<DotAttentionBody>(DotArguments{options})) {}
Attention Attention::from_config(const Config& config, Generation generation) {
  return detail::read_layer<DotArguments>("Attention", config, generation,
                                          [](const auto& a) { return Attention(a.options); });
}

AdditiveAttention::AdditiveAttention(const AdditiveAttentionOptions& options)
    : Layer(std::make_shared<AdditiveAttentionBody>(AdditiveArguments{options})) {}
AdditiveAttention AdditiveAttention::from_config(const Config& config, Generation generation) {
  return detail::read_layer<AdditiveArguments>("AdditiveAttention", config, generation,
                                               [](const auto& a) { return AdditiveAttention(a.options); });
}

}  // namespace keratin::inline v0
