// A user's own functions: fitted, on the tape, and beside hand-written kernels and the frameworks.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "bench/activation_rows.h"
#include "bench/bench.h"
#include "bench/hand_written.h"
#include "bench/machine.h"
#include "bench/ours.h"
#include "bench/peers.h"
#include "bench/timing.h"
#include "keratin/activations/backend.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::bench {
namespace {

namespace K = backend;

struct Arguments {
  bool peers = false;
  std::vector<std::size_t> sizes{4096, 65536};
  double seconds = 0.05;
  std::string spread = "normal", json;
  std::string python = KERATIN_SOURCE_DIR "/build/peers/bin/python";
};

struct Custom {
  const char* name;  // as hand_written.h and the frameworks know it
  Expr expression;
};

std::vector<Custom> expressions() {
  const Expr x = Expr::input();
  return {{"silu", x * K::sigmoid(x)},
          {"mish", x * K::tanh(K::softplus(x))},
          {"quick_gelu", x * K::sigmoid(1.702 * x)},
          {"double_mish", x * K::tanh(K::softplus(2 * x))},
          {"twenty_nodes", K::tanh(0.7 * x + 0.3) * K::sigmoid(x) +
                               x * x / (1 + x * x) * K::exp(-0.1 * x * x) - 0.2 * x * K::softplus(0.5 * x)},
          {"kink", K::where(x > 0, x, 0.1 * x * x + 0.5 * x)}};
}

// What issue and documentation hold us to: our time over theirs.
struct Bar {
  const char* name;
  double bar;
};
constexpr Bar kBars[]{
    {"hand_written", 1.15}, {"torch", 1.0 / 8}, {"torch_compile", 1.0 / 3}, {"jax", 1.0 / 3}};

double time_of(const ActivationRow& row, std::string_view name) {
  for (const auto& [peer, ns] : row.peers)
    if (peer == name) return ns;
  return std::numeric_limits<double>::quiet_NaN();
}

std::string table(const ActivationRun& run) {
  std::string out = fmt::format(
      "{}, {:.2f} GHz; {} Nanoseconds an element, float32, one thread. Bars: ours at most {} of the "
      "hand-written kernel's, 1/8 of torch's, 1/3 of torch.compile's and JAX's; ! where not.\n\n",
      run.machine, run.gigahertz, run.data, kBars[0].bar);
  for (const auto& item : run.missing.items())
    out += fmt::format("Missing: {}, {}\n", item.key(), item.value().get<std::string>());
  out +=
      "| | n | ours | cycles | tape | hand-written | torch | torch.compile | JAX |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (const ActivationRow& row : run.rows) {
    const double tape = time_of(row, "tape");
    out += fmt::format("| {} | {} | {:.3f} | {:.2f} | {:.3f} ({:.2f}) |", title(row), row.what.n, row.ns,
                       row.cycles, tape, tape / time_of(row, "hand_written"));
    for (const Bar& bar : kBars) {
      const double theirs = time_of(row, bar.name);
      const double ratio = bar.bar > 1 ? row.ns / theirs : theirs / row.ns;
      out += std::isnan(theirs)
                 ? " - |"
                 : fmt::format(" {:.3g} ({:.2f}{}) |", theirs, ratio, row.ns <= bar.bar * theirs ? "" : "!");
    }
    out += '\n';
  }
  return out + "\nIn brackets: ours and the tape over the hand-written kernel; the frameworks over ours.\n";
}

class Bench {
 public:
  explicit Bench(const Arguments& arguments) : arguments_(arguments) {
    run_.machine = machine_name();
    run_.gigahertz = gigahertz();
    run_.data =
        arguments.spread == "normal" ? "Data are drawn from N(0, 1)." : "Data are drawn from U(-8, 8).";
    run_.command = arguments.peers ? "./dev bench custom --peers" : "./dev bench custom";
    if (!arguments.peers) return;
    for (const char* name : {"torch", "jax"})
      frameworks_.push_back(std::make_unique<Framework>(arguments.python, name));
    const auto who = describe({}, frameworks_);
    run_.peers = who.at("peers");
    run_.missing = who.at("missing");
  }

