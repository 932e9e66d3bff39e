// Training classifiers with Adam: the whole of fit, shuffling included.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/machine.h"
#include "bench/networks.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/training/training.h"

namespace keratin::bench {
namespace {

struct Arguments {
  std::vector<std::string> models{"mlp", "cnn", "lstm"};
  std::vector<std::string> activations{"relu", "tanh", "gelu"};  // of the mlp
  std::vector<std::int64_t> batches{128}, widths{512};           // of the mlp
  std::vector<int> threads{1};
  int steps = 10, repeats = 20;
  bool peers = false, memory = false;
  std::string json, python = KERATIN_SOURCE_DIR "/build/peers/bin/python";
};

// What is trained on.
struct Samples {
  Tensor x, y;
  Samples(const Network& network, int steps) {
    const std::int64_t samples = network.batch * steps, classes = network.widths.back();
    x = Tensor::empty(Shape(network.input()).with_inserted(0, samples));
    y = Tensor::empty({samples}, DType::int32);
    fill_normal(x.mutable_values<float>(), next_random_key(), 0, 1);
    const auto labels = y.mutable_values<std::int32_t>();
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(classes));
  }
};

Sequential compiled(const Network& network) {
  Sequential model = network.build();
  model.compile(
      {.optimizer = Adam(1e-3), .loss = losses::SparseCategoricalCrossentropy{.from_logits = true}});
  return model;
}

// Peers run on one thread: they are there in the rows for one.
Row measure(const Arguments& arguments, const Network& network, int threads,
            const std::vector<std::unique_ptr<Framework>>& frameworks) {
  std::optional<Pinned> pinned;
  if (threads == 1) pinned.emplace();
  set_num_threads(threads);
  set_random_seed(1);
  const Samples samples(network, arguments.steps);
  Sequential model = compiled(network);
  const auto epoch = [&] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    model.fit(samples.x, samples.y, {.batch_size = network.batch});
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / arguments.steps;
  };
  epoch();  // memory and tables are there after this
  static const std::vector<std::unique_ptr<Framework>> none;
  Row row = compete_as(network, "train", threads, epoch, threads == 1 ? frameworks : none, arguments.repeats);
  row.more["steps_per_s"] = 1000 / row.ours_ms;
  return row;
}

// In a process that has run nothing else, so that no memory is at hand yet.
double ours_mib(const Network& network, int steps) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("bench train --memory: no pipe to a process of its own");
  const pid_t child = fork();
  if (child == 0) {
    set_num_threads(1);
    const Samples samples(network, steps);
    const PeakMemory memory;
    Sequential model = compiled(network);
    model.fit(samples.x, samples.y, {.batch_size = network.batch});
    const double mib = memory.mib();
    _exit(write(ends[1], &mib, sizeof mib) == sizeof mib ? 0 : 1);
  }
  close(ends[1]);
  double mib = 0;
  const bool is_read = read(ends[0], &mib, sizeof mib) == sizeof mib;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!is_read) throw std::runtime_error("bench train --memory: the process that trains has ended");
  return mib;
}

// The most that training takes: compiling, weights, a few steps. A framework's ways one after another.
void report_memory(const Arguments& arguments, const Network& network) {
  std::string line =
      fmt::format("{:<44} {:>8.1f} MiB", "train " + network.text(), ours_mib(network, arguments.steps));
  if (arguments.peers) {
    for (const auto& framework : network_frameworks(arguments.python)) {
      framework->prepare(network.task("train"));
      const nlohmann::ordered_json peaks = framework->peak_memory();
      for (const auto& [way, mib] : peaks.items()) line += fmt::format("  {} {:.1f}", way, mib.get<double>());
    }
  }
  std::cout << line << std::endl;
}

std::vector<Network> networks_of(const Arguments& arguments) {
  std::vector<Network> networks;
  for (const std::string& model : arguments.models) {
    if (model == "cnn") networks.push_back({{10}, "relu", 64, model});
    if (model == "lstm") networks.push_back({{10}, "tanh", 32, model});
    if (model != "mlp") continue;
    for (const std::string& activation : arguments.activations)
      for (const std::int64_t width : arguments.widths)
        for (const std::int64_t batch : arguments.batches)
          networks.push_back({{784, width, width, 10}, activation, batch, model});
  }
  return networks;
}

}  // namespace

void add_train(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("train", "Steps a second of classifiers: dense, convolutional, recurrent; Adam");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--peers", arguments->peers, "Beside the frameworks that are there");
  command->add_option("--model", arguments->models, "Which of them")
      ->check(CLI::IsMember({"mlp", "cnn", "lstm"}))
      ->capture_default_str();
  command->add_option("--activation", arguments->activations, "Activations of the mlp's hidden layers")
      ->capture_default_str();
  command->add_option("--width", arguments->widths, "Units of the mlp's hidden layers")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--batch", arguments->batches, "Batches of the mlp")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "Numbers of threads")->capture_default_str();
  command->add_option("--steps", arguments->steps, "Steps of an epoch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Epochs, of which the fastest counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--memory", arguments->memory,
                    "The most memory that training takes, instead of its time");
  command->add_option("--json", arguments->json, "Also write the rows to this file");
  command->add_option("--python", arguments->python, "The Python that has the frameworks");
  command->callback([arguments] {
    if (arguments->memory) {
      for (const Network& network : networks_of(*arguments)) report_memory(*arguments, network);
      return;
    }
    std::vector<std::unique_ptr<Framework>> frameworks;
    if (arguments->peers) {
      const Pinned pinned;  // They inherit it.
      frameworks = network_frameworks(arguments->python);
    }
    std::vector<Row> rows;
    for (const Network& network : networks_of(*arguments))
      for (const int threads : arguments->threads)
        rows.push_back(measure(*arguments, network, threads, frameworks));
    report("train", rows, describe({}, frameworks), arguments->json);
  });
}

}  // namespace keratin::bench
