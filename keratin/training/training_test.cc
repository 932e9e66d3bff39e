#include "keratin/training/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/memory.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/core/sanitized.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Values to_vector(const Tensor& a) {
  const Tensor wide = a.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Numbers from a stream of their own, whatever the library's seed.
Tensor normal(const Shape& shape, std::uint64_t stream, DType dtype = DType::float32) {
  Tensor result = Tensor::empty(shape, dtype);
  if (dtype == DType::float64)
    fill_normal(result.mutable_values<double>(), RandomKey{7, stream}, 0, 1);
  else
    fill_normal(result.mutable_values<float>(), RandomKey{7, stream}, 0, 1);
  return result;
}

struct Problem {
  Tensor x, y;
};
// Three classes: which of the first three features is the largest.
Problem digits_like(std::int64_t samples) {
  const Tensor x = normal({samples, 5}, 1);
  return {x, ops::argmax(x.slice(1, 0, 3))};
}

Sequential small_model() {
  return Sequential{Input({5}), Dense(8, {.activation = "tanh"}), Dense(3, {.activation = "softmax"})};
}

// y = w·x with one weight.
Sequential line(double weight) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false})};
  model.set_weights({Tensor::full({1, 1}, weight)});
  return model;
}
Tensor column(std::initializer_list<double> values) { return Tensor::of(values).expand_dims(1); }

TEST(Training, AClassifierLearnsItsClasses) {
  set_random_seed(1);
  const Problem train = digits_like(600), test = {normal({200, 5}, 9), {}};
  const Tensor truth = ops::argmax(test.x.slice(1, 0, 3));
  Sequential model = small_model();
  model.compile(
      {.optimizer = Adam(0.02), .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  const History history = model.fit(train.x, train.y, {.epochs = 30, .validation_split = 0.1});
  EXPECT_EQ(history.epoch.size(), 30u);
  EXPECT_LT(history["loss"].back(), history["loss"].front() / 4);
  // The rule is simple: a network of this size that learns nothing stays near 1/3.
  EXPECT_GT(model.evaluate(test.x, truth)["accuracy"], 0.9);
  EXPECT_GT(history["val_accuracy"].back(), 0.9);
}

TEST(Training, HistoryHoldsWhatKerasWouldReport) {
  // One weight w = 2, plain gradient descent on (w·x)² with a rate of 0: every number is worked out by hand.
  Sequential model = line(2);
  model.compile({.optimizer = SGD(0.0), .loss = "mse", .metrics = {"mae"}});
  const Tensor x = column({1, 2, 3, 4, 5}), y = Tensor::zeros({5, 1});
  const History history =
      model.fit(x, y, {.batch_size = 2, .epochs = 2, .validation_split = 0.4, .shuffle = false});
  // Training rows 1, 2, 3: losses 4, 16, 36; batches of 2 and 1 rows.
  for (const double loss : history["loss"]) EXPECT_DOUBLE_EQ(loss, 56.0 / 3);
  EXPECT_EQ(history["mae"], (Values{4, 4}));
  // Validation rows 4, 5: losses 64, 100.
  EXPECT_EQ(history["val_loss"], (Values{82, 82}));
  EXPECT_EQ(history["val_mae"], (Values{9, 9}));
  // Keras 3 sorts the logs, then come those of the validation.
  EXPECT_EQ(history.keys(), (std::vector<std::string>{"loss", "mae", "val_loss", "val_mae"}));
}

TEST(Training, LossesAreThoseBeforeEachUpdateAndCountByRows) {
  // w = 1, x = 1: mse of a batch is w², the step w −= 0.25·2w = w/2. Batches of 2, 2, 1 rows: losses 1, 1/4,
  // 1/16.
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.25), .loss = "mse"});
  const History history = model.fit(Tensor::full({5, 1}, 1), Tensor::zeros({5, 1}), {.batch_size = 2});
  EXPECT_DOUBLE_EQ(history["loss"][0], (2 * 1 + 2 * 0.25 + 1 * 0.0625) / 5);
  EXPECT_EQ(model.get_weights()[0].item(), 0.125);
}

