#include "bench/timing.h"

#include <algorithm>
#include <chrono>
#include <memory>

namespace keratin::bench {

using Clock = std::chrono::steady_clock;

static double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

Contestant local(std::string name, std::function<void()> call, double sample_ns) {
  const auto repeats = std::make_shared<int>(0);
  auto sample = [call = std::move(call), sample_ns, repeats] {
    auto start = Clock::now();
    // The others have pushed our data out of the near caches: this call brings them back, and is not counted
    // unless it takes so long that caches cannot matter.
    call();
    const double first = ns_since(start);
    if (first > 50 * sample_ns) return first;
    if (*repeats == 0) {
      call();
      start = Clock::now();
      call();
      *repeats = static_cast<int>(std::clamp(sample_ns / std::max(ns_since(start), 1.0), 1.0, 1e5));
    }
    start = Clock::now();
    for (int i = 0; i < *repeats; ++i) call();
    return ns_since(start) / *repeats;
  };
  return {.name = std::move(name), .sample = std::move(sample)};
}

void compete(std::vector<Contestant>& contestants, const Effort& effort) {
  const auto start = Clock::now();
  const double limit_ns = effort.seconds * 1e9 * static_cast<double>(contestants.size());
  for (int round = 0; round < effort.most_rounds; ++round) {
    if (round >= effort.least_rounds && ns_since(start) > limit_ns) break;
    for (Contestant& contestant : contestants)
      contestant.best_ns = std::min(contestant.best_ns, contestant.sample());
  }
}

}  // namespace keratin::bench
