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

std::string Network::text() const {
  return fmt::format("mlp {} {} batch {}", fmt::join(widths, "-"), activation, batch);
}

Sequential Network::build() const {
  Sequential model{Input({widths.front()})};
  for (std::size_t i = 1; i + 1 < widths.size(); ++i) model.add(Dense(widths[i], {.activation = activation}));
  model.add(Dense(widths.back()));
  return model;
}

nlohmann::ordered_json Network::task(const std::string& kind) const {
  return {{"kind", kind}, {"widths", widths}, {"activation", activation}, {"batch", batch}};
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
