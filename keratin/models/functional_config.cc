// The configs of models described by calls, as both Keras write them.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/input.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/models/functional_body.h"
#include "keratin/models/model.h"

namespace keratin::inline v0 {
namespace {

using Step = FunctionalBody::Step;

// Keras 2 counts the call by which a model with an Input was made: calls within another model follow it.
constexpr std::size_t kOwnCalls = 1;

Config history(const FunctionalBody& body, std::size_t value, Generation target) {
  const FunctionalBody::Value& place = body.values()[value];
  const Step& step = body.steps()[place.step];
  const bool has_own = target == Generation::keras2 && step.layer.body().gives_masks();
  return Config::array({step.layer.name(), step.node + (has_own ? kOwnCalls : 0), place.index});
}

// {"class_name": "__keras_tensor__", ...}
Config keras_tensor(const FunctionalBody& body, std::size_t value) {
  Config tensor = Config::object();
  tensor["class_name"] = "__keras_tensor__";
  tensor["config"]["shape"] = detail::shape_config(body.values()[value].shape);
  tensor["config"]["dtype"] = name(body.values()[value].dtype);
  tensor["config"]["keras_history"] = history(body, value, Generation::keras3);
  return tensor;
}

// How Keras calls what it passes one by one: MultiHeadAttention(query, value, key).
constexpr std::array<const char*, 2> kNamesOfSeparate = {"value", "key"};

Config node_of(const FunctionalBody& body, const Step& step, Generation target) {
  const LayerBody& body_called = step.layer.body();
  std::vector<std::size_t> values = step.inputs;
  const std::string_view rest = body_called.keyword_of_rest();
  const bool is_list = body_called.has_lists() && !body_called.separates_inputs() && rest.empty() &&
                       (values.size() > 1 || !body_called.gives_masks());
  Config arguments = Config::object();
  for (const CallKeyword& keyword : kCallKeywords)
    if (step.keywords.*keyword.value) arguments[keyword.name] = true;
  if (step.has_attention_mask) {
    arguments["attention_mask"] = target == Generation::keras2 ? history(body, values.back(), target)
                                                               : keras_tensor(body, values.back());
    values.pop_back();
  }
  Config inputs = Config::array();
  if (target == Generation::keras2 && body_called.separates_inputs()) {
    Config named = Config::object();
    for (std::size_t i = 1; i < values.size(); ++i)
      named[kNamesOfSeparate.at(i - 1)] = history(body, values[i], target);
    named.update(arguments);
    inputs.push_back(history(body, values[0], target));
    inputs.back().push_back(std::move(named));
    return inputs;
  }
  if (target == Generation::keras2) {
    for (const std::size_t input : values) {
      inputs.push_back(history(body, input, target));
      inputs.back().push_back(arguments);
    }
    return inputs;
  }
  for (const std::size_t input : values) inputs.push_back(keras_tensor(body, input));
  if (!rest.empty() && inputs.size() > 1) {
    arguments[std::string(rest)] = Config(std::vector<Config>(inputs.begin() + 1, inputs.end()));
    inputs.erase(inputs.begin() + 1, inputs.end());
  }
  Config node = Config::object();
  node["args"] = is_list ? Config::array({inputs}) : inputs;
  node["kwargs"] = arguments;
  return node;
}

// One value is written alone by Keras 3, several as a list, by Keras 2 always.
Config places(const FunctionalBody& body, const std::vector<std::size_t>& values, Generation target) {
  if (target == Generation::keras3 && values.size() == 1) return history(body, values[0], target);
  Config list = Config::array();
  for (const std::size_t value : values) list.push_back(history(body, value, target));
  return list;
}

// A place in a config: layer, call, output.
struct Place {
  std::string layer;
  std::size_t node, index;
};

[[noreturn]] void refuse(std::string_view expected, const Config& value) {
  throw ValueError("Functional config", expected, "received " + detail::excerpt(value),
                   "The file may be damaged.");
}

Place place_in(const Config& value) {
  if (!value.is_array() || value.size() < 3 || !value[0].is_string()) refuse("[layer, call, output]", value);
  const auto node = detail::integer_in(value[1]), index = detail::integer_in(value[2]);
  if (!node || !index || *node < 0 || *index < 0) refuse("[layer, call, output]", value);
  return {value[0].get<std::string>(), static_cast<std::size_t>(*node), static_cast<std::size_t>(*index)};
}

bool is_place(const Config& value) { return value.is_array() && !value.empty() && value[0].is_string(); }

// Puts the tensors of an argument, a tensor or lists of them, behind the others.
void collect(const Config& argument, std::vector<Place>& inputs) {
  if (is_place(argument)) {  // as Keras 2 has them
    inputs.push_back(place_in(argument));
    return;
  }
  if (argument.is_array()) {
    for (const Config& one : argument) collect(one, inputs);
    return;
  }
  if (argument.is_null()) return;
  if (!argument.is_object() || argument.value("class_name", Config()) != "__keras_tensor__" ||
      !argument.contains("config") || !argument["config"].is_object() ||
      !argument["config"].contains("keras_history")) {
    refuse("tensors as arguments of a call", argument);
  }
  inputs.push_back(place_in(argument["config"]["keras_history"]));
}

struct PendingCall {
  std::vector<Place> inputs;
  std::vector<Place> attention_mask = {};  // none or one
  CallContext context;
};

std::string known_keywords() {
  std::string names;
  for (const CallKeyword& keyword : kCallKeywords)
    names += (names.empty() ? "" : " and ") + std::string(keyword.name);
  return names;
}

void read_keywords(const Config& keywords, PendingCall& call) {
  if (!keywords.is_object()) refuse("an object of keyword arguments", keywords);
  // In the order of call's signature: MultiHeadAttention(query, value, key), RNN(sequences, initial_state).
  for (const char* key : {"value", "key", "initial_state"})
    if (keywords.contains(key)) collect(keywords[key], call.inputs);
  if (keywords.contains("attention_mask")) collect(keywords["attention_mask"], call.attention_mask);
  if (call.attention_mask.size() > 1) refuse("one attention_mask", keywords);
  for (const auto& [key, value] : keywords.items()) {
    if (value.is_null() || key == "value" || key == "key" || key == "initial_state" ||
        key == "attention_mask")
      continue;
    const auto known = std::ranges::find(kCallKeywords, key, &CallKeyword::name);
    if (known != std::end(kCallKeywords) && value.is_boolean()) {
      call.context.*known->value = value.get<bool>();
    } else if (!(value.is_boolean() && !value.get<bool>())) {
      refuse("no other keyword than " + known_keywords() + " in a call", Config::object({{key, value}}));
    }
  }
}

// Both generations' inbound node: {"args", "kwargs"}, or a list of [layer, call, output, keywords].
PendingCall call_in(const Config& node) {
  PendingCall call;
  if (node.is_object()) {
    if (!node.contains("args")) refuse("\"args\" in a call", node);
    collect(node["args"], call.inputs);
    if (node.contains("kwargs")) read_keywords(node["kwargs"], call);
    return call;
  }
  if (!node.is_array()) refuse("a call", node);
  const Config list = is_place(node) ? Config::array({node}) : node;
  for (const Config& input : list) {
    call.inputs.push_back(place_in(input));
    if (input.size() > 3) read_keywords(input[3], call);
  }
  return call;
}

// Whether it is a model whose first layer is an Input.
bool starts_with_input(const Config& config) {
  const Config& inner = config.contains("config") ? config["config"] : config;
  if (!inner.is_object() || !inner.contains("layers") || !inner["layers"].is_array() ||
      inner["layers"].empty())
    return false;
  const Config& first = inner["layers"][0];
  return first.is_object() && first.value("class_name", Config()) == "InputLayer";
}

// The layers of a config and the calls on them, made as soon as their inputs are there.
class Assembly {
 public:
  Assembly(const Config& layers, Generation generation) {
    for (const Config& config : layers) add(config, generation);
    run();
  }

