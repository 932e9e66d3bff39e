// What callbacks are called with, and steps of a loop of one's own, on a model of two inputs and outputs
// against Keras 3 (testdata/callback_calls.json, written by make_callback_calls.py on JAX).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/test_tools.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

using test::wave;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/callback_calls.json");
    return Config::parse(file);
  }();
  return config;
}

const Tensors& x() {
  static const Tensors tensors = {wave({10, 3}, 0.5), wave({10, 2}, 1.5)};
  return tensors;
}
const Tensors& y() {
  static const Tensors tensors = {wave({10, 1}, 2.5), wave({10, 2}, 3.5)};
  return tensors;
}
Tensors rows(const Tensors& tensors, std::int64_t begin, std::int64_t end) {
  Tensors parts;
  for (const Tensor& tensor : tensors) parts.push_back(tensor.slice(0, begin, end));
  return parts;
}

Model plain_model() {
  const Input a({3}, {.name = "a"}), b({2}, {.name = "b"});
  const SymbolicTensor h = Dense(4, {.activation = "tanh", .name = "h"})(Concatenate({.name = "c"})({a, b}));
  Model model({a, b}, {Dense(1, {.name = "price"})(h), Dense(2, {.activation = "tanh", .name = "place"})(h)});
  Tensors weights;
  for (const Variable& variable : model.variables())
    weights.push_back(wave(variable.shape(), static_cast<double>(weights.size())));
  model.set_weights(weights);
  return model;
}

Model compiled_model() {
  Model model = plain_model();
  model.compile({.optimizer = SGD(0.125),
                 .loss = {"mse", "mae"},
                 .loss_weights = {1.0, 0.5},
                 .metrics = std::vector<std::vector<Metric>>{{"mae"}, {"mse"}}});
  return model;
}

struct Stop {
  std::string call;
  std::int64_t number = -1;
};

// Writes down each call as Keras's does; ends what runs at one of them.
class Recorder : public Callback {
 public:
  Recorder(std::shared_ptr<Config> calls, Stop stop) : calls_(std::move(calls)), stop_(std::move(stop)) {}

  void on_train_begin(TrainingRun&) override { add("train_begin"); }
  void on_train_end(TrainingRun&, const Metrics& logs) override { add("train_end", nullptr, logs); }
  void on_epoch_begin(TrainingRun&, std::int64_t epoch) override { add("epoch_begin", epoch); }
  void on_epoch_end(TrainingRun&, std::int64_t epoch, const Metrics& logs) override {
    add("epoch_end", epoch, logs);
  }
  void on_train_batch_begin(TrainingRun&, std::int64_t batch) override { add("train_batch_begin", batch); }
  void on_train_batch_end(TrainingRun&, std::int64_t batch, const Metrics& logs) override {
    add("train_batch_end", batch, logs);
  }
  void on_test_begin(TrainingRun&) override { add("test_begin"); }
  void on_test_end(TrainingRun&, const Metrics& logs) override { add("test_end", nullptr, logs); }
  void on_test_batch_begin(TrainingRun&, std::int64_t batch) override { add("test_batch_begin", batch); }
  void on_test_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override {
    add("test_batch_end", batch, logs);
    run.stop_evaluating = stop_.call == "test_batch_end" && stop_.number == batch;
  }
  void on_predict_begin(TrainingRun&) override { add("predict_begin"); }
  void on_predict_end(TrainingRun&) override { add("predict_end"); }
  void on_predict_batch_begin(TrainingRun&, std::int64_t batch) override {
    add("predict_batch_begin", batch);
  }
  void on_predict_batch_end(TrainingRun& run, std::int64_t batch, const Tensors& outputs) override {
    add("predict_batch_end", batch);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto values = outputs[i].values<float>();
      calls_->back()[2][std::to_string(i)] = std::vector<float>(values.begin(), values.end());
    }
    run.stop_predicting = stop_.call == "predict_batch_end" && stop_.number == batch;
  }

 private:
  void add(const char* call, Config number = nullptr, const Metrics& logs = {}) {
    Config values = Config::object();
    for (const auto& [name, value] : logs) values[name] = value;
    calls_->push_back(Config::array({call, std::move(number), std::move(values)}));
  }

  std::shared_ptr<Config> calls_;
  Stop stop_;
};

