#include "keratin/layers/reversible_embedding.h"

#include "keratin/activations/functions.h"
#include "keratin/core/text.h"
#include "keratin/layers/embedding_body.h"
#include "keratin/layers/reading_dtype.h"

namespace keratin::inline v0 {
namespace {

struct ReversibleArguments {
  std::int64_t input_dim = 0, output_dim = 0;
  ReversibleEmbeddingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    detail::embedding_fields(a, field);
    field("tie_weights", a.options.tie_weights);
    field("reverse_dtype", a.options.reverse_dtype);
    field("logit_soft_cap", a.options.logit_soft_cap);
  }
};

// What holds both, as Keras promotes them: of two half types, float32.
DType common_dtype(DType a, DType b) {
  if (a == b) return a;
  return a == DType::float64 || b == DType::float64 ? DType::float64 : DType::float32;
}

// The way back, on the weights of the layer that it belongs to.
class ReverseBody final : public LayerBody {
 public:
  ReverseBody(const LayerBody& owner, const ReversibleArguments& arguments, Variable matrix)
      : a_(arguments), matrix_(std::move(matrix)) {
    name = owner.name;
    dtype = owner.dtype;
    compute_dtype = owner.compute_dtype;
    activity_regularizer = owner.activity_regularizer;
  }

  std::string_view class_name() const override { return "ReversibleEmbedding"; }
  Config config(Generation) const override { return Config::object(); }
  InputCast input_cast() const override { return InputCast::as_given; }

  // Keras casts no inputs of an embedding, reads the table as reading_dtype says, and rounds after each of
  // the steps to the dtype that the two have in common, or to reverse_dtype.
  Tensor call(const Tensor& x, const CallContext&) const override {
    const Shape shape = output_shape(x.shape());
    const DType result = a_.options.reverse_dtype.value_or(common_dtype(x.dtype(), detail::reading_dtype()));
    const DType wide = result == DType::float64 ? DType::float64 : DType::float32;
    const auto rounded = [&](const Tensor& value) { return ops::cast(ops::cast(value, result), wide); };
    const Tensor rows = rounded(ops::reshape(x, {x.size() / a_.output_dim, a_.output_dim}));
    const Tensor kept = rounded(matrix_.tensor());
    Tensor scores =
        rounded(ops::reshape(ops::matmul(rows, a_.options.tie_weights ? ops::transpose(kept) : kept), shape));
    if (a_.options.logit_soft_cap) {
      const double cap = *a_.options.logit_soft_cap;
      scores = rounded(activations::tanh(rounded(scores / cap))) * cap;
    }
    return ops::cast(scores, result);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() < 1 || input.back() != a_.output_dim) {
      refuse_input("an input whose last axis is " + std::to_string(a_.output_dim) + " to reverse", input,
                   "Feed rows as the layer gives them.");
    }
    Shape output = input;
    output[output.rank() - 1] = a_.input_dim;
    return output;
  }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

 private:
  ReversibleArguments a_;
  Variable matrix_;
};

class ReversibleEmbeddingBody final : public detail::EmbeddingBody<ReversibleArguments> {
 public:
  explicit ReversibleEmbeddingBody(const ReversibleArguments& arguments)
      : EmbeddingBody("ReversibleEmbedding", arguments) {
    const auto& options = arguments.options;
    if (options.logit_soft_cap && !(*options.logit_soft_cap > 0))
      throw ValueError("ReversibleEmbedding", "logit_soft_cap is above 0",
                       "received " + to_text(*options.logit_soft_cap), "Leave it out for no cap.");
    if (options.reverse_dtype && !is_floating(*options.reverse_dtype))
      throw ValueError("ReversibleEmbedding", "reverse_dtype is a floating one",
                       "received " + std::string(keratin::name(*options.reverse_dtype)),
                       "Scores are no integers.");
  }

  void build(const Shape& input) override {
    EmbeddingBody::build(input);
    const ReversibleArguments& a = arguments();
    const Variable matrix =
        a.options.tie_weights
            ? table()
            : add_weight({a.output_dim, a.input_dim}, "reverse_embeddings", a.options.embeddings_initializer);
    reverse_ = std::make_shared<ReverseBody>(*this, a, matrix);
  }

  bool takes_keyword(std::string_view keyword) const override { return keyword == "reverse"; }
  const LayerBody& called(const CallContext& context) const override {
    const LayerBody& body = EmbeddingBody::called(context);
    return context.reverse ? *reverse_ : body;
  }

 private:
  std::shared_ptr<const ReverseBody> reverse_;
};

}  // namespace

ReversibleEmbedding::ReversibleEmbedding(std::int64_t input_dim, std::int64_t output_dim,
                                         const ReversibleEmbeddingOptions& options)
    : Layer(std::make_shared<ReversibleEmbeddingBody>(ReversibleArguments{input_dim, output_dim, options})) {}
ReversibleEmbedding ReversibleEmbedding::from_config(const Config& config, Generation generation) {
  return detail::read_layer<ReversibleArguments>(
      "ReversibleEmbedding", config, generation,
      [](const auto& a) { return ReversibleEmbedding(a.input_dim, a.output_dim, a.options); });
}

}  // namespace keratin::inline v0