  const SymbolicTensor& tensor(const Place& place) const {
    const auto found = entries_.find(place.layer);
    if (found == entries_.end() || !found->second.has(place.node) ||
        place.index >= found->second.outputs[place.node - found->second.own_calls].size()) {
      refuse("places of tensors that there are", Config::array({place.layer, place.node, place.index}));
    }
    return found->second.outputs[place.node - found->second.own_calls][place.index];
  }

 private:
  struct Entry {
    std::optional<Layer> layer;
    std::vector<PendingCall> calls;
    std::vector<std::vector<SymbolicTensor>> outputs;
    std::size_t own_calls = 0;
    bool has(std::size_t node) const { return node >= own_calls && node - own_calls < outputs.size(); }
  };

  void add(const Config& config, Generation generation) {
    if (!config.is_object() || !config.contains("class_name")) refuse("a list of layers", config);
    Entry entry;
    std::string name;
    if (config["class_name"] == "InputLayer") {
      const Input input =
          Input::from_config(config.contains("config") ? config["config"] : Config::object(), generation);
      entry.outputs.push_back({input.tensor()});
      name = input.name();
    } else {
      entry.layer = layers::deserialize(config, generation);
      name = entry.layer->name();
      if (generation == Generation::keras2 && starts_with_input(config)) entry.own_calls = kOwnCalls;
      const Config nodes = config.value("inbound_nodes", Config::array());
      if (!nodes.is_array()) refuse("a list of calls", nodes);
      // Keras 2 also writes one call's tensors without the list around.
      const bool is_bare = !nodes.empty() && is_place(nodes[0]);
      for (const Config& node : is_bare ? Config::array({nodes}) : nodes)
        entry.calls.push_back(call_in(node));
    }
    if (config.contains("name") && config["name"].is_string()) name = config["name"].get<std::string>();
    if (!entries_.emplace(name, std::move(entry)).second) refuse("layers with names of their own", name);
    order_.push_back(name);
  }

