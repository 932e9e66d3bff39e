#include "bench/fma_peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "keratin/simd/choose.h"
#include "keratin/simd/target_includes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/fma_peak.inl"
#include <hwy/foreach_target.h>

#include "bench/fma_peak.inl"

namespace keratin::bench {
namespace {

double operations(int steps) { KERATIN_CHOOSE(simd::active_isa(), fma_peak, run(steps)) }

}  // namespace

double fma_peak_gflops() {
  constexpr int kSteps = 20000, kRuns = 50;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const double count = operations(kSteps);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, count / taken.count());
  }
  return best;
}

}  // namespace keratin::bench
