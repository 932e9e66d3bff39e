// What the train and predict benches share: their rows beside the peers', and the classifier they build.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/peers.h"
#include "keratin/models/model.h"

namespace keratin::bench {

/// A chain of Dense layers, all but the last with the activation, on batches.
struct Network {
  std::vector<std::int64_t> widths;
  std::string activation;
  std::int64_t batch;

  std::string text() const;  ///< "mlp 784-512-512-10 relu batch 128"
  Sequential build() const;
  /// A question for Framework::prepare.
  nlohmann::ordered_json task(const std::string& kind) const;
};

/// Frameworks that train and predict; those that cannot be had are told on standard error.
std::vector<std::unique_ptr<Framework>> network_frameworks(const std::string& python);

/// `ours` (nanoseconds a sample) and whoever of the frameworks can do it, by turns.
Row compete_as(const Network& network, const std::string& kind, int threads, std::function<double()> ours,
               const std::vector<std::unique_ptr<Framework>>& frameworks, int rounds);

}  // namespace keratin::bench
