// Cases of kind activation: a function and its derivative, element by element.
#include <array>
#include <nlohmann/json.hpp>

#include "keratin/activations/get.h"
#include "keratin/autograd/gradients.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

bool is_known(const Config& golden_case) {
  const auto names = activations::names(generation_of(golden_case));
  const std::string function = text_of(golden_case.at("call"), "function");
  return std::find(names.begin(), names.end(), function) != names.end();
}

ActivationFn function_of(const Config& golden_case) {
  const Config& call = golden_case.at("call");
  return activations::make(text_of(call, "function"), call.at("args"), generation_of(golden_case));
}

io::NamedTensors value_and_derivative(const Config& golden_case, const io::NamedTensors& arrays, DType) {
  const ActivationFn function = function_of(golden_case);
  const Tensor x = arrays["x"].watched();
  Tensor y;
  {
    const RecordGradients recording;
    y = function(x);
  }
  return {{"y", y.detach()}, {"dy", gradients(y, std::array{x}).front()}};
}

io::NamedTensors value(const Config& golden_case, const io::NamedTensors& arrays, DType) {
  return {{"y", function_of(golden_case)(arrays["x"])}};
}

}  // namespace

const Kind kActivation = {"activation", is_known, value_and_derivative, true};
const Kind kActivationShape = {"activation_shape", is_known, value, true};

}  // namespace keratin::golden
