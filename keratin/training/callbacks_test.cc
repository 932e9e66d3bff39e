// Keras's callbacks, driven by hand and by fit.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/io/npz.h"
#include "keratin/io/test_folder.h"
#include "keratin/layers/layers.h"
#include "keratin/training/event_file.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

Sequential small_model() {
  return {Input({1}), Dense(1, {.use_bias = false, .kernel_initializer = initializers::Ones()})};
}
TrainingRun run_of(const Sequential& model, double rate = 1) {
  return {.model = model, .optimizer = SGD(rate), .validates = true};
}
Metrics logs_of(std::initializer_list<Metrics::Entry> entries) {
  Metrics logs;
  for (const auto& [name, value] : entries) logs.set(name, value);
  return logs;
}
void set_weight(const Sequential& model, double value) { model.set_weights({Tensor::full({1, 1}, value)}); }

// Feeds one value an epoch, with the weight set to the epoch; gives how many epochs ran.
std::int64_t epochs_until_stopped(EarlyStopping& callback, const Sequential& model, const char* name,
                                  const std::vector<double>& values) {
  TrainingRun run = run_of(model);
  callback.on_train_begin(run);
  std::int64_t epoch = 0;
  while (epoch < static_cast<std::int64_t>(values.size()) && !run.stop_training) {
    set_weight(model, static_cast<double>(epoch));
    callback.on_epoch_end(run, epoch, logs_of({{name, values[static_cast<std::size_t>(epoch)]}}));
    ++epoch;
  }
  callback.on_train_end(run, {});
  return epoch;
}

struct StopCase {
  const char* name;
  EarlyStoppingOptions options;
  std::vector<double> values;
  std::int64_t epochs;  // as Keras 3.15's rules give them, by hand
};

TEST(EarlyStopping, StopsWhereKerasDoes) {
  const std::vector<StopCase> cases{
      {"val_loss", {}, {3, 2, 2.5, 1}, 3},
      {"val_loss", {.patience = 2}, {3, 2, 2.5, 2.25, 1}, 4},
      {"val_loss", {.patience = 2}, {3, 2, 2.5, 1.5, 1.75, 1.75, 1}, 6},
      {"val_loss", {.min_delta = 0.5}, {3, 2, 1.75, 1}, 3},
      {"val_loss", {.patience = 1, .start_from_epoch = 3}, {1, 2, 3, 4, 3, 5, 6}, 6},
      // Better than the epoch before, never than the baseline.
      {"val_loss", {.patience = 3, .baseline = 0.5}, {3, 2, 1.5, 1.25, 1, 1, 0.75}, 6},
      {"val_accuracy", {.monitor = "val_accuracy"}, {0.5, 0.75, 0.625}, 3},
      {"val_accuracy", {.monitor = "val_accuracy", .mode = "min"}, {0.5, 0.25, 0.125, 0.25, 1}, 4},
      // The first epoch never is the last.
      {"loss", {.monitor = "loss", .baseline = 0}, {1, 2}, 2}};
  for (const StopCase& c : cases) {
    EarlyStopping callback(c.options);
    EXPECT_EQ(epochs_until_stopped(callback, small_model(), c.name, c.values), c.epochs)
        << c.name << ", patience " << c.options.patience << ", first value " << c.values[0];
    EXPECT_EQ(callback.stopped_epoch(), c.epochs - 1);
  }
}

TEST(EarlyStopping, GivesTheBestWeightsBackWhereAsked) {
  for (const bool restore : {false, true}) {
    const Sequential model = small_model();
    EarlyStopping callback({.patience = 2, .restore_best_weights = restore});
    epochs_until_stopped(callback, model, "val_loss", {3, 1, 2, 2, 0});
    EXPECT_EQ(callback.best_epoch(), 1);
    EXPECT_EQ(model.get_weights()[0].item(), restore ? 1 : 3);
  }
  // In Keras 3 also where training ended by itself.
  for (const Generation generation : {Generation::keras2, Generation::keras3}) {
    const Sequential model = small_model();
    model.body().generation = generation;
    EarlyStopping callback({.patience = 9, .restore_best_weights = true});
    epochs_until_stopped(callback, model, "val_loss", {3, 1, 2});
    EXPECT_EQ(callback.stopped_epoch(), -1);
    EXPECT_EQ(model.get_weights()[0].item(), generation == Generation::keras3 ? 1 : 2);
  }
}

