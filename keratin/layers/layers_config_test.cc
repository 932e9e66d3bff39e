// Layers from and to the configs of both generations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"

namespace keratin {
namespace {

using keratin::testing::values_away_from;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Every config of these classes in the golden data, as Keras 2 and Keras 3 wrote them.
struct Golden {
  Generation generation;
  Config layer;
  Shapes inputs;
};

std::vector<Golden> golden() {
  std::vector<Golden> all;
  for (const char* name : {"layer_configs.jsonl", "golden_configs.jsonl"}) {
    std::ifstream file(std::string(KERATIN_SOURCE_DIR "/keratin/layers/testdata/") + name);
    std::string line;
    while (std::getline(file, line)) {
      const Config row = Config::parse(line);
      Shapes inputs;
      for (const Config& shape : row.value("inputs", Config::parse("[[2, 3, 4]]")))
        inputs.emplace_back(shape.get<std::vector<std::int64_t>>());
      all.push_back({row["generation"] == 2 ? Generation::keras2 : Generation::keras3, row["layer"], inputs});
    }
  }
  return all;
}

// Keys in order of name, for the order in a file carries no meaning.
std::string sorted(const Config& config) { return nlohmann::json::parse(config.dump()).dump(); }

// Without what layers inside were built for: they are not built here.
Config without_build_config(Config config) {
  if (config.is_object()) config.erase("build_config");
  if (config.is_structured())
    for (Config& one : config) one = without_build_config(one);
  return config;
}

TEST(Layers, KerasConfigsComeBackAsTheyWere) {
  const std::vector<Golden> all = golden();
  ASSERT_GT(all.size(), 161U);
  for (const Golden& row : all) {
    const Layer layer = layers::deserialize(row.layer, row.generation);
    EXPECT_EQ(layer.name(), row.layer["config"]["name"]);
    const Config written = layer.serialize();
    EXPECT_EQ(written["class_name"], row.layer["class_name"]);
    EXPECT_EQ(sorted(written["config"]), sorted(without_build_config(row.layer["config"])));
    if (row.generation == Generation::keras3) {
      EXPECT_EQ(written["module"], row.layer["module"]);
    }
  }
}

TEST(Layers, KerasConfigsSurviveTheOtherGeneration) {
  for (const Golden& row : golden()) {
    const Layer layer = layers::deserialize(row.layer, row.generation);
    const Generation other = row.generation == Generation::keras2 ? Generation::keras3 : Generation::keras2;
    Config written;
    try {
      written = layer.serialize(other);
    } catch (const ValueError&) {
      continue;  // a function that the other Keras lacks
    }
    const Layer again = layers::deserialize(written, other);
    if (layer.class_name() != "InputLayer") {
      Tensors inputs;
      // Not negative: embeddings take them for indices.
      for (const Shape& shape : row.inputs)
        inputs.push_back(ops::absolute(values_away_from(shape, {})).astype(DType::float32));
      layer.build_list(row.inputs);
      again.build_list(row.inputs);
      again.set_weights(layer.get_weights());
      EXPECT_EQ(values_of(layer.call(inputs)[0]), values_of(again.call(inputs)[0])) << row.layer.dump();
    }
  }
}

TEST(Layers, BuildConfigIsWrittenWhereKerasWritesIt) {
  const Dense dense(3);
  EXPECT_FALSE(dense.serialize().contains("build_config"));
  dense.build({7, 5});
  EXPECT_EQ(dense.serialize()["build_config"].dump(), R"({"input_shape":[null,5]})");
  const Activation activation("relu");
  activation.build({7, 5});
  EXPECT_FALSE(activation.serialize(Generation::keras3).contains("build_config"));
  EXPECT_TRUE(activation.serialize(Generation::keras2).contains("build_config"));
}

// What Keras 3.15.1 wrote for layers made with defaults.
TEST(Layers, DefaultsAreThoseOfKeras) {
  const std::pair<Layer, const char*> rows[] = {
      {LeakyReLU(), R"({"negative_slope": 0.3})"},
      {PReLU(),
       R"({"alpha_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "alpha_regularizer": null, "alpha_constraint": null, "shared_axes": null})"},
      {ELU(), R"({"alpha": 1.0})"},
      {Softmax(), R"({"axis": -1})"},
      {Softmax({.axis = {1, 2}}), R"({"axis": [1, 2]})"},
      {ReLU(), R"({"max_value": null, "negative_slope": 0.0, "threshold": 0.0})"},
      {Dropout(0.5, {.noise_shape = Shape{Shape::kUnknown, 1}, .seed = 3}),
       R"({"rate": 0.5, "seed": 3, "noise_shape": [null, 1]})"},
      {AlphaDropout(0.1), R"({"rate": 0.1, "seed": null, "noise_shape": null})"},
      {Flatten(), R"({"data_format": "channels_last"})"},
      {Reshape({-1, 2}), R"({"target_shape": [-1, 2]})"},
      {Dense(3),
       R"({"units": 3, "activation": "linear", "use_bias": true, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null}, "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "kernel_regularizer": null, "bias_regularizer": null, "kernel_constraint": null, "bias_constraint": null, "quantization_config": null})"},
  };
  for (const auto& [layer, text] : rows) {
    EXPECT_EQ(layer.body().config(Generation::keras3).dump(), Config::parse(text).dump());
  }
}

