#include "keratin/layers/wrappers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/cell.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/named_shapes.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

class TimeDistributedBody final : public LayerBody {
 public:
  TimeDistributedBody(const Layer& layer, const TimeDistributedOptions& options) : layer_(layer) {
    set_common(options);
  }

  std::string_view class_name() const override { return "TimeDistributed"; }
  InputCast input_cast() const override { return InputCast::none; }
  std::vector<LayerPart> parts() const override { return {{"layer", layer_.shared()}}; }
  void build(const Shape& input) override {
    layer_.build(input.without(1));
    if (!trainable) layer_.set_trainable(false);
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    output_shape(x.shape());
    const auto flattened = [](const Shape& shape) {
      Shape flat = shape.without(1);
      flat[0] = shape[0] * shape[1];
      return flat;
    };
    CallContext inner{.training = context.training, .losses = context.losses};
    // What is masked inside of a step; that a step does not count is nothing to the layer.
    if (context.mask.is_defined() && context.mask.rank() > 2)
      inner.mask = context.mask.reshape(flattened(context.mask.shape()));
    const Tensor y = layer_(ops::reshape(x, flattened(x.shape())), inner);
    Shape shape = y.shape().with_inserted(1, x.shape()[1]);
    shape[0] = x.shape()[0];
    return ops::reshape(y, shape);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() < 3)
      refuse_input("an input of shape (batch, steps, ...)", input, "Add an axis of steps.");
    return layer_.compute_output_shape(input.without(1)).with_inserted(1, input[1]);
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["layer"] = layer_.serialize(target);
    return config;
  }

 private:
  Layer layer_;
};

detail::RecurrentBody& recurrent(const Layer& layer) {
  auto* body = dynamic_cast<detail::RecurrentBody*>(&layer.body());
  if (body != nullptr) return *body;
  throw TypeError("Bidirectional", "a recurrent layer", "received a " + std::string(layer.class_name()),
                  "Pass an LSTM, or an RNN over any cell.");
}

