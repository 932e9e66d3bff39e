#include "bench/networks.h"

#include <algorithm>
#include <iostream>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/timing.h"
#include "keratin/layers/layers.h"

namespace keratin::bench {

std::vector<std::int64_t> Network::input() const {
  if (model == "cnn") return {28, 28, 1};
  if (model == "lstm") return {100, 64};
  return {widths.front()};
}

std::string Network::text() const {
  const std::vector<std::int64_t> sizes = model == "mlp" ? widths : input();
  return fmt::format("{} {} {} batch {}", model, fmt::join(sizes, model == "mlp" ? "-" : "x"), activation,
                     batch);
}

Sequential Network::build() const {
  Sequential network{Input(Shape(input()))};
  if (model == "cnn") {
    network.add(Conv2D(32, 3, {.activation = activation}));
    network.add(Conv2D(64, 3, {.activation = activation}));
    network.add(MaxPooling2D(2));
    network.add(Flatten());
    network.add(Dense(128, {.activation = activation}));
  } else if (model == "lstm") {
    network.add(LSTM(128, {.activation = activation}));
  } else {
    for (std::size_t i = 1; i + 1 < widths.size(); ++i)
      network.add(Dense(widths[i], {.activation = activation}));
  }
  network.add(Dense(widths.back()));
  return network;
}

nlohmann::ordered_json Network::task(const std::string& kind) const {
  return {{"kind", kind},     {"model", model},           {"input", input()},
          {"widths", widths}, {"activation", activation}, {"batch", batch}};
}

std::vector<std::unique_ptr<Framework>> network_frameworks(const std::string& python) {
  std::vector<std::unique_ptr<Framework>> all;
  for (const char* name :
       {"torch", "jax", "onnxruntime", "tensorflow", "keras-tensorflow", "keras-jax", "keras-torch"}) {
    all.push_back(std::make_unique<Framework>(python, name));
    if (!all.back()->missing().empty())
      std::cerr << fmt::format("without {}: {}\n", name, all.back()->missing());
  }
  return all;
}

Row compete_as(const Network& network, const std::string& kind, int threads, std::function<double()> ours,
               const std::vector<std::unique_ptr<Framework>>& frameworks, int rounds) {
  std::vector<Contestant> all;
  all.push_back({.name = "keratin", .sample = std::move(ours)});
  for (const auto& framework : frameworks)
    for (Contestant& way : framework->prepare(network.task(kind))) all.push_back(std::move(way));
  compete(all, {.seconds = 0, .least_rounds = rounds, .most_rounds = rounds});
  constexpr double kMs = 1e-6;
  Row row{.task = kind + " " + network.text(), .threads = threads, .ours_ms = all[0].best_ns * kMs};
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].best_ns == std::numeric_limits<double>::infinity()) continue;
    row.more["peers"][all[i].name] = all[i].best_ns * kMs;
    best = std::min(best, all[i].best_ns * kMs);
  }
  if (all.size() > 1) row.more["over_best_peer"] = row.ours_ms / best;
  return row;
}

}  // namespace keratin::bench