// Each is among those that Keras wrote, but for these.
TEST(Layers, EveryClassOfTheRegistryIsMadeByItsName) {
  std::set<std::string> written;
  for (const Golden& row : golden()) written.insert(row.layer["class_name"].get<std::string>());
  const std::map<std::string, const char*> others = {
      {"InputLayer", R"({"batch_shape": [null, 2]})"},
      {"Identity", R"({"name": "same"})"},
      {"AdaptiveAveragePooling1D", R"({"output_size": 2})"},
      {"AdaptiveAveragePooling3D", R"({"output_size": 2})"},
      {"AdaptiveMaxPooling1D", R"({"output_size": 2})"},
      {"AdaptiveMaxPooling3D", R"({"output_size": 2})"},
      {"ConvLSTM1D", R"({"filters": 2, "kernel_size": 3})"},
      {"ConvLSTM3D", R"({"filters": 2, "kernel_size": 3})"},
      {"GRUCell", R"({"units": 2})"},
      {"LSTMCell", R"({"units": 2})"},
      {"LocallyConnected1D", R"({"filters": 2, "kernel_size": 3})"},
      {"LocallyConnected2D", R"({"filters": 2, "kernel_size": 3})"},
      {"ParametricActivation", R"({"formula": "x * p", "parameters": [{"name": "p"}]})"},
      {"RNN", R"({"cell": {"class_name": "LSTMCell", "config": {"units": 2}}})"},
      {"ReversibleEmbedding", R"({"input_dim": 2, "output_dim": 2})"},
      {"SimpleRNNCell", R"({"units": 2})"},
      {"StackedRNNCells", R"({"cells": [{"class_name": "LSTMCell", "config": {"units": 2}}]})"},
      {"Scale", R"({"name": "x"})"},  // a test's own
      {"SpectralNormalization", R"({"layer": {"class_name": "Dense", "config": {"units": 2}}})"},
      {"SpatialDropout2D", R"({"rate": 0.5})"},
      {"SpatialDropout3D", R"({"rate": 0.5})"},
  };
  for (const std::string& name : layers::class_names()) {
    if (written.contains(name)) continue;
    ASSERT_TRUE(others.contains(name)) << name;
    const Config object = {{"class_name", name}, {"config", Config::parse(others.at(name))}};
    EXPECT_EQ(layers::deserialize(object).class_name(), name);
  }
}

// Keras writes neither, but reads them.
TEST(Layers, ArgumentsThatChangeNothingAreRead) {
  const auto read = [](const char* text) { return layers::deserialize(Config::parse(text)).class_name(); };
  EXPECT_EQ(read(R"({"class_name": "LSTM", "config": {"units": 2, "use_cudnn": "auto"}})"), "LSTM");
  EXPECT_EQ(read(R"({"class_name": "GRU", "config": {"units": 2, "use_cudnn": false}})"), "GRU");
  EXPECT_THAT(message_of([&] {
                read(R"({"class_name": "SimpleRNN", "config": {"units": 2, "use_cudnn": "auto"}})");
              }),
              HasSubstr("use_cudnn"));
  EXPECT_EQ(
      read(R"({"class_name": "Embedding", "config": {"input_dim": 2, "output_dim": 2, "sparse": false}})"),
      "Embedding");
  EXPECT_THAT(
      message_of([&] {
        read(R"({"class_name": "Embedding", "config": {"input_dim": 2, "output_dim": 2, "sparse": true}})");
      }),
      HasSubstr("Embedding config: \"sparse\" is false, received true"));
}