std::string without_prefix(std::string name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

// A layer of its own like the other, under another name, perhaps in the other direction.
Layer made_from(const Layer& layer, const std::string& name, bool is_turned) {
  Config config = layer.serialize();
  config.erase("build_config");
  config["config"]["name"] = name;
  if (is_turned) config["config"]["go_backwards"] = !recurrent(layer).recurrence().go_backwards;
  return layers::deserialize(config, layer.body().generation);
}

// The steps along that axis in the other order.
Tensor reversed(const Tensor& x, std::int64_t axis) {
  const std::int64_t steps = x.shape()[static_cast<std::size_t>(axis)];
  std::vector<std::int64_t> indices;
  AxisNumbers order = AxisNumbers::range(0, x.rank());
  std::swap(order[0], order[static_cast<std::size_t>(axis)]);
  for (std::int64_t i = steps; i-- > 0;) indices.push_back(i);
  return ops::transpose(ops::take(ops::transpose(x, order), Tensor::from(indices, {steps})), order);
}

class BidirectionalBody final : public ListLayerBody {
 public:
  BidirectionalBody(const Layer& layer, const BidirectionalOptions& options)
      : has_backward_(options.backward_layer.has_value()),
        merge_mode_(options.merge_mode),
        forward_(made_from(layer, "forward_" + without_prefix(layer.name(), "forward_"), false)),
        backward_(options.backward_layer
                      ? *options.backward_layer
                      : made_from(layer, "backward_" + without_prefix(layer.name(), "forward_"), true)) {
    constexpr std::string_view kModes[] = {"concat", "sum", "mul", "ave"};
    if (merge_mode_ && std::find(std::begin(kModes), std::end(kModes), *merge_mode_) == std::end(kModes)) {
      throw ValueError("Bidirectional", R"(merge_mode is "concat", "sum", "mul", "ave" or nothing)",
                       "received merge_mode=\"" + *merge_mode_ + "\"", did_you_mean(*merge_mode_, kModes));
    }
    const detail::Recurrence &one = run(), &other = recurrent(backward_).recurrence();
    if (one.go_backwards == other.go_backwards || one.return_sequences != other.return_sequences ||
        one.return_state != other.return_state || one.stateful != other.stateful ||
        one.time_major != other.time_major) {
      throw ValueError(
          "Bidirectional", "two layers that differ in their direction alone",
          "received \"" + forward_.name() + "\" and \"" + backward_.name() + "\"",
          "Give the second the other go_backwards, and the same return_sequences, return_state, stateful and "
          "time_major.");
    }
    recurrent(forward_).force_zero_output_for_mask();
    recurrent(backward_).force_zero_output_for_mask();
    set_common(options.name, options.trainable, options.dtype);
  }

  std::string_view class_name() const override { return "Bidirectional"; }
  std::string_view keyword_of_rest() const override { return "initial_state"; }
  void add_to_object(Config& object, Generation target) const override {
    detail::name_state_shapes(object, built_shapes, target);
  }
  std::vector<LayerPart> parts() const override {
    return {{"forward_layer", forward_.shared()}, {"backward_layer", backward_.shared()}};
  }
  void build_list(const Shapes& inputs) override {
    for (const Layer& layer : {forward_, backward_}) {
      layer.build(inputs.front());
      if (!trainable) layer.set_trainable(false);
    }
  }

  Tensors call_list(const Tensors& inputs, const CallContext& context) const override {
    CallContext inner{.training = context.training, .losses = context.losses};
    inner.masks = {context.masks.empty() ? Tensor() : context.masks.front()};
    const std::size_t half = half_of(inputs.size());
    Tensors first = {inputs.front()}, second = first;
    first.insert(first.end(), inputs.begin() + 1, inputs.begin() + 1 + static_cast<std::ptrdiff_t>(half));
    second.insert(second.end(), inputs.begin() + 1 + static_cast<std::ptrdiff_t>(half), inputs.end());
    const Tensors forward = forward_.call(first, inner), backward = backward_.call(second, inner);
    const Tensor other =
        run().return_sequences ? reversed(backward.front(), run().time_major ? 0 : 1) : backward.front();
    Tensors results = merged(forward.front(), other);
    results.insert(results.end(), forward.begin() + 1, forward.end());
    results.insert(results.end(), backward.begin() + 1, backward.end());
    return results;
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    half_of(inputs.size());
    const Shapes forward = forward_.compute_output_shapes({inputs.front()});
    const Shapes backward = backward_.compute_output_shapes({inputs.front()});
    Shapes shapes = {forward.front()};
    if (!merge_mode_) {
      shapes.push_back(backward.front());
    } else if (*merge_mode_ == "concat") {
      shapes[0][shapes[0].rank() - 1] += backward.front().back();
    }
    shapes.insert(shapes.end(), forward.begin() + 1, forward.end());
    shapes.insert(shapes.end(), backward.begin() + 1, backward.end());
    return shapes;
  }

  Tensors output_masks(const Tensors&, const Tensors& masks) const override {
    const Tensor mask = run().return_sequences ? masks.front() : Tensor();
    if (!merge_mode_) return {mask, mask};
    return {mask};
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["merge_mode"] = merge_mode_ ? Config(*merge_mode_) : Config(nullptr);
    config["layer"] = forward_.serialize(target);
    if (target == Generation::keras2)
      config["layer"]["config"]["name"] = without_prefix(forward_.name(), "forward_");
    if (target == Generation::keras3 || has_backward_) config["backward_layer"] = backward_.serialize(target);
    return config;
  }

 private:
  const detail::Recurrence& run() const { return recurrent(forward_).recurrence(); }

  std::size_t half_of(std::size_t inputs) const {
    check_count(inputs, 1, SIZE_MAX, "an input");
    if (inputs % 2 == 0)
      check_count(inputs, inputs + 1, inputs + 1, "an input and the states of both layers");
    return (inputs - 1) / 2;
  }

  Tensors merged(const Tensor& y, const Tensor& other) const {
    if (!merge_mode_) return {y, other};
    if (*merge_mode_ == "concat") return {ops::concatenate({y, other}, -1)};
    if (*merge_mode_ == "mul") return {y * other};
    const Tensor sum = y + other;
    return {*merge_mode_ == "ave" ? sum / 2.0 : sum};
  }

  bool has_backward_;
  std::optional<std::string> merge_mode_;
  Layer forward_, backward_;
};

}  // namespace

TimeDistributed::TimeDistributed(const Layer& layer, const TimeDistributedOptions& options)
    : Layer(std::make_shared<TimeDistributedBody>(layer, options)) {}

TimeDistributed TimeDistributed::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("TimeDistributed", config, generation);
  const Config* layer = reader.find("layer");
  if (layer == nullptr) reader.refuse("layer", "a layer", nullptr);
  TimeDistributedOptions options;
  reader.read_common(options);
  return reader.finish(TimeDistributed(layers::deserialize(*layer, generation), options));
}

Bidirectional::Bidirectional(const Layer& layer, const BidirectionalOptions& options)
    : Layer(std::make_shared<BidirectionalBody>(layer, options)) {}

Bidirectional Bidirectional::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Bidirectional", config, generation);
  const Config* layer = reader.find("layer");
  if (layer == nullptr) reader.refuse("layer", "a recurrent layer", nullptr);
  BidirectionalOptions options;
  // null is a mode of its own here, not the default.
  if (config.contains("merge_mode"))
    options.merge_mode =
        config["merge_mode"].is_null() ? std::optional<std::string>() : reader.text("merge_mode", "concat");
  reader.ignore({"merge_mode"});
  if (const Config* backward = reader.find("backward_layer"))
    options.backward_layer = layers::deserialize(*backward, generation);
  reader.read_common(options);
  return reader.finish(Bidirectional(layers::deserialize(*layer, generation), options));
}

}  // namespace keratin::inline v0