TEST(Training, WeightsReachTheLossAndWeightedMetricsAlone) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse", .metrics = {"mse"}, .weighted_metrics = {"mse"}});
  const Tensor x = column({1, 2, 3}), y = Tensor::zeros({3, 1}), w = Tensor::of({1, 0, 2});
  const History history = model.fit(x, y, {.sample_weight = w});
  EXPECT_FLOAT_EQ(history["loss"][0], 19.0 / 3);          // Σ v·w / n
  EXPECT_FLOAT_EQ(history["mse"][0], 14.0 / 3);           // Σ v / n
  EXPECT_FLOAT_EQ(history["weighted_mse"][0], 19.0 / 3);  // Σ v·w / Σ w
  const Metrics report = model.evaluate(x, y, {.sample_weight = Tensor::of({1, 0, 1})});
  EXPECT_FLOAT_EQ(report["loss"], 10.0 / 3);
  EXPECT_FLOAT_EQ(report["weighted_mse"], 10.0 / 2);
}

TEST(Training, ClassWeightsActAsSampleWeightsOnTrainingAlone) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  const Tensor x = column({1, 2, 3, 3}), y = column({0, 1, 0, 1});
  // Losses 1, 1, 9, 4. Class 1 weighs 3, class 0 is not named and weighs 1.
  const History history = model.fit(x, y, {.validation_data = {x, y}, .class_weight = {{1, 3.0}}});
  EXPECT_FLOAT_EQ(history["loss"][0], (1 + 3 + 9 + 12) / 4.0);
  EXPECT_FLOAT_EQ(history["val_loss"][0], 15 / 4.0);
  EXPECT_THROW(model.fit(x, y, {.class_weight = {{1, 3.0}}, .sample_weight = Tensor::of({1, 1, 1, 1})}),
               ValueError);
}

TEST(Training, ClassesOfOneHotLabelsAreTheirLargestEntry) {
  Sequential model = small_model();
  model.compile({.optimizer = SGD(0.0), .loss = "categorical_crossentropy"});
  const Problem problem = digits_like(8);
  const Tensor one_hot = ops::one_hot(problem.y, 3);
  Tensor weights = Tensor::empty({8});
  for (std::size_t i = 0; i < 8; ++i)
    weights.mutable_values<float>()[i] = problem.y.values<std::int32_t>()[i] == 2 ? 5.0f : 1.0f;
  const History by_class =
      model.fit(problem.x, one_hot, {.shuffle = false, .class_weight = {{0, 1.0}, {1, 1.0}, {2, 5.0}}});
  const History by_sample = model.fit(problem.x, one_hot, {.shuffle = false, .sample_weight = weights});
  EXPECT_EQ(by_class["loss"], by_sample["loss"]);
}

TEST(Training, PenaltiesJoinTheLossAndConstraintsFollowTheUpdate) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false,
                                         .kernel_regularizer = regularizers::L2{0.5},
                                         .kernel_constraint = constraints::MaxNorm{.max_value = 1.5}})};
  model.set_weights({Tensor::full({1, 1}, 2)});
  model.compile({.optimizer = SGD(0.125), .loss = "mse"});
  const History history = model.fit(column({1}), column({0}), {});
  EXPECT_EQ(history["loss"][0], 4 + 0.5 * 4);  // w² + 0.5·w²
  // w −= 0.125·(2w + w) gives 1.25, below the largest norm; from 4 it is 2.5, which is cut to 1.5.
  // MaxNorm divides by the norm plus 1e-7.
  EXPECT_NEAR(model.get_weights()[0].item(), 1.25, 2e-7);
  model.set_weights({Tensor::full({1, 1}, 4)});
  model.fit(column({1}), column({0}), {});
  EXPECT_NEAR(model.get_weights()[0].item(), 1.5, 2e-7);
}

