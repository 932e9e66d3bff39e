// The activations: every function, direction and type, from the caches to memory, beside its peers.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "bench/activation_rows.h"
#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/machine.h"
#include "bench/ours.h"
#include "bench/peers.h"
#include "bench/timing.h"
#include "keratin/core/parallel.h"

namespace keratin::bench {
namespace {

struct Arguments {
  bool peers = false, quick = false;
  std::vector<std::string> functions, dtypes{"float32", "float64", "float16", "bfloat16"};
  std::vector<std::size_t> sizes{64, 4096, 65536, std::size_t{1} << 24};
  std::vector<int> threads{1, 2};
  std::string spread = "normal", json, svg, markdown, from;
  std::string python = KERATIN_SOURCE_DIR "/build/peers/bin/python";
};

constexpr std::size_t kRows[]{10, 128, 1000, 32000};
constexpr std::size_t kOverheadSizes[]{1, 2, 4, 8, 16, 32};
// From here on an array does not fit into the near caches, and threads and page faults are worth a row.
constexpr std::size_t kLarge = std::size_t{1} << 20;

class Bench {
 public:
  explicit Bench(const Arguments& arguments) : arguments_(arguments) {
    run_.machine = machine_name();
    run_.gigahertz = gigahertz();
    run_.data =
        arguments.spread == "normal" ? "Data are drawn from N(0, 1)." : "Data are drawn from U(-8, 8).";
    run_.command = "./dev bench activations";
    if (arguments.peers) run_.command += " --peers";
    if (!arguments.peers) return;
    for (const char* name : {"torch", "onnxruntime", "jax", "tensorflow", "mkl"})
      frameworks_.push_back(std::make_unique<Framework>(arguments.python, name));
    const auto who = describe(libraries(), frameworks_);
    run_.peers = who.at("peers");
    run_.missing = who.at("missing");
    for (const auto& item : run_.missing.items())
      std::cerr << fmt::format("without {}: {}\n", item.key(), item.value().get<std::string>());
  }

  ActivationRun run() {
    for (const std::string& dtype : arguments_.dtypes) {
      std::vector<std::size_t> sizes = arguments_.sizes;
      if (dtype == "float32" && !arguments_.quick)
        sizes.insert(sizes.begin(), std::begin(kOverheadSizes), std::end(kOverheadSizes));
      for (const std::size_t n : sizes) run_size(dtype_of(dtype), n);
    }
    return std::move(run_);
  }

 private:
  void run_size(DType dtype, std::size_t n) {
    data_.emplace(dtype, n, arguments_.spread == "uniform");
    const bool few = std::find(arguments_.sizes.begin(), arguments_.sizes.end(), n) == arguments_.sizes.end();
    for (const Ours& ours : ours_by_name()) {
      if (!wanted(ours.name)) continue;
      if (!ours.along_rows) {
        run_case(ours, {.function = ours.name, .gradient = false, .dtype = dtype, .n = n}, few);
        if (!few) run_case(ours, {.function = ours.name, .gradient = true, .dtype = dtype, .n = n}, few);
        continue;
      }
      for (const std::size_t row : kRows) {
        if (row > n) continue;
        for (const bool gradient : {false, true})
          run_case(
              ours,
              {.function = ours.name, .gradient = gradient, .dtype = dtype, .n = n / row * row, .row = row},
              few);
      }
    }
  }

  bool wanted(const std::string& name) const {
    const auto& list = arguments_.functions;
    return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
  }

  void run_case(const Ours& ours, const Case& what, bool few) {
    const Arrays arrays = data_->arrays();
    if (what.gradient) ours.forward(what, arrays.x, const_cast<void*>(arrays.y));
    const auto call = [&ours, what, arrays] {
      what.gradient ? ours.gradient(what, arrays) : ours.forward(what, arrays.x, arrays.out);
    };
    measure(what, "reused", 1, local("ours", call), true);
    if (what.gradient || arguments_.quick) return;
    if (what.dtype == DType::float32 || what.n >= kLarge)
      measure(what, "fresh", 1, local("ours", ours.through_tensors(what, data_->tensor(what))), false);
    if (few) return;
    if (what.n >= 4096 && what.row == 0)
      measure(what, "in_place", 1, local_in_place(ours, what, arrays), false);
    for (const int threads : arguments_.threads) {
      if (threads == 1 || what.n < kLarge || what.dtype != DType::float32) continue;
      pinned_.reset();
      set_num_threads(threads);
      measure(what, "reused", threads, local("ours", call), false);
      set_num_threads(1);
      pinned_.emplace();
    }
  }

  // Each call on data as they were: f of f of f of x runs into fixed points and infinities.
  static Contestant local_in_place(const Ours& ours, const Case& what, const Arrays& arrays) {
    return {.name = "ours", .sample = [&ours, what, arrays] {
              copy_bytes(arrays.x, arrays.out, what.n * size_bytes(what.dtype));
              return time_once([&] { ours.forward(what, arrays.out, arrays.out); });
            }};
  }

