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
      {"ActivityRegularization", factory_of<ActivityRegularization>()},
      {"AdaptiveAveragePooling1D", factory_of<AdaptiveAveragePooling1D>()},
      {"AdaptiveAveragePooling2D", factory_of<AdaptiveAveragePooling2D>()},
      {"AdaptiveAveragePooling3D", factory_of<AdaptiveAveragePooling3D>()},
      {"AdaptiveMaxPooling1D", factory_of<AdaptiveMaxPooling1D>()},
      {"AdaptiveMaxPooling2D", factory_of<AdaptiveMaxPooling2D>()},
      {"AdaptiveMaxPooling3D", factory_of<AdaptiveMaxPooling3D>()},
      {"Add", factory_of<Add>()},
      {"AdditiveAttention", factory_of<AdditiveAttention>()},
      {"AlphaDropout", factory_of<AlphaDropout>()},
      {"Attention", factory_of<Attention>()},
      {"Average", factory_of<Average>()},
      {"AveragePooling1D", factory_of<AveragePooling1D>()},
      {"AveragePooling2D", factory_of<AveragePooling2D>()},
      {"AveragePooling3D", factory_of<AveragePooling3D>()},
      {"BatchNormalization", factory_of<BatchNormalization>()},
      {"Bidirectional", factory_of<Bidirectional>()},
      {"Concatenate", factory_of<Concatenate>()},
      {"Conv1D", factory_of<Conv1D>()},
      {"Conv1DTranspose", factory_of<Conv1DTranspose>()},
      {"Conv2D", factory_of<Conv2D>()},
      {"Conv2DTranspose", factory_of<Conv2DTranspose>()},
      {"Conv3D", factory_of<Conv3D>()},
      {"Conv3DTranspose", factory_of<Conv3DTranspose>()},
      {"ConvLSTM1D", factory_of<ConvLSTM1D>()},
      {"ConvLSTM2D", factory_of<ConvLSTM2D>()},
      {"ConvLSTM3D", factory_of<ConvLSTM3D>()},
      {"Cropping1D", factory_of<Cropping1D>()},
      {"Cropping2D", factory_of<Cropping2D>()},
      {"Cropping3D", factory_of<Cropping3D>()},
      {"Dense", factory_of<Dense>()},
      {"DepthwiseConv1D", factory_of<DepthwiseConv1D>()},
      {"DepthwiseConv2D", factory_of<DepthwiseConv2D>()},
      {"Dot", factory_of<Dot>()},
      {"Dropout", factory_of<Dropout>()},
      {"ELU", factory_of<ELU>()},
      {"EinsumDense", factory_of<EinsumDense>()},
      {"Embedding", factory_of<Embedding>()},
      {"Flatten", factory_of<Flatten>()},
      {"GRU", factory_of<GRU>()},
      {"GRUCell", factory_of<GRUCell>()},
      {"GaussianDropout", factory_of<GaussianDropout>()},
      {"GaussianNoise", factory_of<GaussianNoise>()},
      {"GlobalAveragePooling1D", factory_of<GlobalAveragePooling1D>()},
      {"GlobalAveragePooling2D", factory_of<GlobalAveragePooling2D>()},
      {"GlobalAveragePooling3D", factory_of<GlobalAveragePooling3D>()},
      {"GlobalMaxPooling1D", factory_of<GlobalMaxPooling1D>()},
      {"GlobalMaxPooling2D", factory_of<GlobalMaxPooling2D>()},
      {"GlobalMaxPooling3D", factory_of<GlobalMaxPooling3D>()},
      {"GroupNormalization", factory_of<GroupNormalization>()},
      {"GroupQueryAttention", factory_of<GroupQueryAttention>()},
      {"Identity", factory_of<Identity>()},
      {"InputLayer", factory_of<Input>()},
      {"LSTM", factory_of<LSTM>()},
      {"LSTMCell", factory_of<LSTMCell>()},
      {"LayerNormalization", factory_of<LayerNormalization>()},
      {"LeakyReLU", factory_of<LeakyReLU>()},
      {"LocallyConnected1D", factory_of<LocallyConnected1D>()},
      {"LocallyConnected2D", factory_of<LocallyConnected2D>()},
      {"Masking", factory_of<Masking>()},
      {"MaxPooling1D", factory_of<MaxPooling1D>()},
      {"MaxPooling2D", factory_of<MaxPooling2D>()},
      {"MaxPooling3D", factory_of<MaxPooling3D>()},
      {"Maximum", factory_of<Maximum>()},
      {"Minimum", factory_of<Minimum>()},
      {"MultiHeadAttention", factory_of<MultiHeadAttention>()},
      {"Multiply", factory_of<Multiply>()},
      {"Normalization", factory_of<Normalization>()},
      {"PReLU", factory_of<PReLU>()},
      {"ParametricActivation", factory_of<ParametricActivation>()},
      {"Permute", factory_of<Permute>()},
      {"RMSNormalization", factory_of<RMSNormalization>()},
      {"RNN", factory_of<RNN>()},
      {"ReLU", factory_of<ReLU>()},
      {"RepeatVector", factory_of<RepeatVector>()},
      {"Rescaling", factory_of<Rescaling>()},
      {"Reshape", factory_of<Reshape>()},
      {"ReversibleEmbedding", factory_of<ReversibleEmbedding>()},
      {"SeparableConv1D", factory_of<SeparableConv1D>()},
      {"SeparableConv2D", factory_of<SeparableConv2D>()},
      {"SimpleRNN", factory_of<SimpleRNN>()},
      {"SimpleRNNCell", factory_of<SimpleRNNCell>()},
      {"Softmax", factory_of<Softmax>()},
      {"SpatialDropout1D", factory_of<SpatialDropout1D>()},
      {"SpatialDropout2D", factory_of<SpatialDropout2D>()},
      {"SpatialDropout3D", factory_of<SpatialDropout3D>()},
      {"SpectralNormalization", factory_of<SpectralNormalization>()},
      {"StackedRNNCells", factory_of<StackedRNNCells>()},
      {"Subtract", factory_of<Subtract>()},
      {"ThresholdedReLU", factory_of<ThresholdedReLU>()},
      {"TimeDistributed", factory_of<TimeDistributed>()},
      {"UnitNormalization", factory_of<UnitNormalization>()},
      {"UpSampling1D", factory_of<UpSampling1D>()},
      {"UpSampling2D", factory_of<UpSampling2D>()},
      {"UpSampling3D", factory_of<UpSampling3D>()},
      {"ZeroPadding1D", factory_of<ZeroPadding1D>()},
      {"ZeroPadding2D", factory_of<ZeroPadding2D>()},
      {"ZeroPadding3D", factory_of<ZeroPadding3D>()},
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
  for (const char* name : {"Activation", "ELU", "LeakyReLU", "ParametricActivation", "PReLU", "ReLU",
                           "Softmax", "ThresholdedReLU"}) {
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
  layer.body().take_from_object(layer.shared(), config, generation);
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
