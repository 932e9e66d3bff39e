#include "keratin/layers/layer.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/layer_activation.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/name_scope.h"

namespace keratin::inline v0 {
namespace {

// How often each automatic name was given.
struct NameCounts {
  std::mutex mutex;
  std::map<std::string, std::int64_t, std::less<>> counts;
};

NameCounts& name_counts() {
  static NameCounts instance;
  return instance;
}

std::string automatic_name(std::string_view class_name) {
  std::string name = to_snake_case(class_name);
  const std::lock_guard lock(name_counts().mutex);
  const std::int64_t count = name_counts().counts[name]++;
  return count == 0 ? name : name + "_" + std::to_string(count);
}

// The weights of a user's own StatefulActivation, seen as a layer inside.
class StatefulPart final : public LayerBody {
 public:
  explicit StatefulPart(std::shared_ptr<const ActivationFunction> owner, StatefulActivation& activation)
      : owner_(std::move(owner)), activation_(activation) {
    name = activation_.name();
  }
  std::string_view class_name() const override { return "Activation"; }
  Tensor call(const Tensor& x, const CallContext& context) const override {
    return activation_.apply(x, context.training);
  }
  Config config(Generation) const override { return Config::object(); }
  std::vector<Weight> weights() const override {
    std::vector<Weight> weights;
    for (const Variable& variable : activation_.variables()) weights.push_back({.variable = variable});
    return weights;
  }
  void set_trainable(bool value) override {
    trainable = value;
    for (Variable variable : activation_.variables()) variable.set_trainable(value);
  }

