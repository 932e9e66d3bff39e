#include "keratin/layers/dense.h"

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/layers/dense_parts.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/lora_body.h"
#include "keratin/ops/dense.h"

namespace keratin::inline v0 {
namespace {

class DenseBody final : public detail::LoraBody, public detail::HasDenseParts {
 public:
  DenseBody(std::int64_t units, const DenseOptions& options) : units_(units), options_(options) {
    if (units < 1) {
      throw ValueError("Dense", "units is at least 1", "received units=" + std::to_string(units),
                       "It is the number of outputs.");
    }
    set_common(options);
    set_lora(options, options.kernel_constraint);
    activity_regularizer = options.activity_regularizer;
  }

  std::string_view class_name() const override { return "Dense"; }

  void build(const Shape& input) override {
    kernel_ = add_weight({input.back(), units_}, "kernel", options_.kernel_initializer,
                         options_.kernel_regularizer, options_.kernel_constraint);
    if (options_.use_bias) {
      bias_ = add_weight({units_}, "bias", options_.bias_initializer, options_.bias_regularizer,
                         options_.bias_constraint);
    }
    build_lora();
    add_activation("activation", options_.activation, product_shape(input));
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    check(x.shape());
    const Tensor bias = options_.use_bias ? bias_.tensor() : Tensor();
    if (options_.activation.elementwise() != nullptr) {
      return ops::dense(x, adapted(kernel_), bias, options_.activation);
    }
    return options_.activation(ops::dense(x, adapted(kernel_), bias, {}), context.training);
  }

  std::optional<detail::DenseParts> dense_parts() const override {
    const ElementwiseFunction* function = options_.activation.elementwise();
    if (!is_built() || function == nullptr) return std::nullopt;
    return detail::DenseParts{adapted(kernel_).detach(), options_.use_bias ? bias_.value() : Tensor(),
                              options_.activation.is_linear() ? nullptr : function};
  }

  Shape output_shape(const Shape& input) const override {
    check(input);
    return options_.activation.function().output_shape(product_shape(input));
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["units"] = units_;
    config["activation"] = options_.activation.function().serialize(target);
    config["use_bias"] = options_.use_bias;
    config["kernel_initializer"] = options_.kernel_initializer.serialize(target);
    config["bias_initializer"] = options_.bias_initializer.serialize(target);
    config["kernel_regularizer"] = options_.kernel_regularizer.serialize(target);
    config["bias_regularizer"] = options_.bias_regularizer.serialize(target);
    if (target == Generation::keras2) config["activity_regularizer"] = activity_regularizer.serialize(target);
    config["kernel_constraint"] = options_.kernel_constraint.serialize(target);
    config["bias_constraint"] = options_.bias_constraint.serialize(target);
    if (target == Generation::keras3) config["quantization_config"] = nullptr;
    add_lora_to(config);
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    auto copy = std::make_shared<DenseBody>(*this);
    copy->options_.activation = clone_of(options_.activation);
    return finish_clone(copy);
  }

 private:
  void check(const Shape& input) const {
    if (input.rank() < 2) refuse_input("an input of rank 2 or more", input, "Add a batch axis.");
    if (input.back() == Shape::kUnknown) {
      refuse_input("an input whose last axis has a known size", input, "Give Input the number of features.");
    }
    if (kernel_.is_defined() && input.back() != kernel_.shape()[0]) {
      refuse_input("an input whose last axis is " + std::to_string(kernel_.shape()[0]), input,
                   "Feed that many features, or build a new layer.");
    }
  }
  Shape product_shape(Shape input) const {
    input[input.rank() - 1] = units_;
    return input;
  }

  std::int64_t units_;
  DenseOptions options_;
  Variable kernel_, bias_;
};

}  // namespace

Dense::Dense(std::int64_t units, const DenseOptions& options)
    : Layer(std::make_shared<DenseBody>(units, options)) {}

Dense Dense::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Dense", config, generation);
  DenseOptions options;
  const std::int64_t units = reader.integer("units");
  options.activation = reader.activation("activation");
  options.use_bias = reader.boolean("use_bias", true);
  options.kernel_initializer = reader.initializer("kernel_initializer", options.kernel_initializer);
  options.bias_initializer = reader.initializer("bias_initializer", options.bias_initializer);
  options.kernel_regularizer = reader.regularizer("kernel_regularizer");
  options.bias_regularizer = reader.regularizer("bias_regularizer");
  options.kernel_constraint = reader.constraint("kernel_constraint");
  options.bias_constraint = reader.constraint("bias_constraint");
  options.lora_rank = reader.optional_integer("lora_rank");
  options.lora_alpha = reader.optional_number("lora_alpha");
  reader.read_common(options);
  return reader.finish(Dense(units, options));
}

void Dense::enable_lora(std::int64_t rank, const EnableLoraOptions& options) const {
  keratin::enable_lora(*this, rank, options);
}

}  // namespace keratin::inline v0
