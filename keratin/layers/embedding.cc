#include "keratin/layers/embedding.h"

#include "keratin/layers/embedding_body.h"
#include "keratin/layers/lora_body.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/ops.h"
#include "keratin/tensor/variable_reading.h"

namespace keratin::inline v0 {
namespace {

struct EmbeddingArguments {
  std::int64_t input_dim = 0, output_dim = 0;
  EmbeddingOptions options;
  // Keras 2's argument for a tf.SparseTensor of indices.
  template <class Fields>
  static void read_sparse(Fields& field) {
    bool sparse = false;
    field("sparse", sparse);
    if (sparse) {
      throw ValueError("Embedding config", "\"sparse\" is false", "received true",
                       "There are no sparse tensors here: feed the indices in a dense one.");
    }
  }
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    detail::embedding_fields(a, field);
    field.keras2("input_length", a.options.input_length);
    detail::lora_fields(a.options, field);
    if constexpr (Fields::kReads) read_sparse(field);
  }
};

class TableBody final : public detail::EmbeddingBody<EmbeddingArguments, detail::LoraBody> {
 public:
  explicit TableBody(const EmbeddingArguments& arguments) : EmbeddingBody("Embedding", arguments) {
    set_lora(arguments.options, arguments.options.embeddings_constraint);
  }

  void build(const Shape& input) override {
    EmbeddingBody::build(input);
    build_lora();
  }

  Config config(Generation target) const override {
    Config config = EmbeddingBody::config(target);
    add_lora_to(config);
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<TableBody>(*this));
  }

 protected:
  Tensor whole_table() const override {
    if (!has_lora()) return EmbeddingBody::whole_table();
    // Keras casts no weights of an embedding: only the sum is rounded, with the result.
    const detail::ReadVariables as_they_are(nullptr);
    return adapted(table());
  }
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
    : Layer(std::make_shared<TableBody>(EmbeddingArguments{input_dim, output_dim, options})) {}
Embedding Embedding::from_config(const Config& config, Generation generation) {
  return detail::read_layer<EmbeddingArguments>("Embedding", config, generation, [](const auto& a) {
    return Embedding(a.input_dim, a.output_dim, a.options);
  });
}
void Embedding::enable_lora(std::int64_t rank, const EnableLoraOptions& options) const {
  keratin::enable_lora(*this, rank, options);
}

Masking::Masking(const MaskingOptions& options)
    : Layer(std::make_shared<MaskingBody>(MaskingArguments{options})) {}
Masking Masking::from_config(const Config& config, Generation generation) {
  return detail::read_layer<MaskingArguments>("Masking", config, generation,
                                              [](const auto& a) { return Masking(a.options); });
}

}  // namespace keratin::inline v0
