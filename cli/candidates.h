// What the demo compares: activations with the settings that suit them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"

namespace keratin::cli {

/// One network of the demo. Settings were chosen on validation rows of the digits, in several splits of the
/// training rows, never on the held-out ones.
struct Candidate {
  std::string name = {};
  std::vector<std::string> aliases = {};
  /// A new one for each layer: PReLU has weights.
  std::function<ActivationFn()> make = {};
  std::string initializer = "glorot_uniform";
  /// Of Dropout behind each hidden layer, or of AlphaDropout.
  double dropout = 0.1;
  bool alpha_dropout = false;
  double learning_rate = 4e-3;
  /// What a reader of the table should know; may be empty.
  std::string note = {};
  /// Among the ten of --quick.
  bool quick = false;
};

/// Every activation of the library, PReLU, and one written as a lambda.
std::vector<Candidate> all_candidates();

/// Those with these names or aliases, in that order; none: all, or the quick ones. ValueError proposes the
/// nearest name.
std::vector<Candidate> choose_candidates(std::span<const std::string> names, bool quick);

}  // namespace keratin::cli
