#include "keratin/models/functional_body.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

const Shape& shape_of(const Shape& shape) { return shape; }
const Shape& shape_of(const Tensor& tensor) { return tensor.shape(); }

}  // namespace

// Follows the calls from the outputs back to the inputs.
class FunctionalBody::Tracer {
 public:
  Tracer(FunctionalBody& body, const std::vector<SymbolicTensor>& inputs) : body_(body) {
    for (const SymbolicTensor& input : inputs) add_input(input);
  }

  // The value that the tensor is here, with all calls that it needs before it. The stack is on the heap:
  // models may be deeper than a thread's stack.
  std::size_t value_of(const SymbolicTensor& tensor) {
    std::vector<const SymbolicCall*> open = {&tensor.source()};
    while (!open.empty()) {
      const SymbolicCall* call = open.back();
      if (first_value_.contains(call)) {
        open.pop_back();
        continue;
      }
      order_.emplace(call->layer.get(), order_.size());
      if (call->inputs.empty()) refuse_missing(*call->layer, tensor);
      const SymbolicCall* next = nullptr;
      for (const SymbolicTensor& input : call->inputs) {
        if (first_value_.contains(&input.source())) continue;
        next = &input.source();
        break;
      }
      if (next != nullptr) {
        open.push_back(next);
      } else {
        add_step(*call);
        open.pop_back();
      }
    }
    return first_value_.at(&tensor.source()) + tensor.index();
  }

  // Keras's order of layers: from those furthest from the outputs on, then in the order in which they were
  // met.
  std::vector<Layer> layers() const {
    std::map<const LayerBody*, std::size_t> depths;
    std::vector<std::size_t> step_depths(body_.steps_.size(), 0);
    for (std::size_t i = body_.steps_.size(); i-- > 0;) {
      const Step& step = body_.steps_[i];
      std::size_t& depth = depths[&step.layer.body()];
      depth = step_depths[i] = std::max(step_depths[i], depth);
      for (const std::size_t input : step.inputs) {
        std::size_t& below = step_depths[body_.values_[input].step];
        below = std::max(below, depth + 1);
      }
    }
    std::vector<Layer> layers;
    for (const Step& step : body_.steps_) {
      const auto is_same = [&](const Layer& layer) { return layer.shared() == step.layer.shared(); };
      if (std::none_of(layers.begin(), layers.end(), is_same)) layers.push_back(step.layer);
    }
    const auto met = [&](const Layer& layer) {
      const auto found = order_.find(&layer.body());
      return found == order_.end() ? order_.size() : found->second;
    };
    std::stable_sort(layers.begin(), layers.end(), [&](const Layer& a, const Layer& b) {
      const std::size_t depth_a = depths.at(&a.body()), depth_b = depths.at(&b.body());
      return depth_a != depth_b ? depth_a > depth_b : met(a) < met(b);
    });
    return layers;
  }

 private:
  void add_input(const SymbolicTensor& input) {
    const SymbolicCall& call = input.source();
    if (!call.inputs.empty()) {
      throw ValueError(
          "Model", "inputs that Input made", "received the result of layer \"" + call.layer->name + "\"",
          "Build the model from its Input, or make a new Input of shape " + input.shape().to_string() + ".");
    }
    if (first_value_.contains(&call)) {
      throw ValueError("Model", "each Input once", "received \"" + call.layer->name + "\" twice",
                       "Make another Input.");
    }
    body_.inputs_.push_back(body_.values_.size());
    add_step(call);
  }

  void add_step(const SymbolicCall& call) {
    Step step{.layer = Layer(call.layer),
              .inputs = {},
              .first_output = body_.values_.size(),
              .outputs = call.output_shapes.size(),
              .keywords = call.keywords,
              .node = calls_[call.layer.get()]++,
              .has_attention_mask = call.has_attention_mask};
    for (const SymbolicTensor& input : call.inputs)
      step.inputs.push_back(first_value_.at(&input.source()) + input.index());
    first_value_[&call] = step.first_output;
    for (std::size_t i = 0; i < step.outputs; ++i)
      body_.values_.push_back({call.output_shapes[i], call.layer->compute_dtype, body_.steps_.size(), i});
    body_.steps_.push_back(std::move(step));
  }

