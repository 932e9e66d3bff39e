// What models write of their compile against both Keras (testdata/compile_configs.json, written by
// make_compile_configs.py).
#include "keratin/training/compile_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/message_of.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

using ::testing::HasSubstr;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/compile_configs.json");
    return Config::parse(file);
  }();
  return config;
}

struct Row {
  std::string name;
  Generation generation;
  const Config& config;

  std::string what() const { return name + (generation == Generation::keras2 ? " 2" : " 3"); }
  Model model() const {
    const std::string key = config.at("model").get<std::string>() + (what().ends_with('2') ? "2" : "3");
    return Model::from_config(known().at("models").at(key), generation);
  }
};

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const Config& row : known().at("rows"))
    all.push_back({row.at("name"), row.at("generation") == 2 ? Generation::keras2 : Generation::keras3, row});
  return all;
}

const Config& row_of(const std::string& name, int generation) {
  for (const Config& row : known().at("rows"))
    if (row.at("name") == name && row.at("generation") == generation) return row;
  throw std::out_of_range(name);
}

// The same arguments in C++, by the rows' names.
struct Case {
  const char* name;
  std::function<CompileOptions(Generation)> make;
};

CompileOptions in_generation(Generation generation, Optimizer optimizer) {
  // By way of a config, which carries the generation.
  return {.optimizer = optimizers::deserialize(optimizer.serialize(generation), generation)};
}

template <class L>
L of(Generation generation, L loss) {
  loss.generation = generation;
  return loss;
}

const std::vector<Case>& cases() {
  namespace schedules = optimizers::schedules;
  static const std::vector<Case> table = {
      {"names",
       [](Generation g) {
         CompileOptions options = in_generation(g, Adam());
         options.loss = "sparse_categorical_crossentropy";
         options.metrics = {"accuracy"};
         return options;
       }},
      {"short_names",
       [](Generation g) {
         CompileOptions options = in_generation(g, SGD());
         options.loss = "mse";
         options.metrics = {"mae", "mse"};
         return options;
       }},
      {"objects",
       [](Generation g) {
         CompileOptions options = in_generation(g, Adam(0.0078125, {.beta_1 = 0.75, .clipnorm = 1}));
         options.loss = Loss(of(g, losses::CategoricalCrossentropy{.label_smoothing = 0.125}));
         options.metrics = {metrics::CategoricalAccuracy{.name = "acc"}, metrics::AUC{.num_thresholds = 50},
                            "mse"};
         options.weighted_metrics = {"accuracy", losses::MeanSquaredError{}};
         return options;
       }},
      {"schedule",
       [](Generation g) {
         return CompileOptions{
             .optimizer = SGD(schedules::ExponentialDecay{0.5, 100, 0.875, true},
                              {.momentum = 0.5, .nesterov = true, .generation = g}),
             .loss = Loss(of(g, losses::Huber{.delta = 2})),
         };
       }},
      {"list",
       [](Generation g) {
         CompileOptions options = in_generation(g, SGD());
         options.loss = {"mse", Loss(of(g, losses::SparseCategoricalCrossentropy{}))};
         options.loss_weights = {1.0, 0.5};
         options.metrics = std::vector<std::vector<Metric>>{
             {"mae"}, {"accuracy", metrics::SparseTopKCategoricalAccuracy{.k = 2}}};
         return options;
       }},
      {"dict",
       [](Generation g) {
         CompileOptions options = in_generation(g, SGD());
         options.loss = {{"price", "mse"}, {"class", "sparse_categorical_crossentropy"}};
         options.loss_weights = {{"price", 2.0}, {"class", 0.25}};
         options.metrics = std::vector<MetricSets::Named>{{"class", {"accuracy"}}, {"price", {"mae"}}};
         options.weighted_metrics = std::vector<MetricSets::Named>{{"price", {"mse"}}};
         return options;
       }},
  };
  return table;
}

