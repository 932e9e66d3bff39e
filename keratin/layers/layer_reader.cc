#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0::detail {

Initializer LayerReader::initializer(std::string_view key, const Initializer& otherwise) {
  const Config* value = find(key);
  return value == nullptr ? otherwise : initializers::deserialize(*value, generation());
}

Regularizer LayerReader::regularizer(std::string_view key) {
  const Config* value = find(key);
  return value == nullptr ? Regularizer() : regularizers::deserialize(*value, generation());
}

Constraint LayerReader::constraint(std::string_view key) {
  const Config* value = find(key);
  return value == nullptr ? Constraint() : constraints::deserialize(*value, generation());
}

ActivationFn LayerReader::activation(std::string_view key) {
  const Config* value = find(key);
  return value == nullptr ? ActivationFn() : activations::get(*value, generation());
}

void LayerReader::finish_body(LayerBody& body) {
  body.generation = generation();
  body.batch_input_shape = optional_shape("batch_input_shape");
  if (const Regularizer penalty = regularizer("activity_regularizer")) body.activity_regularizer = penalty;
  // How Keras traces a call; nothing that is computed.
  ignore({"autocast", "dynamic"});
  ConfigReader::finish();
}

}  // namespace keratin::inline v0::detail
