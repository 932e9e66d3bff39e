// Cases of kind training: twenty steps of an optimizer, the losses and the weights after.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/layers/layer_registry.h"
#include "keratin/models/model.h"
#include "keratin/training/training.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

// Whether the model is a stack of layers that the library has.
bool has_model(const Config& model) {
  if (text_of(model, "class_name") != "Sequential") return false;
  auto known = layers::class_names();
  known.emplace_back("InputLayer");
  const Config& listed = model.at("config").at("layers");
  return std::all_of(listed.begin(), listed.end(), [&](const Config& layer) {
    return std::find(known.begin(), known.end(), text_of(layer, "class_name")) != known.end();
  });
}

bool is_known(const Config& golden_case) { return has_model(golden_case.at("model")); }

Tensor in_precision(const Tensor& tensor, DType precision) {
  return is_floating(tensor.dtype()) ? tensor.astype(precision) : tensor;
}

io::NamedTensors run(const Config& golden_case, const io::NamedTensors& arrays, DType precision) {
  const Generation generation = generation_of(golden_case);
  const Sequential model =
      Sequential::from_config(with_precision(golden_case.at("model"), precision), generation);
  const Loss loss = losses::deserialize(golden_case.at("loss"), generation);
  Optimizer optimizer = optimizers::deserialize(golden_case.at("optimizer"), generation);
  const Tensor x = in_precision(arrays["x"], precision), y = in_precision(arrays["y"], precision);
  const Tensor sample_weight =
      arrays.contains("sample_weight") ? in_precision(arrays["sample_weight"], precision) : Tensor();

  model.build(x.select(0, 0).shape());
  const Config& weights = golden_case.at("weights");
  Tensors initial;
  for (const Config& weight : weights)
    initial.push_back(in_precision(arrays[text_of(weight, "initial")], precision));
  model.set_weights(initial);

  const auto steps = golden_case.at("steps").get<std::int64_t>(), batches = x.shape()[0];
  std::vector<double> losses;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t batch = step % batches;
    losses.push_back(
        train_step(model, loss, optimizer, x.select(0, batch).contiguous(), y.select(0, batch).contiguous(),
                   sample_weight.is_defined() ? sample_weight.select(0, batch).contiguous() : Tensor()));
  }
  io::NamedTensors results = {{"losses", Tensor::from(losses, {steps}).astype(precision)}};
  const auto trained = model.get_weights();
  for (std::size_t i = 0; i < trained.size(); ++i) results.add(text_of(weights[i], "key"), trained[i]);
  return results;
}

}  // namespace

const Kind kTraining = {"training", is_known, run, false};

}  // namespace keratin::golden
