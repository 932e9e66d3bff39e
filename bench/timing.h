// Contestants timed by turns, so that whatever else the machine does hits all of them alike.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace keratin::bench {

/// One way to do the work: `sample` does it at least once and says how many nanoseconds a time took.
struct Contestant {
  std::string name;
  std::function<double()> sample;
  double best_ns = std::numeric_limits<double>::infinity();
};

/// One that runs in this process: as many calls a sample as fill `sample_ns`, after a warm-up.
Contestant local(std::string name, std::function<void()> call, double sample_ns = 20e3);

struct Effort {
  double seconds = 0.03;  ///< a contestant, roughly
  int least_rounds = 3;
  int most_rounds = 400;
};

/// Rounds of one sample each; what counts of each is its fastest.
void compete(std::vector<Contestant>& contestants, const Effort& effort);

}  // namespace keratin::bench
