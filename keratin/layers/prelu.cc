#include "keratin/layers/prelu.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/prelu_op.h"

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
  // Keras indexes the shape without its batch axis by axis − 1 as Python does: 0 and below count from the
  // end.
  Shape alpha_shape(const Shape& input) const {
    if (input.rank() < 2) refuse_input("an input of rank 2 or more", input, "Add a batch axis.");
    Shape shape = input.part(1, input.rank());
    const auto rank = static_cast<std::int64_t>(shape.rank());
    for (const std::int64_t axis : axes_of(options_)) {
      const std::int64_t index = axis > 0 ? axis - 1 : axis - 1 + rank;
      if (index < 0 || index >= rank) {
        refuse_input("an input that has the shared axis " + std::to_string(axis), input,
                     "shared_axes counts the batch axis as 0; correct it.");
      }
      shape[static_cast<std::size_t>(index)] = 1;
    }
    if (!shape.is_known()) {
      refuse_input("known sizes on all axes that are not shared", input,
                   "Give Input those sizes, or put the axes into shared_axes.");
    }
    return shape;
  }

  void check(const Shape& input) const {
    if (!alpha_.is_defined()) {
      alpha_shape(input);
      return;
    }
    const Shape& alpha = alpha_.shape();
    bool fits = input.rank() == alpha.rank() + 1;
    for (std::size_t axis = 0; fits && axis < alpha.rank(); ++axis) {
      fits = alpha[axis] == 1 || alpha[axis] == input[axis + 1];
    }
    if (!fits) {
      refuse_input("an input for slopes of shape " + alpha.to_string(), input,
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
