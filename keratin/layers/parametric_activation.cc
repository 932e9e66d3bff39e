#include "keratin/layers/parametric_activation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "keratin/activations/expression_node.h"
#include "keratin/activations/parse.h"
#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/parametric_op.h"
#include "keratin/layers/shared_axes.h"

namespace keratin::inline v0 {
namespace {

constexpr std::string_view kClass = "ParametricActivation";

std::vector<std::string> names_of(const ParametricActivationOptions& options) {
  std::vector<std::string> names;
  for (const ActivationParameter& parameter : options.parameters) names.push_back(parameter.name);
  return names;
}

class ParametricActivationBody final : public LayerBody {
 public:
  ParametricActivationBody(const Expr& formula, const ParametricActivationOptions& options)
      : options_(options), function_(std::make_shared<const detail::ParametricFunction>(formula)) {
    set_common(options);
  }

  std::string_view class_name() const override { return kClass; }
  std::string_view module_name() const override { return "keratin"; }

  void build(const Shape& input) override {
    weights_here_.clear();
    for (const ActivationParameter& parameter : options_.parameters) {
      weights_here_.push_back(add_weight(shape_of(parameter, input), parameter.name, parameter.initializer,
                                         parameter.regularizer, parameter.constraint));
    }
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    check(x.shape());
    Tensors parameters;
    for (const Variable& weight : weights_here_) parameters.push_back(weight.tensor());
    return detail::parametric(function_, x, parameters);
  }

  Shape output_shape(const Shape& input) const override {
    check(input);
    return input;
  }

  Config config(Generation target) const override {
    Config parameters = Config::array();
    for (const ActivationParameter& parameter : options_.parameters) {
      Config entry = Config::object();
      entry["name"] = parameter.name;
      entry["initializer"] = parameter.initializer.serialize(target);
      entry["regularizer"] = parameter.regularizer.serialize(target);
      entry["constraint"] = parameter.constraint.serialize(target);
      entry["shared_axes"] =
          parameter.shared_axes ? Config(parameter.shared_axes->values()) : Config(nullptr);
      entry["shared"] = parameter.shared;
      parameters.push_back(std::move(entry));
    }
    Config config = Config::object();
    config["formula"] = function_->formula().to_string(names_of(options_));
    config["parameters"] = std::move(parameters);
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<ParametricActivationBody>(*this));
  }

 private:
  Shape shape_of(const ActivationParameter& parameter, const Shape& input) const {
    std::vector<std::int64_t> axes;
    if (parameter.shared_axes) axes = parameter.shared_axes->values();
    if (parameter.shared) {
      for (std::size_t axis = 1; axis < input.rank(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
    }
    return detail::shared_shape(
        input, axes, [this](std::string_view expects, const Shape& shape, std::string_view advice) {
          refuse_input(expects, shape, advice);
        });
  }

  void check(const Shape& input) const {
    for (std::size_t i = 0; i < options_.parameters.size(); ++i) {
      if (i >= weights_here_.size()) {
        shape_of(options_.parameters[i], input);
      } else if (!detail::fits_shared(weights_here_[i].shape(), input)) {
        refuse_input("an input for parameters of shape " + weights_here_[i].shape().to_string(), input,
                     "Feed the shape it was built for, or build a new layer.");
      }
    }
  }

  ParametricActivationOptions options_;
  std::shared_ptr<const detail::ParametricFunction> function_;
  std::vector<Variable> weights_here_;
};

// The formula as the layer will read it from a file: that checks the names too.
std::shared_ptr<LayerBody> checked(const Expr& formula, const ParametricActivationOptions& options) {
  const std::vector<std::string> names = names_of(options);
  const std::size_t used = detail::parameter_count(formula.shared());
  if (used > names.size()) {
    throw ValueError(kClass, "a name for every parameter",
                     "the formula " + formula.to_string(names) + " takes " + std::to_string(used) +
                         ", options name " + std::to_string(names.size()),
                     "Add them to .parameters.");
  }
  if (!activations::parse(formula.to_string(names), names).is_same(formula)) {
    throw ValueError(kClass, "a formula that its text gives again", "received " + formula.to_string(names),
                     "Rename its parameters.");
  }
  for (const ActivationParameter& parameter : options.parameters) {
    const std::vector<std::int64_t> axes =
        parameter.shared_axes ? parameter.shared_axes->values() : std::vector<std::int64_t>();
    const auto bad = std::find_if(axes.begin(), axes.end(), [](std::int64_t axis) { return axis < 1; });
    if (bad == axes.end()) continue;
    throw ValueError(kClass, "shared_axes are at least 1: axis 0 is the batch",
                     "received " + std::to_string(*bad), "Count from the front.");
  }
  return std::make_shared<ParametricActivationBody>(formula, options);
}

}  // namespace

ParametricActivation::ParametricActivation(const std::string& formula,
                                           const ParametricActivationOptions& options)
    : ParametricActivation(activations::parse(formula, names_of(options)), options) {}

ParametricActivation::ParametricActivation(const Expr& formula, const ParametricActivationOptions& options)
    : Layer(checked(formula, options)) {}

Expr ParametricActivation::same_trace(const std::optional<Expr>& first, const std::optional<Expr>& second,
                                      std::size_t count) {
  if (!first || !second) {
    throw ValueError(kClass, "a function of x and of each parameter, 1 to 4",
                     "the options name " + std::to_string(count) + ", which the function does not take",
                     "Name each in .parameters, in the order of the arguments after x.");
  }
  if (!first->is_same(*second)) {
    throw ValueError(kClass, "a function that computes the same whenever it is called",
                     "it gave " + first->to_string() + " and then " + second->to_string(),
                     "It is traced once and may not count its calls or draw random numbers.");
  }
  return *first;
}

ParametricActivation ParametricActivation::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader(kClass, config, generation);
  ParametricActivationOptions options;
  const std::string formula = reader.text("formula", "x");
  if (const Config* parameters = reader.find("parameters")) {
    if (!parameters->is_array()) reader.refuse("parameters", "a list of objects", *parameters);
    for (const Config& entry : *parameters) {
      detail::LayerReader one(kClass, entry, generation);
      ActivationParameter parameter;
      parameter.name = one.text("name", "");
      parameter.initializer = one.initializer("initializer", parameter.initializer);
      parameter.regularizer = one.regularizer("regularizer");
      parameter.constraint = one.constraint("constraint");
      parameter.shared_axes = one.optional_axes("shared_axes");
      parameter.shared = one.boolean("shared", false);
      one.ConfigReader::finish();
      options.parameters.push_back(std::move(parameter));
    }
  }
  reader.read_common(options);
  return reader.finish(ParametricActivation(formula, options));
}

}  // namespace keratin::inline v0
