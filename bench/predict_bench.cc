// Prediction: the classifier at batch 1 and 256, and a network so small that only the call is left.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/fma_peak.h"
#include "bench/machine.h"
#include "bench/networks.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/models/model.h"
#include "keratin/training/training.h"

namespace keratin::bench {
namespace {

struct Arguments {
  std::vector<int> threads{1};
  int repeats = 50;
  bool peers = false;
  std::string json, python = KERATIN_SOURCE_DIR "/build/peers/bin/python";
};

Row measure(const Arguments& arguments, const Network& network, int threads,
            const std::vector<std::unique_ptr<Framework>>& frameworks) {
  std::optional<Pinned> pinned;
  if (threads == 1) pinned.emplace();
  set_num_threads(threads);
  set_random_seed(1);
  Tensor x = Tensor::empty({network.batch, network.widths.front()});
  fill_normal(x.mutable_values<float>(), next_random_key(), 0, 1);
  const Sequential model = network.build();
  const Contestant ours = local("keratin", [&] { model(x); });
  static const std::vector<std::unique_ptr<Framework>> none;
  Row row = compete_as(network, "predict", threads, ours.sample, threads == 1 ? frameworks : none,
                       arguments.repeats);
  // A large batch is products of matrices, which the processor itself limits.
  if (threads == 1 && network.batch >= 64) {
    double operations = 0;
    for (std::size_t i = 1; i < network.widths.size(); ++i)
      operations += 2.0 * static_cast<double>(network.batch * network.widths[i - 1] * network.widths[i]);
    row.more["gflops"] = operations / row.ours_ms * 1e-6;
    row.more["over_fma_peak"] = operations / row.ours_ms * 1e-6 / fma_peak_gflops();
  }
  return row;
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "Time of a prediction, batch 1 and 256");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--peers", arguments->peers, "Beside the frameworks that are there");
  command->add_option("--threads", arguments->threads, "Numbers of threads")->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Samples, of which the fastest counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--json", arguments->json, "Also write the rows to this file");
  command->add_option("--python", arguments->python, "The Python that has the frameworks");
  command->callback([arguments] {
    std::vector<std::unique_ptr<Framework>> frameworks;
    if (arguments->peers) {
      const Pinned pinned;  // They inherit it.
      frameworks = network_frameworks(arguments->python);
    }
    const std::vector<Network> networks{
        {{784, 512, 512, 10}, "relu", 1}, {{784, 512, 512, 10}, "relu", 256}, {{16, 32, 32, 1}, "tanh", 1}};
    std::vector<Row> rows;
    for (const Network& network : networks)
      for (const int threads : arguments->threads)
        rows.push_back(measure(*arguments, network, threads, frameworks));
    report("predict", rows, describe({}, frameworks), arguments->json);
  });
}

}  // namespace keratin::bench