  void measure(const Case& what, const std::string& memory, int threads, Contestant ours, bool with_peers) {
    const Arrays arrays = data_->arrays();
    std::vector<Contestant> all;
    all.push_back(std::move(ours));
    const Traffic traffic = memory == "in_place" ? Traffic::in_place
                            : what.gradient      ? Traffic::three_streams
                                                 : Traffic::copy;
    for (Contestant& mover :
         movers(traffic, arrays.x, arrays.upstream, arrays.out, what.n * size_bytes(what.dtype), threads))
      all.push_back(std::move(mover));
    const std::size_t first_peer = all.size();
    if (with_peers && arguments_.peers) add_peers(what, arrays, all);

    compete(all, effort(what.n));

    const auto n = static_cast<double>(what.n);
    ActivationRow row{
        .what = what, .memory = memory, .threads = threads, .ns = all[0].best_ns / n, .peers = {}};
    row.cycles = row.ns * run_.gigahertz;
    for (std::size_t i = 1; i < first_peer; ++i)
      row.limit_ns =
          std::isnan(row.limit_ns) ? all[i].best_ns / n : std::min(row.limit_ns, all[i].best_ns / n);
    for (std::size_t i = first_peer; i < all.size(); ++i)
      if (std::isfinite(all[i].best_ns)) row.peers.emplace_back(all[i].name, all[i].best_ns / n);
    if (arguments_.peers)
      std::cerr << fmt::format("{} {} n={} {} {} threads: {:.3f} ns\n", title(row), name(what.dtype), what.n,
                               memory, threads, row.ns);
    run_.rows.push_back(std::move(row));
  }

  void add_peers(const Case& what, const Arrays& arrays, std::vector<Contestant>& all) {
    for (const Library& library : libraries()) {
      if (!library.missing.empty()) continue;
      if (Call call = library.make(what, arrays)) all.push_back(local(std::string(library.name), call));
    }
    // A framework's call costs microseconds: on few elements only that would be timed, for hours.
    if (what.n < 4096 && what.n != 64) return;
    nlohmann::ordered_json task{{"kind", "activation"},
                                {"function", what.function},
                                {"direction", what.gradient ? "gradient" : "forward"},
                                {"dtype", name(what.dtype)},
                                {"n", what.n},
                                {"row", what.row},
                                {"spread", arguments_.spread}};
    for (const auto& framework : frameworks_)
      for (Contestant& way : framework->prepare(task)) all.push_back(std::move(way));
  }

  Effort effort(std::size_t n) const {
    if (n >= kLarge) return {.seconds = 0.05, .least_rounds = 3, .most_rounds = 50};
    return {.seconds = arguments_.quick ? 0.003 : 0.01, .least_rounds = 5, .most_rounds = 200};
  }

  const Arguments& arguments_;
  std::optional<Pinned> pinned_{std::in_place};
  std::vector<std::unique_ptr<Framework>> frameworks_;
  std::optional<BenchData> data_;
  ActivationRun run_;
};

void write(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void bench(Arguments arguments) {
  if (arguments.quick) {
    arguments.dtypes = {"float32"};
    arguments.sizes = {4096, 65536};
  }
  for (const std::string& name : arguments.functions) check_name(name);
  set_num_threads(1);
  ActivationRun run;
  if (arguments.from.empty()) {
    run = Bench(arguments).run();
  } else {
    std::ifstream file(arguments.from);
    run = run_from_json(nlohmann::ordered_json::parse(file));
  }
  std::cout << text_table(run);
  write(arguments.json, to_json(run).dump(1) + "\n");
  write(arguments.svg, chart(run));
  write(arguments.markdown, markdown(run, arguments.svg.substr(arguments.svg.find_last_of('/') + 1)));
}

}  // namespace

void add_activations(CLI::App& app) {
  CLI::App* command = app.add_subcommand("activations", "Time an element of every activation and gradient");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--peers", arguments->peers, "Beside the libraries and frameworks that are there");
  command->add_flag("--quick", arguments->quick, "float32 in the caches only: under two minutes");
  command->add_option("--function", arguments->functions, "Only these");
  command->add_option("--dtype", arguments->dtypes, "Only these types")
      ->check(CLI::IsMember({"float32", "float64", "float16", "bfloat16"}));
  command->add_option("--sizes", arguments->sizes, "Numbers of elements")->check(CLI::PositiveNumber);
  command->add_option("--threads", arguments->threads, "Numbers of threads for large arrays")
      ->check(CLI::PositiveNumber);
  command->add_option("--data", arguments->spread, "normal: N(0, 1); uniform: U(-8, 8)")
      ->check(CLI::IsMember({"normal", "uniform"}));
  command->add_option("--json", arguments->json, "Also write the rows to this file");
  command->add_option("--svg", arguments->svg, "Also draw them into this file");
  command->add_option("--markdown", arguments->markdown, "Also write a page of tables");
  command->add_option("--from", arguments->from, "Measure nothing: tables and chart of an earlier --json")
      ->check(CLI::ExistingFile);
  command->add_option("--python", arguments->python, "The Python that has the frameworks");
  command->callback([arguments] { bench(*arguments); });
}

}  // namespace keratin::bench
