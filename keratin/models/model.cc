#include "keratin/models/model.h"

#include <atomic>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/models/functional_body.h"
#include "keratin/models/model_body.h"

namespace keratin::inline v0 {

std::vector<LayerPart> ModelBody::parts() const {
  std::vector<LayerPart> parts;
  for (const Layer& layer : layers()) parts.push_back({"layers", layer.shared()});
  return parts;
}

Shapes ModelBody::shapes_of(const Layer& layer) const {
  if (!layer.body().built_shape) return {};
  return layer.compute_output_shapes(layer.body().built_shapes);
}

void ModelBody::add_to_object(Config& object, Generation generation) const {
  Config config = compiled.config ? compiled.config(generation) : Config::object();
  // Keras 3 writes an empty one for a model that is not compiled, Keras 2 none.
  if (generation == Generation::keras3 || !config.empty()) object["compile_config"] = std::move(config);
}

namespace detail {
namespace {

std::atomic<CompileFromConfig> compile_from_config = nullptr;

}  // namespace

void set_compile_from_config(CompileFromConfig function) noexcept {
  compile_from_config.store(function, std::memory_order_relaxed);
}

void compile_as_in(Model& model, const Config& object) {
  if (!object.is_object() || !object.contains("compile_config")) return;
  const Config& config = object["compile_config"];
  if (config.is_null() || config.empty()) return;
  const CompileFromConfig function = compile_from_config.load(std::memory_order_relaxed);
  if (function == nullptr)
    throw StateError("from_config", "a program with keratin's training, for a \"compile_config\"",
                     "it has been linked without", "Link all of the library, or erase the key.");
  function(model, config);
}

}  // namespace detail

// Of a model inside another, which Keras 3 alone compiles; from_config does that with the outermost.
void ModelBody::take_from_object(const std::shared_ptr<LayerBody>& self, const Config& object,
                                 Generation generation) {
  if (generation == Generation::keras2) return;
  Model model(std::static_pointer_cast<ModelBody>(self));
  detail::compile_as_in(model, object);
}

Model::Model(std::shared_ptr<ModelBody> body) : Layer(std::move(body)) {}

Model::Model(const std::vector<SymbolicTensor>& inputs, const std::vector<SymbolicTensor>& outputs,
             std::string name)
    : Layer(std::make_shared<FunctionalBody>(inputs, outputs, std::move(name))) {}

Model::Model(const SymbolicTensor& input, const SymbolicTensor& output, std::string name)
    : Model(std::vector<SymbolicTensor>{input}, {output}, std::move(name)) {}

Model Model::clone() const { return Model(std::static_pointer_cast<ModelBody>(body_->clone())); }

const ModelBody& Model::model_body() const noexcept { return static_cast<const ModelBody&>(*body_); }

std::vector<std::string> Model::input_names() const { return model_body().input_names(); }
std::vector<std::string> Model::output_names() const { return model_body().output_names(); }

std::vector<Layer> Model::layers() const { return model_body().layers(); }

Layer Model::get_layer(std::string_view name) const {
  const std::vector<Layer> all = layers();
  std::vector<std::string_view> names;
  std::string list;
  for (const Layer& layer : all) {
    if (layer.name() == name) return layer;
    names.push_back(layer.name());
    list += (list.empty() ? "\"" : ", \"") + layer.name() + "\"";
  }
  const std::string advice = did_you_mean(name, names);
  throw ValueError("get_layer", "one of " + (list.empty() ? "no layers" : list),
                   "received \"" + std::string(name) + "\"", advice);
}

Layer Model::get_layer(std::int64_t index) const {
  const std::vector<Layer> all = layers();
  const auto count = static_cast<std::int64_t>(all.size());
  const std::int64_t from_front = index < 0 ? index + count : index;
  if (from_front < 0 || from_front >= count) {
    throw ValueError("get_layer", "an index into " + std::to_string(count) + " layers",
                     "received " + std::to_string(index));
  }
  return all[static_cast<std::size_t>(from_front)];
}

}  // namespace keratin::inline v0
