#include "keratin/layers/activation.h"

#include <nlohmann/json.hpp>

#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class ActivationBody final : public LayerBody {
 public:
  ActivationBody(const ActivationFn& activation, const ActivationOptions& options) : activation_(activation) {
    set_common(options);
  }

  std::string_view class_name() const override { return "Activation"; }
  bool builds_from_shape() const override { return activation_.stateful() != nullptr; }
  void build(const Shape& input) override { add_activation("activation", activation_, input); }
  Tensor call(const Tensor& x, const CallContext& context) const override {
    return activation_(x, context.training);
  }
  Shape output_shape(const Shape& input) const override { return activation_.function().output_shape(input); }
  Config config(Generation target) const override {
    Config config = Config::object();
    config["activation"] = activation_.function().serialize(target);
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    auto copy = std::make_shared<ActivationBody>(*this);
    copy->activation_ = clone_of(activation_);
    return finish_clone(copy);
  }
  const ElementwiseFunction* elementwise() const override { return activation_.elementwise(); }

 private:
  ActivationFn activation_;
};

}  // namespace

Activation::Activation(const ActivationFn& activation, const ActivationOptions& options)
    : Layer(std::make_shared<ActivationBody>(activation, options)) {}

Activation Activation::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Activation", config, generation);
  ActivationOptions options;
  const ActivationFn activation = reader.activation("activation");
  reader.read_common(options);
  return reader.finish(Activation(activation, options));
}

}  // namespace keratin::inline v0
