#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/input.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/name_scope.h"
#include "keratin/models/model.h"
#include "keratin/models/model_body.h"

namespace keratin::inline v0 {
namespace {

class SequentialBody final : public ModelBody {
 public:
  SequentialBody() { set_common("", true, {}); }
  SequentialBody(const SequentialBody& other) : ModelBody(other) {
    for (const Layer& layer : other.layers_) layers_.push_back(layer.clone());
    if (other.input_) input_ = other.input_->clone();
    compiled = {};
  }

  std::string_view class_name() const override { return "Sequential"; }
  std::vector<Layer> layers() const override { return layers_; }
  std::vector<std::string> input_names() const override { return {input_ ? input_->name() : name}; }
  std::vector<std::string> output_names() const override {
    return {layers_.empty() ? name : layers_.back().name()};
  }

  void build(const Shape& input) override {
    // As Keras does, so that files say what the model takes.
    if (!input_) input_ = Input(input.without(0), {.dtype = dtype_of_input()});
    Shape shape = input;
    for (const Layer& layer : layers_) {
      layer.build(shape);
      shape = layer.compute_output_shape(shape);
    }
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    check(x.shape());
    Tensor y = x;
    CallContext inner = context;
    inner.masks.clear();
    Tensors masks;
    for (const Layer& layer : layers_) {
      inner.output_masks = layer.body().gives_masks() ? &masks : nullptr;
      const Tensor next = layer(y, inner);
      inner.mask = layer.body().gives_masks() ? masks.front() : layer.body().output_mask(y, inner.mask);
      y = next;
    }
    if (context.output_masks != nullptr) *context.output_masks = {inner.mask};
    return y;
  }

  Shape output_shape(const Shape& input) const override {
    check(input);
    Shape shape = input;
    for (const Layer& layer : layers_) shape = layer.compute_output_shape(shape);
    return shape;
  }

  Config base_config(Generation target) const override {
    if (target == Generation::keras3) return LayerBody::base_config(target);
    Config config = Config::object();
    config["name"] = name;
    return config;
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["layers"] = Config::array();
    if (input_) config["layers"].push_back(input_->serialize(target));
    for (const Layer& layer : layers_) config["layers"].push_back(layer.serialize(target));
    if (target == Generation::keras3 && built_shape) {
      config["build_input_shape"] = detail::shape_config(*built_shape);
    }
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<SequentialBody>(*this));
  }

  void add(const Layer& layer) {
    if (layer.class_name() == "InputLayer") {
      add_input(layer);
      return;
    }
    check_new(layer);
    // Keras 2 also gives the first layer the shape.
    if (!input_ && layers_.empty() && layer.body().batch_input_shape) {
      layer.compute_output_shape(*layer.body().batch_input_shape);
      add_input(Input(layer.body().batch_input_shape->without(0)));
    }
    if (is_built()) {
      const Shape shape = output_shape(*built_shape);
      layer.compute_output_shape(shape);
      const detail::NameScope scope(name);
      layer.build(shape);
    }
    layers_.push_back(layer);
    training_state = nullptr;
    compiled = {};
  }

  void pop() {
    if (layers_.empty()) {
      throw StateError("pop", "a model with layers", "\"" + name + "\" has none", "Add one first.");
    }
    layers_.pop_back();
    training_state = nullptr;
    compiled = {};
  }

 private:
  void add_input(const Layer& input) {
    if (input_ || !layers_.empty()) {
      throw ValueError("Sequential", "an Input only as the first layer",
                       "received \"" + input.name() + "\" after " +
                           (layers_.empty() ? "\"" + input_->name() : "\"" + layers_.back().name()) + "\"",
                       "Put it in front, or leave it out.");
    }
    input_ = input;
    ensure_built({*input.body().batch_input_shape});
  }

