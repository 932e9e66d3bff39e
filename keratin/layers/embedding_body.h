// What Embedding and ReversibleEmbedding share: a table and its rows by number. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/embedding.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {

/// The fields that both have, in Keras's order.
template <class Arguments, class Fields>
void embedding_fields(Arguments& a, Fields& field) {
  field.required("input_dim", a.input_dim);
  field.required("output_dim", a.output_dim);
  field("embeddings_initializer", a.options.embeddings_initializer);
  field("embeddings_regularizer", a.options.embeddings_regularizer);
  field("embeddings_constraint", a.options.embeddings_constraint);
  field("mask_zero", a.options.mask_zero);
}

/// `Arguments` has input_dim, output_dim and options; `Base` is a LayerBody.
template <class Arguments, class Base = LayerBody>
class EmbeddingBody : public Base {
 public:
  EmbeddingBody(std::string_view class_name, Arguments arguments)
      : a_(std::move(arguments)), class_name_(class_name) {
    if (a_.input_dim < 1 || a_.output_dim < 1) {
      throw ValueError(class_name, "input_dim and output_dim are at least 1",
                       "received " + std::to_string(a_.input_dim) + " and " + std::to_string(a_.output_dim),
                       "They are the number of rows and the size of each.");
    }
    this->set_common(a_.options);
    this->activity_regularizer = a_.options.activity_regularizer;
  }

  std::string_view class_name() const override { return class_name_; }
  InputCast input_cast() const override { return InputCast::none; }

  void build(const Shape&) override {
    table_ = this->add_weight({a_.input_dim, a_.output_dim}, "embeddings", a_.options.embeddings_initializer,
                              a_.options.embeddings_regularizer, a_.options.embeddings_constraint);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Tensor indices = x.detach().astype(DType::int64).contiguous();
    for (const std::int64_t index : indices.values<std::int64_t>()) {
      if (index >= 0 && index < a_.input_dim) continue;
      throw ValueError(to_snake_case(class_name_), "indices from 0 to " + std::to_string(a_.input_dim - 1),
                       "received " + std::to_string(index),
                       "Layer \"" + this->name + "\". Build it with a larger input_dim.");
    }
    return ops::reshape(ops::take(whole_table(), indices.reshape({indices.size()})), output_shape(x.shape()));
  }

  Shape output_shape(const Shape& input) const override {
    return input.with_inserted(input.rank(), a_.output_dim);
  }

  Tensor output_mask(const Tensor& x, const Tensor&) const override {
    if (!a_.options.mask_zero) return {};
    return mask_not(ops::equal(x.detach(), Tensor::scalar(0, x.dtype())));
  }

  Config config(Generation target) const override {
    Config config = write_fields(a_, target);
    config["activity_regularizer"] = this->activity_regularizer.serialize(target);
    if (target == Generation::keras3) config["quantization_config"] = nullptr;
    return config;
  }

 protected:
  const Arguments& arguments() const noexcept { return a_; }
  const Variable& table() const noexcept { return table_; }
  /// What rows are taken from.
  virtual Tensor whole_table() const { return table_.tensor(); }

 private:
  Arguments a_;
  std::string_view class_name_;
  Variable table_;
};

}  // namespace keratin::inline v0::detail
