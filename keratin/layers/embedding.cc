#include "keratin/layers/embedding.h"

#include "keratin/layers/embedding_body.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/ops.h"

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
    if constexpr (Fields::kReads) read_sparse(field);
  }
};

using TableBody = detail::EmbeddingBody<EmbeddingArguments>;

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
    : Layer(std::make_shared<TableBody>("Embedding", EmbeddingArguments{input_dim, output_dim, options})) {}
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