TEST(EarlyStopping, MistakesAreNamed) {
  EXPECT_THROW(EarlyStopping({.mode = "up"}), ValueError);
  EarlyStopping callback;
  TrainingRun run = run_of(small_model());
  EXPECT_THROW(callback.on_epoch_end(run, 0, logs_of({{"loss", 1}, {"val_los", 1}})), ValueError);
  // An epoch that did not validate is passed over.
  EXPECT_NO_THROW(callback.on_epoch_end(run, 0, logs_of({{"loss", 1}})));
  run.validates = false;
  EXPECT_THROW(callback.on_epoch_end(run, 0, logs_of({{"loss", 1}})), ValueError);
}

TEST(ReduceLROnPlateau, ReducesAfterPatienceAndRests) {
  ReduceLROnPlateau callback({.factor = 0.5, .patience = 2, .min_delta = 0, .cooldown = 1, .min_lr = 0.2});
  TrainingRun run = run_of(small_model());
  callback.on_train_begin(run);
  std::vector<double> rates;
  for (const double loss : {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}) {
    callback.on_epoch_end(run, static_cast<std::int64_t>(rates.size()), logs_of({{"val_loss", loss}}));
    rates.push_back(run.optimizer.learning_rate());
  }
  // Two bad epochs, a reduction, one epoch of rest, which counts as the first of the next two when it is
  // over.
  EXPECT_EQ(rates, (std::vector<double>{1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2}));
  EXPECT_EQ(run.reported["learning_rate"], 0.2);
  EXPECT_THROW(ReduceLROnPlateau({.factor = 1}), ValueError);
}

TEST(LearningRateScheduler, SetsTheRateBeforeEachEpochAndReportsIt) {
  const Sequential model = small_model();
  Sequential trained = model;
  trained.compile({.optimizer = SGD(1.0), .loss = "mse"});
  const History history =
      trained.fit(Tensor::full({1, 1}, 1), Tensor::zeros({1, 1}),
                  {.epochs = 3, .callbacks = {LearningRateScheduler([](std::int64_t epoch, double rate) {
                                  return epoch == 0 ? 0.25 : rate / 2;
                                })}});
  EXPECT_EQ(history["learning_rate"], (std::vector<double>{0.25, 0.125, 0.0625}));
  // Gradient 2w: w = 1 − 1/2 = 1/2, then · 3/4, · 7/8.
  EXPECT_EQ(model.get_weights()[0].item(), 0.5 * 0.75 * 0.875);
}

TEST(TerminateOnNaN, EndsTrainingInPlaceOfTheError) {
  const auto fit = [](std::vector<CallbackPointer> callbacks) {
    Sequential model = small_model();
    model.compile({.optimizer = SGD(0.5), .loss = "mse"});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const History history =
        model.fit(Tensor::of({1, nan, 1}).expand_dims(1), Tensor::zeros({3, 1}),
                  {.batch_size = 1, .epochs = 4, .callbacks = callbacks, .shuffle = false});
    return std::pair(history.epoch.size(), model.get_weights()[0].item());
  };
  EXPECT_THROW(fit({}), NumericError);
  const auto [epochs, weight] = fit({TerminateOnNaN()});
  EXPECT_EQ(epochs, 1u);
  EXPECT_EQ(weight, 0);  // 1 − 0.5·2: only the first batch
}

using CallbackFiles = io::FolderTest;