TEST(Training, ActivityPenaltiesAreDividedByTheBatch) {
  Sequential model{Input({1}), Dense(1, {.use_bias = false, .activity_regularizer = regularizers::L1{0.5}})};
  model.set_weights({Tensor::full({1, 1}, 2)});
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  // Outputs 2, 4: mse 10, penalty 0.5·6/2.
  EXPECT_EQ(model.fit(column({1, 2}), column({0, 0}), {})["loss"][0], 11.5);
  EXPECT_EQ(model.evaluate(column({1, 2}), column({0, 0})).loss(), 11.5);
}

TEST(Training, FrozenLayersStay) {
  Sequential model{Input({2}), Dense(3), Dense(1)};
  const Layer first = model.layers()[0];
  first.set_trainable(false);
  const Values before = to_vector(first.get_weights()[0]);
  model.compile({.optimizer = "sgd", .loss = "mse"});
  model.fit(normal({8, 2}, 2), normal({8, 1}, 3), {});
  EXPECT_EQ(to_vector(first.get_weights()[0]), before);
}

TEST(Training, ModelsBuildFromTheirFirstSamples) {
  Sequential model{Dense(4, {.activation = "relu"}), Dense(1)};
  model.compile({.loss = "mse"});
  const History history = model.fit(normal({8, 3}, 2), normal({8}, 3), {});
  EXPECT_EQ(history["loss"].size(), 1u);
  EXPECT_EQ(model.predict(normal({2, 3}, 2)).shape(), Shape({2, 1}));
}

TEST(Training, ShufflingIsNewEachEpochAndOfTrainingRowsAlone) {
  // Batches of one row: the losses of the batches tell the order.
  std::vector<Values> orders;
  Values seen;
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  LambdaCallback record(
      {.on_epoch_end = [&](TrainingRun&, std::int64_t, const Metrics&) { orders.push_back(seen); },
       .on_train_batch_begin =
           [&](TrainingRun&, std::int64_t batch) {
             if (batch == 0) seen.clear();
           },
       .on_train_batch_end =
           [&](TrainingRun&, std::int64_t batch, const Metrics& logs) {
             // From running means back to this batch's loss.
             double sum = logs.loss() * static_cast<double>(batch + 1);
             for (const double earlier : seen) sum -= earlier;
             seen.push_back(std::round(sum));
           }});
  set_random_seed(3);
  const Tensor x = column({1, 2, 3, 4, 5, 6, 7, 8}), y = Tensor::zeros({8, 1});
  model.fit(x, y, {.batch_size = 1, .epochs = 3, .callbacks = {record}, .validation_split = 0.25});
  ASSERT_EQ(orders.size(), 3u);
  for (Values order : orders) {
    EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (Values{1, 4, 9, 16, 25, 36}));
  }
  EXPECT_NE(orders[0], orders[1]);
  orders.clear();
  model.fit(x, y, {.batch_size = 1, .callbacks = {record}, .shuffle = false});
  EXPECT_EQ(orders[0], (Values{1, 4, 9, 16, 25, 36, 49, 64}));
}

TEST(Training, ParallelTrainingGivesTheSameBitsWhateverTheThreads) {
  const int before = num_threads();
  std::vector<std::vector<Values>> weights;
  std::vector<Values> losses;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    set_random_seed(11);
    Sequential model{Input({64}), Dense(200, {.activation = "gelu"}), Dropout(0.2), Dense(10)};
    model.compile({.optimizer = Adam(1e-3),
                   .loss = losses::SparseCategoricalCrossentropy{.from_logits = true},
                   .metrics = {"accuracy"}});
    const Tensor x = normal({500, 64}, 4);
    const History history = model.fit(x, ops::argmax(x.slice(1, 0, 10)),
                                      {.batch_size = 100, .epochs = 3, .validation_split = 0.2});
    losses.push_back(history["loss"]);
    losses.back().push_back(history["val_loss"].back());
    weights.emplace_back();
    for (const Tensor& w : model.get_weights()) weights.back().push_back(to_vector(w));
  }
  set_num_threads(before);
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_EQ(losses[0], losses[2]);
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
}