  [[noreturn]] static void refuse_missing(const LayerBody& input, const SymbolicTensor& tensor) {
    throw ValueError(
        "Model", "all inputs that the outputs are computed from",
        "layer \"" + tensor.source().layer->name + "\" needs \"" + input.name + "\", which is not among them",
        "Add that Input to the inputs.");
  }

  FunctionalBody& body_;
  std::map<const SymbolicCall*, std::size_t> first_value_;
  std::map<const LayerBody*, std::size_t> order_;
  std::map<const LayerBody*, std::int64_t> calls_;
};

FunctionalBody::FunctionalBody(const std::vector<SymbolicTensor>& inputs,
                               const std::vector<SymbolicTensor>& outputs, std::string model_name) {
  if (inputs.empty() || outputs.empty()) {
    throw ValueError("Model", "at least one input and one output",
                     "received " + std::to_string(inputs.size()) + " and " + std::to_string(outputs.size()),
                     "Write Model(inputs, outputs).");
  }
  Tracer tracer(*this, inputs);
  for (const SymbolicTensor& output : outputs) outputs_.push_back(tracer.value_of(output));
  layers_ = tracer.layers();
  check_names();
  set_common(model_name, true, {});
  Shapes shapes;
  for (const std::size_t input : inputs_) shapes.push_back(values_[input].shape);
  ensure_built(shapes);
}

FunctionalBody::FunctionalBody(const FunctionalBody& other)
    : ModelBody(other),
      steps_(other.steps_),
      values_(other.values_),
      inputs_(other.inputs_),
      outputs_(other.outputs_) {
  compiled = {};
  for (const Layer& layer : other.layers_) {
    const Layer copy = layer.clone();
    layers_.push_back(copy);
    for (Step& step : steps_)
      if (step.layer.shared() == layer.shared()) step.layer = copy;
  }
}

std::shared_ptr<LayerBody> FunctionalBody::clone() const {
  return finish_clone(std::make_shared<FunctionalBody>(*this));
}

void FunctionalBody::check_names() const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (layers_[i].name() != layers_[j].name()) continue;
      throw ValueError("Model", "layers with names of their own",
                       "received two called \"" + layers_[i].name() + "\"",
                       "Give one of them another .name.");
    }
  }
}

bool FunctionalBody::is_chain() const {
  return calls_in_a_row() && outputs_.size() == 1 && values_[outputs_[0]].step + 1 == steps_.size();
}

bool FunctionalBody::calls_in_a_row() const {
  return inputs_.size() == 1 && steps_.size() == layers_.size() &&
         std::all_of(steps_.begin(), steps_.end(), [&](const Step& step) {
           const auto place = static_cast<std::size_t>(&step - steps_.data());
           return place == 0 || (step.inputs.size() == 1 && values_[step.inputs[0]].step + 1 == place);
         });
}

std::string FunctionalBody::name_of(std::size_t value) const {
  const Step& step = steps_[values_[value].step];
  return step.layer.name() + "[" + std::to_string(step.node) + "][" + std::to_string(values_[value].index) +
         "]";
}

std::vector<std::string> FunctionalBody::layer_names(const std::vector<std::size_t>& values) const {
  std::vector<std::string> names;
  for (const std::size_t value : values) {
    const std::string& layer = steps_[values_[value].step].layer.name();
    std::string chosen = layer;
    for (int i = 1; std::find(names.begin(), names.end(), chosen) != names.end(); ++i)
      chosen = layer + "_" + std::to_string(i);
    names.push_back(std::move(chosen));
  }
  return names;
}