TEST_F(CallbackFiles, CsvLoggerWritesWhatKerasWrites) {
  const std::filesystem::path path = folder_ / "log.csv";
  TrainingRun run = run_of(small_model());
  CSVLogger logger(path);
  logger.on_train_begin(run);
  logger.on_epoch_end(run, 0, logs_of({{"loss", 0.5}, {"accuracy", 0.25}}));
  logger.on_epoch_end(run, 1,
                      logs_of({{"loss", 1e-5}, {"accuracy", 1}, {"val_loss", 2}, {"val_accuracy", 0}}));
  EXPECT_EQ(text_of(path), "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.25,0.5,NA,NA\n1,1,1e-05,0,2\n");
  CSVLogger more(path, {.append = true});
  more.on_train_begin(run);
  more.on_epoch_end(run, 2, logs_of({{"loss", 3}, {"accuracy", 0}, {"val_loss", 4}, {"val_accuracy", 1}}));
  EXPECT_EQ(text_of(path),
            "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.25,0.5,NA,NA\n1,1,1e-05,0,2\n2,0,3,1,4\n");
  CSVLogger anew(path, {.separator = ";"});
  anew.on_train_begin(run);
  run.validates = false;
  anew.on_epoch_end(run, 0, logs_of({{"loss", 0.5}}));
  EXPECT_EQ(text_of(path), "epoch;loss\n0;0.5\n");
}

TEST_F(CallbackFiles, ModelCheckpointKeepsTheBestAndNamesItsFiles) {
  const Sequential model = small_model();
  TrainingRun run = run_of(model);
  ModelCheckpoint best((folder_ / "sub" / "best.npz").string(), {.save_best_only = true});
  ModelCheckpoint each((folder_ / "m{epoch:02d}-{val_loss:.2f}.npz").string(), {.save_weights_only = true});
  for (const auto& [epoch, loss] : std::vector<std::pair<std::int64_t, double>>{{0, 2}, {1, 1}, {2, 1.5}}) {
    set_weight(model, static_cast<double>(epoch));
    for (ModelCheckpoint* callback : {&best, &each}) {
      callback->on_epoch_begin(run, epoch);
      callback->on_epoch_end(run, epoch, logs_of({{"val_loss", loss}}));
    }
  }
  for (const char* name : {"m01-2.00.npz", "m02-1.00.npz", "m03-1.50.npz"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / name)) << name;
  load_weights(model, folder_ / "sub" / "best.npz");
  EXPECT_EQ(model.get_weights()[0].item(), 1);
  const Sequential again = Sequential::from_config(load_model_config(folder_ / "sub" / "best.npz"));
  EXPECT_EQ(again.serialize(), model.serialize());
  EXPECT_THROW(load_model_config(folder_ / "m01-2.00.npz"), ValueError);
  EXPECT_EQ(io::load_npz(folder_ / "m03-1.50.npz")["weights/0"].item(), 2);
  EXPECT_THROW(ModelCheckpoint("model.h5"), ValueError);
  ModelCheckpoint wrong((folder_ / "{epoch:.2f}.npz").string());
  EXPECT_THROW(wrong.on_epoch_end(run, 0, {}), ValueError);
  ModelCheckpoint unknown((folder_ / "{val_los}.npz").string());
  EXPECT_THROW(unknown.on_epoch_end(run, 0, logs_of({{"val_loss", 1}})), ValueError);
}

TEST_F(CallbackFiles, ModelCheckpointSavesEverySoManyBatches) {
  const Sequential model = small_model();
  TrainingRun run = run_of(model);
  ModelCheckpoint callback((folder_ / "b{epoch}-{batch}.npz").string(), {.save_freq = 2});
  callback.on_epoch_begin(run, 0);
  for (std::int64_t batch = 0; batch < 5; ++batch) callback.on_train_batch_end(run, batch, {});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b1-1.npz"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "b1-2.npz"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "b1-4.npz"));
}