TEST(Training, ALossThatIsNotFiniteStopsBeforeItHarms) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(1e20), .loss = "mse"});
  const Tensor x = Tensor::full({6, 1}, 1e10), y = Tensor::zeros({6, 1});
  Values before;
  LambdaCallback record({.on_train_batch_begin = [&](TrainingRun& run, std::int64_t) {
    before = to_vector(run.model.get_weights()[0]);
  }});
  const std::string message =
      message_of([&] { model.fit(x, y, {.batch_size = 2, .epochs = 2, .callbacks = {record}}); });
  EXPECT_NE(message.find("got inf"), std::string::npos) << message;
  EXPECT_NE(message.find("at step 2 of 3 in epoch 1"), std::string::npos) << message;
  EXPECT_NE(message.find("learning rate than 1e+20"), std::string::npos) << message;
  EXPECT_EQ(to_vector(model.get_weights()[0]), before);
  EXPECT_THROW(model.fit(x, y, {}), NumericError);
}

TEST(Training, NaNInTheDataIsNamedAsTheCause) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.1), .loss = "mse"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(message_of([&] {
              model.fit(column({1, nan}), column({1, 1}), {});
            }).find("x holds NaN"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              model.fit(column({1, 1}), column({1, nan}), {});
            }).find("y holds NaN"),
            std::string::npos);
  EXPECT_EQ(model.get_weights()[0].item(), 1);
}

TEST(Training, MistakesAreNamedBeforeAnythingChanges) {
  Sequential model = small_model();
  const Problem problem = digits_like(12);
  EXPECT_THROW(model.fit(problem.x, problem.y), StateError);
  EXPECT_THROW(model.evaluate(problem.x, problem.y), StateError);
  model.compile({.optimizer = "adam"});
  EXPECT_THROW(model.fit(problem.x, problem.y), StateError);
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy"});
  const Values before = to_vector(model.get_weights()[0]);
  Tensor labels = problem.y.clone();
  labels.mutable_values<std::int32_t>()[11] = 3;  // in the last batch
  EXPECT_NE(message_of([&] { model.fit(problem.x, labels, {.batch_size = 4}); }).find("label [11] is 3"),
            std::string::npos);
  EXPECT_THROW(model.fit(problem.x, problem.y.slice(0, 0, 11)), ShapeError);
  EXPECT_THROW(model.fit(normal({12, 4}, 1), problem.y), ShapeError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.sample_weight = Tensor::of({1, 2})}), ShapeError);
  EXPECT_THROW(model.fit(problem.x.slice(0, 0, 0), problem.y.slice(0, 0, 0)), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.batch_size = 0}), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.validation_split = 1.0}), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.validation_split = 0.95}), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.validation_data = {problem.x, labels}}), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.verbose = 3}), ValueError);
  EXPECT_THROW(model.fit(problem.x, problem.y, {.validation_freq = 0}), ValueError);
  EXPECT_THROW(model.compile({.loss = "mse", .loss_weights = {1, 2}}), ValueError);
  EXPECT_THROW(model.compile({.loss = losses::MeanSquaredError{.reduction = Reduction::none}}), ValueError);
  EXPECT_EQ(to_vector(model.get_weights()[0]), before);
}

TEST(Training, LossWeightsScaleTheLossAndItsGradient) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.125), .loss = "mse", .loss_weights = {2}});
  EXPECT_EQ(model.fit(column({1}), column({0}), {})["loss"][0], 2);
  EXPECT_EQ(model.get_weights()[0].item(), 0.5);  // 1 − 0.125·2·2
}

