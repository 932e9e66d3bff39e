// Cases of kind activation_vjp: functions along an axis, and their vector-Jacobian products.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "keratin/activations/get.h"
#include "keratin/autograd/gradients.h"
#include "keratin/layers/layer_registry.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

bool is_layer(const Config& call) { return call.value("layer", false); }

bool is_known(const Config& golden_case) {
  const Config& call = golden_case.at("call");
  if (is_layer(call)) return text_of(call, "function") == "softmax";
  const auto names = activations::names(generation_of(golden_case));
  return std::find(names.begin(), names.end(), text_of(call, "function")) != names.end();
}

Tensor apply(const Config& golden_case, const Tensor& x) {
  const Config& call = golden_case.at("call");
  const Generation generation = generation_of(golden_case);
  if (!is_layer(call)) return activations::make(text_of(call, "function"), call.at("args"), generation)(x);
  Config config = call.at("args");
  config["dtype"] = std::string(name(x.dtype()));
  const Config object = {{"class_name", "Softmax"}, {"config", config}};
  return layers::deserialize(object, generation)(x);
}

io::NamedTensors run(const Config& golden_case, const io::NamedTensors& arrays, DType) {
  const Tensor x = arrays["x"].watched();
  Tensor y;
  {
    const RecordGradients recording;
    y = apply(golden_case, x);
  }
  return {{"y", y.detach()}, {"vjp", gradients(y, std::array{x}, arrays["r"]).front()}};
}

}  // namespace

const Kind kActivationVjp = {"activation_vjp", is_known, run, true};

}  // namespace keratin::golden