// What may differ: Keras's numbers went through float32; Keras 2 keeps an optimizer's name, adds a loss's
// function and names schedules null; Keras 3's Huber forgets its delta; one metric or threshold and a list of
// one are the same; how Keras runs a step.
Config canonical(Config config, Generation generation) {
  if (config.is_number_float()) return static_cast<double>(config.get<float>());
  if (config.is_object()) {
    config.erase("jit_compile");
    config.erase("fn");
    const bool is_schedule = config.value("module", "") == "keras.optimizers.schedules";
    if (is_schedule) config["config"].erase("name");
    if (config.value("class_name", "") == "Huber" && generation == Generation::keras3)
      config["config"].erase("delta");
    if (config.value("class_name", "") == "LossScaleOptimizerV3") {
      config["class_name"] = "LossScaleOptimizer";
      config["module"] = "keras.optimizers";
      config["registered_name"] = nullptr;
    }
    if (config.value("class_name", "") == "OneHotMeanIoU") config["config"].erase("dtype");
    if (config.contains("thresholds") && config["thresholds"].size() == 1)
      config["thresholds"] =
          Config::array({config["thresholds"].is_array() ? config["thresholds"][0] : config["thresholds"]});
    if (config.contains("optimizer") && config["optimizer"].is_string())
      config["optimizer"] = optimizers::deserialize(config["optimizer"], generation).serialize(generation);
  }
  if (config.is_structured())
    for (Config& one : config) one = canonical(one, generation);
  for (const char* key : {"metrics", "weighted_metrics"}) {
    if (!config.is_object() || !config.contains(key) || !config[key].is_object()) continue;
    for (Config& one : config[key])
      if (!one.is_array()) one = Config::array({one});
  }
  return config;
}

// Keys in order of name, for the order in a file carries no meaning.
std::string sorted(const Config& config, Generation generation) {
  return nlohmann::json::parse(canonical(config, generation).dump()).dump();
}

TEST(CompileConfig, IsThatOfKeras) {
  for (const Case& c : cases()) {
    for (const int number : {2, 3}) {
      const Generation generation = number == 2 ? Generation::keras2 : Generation::keras3;
      const Row row{c.name, generation, row_of(c.name, number)};
      Model model = row.model();
      EXPECT_EQ(model.get_compile_config().dump(), "{}");
      model.compile(c.make(generation));
      EXPECT_EQ(sorted(model.get_compile_config(), generation),
                sorted(row.config.at("compile_config"), generation))
          << row.what();
    }
  }
}

TEST(CompileConfig, ComesBackAsItWasAndReportsWhatKerasReports) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.what());
    Model model = row.model();
    model.compile_from_config(row.config.at("compile_config"));
    const Config written = model.get_compile_config();
    EXPECT_EQ(sorted(written, row.generation), sorted(row.config.at("compile_config"), row.generation));
    // And once more, to the letter.
    Model again = row.model();
    again.compile_from_config(written);
    EXPECT_EQ(again.get_compile_config().dump(), written.dump());
    const Config& reported = row.config.at("reported");
    if (reported.empty()) continue;
    const bool one_hot = row.name == "objects" || row.name == "sets" || row.name == "loss_for_all";
    Tensors y;
    for (const std::string& name : model.output_names()) {
      const Tensor classes = Tensor::from<std::int64_t>({0, 1, 2, 0}, {4});
      if (name == "price") y.push_back(Tensor::full({4, 1}, 1, DType::float32));
      if (name == "class") y.push_back(one_hot ? ops::one_hot(classes, 3) : classes.reshape({4, 1}));
    }
    const Tensor x = Tensor::arange(16, DType::float32).reshape({4, 4}) / 16;
    std::vector<std::string> keys = again.fit(x, y).keys();
    EXPECT_EQ(Config(keys), reported);
  }
}