 private:
  std::shared_ptr<const ActivationFunction> owner_;
  StatefulActivation& activation_;
};

std::shared_ptr<LayerBody> body_of(const ActivationFn& activation) {
  if (const auto* layer = dynamic_cast<const detail::LayerActivation*>(activation.stateful())) {
    return layer->layer().shared();
  }
  return std::make_shared<StatefulPart>(activation.shared(), *activation.stateful());
}

Shape with_unknown_batch(Shape shape) {
  if (shape.rank() > 0) shape[0] = Shape::kUnknown;
  return shape;
}

}  // namespace

LayerBody::~LayerBody() = default;

void LayerBody::build(const Shape&) {}

std::shared_ptr<LayerBody> LayerBody::clone() const {
  Config all = base_config(generation);
  all.update(config(generation));
  const Layer copy =
      layers::deserialize(detail::keras_object(module_name(), class_name(), std::move(all)), generation);
  return built_alike(copy.shared());
}

std::vector<Weight> LayerBody::weights() const {
  std::vector<Weight> all;
  for (const bool wanted : {true, false}) {
    for (const Weight& weight : weights_) {
      if (weight.trainable == wanted) all.push_back(weight);
    }
  }
  for (const LayerPart& part : parts()) {
    const std::vector<Weight> inner = part.body->weights();
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

void LayerBody::set_trainable(bool value) {
  trainable = value;
  for (Weight& weight : weights_) {
    if (weight.trainable) weight.variable.set_trainable(value);
  }
  for (const LayerPart& part : parts()) part.body->set_trainable(value);
}

Config LayerBody::base_config(Generation target) const {
  Config config = Config::object();
  config["name"] = name;
  config["trainable"] = trainable;
  config["dtype"] = detail::dtype_config(policy(), target);
  if (target == Generation::keras2 && batch_input_shape) {
    config["batch_input_shape"] = detail::shape_config(*batch_input_shape);
  }
  if (activity_regularizer) config["activity_regularizer"] = activity_regularizer.serialize(target);
  return config;
}

void LayerBody::check_single(std::size_t count) const {
  if (count == 1) return;
  throw ShapeError(to_snake_case(class_name()), "one input", "received " + std::to_string(count),
                   "Layer \"" + name + "\". Concatenate or add them first.");
}

void LayerBody::check_keyword(std::string_view keyword, std::string_view advice) const {
  if (takes_keyword(keyword)) return;
  throw ValueError(to_snake_case(class_name()), "a call without " + std::string(keyword),
                   "received " + std::string(keyword), "Layer \"" + name + "\". " + std::string(advice));
}

const LayerBody& LayerBody::called(const CallContext& context) const {
  for (const CallKeyword& keyword : kCallKeywords)
    if (context.*keyword.value) check_keyword(keyword.name, keyword.taken_by);
  if (context.attention_mask.is_defined()) check_keyword("attention_mask", kAttentionMaskTakenBy);
  return *this;
}

void LayerBody::build_list(const Shapes& inputs) {
  check_single(inputs.size());
  build(inputs.front());
}

Tensors LayerBody::call_list(const Tensors& inputs, const CallContext& context) const {
  check_single(inputs.size());
  return {call(inputs.front(), context)};
}

Shapes LayerBody::output_shapes(const Shapes& inputs) const {
  check_single(inputs.size());
  return {output_shape(inputs.front())};
}

Tensors LayerBody::output_masks(const Tensors& inputs, const Tensors& masks) const {
  return {output_mask(inputs.front(), masks.front())};
}

void LayerBody::ensure_built(const Shapes& inputs) {
  if (is_built()) return;
  const std::lock_guard lock(guard_.mutex);
  if (is_built()) return;
  output_shapes(inputs);
  Shapes shapes;
  for (const Shape& input : inputs) shapes.push_back(with_unknown_batch(input));
  scopes_ = detail::NameScope::current();
  try {
    const detail::NameScope scope(name);
    build_list(shapes);
  } catch (...) {
    weights_.clear();
    parts_.clear();
    throw;
  }
  built_shape = shapes.front();
  built_shapes = std::move(shapes);
  guard_.is_built.store(true, std::memory_order_release);
}

void LayerBody::set_common(const std::string& given_name, bool given_trainable, const DTypePolicy& given) {
  if (given_name.find('/') != std::string::npos) {
    throw ValueError(class_name(), "a name without '/', which separates names in files",
                     "received name=\"" + given_name + "\"", "Use '_' or '.'.");
  }
  const DType variable = given.variable_dtype();
  if (variable != DType::float32 && variable != DType::float64) {
    throw TypeError(class_name(), "weights of dtype float32 or float64", "received dtype=" + given.name(),
                    "For half types take \"mixed_bfloat16\" or \"mixed_float16\".");
  }
  name = given_name;
  trainable = given_trainable;
  dtype = variable;
  compute_dtype = given.compute_dtype();
}

Variable LayerBody::add_weight(const Shape& shape, std::string_view role, const Initializer& initializer,
                               const Regularizer& regularizer, const Constraint& constraint, bool trained,
                               std::optional<DType> weight_dtype) {
  bool now = trained && trainable;
  std::string path = detail::NameScope::path_of(role);
  Tensor value;
  if (given_.empty()) {
    value = initializer(shape, weight_dtype.value_or(dtype));
  } else {
    value = given_.back().variable.value();
    now = given_.back().variable.trainable();
    path = given_.back().variable.path();
    given_.pop_back();
  }
  Variable variable(std::move(value), std::string(role), now, std::move(path));
  weights_.push_back({variable, regularizer, constraint, trained});
  return variable;
}

void LayerBody::add_activation(std::string_view attribute, const ActivationFn& activation,
                               const Shape& input) {
  if (activation.stateful() == nullptr) return;
  activation.stateful()->build(input);
  LayerPart part{std::string(attribute), body_of(activation)};
  if (!trainable) part.body->set_trainable(false);
  parts_.push_back(std::move(part));
}

ActivationFn LayerBody::clone_of(const ActivationFn& activation) {
  if (activation.stateful() == nullptr) return activation;
  return ActivationFn(std::shared_ptr<const ActivationFunction>(activation.stateful()->clone()));
}

std::shared_ptr<LayerBody> LayerBody::finish_clone(std::shared_ptr<LayerBody> copy) {
  copy->training_state = nullptr;
  copy->parts_.clear();
  copy->given_.assign(copy->weights_.rbegin(), copy->weights_.rend());
  copy->weights_.clear();
  if (copy->built_shape) {
    copy->build_list(copy->built_shapes);
    copy->guard_.is_built.store(true, std::memory_order_release);
  }
  return copy;
}

std::shared_ptr<LayerBody> LayerBody::built_alike(const std::shared_ptr<LayerBody>& fresh) const {
  if (built_shape) {
    const auto scopes = detail::NameScope::again(scopes_);
    fresh->ensure_built(built_shapes);
  }
  Tensors values;
  for (const Weight& weight : weights()) values.push_back(weight.variable.value());
  Layer(fresh).set_weights(values);
  return fresh;
}

void LayerBody::refuse_input(std::string_view expects, const Shape& shape, std::string_view advice) const {
  std::string place = "Layer \"" + name + "\"";
  if (built_shape) place += ", built for " + built_shape->to_string();
  throw ShapeError(to_snake_case(class_name()), expects, "received shape " + shape.to_string(),
                   place + ". " + std::string(advice));
}

Layer::Layer(std::shared_ptr<LayerBody> body) : body_(std::move(body)) {
  if (body_->name.empty()) body_->name = automatic_name(body_->inner_class_name());
}

std::vector<Variable> Layer::variables() const {
  std::vector<Variable> variables;
  for (const Weight& weight : weights()) variables.push_back(weight.variable);
  return variables;
}

std::vector<Variable> Layer::trainable_variables() const {
  std::vector<Variable> variables;
  for (const Weight& weight : weights()) {
    if (weight.variable.trainable()) variables.push_back(weight.variable);
  }
  return variables;
}

std::vector<Variable> Layer::non_trainable_variables() const {
  std::vector<Variable> variables;
  for (const Weight& weight : weights()) {
    if (!weight.variable.trainable()) variables.push_back(weight.variable);
  }
  return variables;
}

Tensors Layer::get_weights() const {
  Tensors values;
  for (const Weight& weight : weights()) values.push_back(weight.variable.value());
  return values;
}

void Layer::set_weights(const Tensors& values) const {
  const std::vector<Weight> all = weights();
  const std::string place = "Layer \"" + name() + "\"" + (is_built() ? "." : ", not built yet.");
  if (all.size() != values.size()) {
    throw ShapeError("set_weights", std::to_string(all.size()) + " weights",
                     "received " + std::to_string(values.size()), place + " Pass what get_weights() gives.");
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].variable.shape() == values[i].shape()) continue;
    throw ShapeError("set_weights",
                     "weight " + std::to_string(i) + ", \"" + all[i].variable.name() + "\", of shape " +
                         all[i].variable.shape().to_string(),
                     "received " + values[i].shape().to_string(),
                     place + " Is it transposed, or of another layer?");
  }
  for (std::size_t i = 0; i < all.size(); ++i) Variable(all[i].variable).assign(values[i]);
}

std::int64_t Layer::count_params() const {
  if (!is_built() && body_->builds_from_shape()) {
    throw StateError("count_params", "a layer that is built", "\"" + name() + "\" is not",
                     "Call it on a tensor, or build(shape), first.");
  }
  std::int64_t count = 0;
  for (const Weight& weight : weights()) count += weight.variable.shape().size();
  return count;
}

Tensors Layer::regularization_losses(Generation generation) const {
  Tensors losses;
  for (const Weight& weight : weights())
    if (weight.is_penalized(generation)) losses.push_back(weight.regularizer(weight.variable.tensor()));
  return losses;
}

Config Layer::serialize() const { return serialize(body_->generation); }

Config Layer::serialize(Generation generation) const {
  Config config = body_->base_config(generation);
  config.update(body_->config(generation));
  Config object =
      detail::keras_object(body_->module_name(), body_->saved_class_name(generation), std::move(config));
  if (body_->built_shape && (generation == Generation::keras2 || body_->builds_from_shape())) {
    Config& shape = object["build_config"]["input_shape"];
    if (body_->built_shapes.size() == 1) {
      shape = detail::shape_config(*body_->built_shape);
    } else {
      for (const Shape& input : body_->built_shapes) shape.push_back(detail::shape_config(input));
    }
  }
  body_->add_to_object(object, generation);
  // Keras ignores keys beside these, so its files can carry the note.
  if (generation != body_->generation && body_->depends_on_generation()) {
    object["keratin"]["semantics"] = static_cast<int>(body_->generation);
  }
  return object;
}

ActivationFn Layer::to_activation_fn() const {
  std::shared_ptr<const ActivationFunction> function;
  if (body_->elementwise() != nullptr) {
    function = std::make_shared<detail::ElementwiseLayer>(*this);
  } else {
    function = std::make_shared<detail::LayerActivation>(*this);
  }
  return ActivationFn(std::move(function));
}

void clear_session() {
  const std::lock_guard lock(name_counts().mutex);
  name_counts().counts.clear();
}

}  // namespace keratin::inline v0
