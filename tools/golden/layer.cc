// Cases of kind layer: forward, and the gradients of sum(y · r) with respect to the input and the weights.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

bool is_known(const Config& golden_case) {
  const auto known = layers::class_names();
  const auto has = [&](const Config& layer) {
    return std::find(known.begin(), known.end(), text_of(layer, "class_name")) != known.end();
  };
  const Config& layer = golden_case.at("layer");
  const Config& config = layer.at("config");
  for (const char* key : {"layer", "backward_layer"})
    if (config.contains(key) && !has(config.at(key))) return false;
  return has(layer);
}

Tensor in_precision(const Tensor& tensor, DType precision) {
  return is_floating(tensor.dtype()) ? tensor.astype(precision) : tensor;
}

CallContext context_of(const Config& call, const io::NamedTensors& arrays) {
  CallContext context{.training = call.value("training", false)};
  if (call.contains("mask")) context.mask = arrays[text_of(call, "mask")].astype(DType::boolean);
  if (call.contains("attention_mask"))
    context.attention_mask = arrays[text_of(call, "attention_mask")].astype(DType::boolean);
  context.use_causal_mask = call.value("use_causal_mask", false);
  return context;
}

// The number behind a prefix and before a suffix: "gw3" and "w2_after" of "gw", "" and "w", "_after".
std::optional<std::size_t> index_in(std::string_view text, std::string_view prefix, std::string_view suffix) {
  if (!text.starts_with(prefix) || !text.ends_with(suffix)) return std::nullopt;
  text = text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// d Σ y_i·r_i of all outputs, for the targets.
Tensors vjp(const Tensors& outputs, const Tensors& targets, const io::NamedTensors& arrays, DType precision) {
  Tensors all(targets.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].node() == nullptr) continue;
    const auto parts = gradients(outputs[i], targets, in_precision(arrays[fmt::format("r{}", i)], precision));
    for (std::size_t t = 0; t < parts.size(); ++t)
      if (parts[t].is_defined()) all[t] = all[t].is_defined() ? all[t] + parts[t] : parts[t];
  }
  return all;
}

io::NamedTensors run(const Config& golden_case, const io::NamedTensors& arrays, DType precision) {
  const Config& call = golden_case.at("call");
  const Layer layer =
      layers::deserialize(with_precision(golden_case.at("layer"), precision), generation_of(golden_case));
  Tensors inputs, targets;
  std::vector<Shape> shapes;
  for (const Config& input : call.at("inputs")) {
    inputs.push_back(in_precision(arrays[input.get<std::string>()], precision));
    if (is_floating(inputs.back().dtype())) inputs.back() = inputs.back().watched();
    shapes.push_back(inputs.back().shape());
  }
  targets = inputs;
  layer.build_list(shapes);
  Tensors weights;
  for (const Config& weight : golden_case.at("weights"))
    weights.push_back(in_precision(arrays[text_of(weight, "key")], precision));
  layer.set_weights(weights);

  const CallContext context = context_of(call, arrays);
  Tensors outputs;
  {
    const RecordGradients recording;
    outputs = layer.call(inputs, context);
    for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
  }
  const auto all = vjp(outputs, targets, arrays, precision);

  io::NamedTensors results;
  for (const auto& [output, check] : golden_case.at("outputs").items()) {
    const auto gradient_of = [&](std::size_t i) {
      return all.at(i).is_defined() ? all.at(i) : Tensor::zeros(targets.at(i).shape(), precision);
    };
    if (const auto y = index_in(output, "y", "")) {
      results.add(output, outputs.at(*y).detach());
    } else if (const auto x = index_in(output, "gx", "")) {
      results.add(output, gradient_of(*x));
    } else if (const auto w = index_in(output, "gw", "")) {
      results.add(output, gradient_of(inputs.size() + *w));
    } else if (const auto after = index_in(output, "w", "_after")) {
      results.add(output, layer.get_weights().at(*after));
    } else if (const auto second = index_in(output, "second_call_y", "")) {
      results.add(output, layer.call(inputs, context).at(*second).detach());
    } else {
      throw ValueError("golden", "expects outputs y, second_call_y, gx, gw and w_after", "got " + output);
    }
  }
  return results;
}

}  // namespace

const Kind kLayer = {"layer", is_known, run, false};

}  // namespace keratin::golden