// Means of ten samples in float32 on both sides, and three steps of an eighth of their gradients.
constexpr double kTolerance = 4e-6;

void expect_calls(const Config& calls, const char* name) {
  const Config& expected = known().at(name);
  ASSERT_EQ(calls.size(), expected.size()) << name;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string what = std::string(name) + ": " + expected[i].dump();
    EXPECT_EQ(calls[i][0], expected[i][0]) << what;
    EXPECT_EQ(calls[i][1], expected[i][1]) << what;
    ASSERT_EQ(calls[i][2].size(), expected[i][2].size()) << what;
    for (const auto& [key, value] : expected[i][2].items()) {
      ASSERT_TRUE(calls[i][2].contains(key)) << what;
      if (value.is_number()) {
        EXPECT_NEAR(calls[i][2][key].get<double>(), value.get<double>(), kTolerance) << what;
        continue;
      }
      ASSERT_EQ(calls[i][2][key].size(), value.size()) << what;
      for (std::size_t j = 0; j < value.size(); ++j)
        EXPECT_NEAR(calls[i][2][key][j].get<double>(), value[j].get<double>(), kTolerance) << what;
    }
  }
}

TEST(CallbackCalls, OfFitAreThoseOfKeras) {
  for (const char* name : {"fit", "fit_stopped"}) {
    const auto calls = std::make_shared<Config>(Config::array());
    const Stop stop = std::string(name) == "fit" ? Stop{} : Stop{"test_batch_end", 0};
    compiled_model().fit(x(), y(),
                         {.batch_size = 4,
                          .epochs = 2,
                          .callbacks = {Recorder(calls, stop)},
                          .validation_data = {rows(x(), 0, 7), rows(y(), 0, 7)},
                          .shuffle = false,
                          .validation_batch_size = 3,
                          .validation_freq = 2});
    expect_calls(*calls, name);
  }
}

TEST(CallbackCalls, OfEvaluateAreThoseOfKeras) {
  for (const char* name : {"evaluate", "evaluate_stopped"}) {
    const auto calls = std::make_shared<Config>(Config::array());
    const Stop stop = std::string(name) == "evaluate" ? Stop{} : Stop{"test_batch_end", 1};
    const Metrics logs =
        compiled_model().evaluate(x(), y(), {.batch_size = 4, .callbacks = {Recorder(calls, stop)}});
    expect_calls(*calls, name);
    EXPECT_EQ(logs.loss(), calls->back()[2]["loss"].get<double>());
  }
}

TEST(CallbackCalls, OfPredictAreThoseOfKeras) {
  for (const char* name : {"predict", "predict_stopped"}) {
    const auto calls = std::make_shared<Config>(Config::array());
    const Stop stop = std::string(name) == "predict" ? Stop{} : Stop{"predict_batch_end", 1};
    // Nothing has to be compiled.
    const auto outputs =
        plain_model().predict_list(x(), {.batch_size = 4, .callbacks = {Recorder(calls, stop)}});
    expect_calls(*calls, name);
    const Config& shapes = known().at(std::string(name) + "_shapes");
    const auto all = plain_model().predict_list(x(), {.batch_size = 4});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(outputs[i].shape(), Shape(shapes[i].get<std::vector<std::int64_t>>()));
      const Tensor same = all[i].slice(0, 0, outputs[i].shape()[0]);
      EXPECT_EQ(ops::max(ops::absolute(outputs[i] - same)).item(), 0);
    }
  }
}

