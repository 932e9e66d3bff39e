// Candidates: the registry's functions, with exceptions as data.
#include "cli/candidates.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cli/activation_page.h"
#include "keratin/activations/axis_functions.h"
#include "keratin/activations/backend.h"
#include "keratin/activations/definitions.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/prelu.h"

namespace keratin::cli {
namespace {

namespace K = keratin::backend;

constexpr std::array<std::string_view, 10> kQuick = {"relu",     "elu",     "selu", "tanh", "softplus",
                                                     "softsign", "sigmoid", "gelu", "silu", "mish"};

/// What differs from the defaults of Candidate.
void adjust(Candidate& candidate) {
  if (candidate.name == "selu") {
    // Klambauer et al. 2017: both keep mean 0 and variance 1 from layer to layer.
    candidate.initializer = "lecun_normal";
    candidate.alpha_dropout = true;
    candidate.dropout = 0.05;
    candidate.note = "lecun_normal, AlphaDropout";
  } else if (candidate.name == "sigmoid" || candidate.name == "hard_sigmoid") {
    // Slopes of at most 1/4 and 1/5 learn slowly.
    candidate.learning_rate = 8e-3;
  } else if (candidate.name == "exponential") {
    // Its slope grows with its value: at the others' rate it overflows.
    candidate.learning_rate = 2e-3;
  } else if (candidate.name == "threshold") {
    candidate.make = [] {
      return ActivationFn(activations::Threshold{.threshold = 0.5, .default_value = 0});
    };
    candidate.note = "threshold = 0.5, default_value = 0";
  } else if (candidate.name == "linear") {
    candidate.note = "for comparison: no hidden layer gains anything";
  }
}

Candidate from_page(const ActivationPage& page) {
  Candidate candidate{
      .name = page.name, .aliases = page.aliases, .make = [name = page.name] { return ActivationFn(name); }};
  if (!page.plotted.empty()) candidate.note = "along the units of a layer";
  candidate.quick = std::find(kQuick.begin(), kQuick.end(), page.name) != kQuick.end();
  adjust(candidate);
  return candidate;
}

}  // namespace

std::vector<Candidate> all_candidates() {
  std::vector<Candidate> all;
  for (const ActivationPage& page : activation_pages()) all.push_back(from_page(page));
  all.push_back({.name = "PReLU",
                 .aliases = {"prelu"},
                 .make = [] { return ActivationFn(PReLU()); },
                 .note = "a layer: learns its slopes"});
  all.push_back({.name = "x*sigmoid(1.702*x)",
                 .aliases = {"custom"},
                 .make = [] { return ActivationFn([](auto x) { return x * K::sigmoid(1.702 * x); }); },
                 .note = "a lambda in C++"});
  return all;
}

std::vector<Candidate> choose_candidates(std::span<const std::string> names, bool quick) {
  std::vector<Candidate> all = all_candidates(), chosen;
  if (names.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [quick](const Candidate& candidate) { return candidate.quick || !quick; });
    return chosen;
  }
  std::vector<std::string_view> known;
  for (const Candidate& candidate : all) {
    known.push_back(candidate.name);
    known.insert(known.end(), candidate.aliases.begin(), candidate.aliases.end());
  }
  for (const std::string& name : names) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Candidate& candidate) {
      return candidate.name == name ||
             std::find(candidate.aliases.begin(), candidate.aliases.end(), name) != candidate.aliases.end();
    });
    if (found == all.end()) {
      throw ValueError("demo --activation", "", "unknown name \"" + name + "\"",
                       did_you_mean(name, known) + " `keratin activations` lists them all.");
    }
    const bool already = std::any_of(chosen.begin(), chosen.end(), [&](const Candidate& candidate) {
      return candidate.name == found->name;
    });
    if (!already) chosen.push_back(*found);
  }
  return chosen;
}

}  // namespace keratin::cli
