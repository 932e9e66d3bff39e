// Cases of kind layer: forward, and the gradients of sum(y · r) with respect to the input and the weights.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/layers/layer_registry.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

bool is_known(const Config& golden_case) {
  const auto known = layers::class_names();
  const Config& call = golden_case.at("call");
  if (call.at("inputs").size() != 1) return false;
  // Layers that hold layers or keep a state need a runner of their own.
  const Config& config = golden_case.at("layer").at("config");
  if (config.contains("layer") || config.contains("cell") || config.value("stateful", false)) return false;
  return std::find(known.begin(), known.end(), text_of(golden_case.at("layer"), "class_name")) != known.end();
}

Tensor in_precision(const Tensor& tensor, DType precision) {
  return is_floating(tensor.dtype()) ? tensor.astype(precision) : tensor;
}

io::NamedTensors run(const Config& golden_case, const io::NamedTensors& arrays, DType precision) {
  const Config& call = golden_case.at("call");
  const Layer layer =
      layers::deserialize(with_precision(golden_case.at("layer"), precision), generation_of(golden_case));
  const Tensor x = in_precision(arrays["x0"], precision).watched();
  layer.build(x.shape());
  std::vector<Tensor> weights;
  for (const Config& weight : golden_case.at("weights"))
    weights.push_back(in_precision(arrays[text_of(weight, "key")], precision));
  layer.set_weights(weights);

  CallContext context{.training = call.value("training", false)};
  if (call.contains("mask")) context.mask = arrays[text_of(call, "mask")].astype(DType::boolean);
  Tensor y;
  std::vector<Tensor> targets = {x};
  {
    const RecordGradients recording;
    y = layer(x, context);
    for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
  }
  const auto all = gradients(y, targets, in_precision(arrays["r0"], precision));

  io::NamedTensors results = {{"y0", y.detach()}};
  for (const auto& [output, check] : golden_case.at("outputs").items()) {
    if (output == "y0") continue;
    std::size_t i = targets.size();
    if (output == "gx0") i = 0;
    for (std::size_t w = 0; w + 1 < targets.size(); ++w)
      if (output == fmt::format("gw{}", w)) i = w + 1;
    if (i == targets.size())
      throw ValueError("golden", "expects outputs y0, gx0 and gw of each weight", "got " + output);
    results.add(output, all[i].is_defined() ? all[i] : Tensor::zeros(targets[i].shape(), precision));
  }
  return results;
}

}  // namespace

const Kind kLayer = {"layer", is_known, run, false};

}  // namespace keratin::golden