  ActivationRun run() {
    for (const std::size_t n : arguments_.sizes) {
      const BenchData data(DType::float32, n, arguments_.spread == "uniform");
      for (const Custom& custom : expressions()) {
        const ActivationFn ours = make_activation(custom.expression);
        const ActivationFn tape = make_activation(custom.expression, {.fit = false});
        std::cerr << explain(ours) << '\n';
        for (const bool gradient : {false, true}) measure(custom, gradient, n, data.arrays(), ours, tape);
      }
    }
    return std::move(run_);
  }

 private:
  static Call call_of(const ActivationFn& activation, bool gradient, std::size_t n, const Arrays& arrays) {
    return [f = activation.elementwise(), gradient, n, arrays] {
      const FloatEnvironment environment;
      const auto* x = static_cast<const float*>(arrays.x);
      auto* out = static_cast<float*>(arrays.out);
      if (gradient) {
        f->gradient(x, static_cast<const float*>(arrays.upstream), out, n);
      } else {
        f->forward(x, out, n);
      }
    };
  }

  void measure(const Custom& custom, bool gradient, std::size_t n, const Arrays& arrays,
               const ActivationFn& ours, const ActivationFn& tape) {
    std::vector<Contestant> all;
    all.push_back(local("ours", call_of(ours, gradient, n, arrays)));
    all.push_back(local("tape", call_of(tape, gradient, n, arrays)));
    all.push_back(local("hand_written", [kernel = hand_written(custom.name, gradient), n, arrays] {
      const FloatEnvironment environment;
      kernel(static_cast<const float*>(arrays.x), static_cast<const float*>(arrays.upstream),
             static_cast<float*>(arrays.out), n);
    }));
    for (const auto& framework : frameworks_) {
      for (Contestant& way : framework->prepare({{"kind", "custom"},
                                                 {"function", custom.name},
                                                 {"direction", gradient ? "gradient" : "forward"},
                                                 {"dtype", "float32"},
                                                 {"n", n},
                                                 {"row", 0},
                                                 {"spread", arguments_.spread}}))
        all.push_back(std::move(way));
    }
    compete(all, {.seconds = arguments_.seconds, .least_rounds = 10, .most_rounds = 1000});
    const auto elements = static_cast<double>(n);
    ActivationRow row{.what = {.function = custom.name, .gradient = gradient, .n = n},
                      .ns = all[0].best_ns / elements,
                      .peers = {}};
    row.cycles = row.ns * run_.gigahertz;
    for (std::size_t i = 1; i < all.size(); ++i)
      if (std::isfinite(all[i].best_ns)) row.peers.emplace_back(all[i].name, all[i].best_ns / elements);
    run_.rows.push_back(std::move(row));
  }

  const Arguments& arguments_;
  Pinned pinned_;
  std::vector<std::unique_ptr<Framework>> frameworks_;
  ActivationRun run_;
};

void bench(const Arguments& arguments) {
  set_num_threads(1);
  const ActivationRun run = Bench(arguments).run();
  std::cout << table(run);
  if (arguments.json.empty()) return;
  auto json = to_json(run);
  json["bench"] = "custom";
  std::ofstream file(arguments.json);
  file << json.dump(1) << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + arguments.json);
}

}  // namespace

void add_custom(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "custom", "Time functions of a user's own: fitted, on the tape, and written by hand for the purpose");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--peers", arguments->peers, "Beside torch, torch.compile and JAX");
  command->add_option("--sizes", arguments->sizes, "Numbers of elements, multiples of 64")
      ->check([](const std::string& text) {
        return std::stoull(text) % 64 == 0 ? std::string() : "a multiple of 64, not " + text;
      });
  command->add_option("--seconds", arguments->seconds, "What a contestant gets, roughly")
      ->check(CLI::PositiveNumber);
  command->add_option("--data", arguments->spread, "normal: N(0, 1); uniform: U(-8, 8)")
      ->check(CLI::IsMember({"normal", "uniform"}));
  command->add_option("--json", arguments->json, "Also write the rows to this file");
  command->add_option("--python", arguments->python, "The Python that has the frameworks");
  command->callback([arguments] { bench(*arguments); });
}

}  // namespace keratin::bench
