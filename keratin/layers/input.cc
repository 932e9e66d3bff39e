#include "keratin/layers/input.h"

#include <nlohmann/json.hpp>

#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class InputBody final : public LayerBody {
 public:
  InputBody(const Shape& shape, const InputOptions& options) : optional_(options.optional) {
    name = options.name;
    dtype = compute_dtype = options.dtype;
    batch_input_shape = shape.with_inserted(0, options.batch_size.value_or(Shape::kUnknown));
  }

  std::string_view class_name() const override { return "InputLayer"; }
  bool builds_from_shape() const override { return false; }
  Tensor call(const Tensor& x, const CallContext&) const override { return x; }
  InputCast input_cast() const override { return InputCast::none; }
  Config base_config(Generation) const override { return Config::object(); }
  Config config(Generation target) const override {
    Config config = Config::object();
    config[target == Generation::keras2 ? "batch_input_shape" : "batch_shape"] =
        detail::shape_config(*batch_input_shape);
    config["dtype"] = keratin::name(dtype);
    config["sparse"] = false;
    config["ragged"] = false;
    config["name"] = name;
    config["optional"] = optional_;
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<InputBody>(*this));
  }

 private:
  bool optional_;
};

}  // namespace

Input::Input(const Shape& shape, const InputOptions& options)
    : Layer(std::make_shared<InputBody>(shape, options)),
      tensor_(std::make_shared<const SymbolicCall>(SymbolicCall{body_, {}, {*body_->batch_input_shape}}), 0) {
}

Input Input::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("InputLayer", config, generation);
  // Keras 3's name and Keras 2's.
  std::optional<Shape> shape = reader.optional_shape("batch_shape");
  if (!shape) shape = reader.optional_shape("batch_input_shape");
  if (!shape || shape->rank() == 0)
    reader.refuse("batch_shape", "the input's shape, batch axis first", nullptr);
  InputOptions options;
  if ((*shape)[0] != Shape::kUnknown) options.batch_size = (*shape)[0];
  if (const Config* dtype = reader.find("dtype"); dtype != nullptr && dtype->is_string()) {
    options.dtype = dtype_of(dtype->get<std::string>());
  }
  options.name = reader.text("name", "");
  options.optional = reader.boolean("optional", false);
  for (const std::string_view kind : {"sparse", "ragged"}) {
    if (reader.boolean(kind, false)) reader.refuse(kind, "false: tensors here are dense", true);
  }
  reader.ignore({"trainable"});
  Input input = reader.finish(Input(shape->without(0), options));
  input.body().batch_input_shape = shape;
  return input;
}

}  // namespace keratin::inline v0
