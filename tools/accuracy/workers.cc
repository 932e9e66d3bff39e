#include "tools/accuracy/workers.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace keratin::accuracy {

void on_threads(int threads, const std::function<void(std::size_t)>& body,
                const std::function<void()>& stop) {
  std::exception_ptr error;
  std::mutex mutex;
  const auto guarded = [&](std::size_t i) {
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
      stop();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(guarded, static_cast<std::size_t>(i));
  guarded(0);
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
}

void merge(const Row& from, Row& row) {
  row.certified += from.certified;
  row.undecided += from.undecided;
  row.not_correctly_rounded += from.not_correctly_rounded;
  row.near_zero += from.near_zero;
  row.near_zero_ulp = std::max(row.near_zero_ulp, from.near_zero_ulp);
  if (from.max_ulp > row.max_ulp) row.max_ulp = from.max_ulp, row.worst_input = from.worst_input;
}

std::uint64_t joined(std::uint64_t hash, std::span<const std::uint64_t> parts) {
  for (const std::uint64_t part : parts) {
    hash = (hash ^ part) * 0x100000001b3ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace keratin::accuracy