  void check_new(const Layer& layer) const {
    if (layer.shared().get() == this) {
      throw ValueError("Sequential", "another model", "received \"" + name + "\" itself", "Add a clone().");
    }
    for (const Layer& other : layers_) {
      if (other.name() != layer.name()) continue;
      throw ValueError("Sequential", "layers with names of their own",
                       "received a second \"" + layer.name() + "\"",
                       "Give one of them another .name; a layer stands in a Sequential once.");
    }
  }

  void check(const Shape& shape) const {
    if (!built_shape) return;
    bool fits = shape.rank() == built_shape->rank();
    for (std::size_t axis = 1; fits && axis < shape.rank(); ++axis) {
      const std::int64_t wanted = (*built_shape)[axis], size = shape[axis];
      fits = wanted == size || wanted == Shape::kUnknown || size == Shape::kUnknown;
    }
    if (!fits) {
      refuse_input("an input of shape " + built_shape->to_string(), shape,
                   "Feed that shape, or build a new model.");
    }
  }

  DType dtype_of_input() const { return layers_.empty() ? DType::float32 : layers_.front().dtype(); }

  std::optional<Layer> input_;
  std::vector<Layer> layers_;
};

SequentialBody& sequential(LayerBody& body) { return static_cast<SequentialBody&>(body); }

// The inner config of one of the forms that Sequential::from_config takes.
Config inner_config(const Config& config) {
  if (config.is_array()) {  // Keras up to 2.2.2 wrote the list of layers alone
    Config object = Config::object();
    object["layers"] = config;
    return object;
  }
  if (!config.is_object() || !config.contains("class_name")) return config;
  const auto name = config.find("class_name");
  if (!name->is_string() || *name != "Sequential") {
    throw ValueError("Sequential", R"("class_name" is "Sequential")", "received " + detail::excerpt(*name),
                     "Load other kinds of models with their own class.");
  }
  const auto inner = config.find("config");
  if (inner == config.end()) {
    throw ValueError("Sequential config", R"("config")", "it is missing", "The file may be damaged.");
  }
  return inner_config(*inner);
}

const bool kRegistered =
    layers::register_class("Sequential", [](const Config& config, Generation generation) {
      return static_cast<Layer>(Sequential::from_config(config, generation));
    });

}  // namespace

Sequential::Sequential(std::initializer_list<Layer> layers, std::string name)
    : Sequential(std::vector<Layer>(layers), std::move(name)) {}

Sequential::Sequential(const std::vector<Layer>& layers, std::string name)
    : Model([&] {
        auto body = std::make_shared<SequentialBody>();
        body->name = std::move(name);
        return body;
      }()) {
  for (const Layer& layer : layers) add(layer);
}

Sequential Sequential::from_config(const Config& given, Generation generation) {
  const Config config = inner_config(given);
  detail::ConfigReader reader("Sequential", config, generation);
  Sequential model({}, reader.text("name", ""));
  model.body_->generation = generation;
  model.body_->trainable = reader.boolean("trainable", true);
  const DTypePolicy policy = reader.dtype("dtype");
  model.body_->dtype = policy.variable_dtype();
  model.body_->compute_dtype = policy.compute_dtype();
  const Config* layers = reader.find("layers");
  if (layers == nullptr || !layers->is_array()) {
    reader.refuse("layers", "a list of layers", layers == nullptr ? Config(nullptr) : *layers);
  }
  for (const Config& layer : *layers) model.add(layers::deserialize(layer, generation));
  const std::optional<Shape> shape = reader.optional_shape("build_input_shape");
  reader.finish();
  if (shape && shape->rank() > 0) model.build(*shape);
  detail::compile_as_in(model, given);
  return model;
}

void Sequential::add(const Layer& layer) { sequential(*body_).add(layer); }

void Sequential::pop() { sequential(*body_).pop(); }

Sequential Sequential::clone() const {
  return Sequential(std::static_pointer_cast<ModelBody>(body_->clone()));
}

}  // namespace keratin::inline v0
