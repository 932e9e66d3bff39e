// Training the classifier 784-512-512-10 on batches of 128 with Adam: the whole of fit, shuffling included.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/layers/layers.h"
#include "keratin/training/training.h"

namespace keratin::bench {
namespace {

struct Arguments {
  std::vector<std::string> activations{"relu", "tanh", "gelu"};
  std::vector<int> threads{1};
  int steps = 50, repeats = 20;
  std::string json;
};

constexpr std::int64_t kBatch = 128, kFeatures = 784, kClasses = 10;

Row measure(const Arguments& arguments, const std::string& activation, int threads) {
  set_num_threads(threads);
  set_random_seed(1);
  const std::int64_t samples = kBatch * arguments.steps;
  Tensor x = Tensor::empty({samples, kFeatures}), y = Tensor::empty({samples}, DType::int32);
  fill_normal(x.mutable_values<float>(), next_random_key(), 0, 1);
  const auto labels = y.mutable_values<std::int32_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % kClasses);
  Sequential model{Input({kFeatures}), Dense(512, {.activation = activation}),
                   Dense(512, {.activation = activation}), Dense(kClasses)};
  model.compile(
      {.optimizer = Adam(1e-3), .loss = losses::SparseCategoricalCrossentropy{.from_logits = true}});
  const auto epoch = [&] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    model.fit(x, y, {.batch_size = kBatch});
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count() / arguments.steps;
  };
  epoch();  // memory and tables are there after this
  double best = epoch();
  for (int i = 1; i < arguments.repeats; ++i) best = std::min(best, epoch());
  return {.task = "train mlp 784-512-512-10 " + activation + " batch 128 adam",
          .threads = threads,
          .ours_ms = best,
          .more = {{"steps_per_s", 1000 / best}}};
}

}  // namespace

void add_train(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("train", "Steps a second of the classifier 784-512-512-10, batch 128, Adam");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--activation", arguments->activations, "Activations of the hidden layers")
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "Numbers of threads")->capture_default_str();
  command->add_option("--steps", arguments->steps, "Steps of an epoch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Epochs, of which the fastest counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--json", arguments->json, "Also write the rows to this file");
  command->callback([arguments] {
    std::vector<Row> rows;
    for (const std::string& activation : arguments->activations)
      for (const int threads : arguments->threads) rows.push_back(measure(*arguments, activation, threads));
    report("train", rows, arguments->json);
  });
}

}  // namespace keratin::bench