TEST(Training, CallbacksSeeEveryTurnAndMayStop) {
  std::string seen;
  struct Recorder : Callback {
    explicit Recorder(std::string* text) : text_(text) {}
    void on_train_begin(TrainingRun& run) override {
      *text_ += "train(" + std::to_string(run.epochs) + "," + std::to_string(run.steps) + ") ";
    }
    void on_epoch_begin(TrainingRun&, std::int64_t epoch) override {
      *text_ += "e" + std::to_string(epoch) + "{ ";
    }
    void on_train_batch_begin(TrainingRun&, std::int64_t batch) override {
      *text_ += "b" + std::to_string(batch);
    }
    void on_train_batch_end(TrainingRun&, std::int64_t, const Metrics& logs) override {
      *text_ += logs.contains("loss") ? ". " : "? ";
    }
    void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics&) override {
      *text_ += "} ";
      run.stop_training = epoch == 3;
    }
    void on_train_end(TrainingRun&, const Metrics&) override { *text_ += "end"; }
    std::string* text_;
  };
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  const auto shared = std::make_shared<Recorder>(&seen);
  const History history =
      model.fit(column({1, 2, 3}), column({1, 2, 3}),
                {.batch_size = 2, .epochs = 9, .callbacks = {shared}, .initial_epoch = 2});
  EXPECT_EQ(seen, "train(9,2) e2{ b0. b1. } e3{ b0. b1. } end");
  EXPECT_EQ(history.epoch, (std::vector<std::int64_t>{2, 3}));
}

TEST(Training, CallbacksMayChangeTheLearningRate) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  LambdaCallback schedule({.on_epoch_begin = [](TrainingRun& run, std::int64_t epoch) {
    run.optimizer.set_learning_rate(epoch == 1 ? 0.25 : 0);
  }});
  model.fit(column({1}), column({0}), {.epochs = 3, .callbacks = {schedule}});
  EXPECT_EQ(model.get_weights()[0].item(), 0.5);
}

TEST(Training, ProgressIsShownInLinesOrInPlace) {
  const auto shown = [](bool in_place) {
    std::ostringstream stream;
    Sequential model = line(1);
    model.compile({.optimizer = SGD(0.0), .loss = "mse"});
    model.fit(column({1, 1, 1}), column({0, 0, 0}),
              {.batch_size = 1,
               .epochs = 2,
               .callbacks = {ProgressBar({.stream = &stream, .in_place = in_place})}});
    return stream.str();
  };
  const std::string lines = shown(false);
  EXPECT_EQ(lines.find("Epoch 1/2\n3/3 - 0s "), 0u) << lines;
  EXPECT_NE(lines.find("/step - loss: 1.0000\nEpoch 2/2\n"), std::string::npos) << lines;
  const std::string bar = shown(true);
  EXPECT_NE(bar.find("\r3/3 ━━━━━━━━━━━━━━━━━━━━ 0s "), std::string::npos) << bar;
  EXPECT_EQ(bar.back(), '\n');
}

TEST(Training, ValidationMayBeRarerAndInBatchesOfItsOwn) {
  Sequential model = line(1);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  const Tensor x = column({1, 2, 3}), y = Tensor::zeros({3, 1});
  const History history = model.fit(x, y,
                                    {.epochs = 5,
                                     .validation_data = {x, y},
                                     .steps_per_epoch = 1,
                                     .validation_steps = 2,
                                     .validation_batch_size = 1,
                                     .validation_freq = 2});
  EXPECT_EQ(history["loss"].size(), 5u);
  EXPECT_EQ(history["val_loss"], (Values{2.5, 2.5}));  // rows 1 and 2
}

TEST(Training, EvaluateReportsTheLossFirstAndCountsRows) {
  Sequential model = line(1);
  model.compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae", "accuracy"}});
  const Metrics report = model.evaluate(column({1, 2, 3}), Tensor::zeros({3, 1}), {.batch_size = 2});
  std::vector<std::string> names;
  for (const auto& [name, value] : report) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"loss", "mae", "accuracy"}));
  EXPECT_NEAR(report.loss(), 14.0 / 3, 1e-6);
  EXPECT_EQ(report["mae"], 2);
}