TEST(CallbackCalls, BatchesRunSeveralAtOnceWhereNobodyWatchesThem) {
  class Ends : public Callback {
   public:
    void on_test_begin(TrainingRun& run) override { steps = run.steps; }
    void on_predict_end(TrainingRun& run) override { samples = run.samples; }
    std::int64_t steps = 0, samples = 0;
  };
  class HalfWatching : public Ends {
   public:
    void on_test_batch_begin(TrainingRun&, std::int64_t) override { ++batches; }
    std::int64_t batches = 0;
  };
  const auto ends = std::make_shared<Ends>();
  const CallbackPointer pointer{ends}, half{HalfWatching()}, any{std::shared_ptr<Callback>(ends)};
  EXPECT_FALSE(pointer.watches_test_batches() || pointer.watches_predict_batches());
  EXPECT_TRUE(half.watches_test_batches() && !half.watches_predict_batches());
  EXPECT_TRUE(any.watches_test_batches() && any.watches_predict_batches());
  // What is known as less than it is may do more than that.
  const auto watching = std::make_shared<HalfWatching>();
  EXPECT_TRUE(CallbackPointer(std::shared_ptr<Ends>(watching)).watches_test_batches());
  EXPECT_FALSE(CallbackPointer(EarlyStopping()).watches_test_batches());
  EXPECT_FALSE(CallbackPointer(LambdaCallback({.on_test_end = [](TrainingRun&, const Metrics&) {
               }})).watches_test_batches());
  // The same numbers either way.
  const Model model = compiled_model();
  const auto calls = std::make_shared<Config>(Config::array());
  const Metrics at_once = model.evaluate(x(), y(), {.batch_size = 4, .callbacks = {pointer}});
  const Metrics watched = model.evaluate(x(), y(), {.batch_size = 4, .callbacks = {Recorder(calls, {})}});
  for (const auto& [name, value] : at_once) EXPECT_EQ(watched[name], value) << name;
  EXPECT_EQ(ends->steps, 3);
  model.evaluate(x(), y(), {.batch_size = 4, .callbacks = {std::shared_ptr<Ends>(watching)}});
  EXPECT_EQ(watching->batches, 3);
  model.predict_list(x(), {.batch_size = 4, .callbacks = {pointer}});
  EXPECT_EQ(ends->samples, 10);
}

TEST(CallbackCalls, AStopBeforeTheFirstBatchLeavesThatOneAsInKeras) {
  const LambdaCallback stop({.on_test_begin = [](TrainingRun& run) { run.stop_evaluating = true; },
                             .on_predict_begin = [](TrainingRun& run) { run.stop_predicting = true; }});
  const Model model = compiled_model();
  EXPECT_EQ(model.predict_list(x(), {.batch_size = 4, .callbacks = {stop}})[0].shape(), (Shape{4, 1}));
  EXPECT_EQ(model.evaluate(x(), y(), {.batch_size = 4, .callbacks = {stop}}).loss(),
            model.evaluate(rows(x(), 0, 4), rows(y(), 0, 4)).loss());
}

TEST(CallbackCalls, NoSamplesAreNoBatches) {
  const auto calls = std::make_shared<Config>(Config::array());
  const Tensors outputs = plain_model().predict_list(rows(x(), 0, 0), {.callbacks = {Recorder(calls, {})}});
  EXPECT_EQ(outputs[1].shape(), (Shape{0, 2}));
  EXPECT_EQ(calls->size(), 2U) << calls->dump();
}

TEST(CallbackCalls, ANullPointerIsNoCallback) {
  EXPECT_THAT(message_of([] { CallbackPointer(std::shared_ptr<EarlyStopping>()); }),
              ::testing::HasSubstr("null pointer"));
}

