// Models of several inputs and outputs: what is reported and learnt, against both Kerases
// (testdata/several_outputs.json, written by make_several_outputs.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/layers.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

using Names = std::vector<std::string>;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/several_outputs.json");
    return Config::parse(file);
  }();
  return config;
}

Tensor array(const std::string& name) {
  const Config& array = known().at("arrays").at(name);
  std::vector<std::int64_t> sizes = array.at("shape").get<std::vector<std::int64_t>>();
  return Tensor::from(array.at("values").get<std::vector<float>>(), Shape(sizes));
}

const Tensors kX = {array("x_left"), array("x_right")};
const Tensors kY = {array("y_price"), array("y_sold")};
const Tensors kWeights = {array("w_price"), array("w_sold")};

Model model_of(Generation generation) {
  const Input left({3}, {.name = "left"}), right({2}, {.name = "right"});
  const SymbolicTensor h = Dense(4, {.activation = "tanh"})(Concatenate()({left, right}));
  Model model({left, right},
              {Dense(2, {.name = "price"})(h), Dense(1, {.activation = "sigmoid", .name = "sold"})(h)});
  Tensors start;
  for (int i = 0; i < 6; ++i) start.push_back(array("start_" + std::to_string(i)));
  model.set_weights(start);
  model.body().generation = generation;
  return model;
}

Tensors first_rows(Tensors all, std::int64_t count) {
  for (Tensor& one : all) one = one.slice(0, 0, count);
  return all;
}

// Both compute in float32, sums in another order: a few 2^-24 in each of six steps.
constexpr double kTolerance = 4e-6;

void expect_near(const Config& expected, const std::vector<double>& values, const std::string& what) {
  ASSERT_EQ(expected.size(), values.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto wanted = expected[i].get<double>();
    EXPECT_NEAR(values[i], wanted, kTolerance * (1 + std::abs(wanted))) << what << " " << i;
  }
}

void expect_tensors(const Config& expected, const Tensors& tensors, const std::string& what) {
  ASSERT_EQ(expected.size(), tensors.size()) << what;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor contiguous = tensors[i].contiguous();
    const auto values = contiguous.values<float>();
    expect_near(expected[i], {values.begin(), values.end()}, what + " " + std::to_string(i));
  }
}

void expect_logs(const Config& expected, const Metrics& logs, const std::string& what) {
  Names names, wanted;
  std::vector<double> values;
  Config numbers = Config::array();
  for (const auto& entry : expected) {
    wanted.push_back(entry[0].get<std::string>());
    numbers.push_back(entry[1]);
    values.push_back(logs[wanted.back()]);
  }
  for (const auto& [name, value] : logs) names.push_back(name);
  EXPECT_EQ(std::multiset<std::string>(names.begin(), names.end()),
            std::multiset<std::string>(wanted.begin(), wanted.end()))
      << what;
  expect_near(numbers, values, what);
}

// Fits, evaluates, predicts and trains on batches as the script did.
void expect_as_keras(const std::string& name, const CompileOptions& options, const FitOptions& changes) {
  for (const Generation generation : {Generation::keras2, Generation::keras3}) {
    const std::string keras = generation == Generation::keras2 ? "keras2" : "keras3";
    SCOPED_TRACE(name + " " + keras);
    const Config& expected = known().at("results").at(name).at(keras);
    Model model = model_of(generation);
    CompileOptions compile = options;
    compile.optimizer = SGD(0.1, {.generation = generation});
    model.compile(compile);
    FitOptions fit = changes;
    fit.batch_size = 4;
    fit.epochs = 2;
    fit.shuffle = false;
    const History history = model.fit(kX, kY, fit);
    Names keys;
    for (const auto& entry : expected.at("history")) keys.push_back(entry[0].get<std::string>());
    EXPECT_EQ(history.keys(), keys);
    for (const auto& entry : expected.at("history"))
      expect_near(entry[1], history[entry[0].get<std::string>()], entry[0].get<std::string>());
    expect_logs(expected.at("evaluate"), model.evaluate(kX, kY, {.batch_size = 4}), "evaluate");
    const auto x = first_rows(kX, 4), y = first_rows(kY, 4);
    for (const auto& logs : expected.at("batches")) expect_logs(logs, model.train_on_batch(x, y), "batch");
    expect_tensors(expected.at("predict"), model.predict_list(kX, {.batch_size = 3}), "predict");
    expect_tensors(expected.at("weights"), model.get_weights(), "weights");
  }
}

TEST(SeveralOutputs, ListsOfLossesWeightsAndMetricsAreReportedAndLearntAsInKeras) {
  expect_as_keras("lists",
                  {.loss = {"mse", "binary_crossentropy"},
                   .loss_weights = {0.5, 2.0},
                   .metrics = std::vector<std::vector<Metric>>{{"mae"}, {"accuracy"}}},
                  {.validation_split = 0.3, .sample_weight = kWeights});
}

TEST(SeveralOutputs, LossesAndMetricsByNameAreReportedAndLearntAsInKeras) {
  expect_as_keras("names",
                  {.loss = {{"sold", "binary_crossentropy"}, {"price", "mae"}},
                   .metrics = {{"sold", {"accuracy", "mse"}}},
                   .weighted_metrics = {{"sold", {"mse"}}, {"price", {"mse"}}}},
                  {.sample_weight = kWeights});
}