TEST(CompileConfig, OfH5FilesIsReadToTheSame) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.what());
    const CompileOptions read = compile_options(row.config.at("training_config"), row.generation);
    const CompileOptions wanted = compile_options(row.config.at("compile_config"), row.generation);
    EXPECT_EQ(sorted(read.optimizer.serialize(row.generation), row.generation),
              sorted(wanted.optimizer.serialize(row.generation), row.generation));
    const Config from_read = compile_config(read, row.generation);
    const Config from_wanted = compile_config(wanted, row.generation);
    EXPECT_EQ(sorted(from_read["loss"], row.generation), sorted(from_wanted["loss"], row.generation));
    // Keras 2 keeps the metrics that compile made, in a list for each output.
    if (row.generation == Generation::keras3) {
      EXPECT_EQ(sorted(from_read, row.generation), sorted(from_wanted, row.generation));
      Config expected = row.config.at("training_config");
      EXPECT_EQ(sorted(training_config(read, row.generation), row.generation),
                sorted(expected, row.generation));
    } else {
      EXPECT_EQ(sorted(training_config(read, row.generation)["optimizer_config"], row.generation),
                sorted(row.config.at("training_config").at("optimizer_config"), row.generation));
      Model model = row.model();
      model.compile(read);
    }
  }
}

// testdata/compiled_models.json, written by make_compiled_models.py.
TEST(CompileConfig, StandsInTheObjectOfAModelAndComesBackFromIt) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/compiled_models.json");
  const Config models = Config::parse(file);
  ASSERT_EQ(models.size(), 8U);
  for (const Config& row : models) {
    const Generation generation = row.at("generation") == 2 ? Generation::keras2 : Generation::keras3;
    SCOPED_TRACE(row.at("name").get<std::string>() + (generation == Generation::keras2 ? " 2" : " 3"));
    const Config& object = row.at("object");
    const Model model = Model::from_config(object, generation);
    const Config written = model.serialize(generation);
    for (const char* key : {"module", "class_name", "registered_name"})
      EXPECT_EQ(written.at(key), object.at(key));
    ASSERT_EQ(written.contains("compile_config"), object.contains("compile_config"));
    if (!object.contains("compile_config")) continue;
    EXPECT_EQ(sorted(written.at("compile_config"), generation),
              sorted(object.at("compile_config"), generation));
    // A copy is not compiled, as Keras's clone_model without compile.
    EXPECT_EQ(model.clone().get_compile_config().dump(), "{}");
    Config bare = object;
    bare["compile_config"] = nullptr;
    EXPECT_EQ(Model::from_config(bare, generation).get_compile_config().dump(), "{}");
    bare["compile_config"] = Config::parse(R"({"optimizer": "adam", "loss": "msee"})");
    EXPECT_THAT(message_of([&] { Model::from_config(bare, generation); }), HasSubstr("msee"));
  }
}

// As both Keras do: 3.15.1 compiles the inner model too, tf_keras 2.21 leaves it.
TEST(CompileConfig, AModelInsideAnotherIsCompiledInKeras3) {
  for (const Generation generation : {Generation::keras2, Generation::keras3}) {
    Sequential inner({Input({4}), Dense(3)}, "inner");
    inner.compile({.optimizer = "sgd", .loss = "mse"});
    const Sequential outer{Input({4}), inner, Dense(1)};
    const Model read = Model::from_config(outer.serialize(generation), generation);
    const Config config = read.get_layer("inner").serialize(generation);
    const bool is_compiled = config.contains("compile_config") && !config.at("compile_config").empty();
    EXPECT_EQ(is_compiled, generation == Generation::keras3);
    if (is_compiled) {
      EXPECT_EQ(config.at("compile_config").at("optimizer").at("class_name"), "SGD");
    }
    EXPECT_EQ(read.get_compile_config().dump(), "{}");
  }
}