// Five epochs at once, and two, an end without warning, and the rest.
TEST_F(CallbackFiles, BackupAndRestoreGoesOnWhereItWasInterrupted) {
  const Tensor x = Tensor::of({{1, 2}, {3, -1}, {0.5, 1}}), y = Tensor::of({1, 0, 2}).expand_dims(1);
  const auto compiled = [] {
    set_random_seed(3);
    Sequential model{Input({2}), Dense(4, {.activation = "tanh"}), Dense(1)};
    model.compile({.optimizer = Adam(0.05, {.use_ema = true}), .loss = "mse"});
    return model;
  };
  const FitOptions plain{.batch_size = 2, .epochs = 5, .shuffle = false};
  Sequential whole = compiled();
  whole.fit(x, y, plain);

  struct Interrupted {};
  FitOptions options = plain;
  options.callbacks = {BackupAndRestore(folder_ / "backup"),
                       LambdaCallback({.on_epoch_begin = [](TrainingRun&, std::int64_t epoch) {
                         if (epoch == 2) throw Interrupted();
                       }})};
  Sequential first = compiled();
  EXPECT_THROW(first.fit(x, y, options), Interrupted);
  Sequential second = compiled();
  options.callbacks.pop_back();
  const History history = second.fit(x, y, options);
  EXPECT_EQ(history.epoch, (std::vector<std::int64_t>{2, 3, 4}));
  for (std::size_t i = 0; i < 4; ++i) {
    const Tensor a = whole.get_weights()[i], b = second.get_weights()[i];
    EXPECT_TRUE(std::ranges::equal(a.values<float>(), b.values<float>())) << i;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "backup" / "latest.npz"));
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

TEST_F(CallbackFiles, EventsAreByteForByteWhatTensorBoardsOwnWriterGives) {
  // RFC 3720, B.4.
  EXPECT_EQ(detail::crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(detail::crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  // The file: tensorboard 2.21.0's RecordWriter of the same events; tests/interoperability reads it with the
  // package.
  const std::string records = detail::tf_record(detail::version_event(1700000000.25)) +
                              detail::tf_record(detail::scalar_event(1700000001.5, 0, "epoch_loss", 0.625)) +
                              detail::tf_record(detail::scalar_event(1700000002.5, 300, "epoch_loss", -0.1)) +
                              detail::tf_record(detail::scalar_event(1700000002.5, 300, "epoch_accuracy", 0));
  EXPECT_EQ(hex(records), hex(text_of(KERATIN_SOURCE_DIR "/keratin/training/testdata/"
                                                         "events.out.tfevents.1700000000.fixture")));
}

TEST_F(CallbackFiles, TensorBoardWritesTrainingAndValidationApart) {
  TrainingRun run = run_of(small_model());
  TensorBoard callback(folder_ / "logs", {.update_freq = 2});
  callback.on_train_begin(run);
  for (std::int64_t batch = 0; batch < 3; ++batch)
    callback.on_train_batch_end(run, batch, logs_of({{"loss", 2}}));
  callback.on_test_end(run, logs_of({{"mae", 3}}));
  callback.on_epoch_end(run, 0, logs_of({{"loss", 1}, {"val_loss", 2}}));
  run.optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {{"x", Adam()}}));
  callback.on_epoch_end(run, 1, logs_of({{"loss", 1}}));
  callback.on_train_end(run, {});
  const auto content = [&](const char* part) {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "logs" / part))
      text += text_of(entry.path());
    return text;
  };
  const std::string train = content("train"), validation = content("validation");
  EXPECT_NE(train.find("brain.Event:2"), std::string::npos);
  EXPECT_NE(train.find("epoch_loss"), std::string::npos);
  EXPECT_EQ(train.find("batch_loss"), train.rfind("batch_loss"));
  EXPECT_NE(train.find("batch_loss"), std::string::npos);
  EXPECT_NE(validation.find("epoch_loss"), std::string::npos);
  EXPECT_EQ(validation.find("batch_loss"), std::string::npos);
  // The rates that Keras adds: one for each of several optimizers.
  const std::string rate = "epoch_learning_rate\x15";  // then comes the value
  EXPECT_NE(train.find(rate), std::string::npos);
  EXPECT_EQ(train.find(rate), train.rfind(rate));
  EXPECT_NE(train.find("epoch_learning_rate_adam"), std::string::npos);
  EXPECT_NE(train.find("epoch_learning_rate_sgd"), std::string::npos);
  EXPECT_NE(validation.find("evaluation_mae_vs_iterations"), std::string::npos);
}

}  // namespace
}  // namespace keratin
