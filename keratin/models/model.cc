#include "keratin/models/model.h"

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
