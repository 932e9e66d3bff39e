#include "bench/machine.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#if defined(__linux__)
#include <sched.h>
#endif

namespace keratin::bench {

std::string machine_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string line, model = "unknown processor";
  while (std::getline(info, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
#if defined(__clang__)
  const std::string compiler = "clang " + std::to_string(__clang_major__);
#else
  const std::string compiler = "g++ " + std::to_string(__GNUC__);
#endif
  return fmt::format("{}, {} cores, {}", model, std::thread::hardware_concurrency(), compiler);
}

double gigahertz() {
#if defined(__x86_64__)
  constexpr int kSteps = 20000, kUnrolled = 8;
  double best_ns = 1e30;
  std::uint64_t value = 1;
  for (int repeat = 0; repeat < 30; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kSteps; ++i)
      asm volatile(
          "add %0, %0\n\tadd %0, %0\n\tadd %0, %0\n\tadd %0, %0\n\t"
          "add %0, %0\n\tadd %0, %0\n\tadd %0, %0\n\tadd %0, %0"
          : "+r"(value)
          :
          : "cc");
    best_ns = std::min(
        best_ns, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  return kSteps * kUnrolled / best_ns;
#else
  return 0;
#endif
}

namespace {
long status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kib = 0;
  while (status >> word) {
    if (word == key) return status >> kib ? kib : 0;
  }
  return 0;
}
}  // namespace

PeakMemory::PeakMemory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak is what there is now
  before_kib_ = status_kib("VmRSS:");
}
double PeakMemory::mib() const { return static_cast<double>(status_kib("VmHWM:") - before_kib_) / 1024; }

#if defined(__linux__)
struct Pinned::Mask {
  cpu_set_t cores;
};

Pinned::Pinned() : before_(std::make_unique<Mask>()) {
  sched_getaffinity(0, sizeof(cpu_set_t), &before_->cores);
  for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
    if (!CPU_ISSET(core, &before_->cores)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
    break;
  }
}

Pinned::~Pinned() { sched_setaffinity(0, sizeof(cpu_set_t), &before_->cores); }
#else
struct Pinned::Mask {};
Pinned::Pinned() = default;
Pinned::~Pinned() = default;
#endif

}  // namespace keratin::bench
