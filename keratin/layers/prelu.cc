#include "keratin/layers/prelu.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/prelu_op.h"
#include "keratin/layers/shared_axes.h"

namespace keratin::inline v0 {
namespace {

std::vector<std::int64_t> axes_of(const PReLUOptions& options) {
  return options.shared_axes ? options.shared_axes->values() : std::vector<std::int64_t>();
}

class PReLUBody final : public LayerBody {
 public:
  explicit PReLUBody(const PReLUOptions& options) : options_(options) { set_common(options); }

  std::string_view class_name() const override { return "PReLU"; }

  void build(const Shape& input) override {
    alpha_ = add_weight(alpha_shape(input), "alpha", options_.alpha_initializer, options_.alpha_regularizer,
                        options_.alpha_constraint);
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    check(x.shape());
    return detail::prelu(x, alpha_.tensor());
  }

  Shape output_shape(const Shape& input) const override {
    check(input);
    return input;
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["alpha_initializer"] = options_.alpha_initializer.serialize(target);
    config["alpha_regularizer"] = options_.alpha_regularizer.serialize(target);
    config["alpha_constraint"] = options_.alpha_constraint.serialize(target);
    config["shared_axes"] = options_.shared_axes ? Config(options_.shared_axes->values()) : Config(nullptr);
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<PReLUBody>(*this));
  }

 private:
  Shape alpha_shape(const Shape& input) const {
    return detail::shared_shape(input, axes_of(options_),
                                [this](std::string_view expects, const Shape& shape,
                                       std::string_view advice) { refuse_input(expects, shape, advice); });
  }

  void check(const Shape& input) const {
    if (!alpha_.is_defined()) {
      alpha_shape(input);
    } else if (!detail::fits_shared(alpha_.shape(), input)) {
      refuse_input("an input for slopes of shape " + alpha_.shape().to_string(), input,
                   "Feed the shape it was built for, or build a new layer.");
    }
  }

  PReLUOptions options_;
  Variable alpha_;
};

std::shared_ptr<LayerBody> checked(const PReLUOptions& options) {
  for (const std::int64_t axis : axes_of(options)) {
    if (axis > 0) continue;
    throw ValueError("PReLU", "shared_axes are at least 1: axis 0 is the batch",
                     "received " + std::to_string(axis), "Count from the front.");
  }
  return std::make_shared<PReLUBody>(options);
}

}  // namespace

PReLU::PReLU(const PReLUOptions& options) : Layer(checked(options)) {}

PReLU PReLU::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("PReLU", config, generation);
  PReLUOptions options;
  options.alpha_initializer = reader.initializer("alpha_initializer", options.alpha_initializer);
  options.alpha_regularizer = reader.regularizer("alpha_regularizer");
  options.alpha_constraint = reader.constraint("alpha_constraint");
  options.shared_axes = reader.optional_axes("shared_axes");
  reader.read_common(options);
  // Keras writes axes below 1 too: they are taken as it takes them.
  return reader.finish(PReLU(std::make_shared<PReLUBody>(options)));
}

}  // namespace keratin::inline v0