TEST(SeveralOutputs, OneLossGoesForAllOutputs) { expect_as_keras("one_loss", {.loss = "mse"}, {}); }

TEST(SeveralOutputs, AnOutputMayHaveNoLoss) {
  expect_as_keras(
      "one_of_two",
      {.loss = {"mse", Loss()}, .metrics = std::vector<std::vector<Metric>>{{"mse", "mae"}, {"mse"}}}, {});
}

TEST(SeveralOutputs, ValidationDataHasListsToo) {
  const ValidationData data{first_rows(kX, 6), first_rows(kY, 6), first_rows(kWeights, 6)};
  expect_as_keras("validation", {.loss = {"mse", "mse"}}, {.validation_data = data});
}

TEST(SeveralOutputs, DataByNameIsDataInOrder) {
  const TensorList x{{"right", kX[1]}, {"left", kX[0]}}, y{{"sold", kY[1]}, {"price", kY[0]}};
  const TensorList weights{{"sold", kWeights[1]}, {"price", kWeights[0]}};
  const auto history_of = [](const TensorList& x, const TensorList& y, const TensorList& weights) {
    Model model = model_of(Generation::keras3);
    model.compile({.optimizer = SGD(0.1), .loss = "mse"});
    return model.fit(x, y, {.epochs = 2, .shuffle = false, .sample_weight = weights})["loss"];
  };
  EXPECT_EQ(history_of(x, y, weights), history_of(kX, kY, kWeights));
  // Names alone do not choose: a single tensor weighs all outputs.
  EXPECT_EQ(history_of(x, y, kWeights[0]), history_of(kX, kY, {kWeights[0], kWeights[0]}));
}

TEST(SeveralOutputs, ShufflingMovesTheRowsOfAllTogether) {
  Model model = model_of(Generation::keras3);
  // The targets are what the model gives: whatever the order, nothing is left to learn.
  const Tensors y = model.predict_list(kX);
  model.compile({.optimizer = SGD(0.1), .loss = "mse"});
  const History history = model.fit(kX, y, {.batch_size = 3, .epochs = 3});
  for (const double loss : history["loss"]) EXPECT_LT(loss, 1e-12);
}

TEST(SeveralOutputs, CallbacksSeeTheLossOfEachOutput) {
  Model model = model_of(Generation::keras3);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  const History history =
      model.fit(kX, kY,
                {.epochs = 9,
                 .callbacks = {EarlyStopping({.monitor = "val_sold_loss", .patience = 1})},
                 .validation_split = 0.2});
  EXPECT_EQ(history.epoch.size(), 2u);
}

TEST(SeveralOutputs, ALabelForEachLossIsEnough) {
  Model model = model_of(Generation::keras3);
  model.compile({.optimizer = SGD(0.1), .loss = {{"sold", "mse"}}});
  const double alone = model.fit(kX, {kY[1]}, {.shuffle = false})["loss"][0];
  Model again = model_of(Generation::keras3);
  again.compile({.optimizer = SGD(0.1), .loss = {Loss(), "mse"}});
  EXPECT_EQ(again.fit(kX, {{"sold", kY[1]}}, {.shuffle = false})["loss"][0], alone);
}

TEST(SeveralOutputs, ABatchIsReportedAsEvaluateReportsIt) {
  Model model = model_of(Generation::keras3);
  model.compile({.optimizer = SGD(0.0), .loss = "mse", .weighted_metrics = {{"sold", {"mae"}}}});
  const Metrics report = model.evaluate(kX, kY, {.sample_weight = kWeights});
  const Metrics batch = model.test_on_batch(kX, kY, {.sample_weight = kWeights});
  EXPECT_EQ(batch["loss"], report["loss"]);
  EXPECT_EQ(batch["sold_mae"], report["sold_mae"]);
  EXPECT_EQ(model.predict_on_batch(kX).size(), 2u);
}

TEST(SeveralOutputs, MistakesAreNamed) {
  Model model = model_of(Generation::keras3);
  EXPECT_THROW(model.compile({.loss = {"mse", "mse", "mse"}}), ValueError);
  EXPECT_THROW(model.compile({.loss = "mse", .metrics = {"mae"}}), ValueError);
  EXPECT_NE(message_of([&] {
              model.compile({.loss = {{"prize", "mse"}}});
            }).find("\"price\""),
            std::string::npos);
  model.compile({.loss = "mse"});
  EXPECT_NE(message_of([&] {
              model.fit({{"lift", kX[0]}, {"right", kX[1]}}, kY);
            }).find("\"left\""),
            std::string::npos);
  EXPECT_NE(message_of([&] { model.fit(kX, kY[0]); }).find("\"price\", \"sold\""), std::string::npos);
  EXPECT_NE(message_of([&] {
              model.fit(kX, {{"price", kY[0]}});
            }).find("output \"sold\""),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              model.fit({kX[0], kX[1].slice(0, 0, 4)}, kY);
            }).find("x of \"right\" 4"),
            std::string::npos);
  EXPECT_THROW(model.fit(kX, kY, {.class_weight = {{0, 2.0}}}), ValueError);
  EXPECT_THROW(model.predict(kX), StateError);
}

}  // namespace
}  // namespace keratin