TEST(Training, PredictionsDoNotDependOnTheBatches) {
  set_random_seed(5);
  const Sequential model = small_model();
  const Tensor x = normal({103, 5}, 6);
  const Values whole = to_vector(model.predict(x, {.batch_size = 103}));
  for (const std::int64_t batch : {1, 7, 32, 1000}) {
    const Values got = to_vector(model.predict(x, {.batch_size = batch}));
    ASSERT_EQ(got.size(), whole.size());
    // The product of a batch may take another kernel: five terms, two layers.
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], whole[i], 1e-6) << batch;
  }
  EXPECT_EQ(model.predict(x, {.batch_size = 10, .steps = 3}).shape(), Shape({30, 3}));
  EXPECT_EQ(model.predict(x.slice(0, 0, 0)).shape(), Shape({0, 3}));
}

TEST(Training, PredictRefusesABatchWhoseRowsDoNotLookLikeThoseOfTheFirst) {
  // Twice the rows where the first number is above 0.
  class Twice final : public LayerBody {
   public:
    std::string_view class_name() const override { return "Twice"; }
    Config config(Generation) const override { return Config::object(); }
    Tensor call(const Tensor& x, const CallContext&) const override {
      return x.at({0, 0}) > 0 ? ops::concatenate({x, x}, 0) : x;
    }
  };
  const Sequential model{Input({1}), Layer(std::make_shared<Twice>())};
  const Tensor x = Tensor::of({0, 0, 0, 1, 1, 1}).reshape({6, 1});
  EXPECT_EQ(model.predict(x.slice(0, 0, 3), {.batch_size = 2}).shape(), (Shape{3, 1}));
  const std::string error = message_of([&] { model.predict(x, {.batch_size = 3}); });
  EXPECT_NE(error.find("expects shape (3, 1)"), std::string::npos) << error;
  EXPECT_NE(error.find("the model gave (6, 1)"), std::string::npos) << error;
}

TEST(Training, PredictFromManyThreadsAtOnceGivesEachItsOwn) {
  set_random_seed(5);
  const Sequential model = small_model();
  Tensors inputs;
  std::vector<Values> expected;
  for (std::uint64_t i = 0; i < 4; ++i) {
    inputs.push_back(normal({70, 5}, 20 + i));
    expected.push_back(to_vector(model.predict(inputs.back())));
  }
  std::vector<Values> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) results[i] = to_vector(model.predict(inputs[i]));
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(results[i], expected[i]) << i;
}

TEST(Training, InputsOfOtherTypesAreConverted) {
  Sequential model = line(0.5);
  model.compile({.optimizer = SGD(0.0), .loss = "mse"});
  const Tensor x = Tensor::of({0, 128, 255}, DType::uint8).expand_dims(1);
  const Tensor y = Tensor::of({0, 64, 127}, DType::int64).expand_dims(1);
  EXPECT_FLOAT_EQ(model.fit(x, y, {})["loss"][0], 0.25 / 3);
  EXPECT_EQ(model.predict(x).dtype(), DType::float32);
  EXPECT_EQ(model.predict(column({3}).astype(DType::float64)).item(), 1.5);
}

TEST(Training, Float64ModelsTrainInFloat64) {
  Sequential model{Input({3}, {.dtype = DType::float64}),
                   Dense(4, {.activation = "tanh", .dtype = DType::float64}),
                   Dense(1, {.dtype = DType::float64})};
  Optimizer optimizer = SGD(0.01);
  const Tensor x = normal({6, 3}, 1, DType::float64), y = normal({6, 1}, 2, DType::float64);
  const Tensors before = model.get_weights();
  const double loss = train_step(model, "mse", optimizer, x, y);
  // The step is −0.01 times the gradient, found by differences of the loss itself.
  const Tensor stepped = model.get_weights()[0];
  const auto loss_with = [&](double delta) {
    Tensors weights;
    for (const Tensor& w : before) weights.push_back(w.clone());
    weights[0].mutable_values<double>()[5] += delta;
    model.set_weights(weights);
    return Loss("mse")(y, model.predict(x)).item();
  };
  EXPECT_NEAR(loss, loss_with(0), 1e-15);
  const double slope = (loss_with(1e-5) - loss_with(-1e-5)) / 2e-5;
  // Truncation 1e-10 times a third derivative of order 1, rounding 1e-16/1e-5.
  EXPECT_NEAR((before[0].values<double>()[5] - stepped.values<double>()[5]) / 0.01, slope, 1e-8);
}