TEST(Layers, MistakesInConfigsNameClassAndKey) {
  const auto error = [](const char* text, Generation generation = Generation::keras3) {
    return message_of([&] { layers::deserialize(Config::parse(text), generation); });
  };
  EXPECT_THAT(error(R"({"class_name": "Dens", "config": {}})"), HasSubstr(R"("Dens".
  Did you mean "Dense"?)"));
  EXPECT_THAT(error(R"({"class_name": "Lambda", "config": {}})"), HasSubstr("\"Lambda\""));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {}})"), HasSubstr(R"(Dense config: "units")"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 2.5}})"), HasSubstr("2.5"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": "3"}})"), HasSubstr(R"("3")"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "foo": 1}})"),
              HasSubstr(R"("foo": 1)"));
  EXPECT_THAT(
      error(R"({"class_name": "Conv1D", "config": {"filters": 3, "kernel_size": 1, "lora_rank": 4}})"),
      HasSubstr("lora_rank"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "dtype": "float17"}})"),
              HasSubstr("float17"));
  EXPECT_THAT(
      error(
          R"({"class_name": "Dense", "config": {"units": 3, "dtype": {"class_name": "DTypePolicy", "config": {"name": "float16"}}}})"),
      HasSubstr("float16"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "kernel_initializer": "glorott"}})"),
              HasSubstr("glorott"));
  EXPECT_THAT(error(R"({"class_name": "InputLayer", "config": {}})"), HasSubstr("batch_shape"));
  EXPECT_THAT(error(R"({"class_name": "InputLayer", "config": {"batch_shape": [null, -3]}})"),
              HasSubstr("-3"));
  EXPECT_THAT(error("[1]"), HasSubstr("[1]"));
  EXPECT_THAT(error(R"({"class_name": 3})"), HasSubstr("class_name"));
  std::string nested = R"({"class_name": "Activation", "config": {"activation": "relu"}})";
  for (int i = 0; i < 100; ++i)
    nested = R"({"class_name": "Activation", "config": {"activation": )" + nested + "}}";
  EXPECT_THAT(error(nested.c_str()), HasSubstr("at most 64 layers"));
}

// An argument of one generation alone is not dropped for the other, whose Keras would compute something else.
TEST(LayerConfig, WhatTheOtherGenerationLacksIsWrittenWhereItCounts) {
  struct Case {
    const char* key;
    Generation target;
    Layer layer, plain;
  };
  const Generation two = Generation::keras2;
  const Case cases[] = {
      {"use_gate", two, MultiHeadAttention(1, 2, {.use_gate = true}), MultiHeadAttention(1, 2)},
      {"sliding_window", two, MultiHeadAttention(1, 2, {.sliding_window = 3}), MultiHeadAttention(1, 2)},
      {"renorm", two, BatchNormalization({.renorm = true}), BatchNormalization()},
      {"rms_scaling", two, LayerNormalization({.rms_scaling = true}), LayerNormalization()},
      {"data_format", two, SpatialDropout2D(0.5, {.data_format = "channels_first"}), SpatialDropout2D(0.5)},
      {"data_format", two, ZeroPadding1D(1, {.data_format = "channels_first"}), ZeroPadding1D()},
      {"dilation_rate", two, Conv3DTranspose(1, 2, {.dilation_rate = 2}), Conv3DTranspose(1, 2)},
      {"zero_output_for_mask", two, GRU(2, {.zero_output_for_mask = true}), GRU(2)},
      {"lora_rank", two, Dense(2, {.lora_rank = 1}), Dense(2)},
      {"time_major", Generation::keras3, GRU(2, {.time_major = true}), GRU(2)},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(c.layer.serialize(c.target).at("config").contains(c.key)) << c.layer.class_name() << c.key;
    EXPECT_FALSE(c.plain.serialize(c.target).at("config").contains(c.key)) << c.plain.class_name() << c.key;
  }
}

}  // namespace
}  // namespace keratin
