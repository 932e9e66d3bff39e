// One network of the demo: built, trained, measured on the held-out rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/candidates.h"
#include "cli/dataset.h"
#include "keratin/tensor/tensor.h"

namespace keratin::cli {

/// The same for every network.
struct Plan {
  std::vector<std::int64_t> hidden = {128, 64};
  std::int64_t epochs = 40;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 1;
};

/// Suited to the number of training rows: about 1,440 steps, 43 epochs of the digits.
Plan plan_for(const Dataset& dataset);

/// The loss, and the accuracy (classes) or mean absolute error (numbers), after each epoch.
struct Curves {
  std::vector<double> loss = {}, val_loss = {}, score = {}, val_score = {};
};

struct Outcome {
  Candidate candidate = {};
  /// Why there is nothing more, or empty.
  std::string failure = {};
  Curves curves = {};
  double seconds = 0;
  std::int64_t parameters = 0;
  /// On the held-out rows: the accuracy, or R², the share of the variance that is explained.
  double score = 0;
  double loss = 0;
  /// Root of the mean squared error in the target's own units, for numbers.
  double error = 0;
  /// Same on the validation rows.
  double validation_score = 0;
  /// (held-out rows, classes) probabilities, or (held-out rows, 1) in the target's own units.
  Tensor predictions = {};

  bool failed() const noexcept { return !failure.empty(); }
};

/// Told after each epoch: how many are done, and the newest validation score.
using Progress = std::function<void(std::int64_t done, double val_score)>;

/// Same seed, same outcome, whatever ran before. A network that does not learn (NaN) is an Outcome with its
/// failure; other errors pass through.
Outcome train(const Candidate& candidate, const Dataset& dataset, const Plan& plan, const Progress& progress);

}  // namespace keratin::cli