Shapes FunctionalBody::shapes_of(const Layer& layer) const {
  Shapes shapes;
  for (const Step& step : steps_) {
    if (step.layer.shared() != layer.shared()) continue;
    shapes.clear();
    for (std::size_t i = 0; i < step.outputs; ++i) shapes.push_back(values_[step.first_output + i].shape);
  }
  return shapes;
}

std::vector<std::string> FunctionalBody::connections(const Layer& layer) const {
  std::vector<std::string> names;
  for (const Step& step : steps_) {
    if (step.layer.shared() != layer.shared()) continue;
    for (const std::size_t input : step.inputs) names.push_back(name_of(input));
  }
  return names;
}

template <class Inputs>
void FunctionalBody::check_inputs(const Inputs& inputs) const {
  if (inputs.size() != inputs_.size()) {
    throw ShapeError(to_snake_case(class_name()), std::to_string(inputs_.size()) + " inputs",
                     "received " + std::to_string(inputs.size()),
                     "Model \"" + name + "\". Call it on a list: model({a, b}).");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape &wanted = values_[inputs_[i]].shape, &given = shape_of(inputs[i]);
    bool fits = wanted.rank() == given.rank();
    for (std::size_t axis = 0; fits && axis < wanted.rank(); ++axis) {
      fits = wanted[axis] == given[axis] || wanted[axis] == Shape::kUnknown || given[axis] == Shape::kUnknown;
    }
    if (fits) continue;
    const std::string& input = steps_[values_[inputs_[i]].step].layer.name();
    refuse_input("an input \"" + input + "\" of shape " + wanted.to_string(), given,
                 "Feed that shape, or build a new model.");
  }
}

Tensor FunctionalBody::call(const Tensor& x, const CallContext& context) const {
  return call_list({x}, context).front();
}

Tensors FunctionalBody::call_list(const Tensors& inputs, const CallContext& context) const {
  check_inputs(inputs);
  Tensors values(values_.size()), masks(values_.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[inputs_[i]] = inputs[i];
    if (i < context.masks.size()) masks[inputs_[i]] = context.masks[i];
  }
  for (const Step& step : steps_) {
    if (step.inputs.empty()) continue;
    CallContext inner = step.keywords;
    inner.training = context.training;
    inner.losses = context.losses;
    Tensors given, output_masks;
    for (const std::size_t input : step.inputs) {
      given.push_back(values[input]);
      inner.masks.push_back(masks[input]);
    }
    if (step.has_attention_mask) {
      inner.attention_mask = given.back();
      given.pop_back();
      inner.masks.pop_back();
    }
    inner.output_masks = &output_masks;
    Tensors outputs = step.layer.call(given, inner);
    for (std::size_t i = 0; i < step.outputs; ++i) {
      values[step.first_output + i] = std::move(outputs[i]);
      masks[step.first_output + i] = std::move(output_masks[i]);
    }
  }
  Tensors results;
  if (context.output_masks != nullptr) context.output_masks->clear();
  for (const std::size_t output : outputs_) {
    results.push_back(values[output]);
    if (context.output_masks != nullptr) context.output_masks->push_back(masks[output]);
  }
  return results;
}

Shapes FunctionalBody::output_shapes(const Shapes& inputs) const {
  check_inputs(inputs);
  Shapes shapes(values_.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) shapes[inputs_[i]] = inputs[i];
  for (const Step& step : steps_) {
    if (step.inputs.empty()) continue;
    Shapes given;
    for (const std::size_t input : step.inputs) given.push_back(shapes[input]);
    if (step.has_attention_mask) given.pop_back();
    const Shapes results = step.layer.body().called(step.keywords).output_shapes(given);
    std::copy(results.begin(), results.end(),
              shapes.begin() + static_cast<std::ptrdiff_t>(step.first_output));
  }
  Shapes results;
  for (const std::size_t output : outputs_) results.push_back(shapes[output]);
  return results;
}

}  // namespace keratin::inline v0
