#include "keratin/layers/lora.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "keratin/core/error.h"
#include "keratin/layers/lora_body.h"
#include "keratin/layers/name_scope.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {

namespace detail {

void LoraBody::check_lora(std::int64_t rank, const Constraint& constraint) const {
  if (rank < 1) {
    throw ValueError(class_name(), "a LoRA rank of at least 1", "received " + std::to_string(rank),
                     "It is the number of columns of A: 4, say.");
  }
  if (constraint) {
    throw ValueError(class_name(), "a weight without a constraint for LoRA", "received one with a constraint",
                     "Make the layer without it: the sum with A·B would not obey it.");
  }
}

void LoraBody::build_lora() {
  if (rank_) add_matrices(EnableLoraOptions{}.a_initializer, EnableLoraOptions{}.b_initializer);
}

void LoraBody::add_matrices(const Initializer& a, const Initializer& b) {
  const Weight base = weights_.front();
  const Shape& shape = base.variable.shape();
  if (shape.rank() == 0) {
    throw ShapeError("enable_lora", "a weight of one axis or more", "received shape ()",
                     "Layer \"" + name + "\". A single number has no lower rank.");
  }
  const std::string role = "lora_" + base.variable.name();
  const bool is_clone = builds_clone();
  Shape tall = shape;
  tall[tall.rank() - 1] = *rank_;
  // float32 whatever the layer's dtype, as in Keras.
  a_ = add_weight(tall, role + "_a", a, base.regularizer, {}, true, DType::float32);
  b_ = add_weight({*rank_, shape.back()}, role + "_b", b, base.regularizer, {}, true, DType::float32);
  if (!is_clone) Variable(base.variable).set_trainable(false);
}

void LoraBody::enable_lora(std::int64_t rank, const EnableLoraOptions& options) {
  const auto refuse = [&](const char* expects, const char* received, const char* advice) {
    throw StateError("enable_lora", expects, received, "Layer \"" + name + "\". " + advice);
  };
  if (!is_built())
    refuse("a layer that is built", "it is not", "Call it on a tensor, or build(shape), first.");
  if (has_lora())
    refuse("a layer without LoRA", "it has LoRA", "It can be enabled once; clone a layer before.");
  check_lora(rank, weights_.front().constraint);
  const std::size_t before = weights_.size();
  const std::optional<double> alpha_before = alpha_;
  rank_ = rank;
  alpha_ = options.lora_alpha;
  try {
    const auto scope = NameScope::again(scopes() + name + "/");
    add_matrices(options.a_initializer, options.b_initializer);
  } catch (...) {
    // An initializer of the caller's threw.
    weights_.erase(weights_.begin() + static_cast<std::ptrdiff_t>(before), weights_.end());
    a_ = {};
    rank_ = {};
    alpha_ = alpha_before;
    throw;
  }
}

Tensor LoraBody::adapted(const Variable& weight) const {
  if (!has_lora()) return weight.tensor();
  // In A's dtype, float32, also where W is float64: as Keras.
  const Tensor a = ops::reshape(a_.tensor(), {a_.shape().size() / *rank_, *rank_});
  const Tensor product = ops::matmul(a, b_.tensor()) * (alpha() / static_cast<double>(*rank_));
  return weight.tensor() + ops::cast(ops::reshape(product, weight.shape()), weight.dtype());
}

void LoraBody::add_lora_to(Config& config) const {
  if (!rank_) return;
  config["lora_rank"] = *rank_;
  // A whole number as Keras writes the integer that it asks for.
  if (alpha() == std::floor(alpha()) && std::abs(alpha()) < 0x1p53) {
    config["lora_alpha"] = static_cast<std::int64_t>(alpha());
  } else {
    config["lora_alpha"] = alpha();
  }
}

}  // namespace detail

void enable_lora(const Layer& layer, std::int64_t rank, const EnableLoraOptions& options) {
  auto* body = dynamic_cast<detail::LoraBody*>(&layer.body());
  if (body == nullptr) {
    throw ValueError("enable_lora", "a Dense, an EinsumDense or an Embedding",
                     "received " + std::string(layer.class_name()),
                     "Layer \"" + layer.name() + "\". Take the layers inside that are one of these.");
  }
  body->enable_lora(rank, options);
}

}  // namespace keratin::inline v0