TEST(CallbackCalls, LambdasHaveAllOfThem) {
  std::vector<std::string> names;
  const auto add = [&](const char* name) { names.emplace_back(name); };
  const LambdaCallback callback(
      {.on_test_begin = [&](TrainingRun&) { add("test_begin"); },
       .on_test_end = [&](TrainingRun&, const Metrics&) { add("test_end"); },
       .on_test_batch_begin = [&](TrainingRun&, std::int64_t) { add("test_batch_begin"); },
       .on_test_batch_end = [&](TrainingRun&, std::int64_t, const Metrics&) { add("test_batch_end"); },
       .on_predict_begin = [&](TrainingRun&) { add("predict_begin"); },
       .on_predict_end = [&](TrainingRun&) { add("predict_end"); },
       .on_predict_batch_begin = [&](TrainingRun&, std::int64_t) { add("predict_batch_begin"); },
       .on_predict_batch_end = [&](TrainingRun&, std::int64_t,
                                   const Tensors&) { add("predict_batch_end"); }});
  const Model model = compiled_model();
  model.evaluate(x(), y(), {.callbacks = {callback}});
  model.predict_list(x(), {.callbacks = {callback}});
  std::vector<std::string> expected;
  for (const char* run : {"evaluate", "predict"})
    for (const Config& call : known().at(run))
      if (call[1].is_null() || call[1] == 0) expected.push_back(call[0]);
  EXPECT_EQ(names, expected);
}

TEST(TrainStep, TakesSeveralInputsAndOutputsAsKerasDoes) {
  const Config& expected = known().at("steps");
  std::vector<float> weights;
  for (int i = 0; i < 10; ++i) weights.push_back(static_cast<float>(0.5 + i / 9.0));
  const Tensor weight = Tensor::from(weights, {10});
  for (const bool by_name : {false, true}) {
    const Model model = plain_model();
    Optimizer optimizer = SGD(0.125);
    double first = 0;
    for (const std::int64_t begin : {0, 5}) {
      const auto inputs = rows(x(), begin, begin + 5), labels = rows(y(), begin, begin + 5);
      const Tensor some = weight.slice(0, begin, begin + 5);
      const double loss =
          by_name
              ? train_step(model, {{"place", "mae"}, {"price", "mse"}}, optimizer,
                           {{"b", inputs[1]}, {"a", inputs[0]}}, {{"place", labels[1]}, {"price", labels[0]}},
                           {{"price", some}, {"place", some}}, {{"place", 0.5}})
              : train_step(model, {"mse", "mae"}, optimizer, inputs, labels, some, {1.0, 0.5});
      if (begin == 0) first = loss;
    }
    EXPECT_NEAR(first, expected.at("loss_first").get<double>(), kTolerance);
    const auto learned = model.get_weights();
    for (std::size_t i = 0; i < learned.size(); ++i) {
      const auto values = learned[i].values<float>();
      for (std::size_t j = 0; j < values.size(); ++j)
        EXPECT_NEAR(values[j], expected.at("weights")[i][j].get<double>(), kTolerance) << i << " " << j;
    }
  }
}

TEST(TrainStep, MistakesAreNamedAndChangeNothing) {
  const Model model = plain_model();
  Optimizer optimizer = SGD(0.125);
  const auto before = model.get_weights();
  const auto error = [&](const PerOutput<Loss>& loss, const TensorList& inputs, const TensorList& labels) {
    return message_of([&] { train_step(model, loss, optimizer, inputs, labels); });
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(error({}, x(), y()), HasSubstr("expects a loss"));
  EXPECT_THAT(error({"mse", "mse", "mse"}, x(), y()), HasSubstr("a loss for each of 2"));
  EXPECT_THAT(error("mse", x()[0], y()), HasSubstr("train_step"));
  EXPECT_THAT(error("mse", x(), {{"prize", y()[0]}}), HasSubstr("\"price\""));
  EXPECT_THAT(error("mse", x(), rows(y(), 0, 4)), HasSubstr("train_step"));
  EXPECT_EQ(optimizer.iterations(), 0);
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(ops::max(ops::absolute(before[i] - model.get_weights()[i])).item(), 0);
}

}  // namespace
}  // namespace keratin
