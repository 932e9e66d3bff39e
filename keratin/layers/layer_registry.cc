#include "keratin/layers/layer_registry.h"

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/config_reader.h"
#include "keratin/layers/layers.h"

namespace keratin::inline v0::layers {
namespace {

template <class L>
Factory factory_of() {
  return
      [](const Config& config, Generation generation) -> Layer { return L::from_config(config, generation); };
}

using Classes = std::map<std::string, Factory, std::less<>>;

// The classes of this folder by Keras's names, one a line.
Classes built_in() {
  return {
      {"Activation", factory_of<Activation>()},
      {"AlphaDropout", factory_of<AlphaDropout>()},
      {"Dense", factory_of<Dense>()},
      {"Dropout", factory_of<Dropout>()},
      {"ELU", factory_of<ELU>()},
      {"Flatten", factory_of<Flatten>()},
      {"InputLayer", factory_of<Input>()},
      {"LeakyReLU", factory_of<LeakyReLU>()},
      {"PReLU", factory_of<PReLU>()},
      {"ReLU", factory_of<ReLU>()},
      {"Reshape", factory_of<Reshape>()},
      {"Softmax", factory_of<Softmax>()},
      {"ThresholdedReLU", factory_of<ThresholdedReLU>()},
  };
}

struct Registry {
  std::mutex mutex;
  Classes classes = built_in();
};

Registry& registry() {
  static Registry instance;
  return instance;
}

Factory factory_for(const std::string& class_name) {
  {
    const std::lock_guard lock(registry().mutex);
    const auto found = registry().classes.find(class_name);
    if (found != registry().classes.end()) return found->second;
  }
  const std::vector<std::string> names = class_names();
  const std::vector<std::string_view> known(names.begin(), names.end());
  throw ValueError("layer", "a class that this version knows", "received \"" + class_name + "\"",
                   did_you_mean(class_name, known));
}

// Layers may hold layers; a file that nests them without end must not end the stack.
class Depth {
 public:
  explicit Depth(const std::string& class_name) {
    constexpr int kDeepest = 64;
    if (depth_ >= kDeepest) {
      throw ValueError("layer", "at most " + std::to_string(kDeepest) + " layers inside one another",
                       "received one more, \"" + class_name + "\"", "The config may be damaged.");
    }
    ++depth_;
  }
  ~Depth() { --depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  static thread_local int depth_;
};
thread_local int Depth::depth_ = 0;

// Which Keras's semantics a file notes; see Layer::serialize.
Generation semantics_of(const Config& object, Generation generation) {
  const auto note = object.find("keratin");
  if (note == object.end() || !note->is_object()) return generation;
  const auto semantics = note->find("semantics");
  if (semantics == note->end()) return generation;
  if (*semantics == 2) return Generation::keras2;
  if (*semantics == 3) return Generation::keras3;
  throw ValueError("layer", "\"semantics\" is 2 or 3", "received " + detail::excerpt(*semantics),
                   "A newer version wrote this file.");
}

// Lets a class stand where an activation does: by name, and as an object in a config.
void register_activation(std::string_view class_name) {
  activations::register_activation_factory(class_name, [](const Config& object, Generation generation) {
    return deserialize(object, generation).to_activation_fn();
  });
}

const bool kActivationsRegistered = [] {
  for (const char* name : {"Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"}) {
    register_activation(name);
  }
  return true;
}();

}  // namespace

Layer deserialize(const Config& config, Generation generation) {
  if (!config.is_object()) {
    throw ValueError("layer", "an object with class_name and config", "received " + detail::excerpt(config),
                     "Pass what Layer::serialize gives.");
  }
  const detail::ObjectConfig object = detail::object_config(config, "layer");
  const Depth depth(object.class_name);
  Layer layer = factory_for(object.class_name)(object.config, generation);
  layer.body().generation = semantics_of(config, generation);
  return layer;
}

bool register_class(std::string_view class_name, Factory factory) {
  {
    const std::lock_guard lock(registry().mutex);
    if (!registry().classes.emplace(class_name, std::move(factory)).second) {
      throw ValueError("register_class", "a name that is free",
                       "\"" + std::string(class_name) + "\" is taken",
                       "Choose another, or register each class once.");
    }
  }
  register_activation(class_name);
  return true;
}

std::vector<std::string> class_names() {
  const std::lock_guard lock(registry().mutex);
  std::vector<std::string> names;
  for (const auto& [name, factory] : registry().classes) names.push_back(name);
  return names;
}

}  // namespace keratin::inline v0::layers