  bool is_ready(const PendingCall& call) const {
    const auto is_made = [this](const Place& input) {
      const auto found = entries_.find(input.layer);
      if (found == entries_.end()) refuse("layers that the config lists", input.layer);
      return found->second.has(input.node);
    };
    return std::ranges::all_of(call.inputs, is_made) && std::ranges::all_of(call.attention_mask, is_made);
  }

  void run() {
    for (bool has_moved = true; has_moved;) {
      has_moved = false;
      for (const std::string& name : order_) {
        Entry& entry = entries_.at(name);
        while (entry.layer && entry.outputs.size() < entry.calls.size() &&
               is_ready(entry.calls[entry.outputs.size()])) {
          const PendingCall& call = entry.calls[entry.outputs.size()];
          std::vector<SymbolicTensor> inputs;
          for (const Place& input : call.inputs) inputs.push_back(tensor(input));
          entry.outputs.push_back(
              call.attention_mask.empty()
                  ? entry.layer->call(inputs, call.context)
                  : entry.layer->call(inputs, call.context, tensor(call.attention_mask.front())));
          has_moved = true;
        }
      }
    }
  }

  std::map<std::string, Entry> entries_;
  std::vector<std::string> order_;
};

std::vector<SymbolicTensor> tensors_in(const Config* places, const Assembly& assembly) {
  if (places == nullptr || !places->is_array()) refuse("input_layers and output_layers", nullptr);
  std::vector<SymbolicTensor> tensors;
  if (is_place(*places)) {
    tensors.push_back(assembly.tensor(place_in(*places)));
  } else {
    for (const Config& place : *places) tensors.push_back(assembly.tensor(place_in(place)));
  }
  return tensors;
}

const bool kRegistered = [] {
  for (const char* name : {"Functional", "Model"})
    layers::register_class(name, [](const Config& config, Generation generation) {
      return static_cast<Layer>(Model::from_config(config, generation));
    });
  return true;
}();

}  // namespace

Config FunctionalBody::base_config(Generation) const {
  Config config = Config::object();
  config["name"] = name;
  config["trainable"] = trainable;
  return config;
}

Config FunctionalBody::config(Generation target) const {
  Config config = Config::object();
  config["layers"] = Config::array();
  for (const Layer& layer : layers_) {
    Config object = layer.serialize(target);
    object["name"] = layer.name();
    object["inbound_nodes"] = Config::array();
    for (const Step& step : steps_)
      if (step.layer.shared() == layer.shared() && !step.inputs.empty())
        object["inbound_nodes"].push_back(node_of(*this, step, target));
    config["layers"].push_back(std::move(object));
  }
  config["input_layers"] = places(*this, inputs_, target);
  config["output_layers"] = places(*this, outputs_, target);
  return config;
}

void FunctionalBody::add_to_object(Config& object, Generation target) const {
  // Not one of the names that either Keras exports: they find the class in its module.
  object["module"] =
      target == Generation::keras3 ? "keras.src.models.functional" : "tf_keras.src.engine.functional";
  object["registered_name"] = "Functional";
  ModelBody::add_to_object(object, target);
}

Model Model::from_config(const Config& given, Generation generation) {
  if (given.is_array()) return Sequential::from_config(given, generation);
  Config config = given;
  if (given.is_object() && given.contains("class_name")) {
    if (given["class_name"] == "Sequential") return Sequential::from_config(given, generation);
    if (given["class_name"] != "Functional" && given["class_name"] != "Model") {
      throw ValueError("Model", R"("class_name" is "Functional" or "Sequential")",
                       "received " + detail::excerpt(given["class_name"]),
                       "Other kinds of models are programs of their own.");
    }
    config = given.value("config", Config());
  }
  detail::ConfigReader reader("Functional", config, generation);
  const Config* layers = reader.find("layers");
  if (layers == nullptr || !layers->is_array()) {
    reader.refuse("layers", "a list of layers", layers == nullptr ? Config(nullptr) : *layers);
  }
  const std::string name = reader.text("name", "");
  const bool trainable = reader.boolean("trainable", true);
  const Assembly assembly(*layers, generation);
  Model model(tensors_in(reader.find("input_layers"), assembly),
              tensors_in(reader.find("output_layers"), assembly), name);
  reader.ignore({"dtype"});
  reader.finish();
  model.body_->generation = generation;
  if (!trainable) model.body_->trainable = false;
  detail::compile_as_in(model, given);
  return model;
}

}  // namespace keratin::inline v0