TEST(Training, AStepWithoutCompileBuildsAndTrains) {
  set_random_seed(2);
  const Sequential model{Dense(4, {.activation = "relu"}), Dense(1)};
  Optimizer optimizer = Adam(0.05);
  const Tensor x = normal({32, 3}, 1), y = normal({32, 1}, 2);
  const double first = train_step(model, "mse", optimizer, x, y);
  double last = first;
  for (int i = 0; i < 100; ++i) last = train_step(model, "mse", optimizer, x, y, Tensor::full({32}, 1));
  EXPECT_LT(last, first / 2);
  EXPECT_EQ(optimizer.iterations(), 101);
  EXPECT_THROW(train_step(model, Loss(), optimizer, x, y), StateError);
}

TEST(Training, StepsReuseTheirMemoryAndWeightsStayInPlace) {
  const Sequential model{Input({100}), Dense(50, {.activation = "relu"}), Dense(10)};
  Optimizer optimizer = Adam(0.01);
  const Loss loss = losses::SparseCategoricalCrossentropy{.from_logits = true};
  const Tensor x = normal({64, 100}, 1), y = Tensor::zeros({64}, DType::int32);
  for (int i = 0; i < 3; ++i) train_step(model, loss, optimizer, x, y);
  const void* kernel = model.variables()[0].value().data();
  const MemoryStatistics before = memory_statistics();
  for (int i = 0; i < 5; ++i) train_step(model, loss, optimizer, x, y);
  EXPECT_EQ(model.variables()[0].value().data(), kernel);
  EXPECT_EQ(memory_statistics().in_use_bytes, before.in_use_bytes);
  if (!detail::kUnderAsan) {
    EXPECT_EQ(memory_statistics().system_requests, before.system_requests);
  }
}

TEST(Training, AModelOfKeras2KeepsItsOrderAndRules) {
  Sequential model = line(1);
  model.body().generation = Generation::keras2;
  model.compile({.optimizer = SGD(0.0), .loss = "mse", .metrics = {"accuracy"}});
  const Tensor x = column({1, 2}), y = column({0, 1});
  const History history =
      model.fit(x, y, {.class_weight = {{0, 1.0}, {1, 2.0}}, .sample_weight = Tensor::of({3, 1})});
  EXPECT_EQ(history.keys(), (std::vector<std::string>{"loss", "accuracy"}));
  EXPECT_FLOAT_EQ(history["loss"][0], (3 + 2) / 2.0);  // weights are multiplied
  EXPECT_THROW(model.fit(x, y, {.class_weight = {{1, 2.0}}}), ValueError);
}

TEST(Training, OptionsStandInKerasOrder) {
  const CompileOptions compile{
      .optimizer = "sgd", .loss = "mse", .loss_weights = {}, .metrics = {"mae"}, .weighted_metrics = {}};
  const FitOptions fit{.batch_size = 1,
                       .epochs = 1,
                       .verbose = 0,
                       .callbacks = {},
                       .validation_split = 0,
                       .validation_data = {},
                       .shuffle = true,
                       .class_weight = {},
                       .sample_weight = {},
                       .initial_epoch = 0,
                       .steps_per_epoch = 1,
                       .validation_steps = 1,
                       .validation_batch_size = 1,
                       .validation_freq = 1};
  EXPECT_EQ(compile.loss.values().front().name(), "mean_squared_error");
  EXPECT_EQ(fit.batch_size, 1);
}

}  // namespace
}  // namespace keratin
