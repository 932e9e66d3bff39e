#include "keratin/layers/embedding.h"

#include "keratin/core/error.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

struct EmbeddingArguments {
  std::int64_t input_dim = 0, output_dim = 0;
  EmbeddingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("input_dim", a.input_dim);
    field.required("output_dim", a.output_dim);
    field("embeddings_initializer", a.options.embeddings_initializer);
    field("embeddings_regularizer", a.options.embeddings_regularizer);
    field("embeddings_constraint", a.options.embeddings_constraint);
    field("mask_zero", a.options.mask_zero);
    field.keras2("input_length", a.options.input_length);
  }
};

class EmbeddingBody final : public LayerBody {
 public:
  explicit EmbeddingBody(EmbeddingArguments arguments) : a_(std::move(arguments)) {
    if (a_.input_dim < 1 || a_.output_dim < 1) {
      throw ValueError("Embedding", "input_dim and output_dim are at least 1",
                       "received " + std::to_string(a_.input_dim) + " and " + std::to_string(a_.output_dim),
                       "They are the number of rows and the size of each.");
    }
    set_common(a_.options);
    activity_regularizer = a_.options.activity_regularizer;
  }

  std::string_view class_name() const override { return "Embedding"; }
  InputCast input_cast() const override { return InputCast::none; }

  void build(const Shape&) override {
    table_ = add_weight({a_.input_dim, a_.output_dim}, "embeddings", a_.options.embeddings_initializer,
                        a_.options.embeddings_regularizer, a_.options.embeddings_constraint);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Tensor indices = x.detach().astype(DType::int64).contiguous();
    for (const std::int64_t index : indices.values<std::int64_t>()) {
      if (index >= 0 && index < a_.input_dim) continue;
      throw ValueError("embedding", "indices from 0 to " + std::to_string(a_.input_dim - 1),
                       "received " + std::to_string(index),
                       "Layer \"" + name + "\". Build it with a larger input_dim.");
    }
    return ops::reshape(ops::take(table_.tensor(), indices.reshape({indices.size()})),
                        output_shape(x.shape()));
  }

  Shape output_shape(const Shape& input) const override {
    return input.with_inserted(input.rank(), a_.output_dim);
  }

  Tensor output_mask(const Tensor& x, const Tensor&) const override {
    if (!a_.options.mask_zero) return {};
    return detail::mask_not(ops::equal(x.detach(), Tensor::scalar(0, x.dtype())));
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    config["activity_regularizer"] = activity_regularizer.serialize(target);
    if (target == Generation::keras3) config["quantization_config"] = nullptr;
    return config;
  }

 private:
  EmbeddingArguments a_;
  Variable table_;
};

struct MaskingArguments {
  MaskingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("mask_value", a.options.mask_value);
  }
};

class MaskingBody final : public LayerBody {
 public:
  explicit MaskingBody(const MaskingArguments& arguments) : a_(arguments) { set_common(a_.options); }

  std::string_view class_name() const override { return "Masking"; }
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    const Tensor counts = output_mask(x, {}).expand_dims(-1);
    return ops::where(counts, x, Tensor::scalar(0, x.dtype()));
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() < 2) refuse_input("an input of rank 2 or more", input, "Add a batch axis.");
    return input;
  }

  Tensor output_mask(const Tensor& x, const Tensor&) const override {
    const Tensor same = ops::equal(x.detach(), Tensor::scalar(a_.options.mask_value, x.dtype()));
    return detail::mask_not(detail::mask_all(same, -1));
  }

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  MaskingArguments a_;
};

}  // namespace

Embedding::Embedding(std::int64_t input_dim, std::int64_t output_dim, const EmbeddingOptions& options)
    : Layer(std::make_shared<EmbeddingBody>(EmbeddingArguments{input_dim, output_dim, options})) {}
Embedding Embedding::from_config(const Config& config, Generation generation) {
  return detail::read_layer<EmbeddingArguments>("Embedding", config, generation, [](const auto& a) {
    return Embedding(a.input_dim, a.output_dim, a.options);
  });
}

Masking::Masking(const MaskingOptions& options)
    : Layer(std::make_shared<MaskingBody>(MaskingArguments{options})) {}
Masking Masking::from_config(const Config& config, Generation generation) {
  return detail::read_layer<MaskingArguments>("Masking", config, generation,
                                              [](const auto& a) { return Masking(a.options); });
}

}  // namespace keratin::inline v0