TEST(CompileConfig, AModelWithALossOfTheCallersIsWrittenWithoutIt) {
  Sequential model{Input({4}), Dense(1)};
  model.compile({.loss = [](const Tensor& y, const Tensor& p) { return ops::square(y - p); }});
  EXPECT_EQ(model.serialize(Generation::keras3).at("compile_config").dump(), "{}");
  EXPECT_FALSE(model.serialize(Generation::keras2).contains("compile_config"));
  model.compile({.loss = "mse"});
  EXPECT_EQ(model.serialize(Generation::keras2).at("compile_config").at("loss"), "mse");
  model.add(Dense(2));
  EXPECT_FALSE(model.serialize(Generation::keras2).contains("compile_config"));
}

TEST(CompileConfig, ALearningThatIsReadGoesTheSameWay) {
  const auto learn = [](Model model) {
    model.set_weights([&] {
      Tensors weights;
      for (const Variable& variable : model.variables())
        weights.push_back(ops::reshape(Tensor::arange(variable.shape().size(), DType::float32) / 10 - 0.3,
                                       variable.shape()));
      return weights;
    }());
    const Tensor x = Tensor::arange(16, DType::float32).reshape({4, 4}) / 16;
    return model.fit(x, Tensor::full({4, 1}, 1, DType::float32),
                     {.batch_size = 2, .epochs = 3, .shuffle = false})["loss"];
  };
  const Row row{"schedule", Generation::keras3, row_of("schedule", 3)};
  Model direct = row.model(), read = row.model();
  direct.compile(cases()[3].make(Generation::keras3));
  read.compile_from_config(direct.get_compile_config());
  EXPECT_EQ(learn(direct), learn(read));
}

TEST(CompileConfig, TheScaleThatCompileAddsIsNotWritten) {
  Sequential model{Input({4}), Dense(1, {.dtype = "mixed_float16"})};
  model.compile({.optimizer = "adam", .loss = "mse"});
  EXPECT_EQ(model.get_compile_config()["optimizer"]["class_name"], "Adam");
  model.compile({.optimizer = LossScaleOptimizer("adam"), .loss = "mse"});
  EXPECT_EQ(model.get_compile_config()["optimizer"]["class_name"], "LossScaleOptimizer");
}

TEST(CompileConfig, MistakesAreNamed) {
  const auto error = [](const char* text) {
    return message_of([&] { compile_options(Config::parse(text)); });
  };
  EXPECT_THAT(error("[1]"), HasSubstr("got [1]"));
  EXPECT_THAT(error(R"({"loss": "mse"})"), HasSubstr("\"optimizer\""));
  EXPECT_THAT(error(R"({"optimizer": "adan"})"), HasSubstr("adan"));
  EXPECT_THAT(error(R"({"optimizer": "adam", "loss": "msee"})"), HasSubstr("msee"));
  EXPECT_THAT(error(R"({"optimizer": "adam", "loss": true})"), HasSubstr("\"loss\""));
  EXPECT_THAT(error(R"({"optimizer": "adam", "loss_weights": ["a"]})"), HasSubstr("\"loss_weights\""));
  EXPECT_THAT(error(R"({"optimizer": "adam", "metrics": 3})"), HasSubstr("\"metrics\""));
  EXPECT_THAT(error(R"({"optimizer": "adam", "metric": ["mae"]})"), HasSubstr("Did you mean \"metrics\""));
  EXPECT_THAT(
      error(
          R"({"optimizer": "adam", "metrics": [{"class_name": "MeanMetricWrapper", "config": {"fn": 3}}]})"),
      HasSubstr("MeanMetricWrapper"));
  EXPECT_THAT(
      error(
          R"({"optimizer": "adam", "metrics": [{"class_name": "MeanMetricWrapper", "config": {"fn": "mse", "name": 3}}]})"),
      HasSubstr("\"name\""));
  Sequential model{Input({4}), Dense(1)};
  model.compile({.loss = [](const Tensor& y, const Tensor& p) { return ops::square(y - p); }});
  EXPECT_THAT(message_of([&] { model.get_compile_config(); }), HasSubstr("callable"));
}

}  // namespace
}  // namespace keratin
