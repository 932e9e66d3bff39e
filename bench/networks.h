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

/// A classifier, all of its layers but the last with the activation, on batches. "mlp" is a chain of Dense
/// layers, `widths` from the input to the classes. "cnn" takes 28x28 images: Conv2D 32 and 64 of 3x3, pooling
/// by 2, Dense 128 and `widths`. "lstm" takes 100 steps of 64 features: LSTM 128, then Dense `widths`.
struct Network {
  std::vector<std::int64_t> widths;
  std::string activation;
  std::int64_t batch;
  std::string model = "mlp";

  std::vector<std::int64_t> input() const;  ///< the sizes of a sample
  std::string text() const;                 ///< "mlp 784-512-512-10 relu batch 128"
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
