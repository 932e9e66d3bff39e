#include "keratin/core/memory.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/sanitized.h"
#include "keratin/core/small_blocks.h"

namespace keratin::inline v0 {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// More than this stays cached only until it is given back: a program that once needed much should shrink
// again.
constexpr std::size_t kMostCachedBytes = std::size_t{2} << 30;
constexpr bool kCaches = !detail::kUnderAsan;  // a reused block would hide a use after its end

void* ask_system(std::size_t bytes) noexcept {
  void* block = nullptr;
  return posix_memalign(&block, bytes >= kHugePage ? kHugePage : kAlignment, bytes) == 0 ? block : nullptr;
}

// Four classes an octave: at most a quarter is wasted.
std::size_t size_class(std::size_t bytes) {
  if (bytes <= 256) return 256;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

class Cache {
 public:
  std::byte* take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = free_.find(bytes);
      if (found != free_.end() && !found->second.empty()) {
        std::byte* block = found->second.back();
        found->second.pop_back();
        statistics_.cached_bytes -= bytes;
        statistics_.in_use_bytes += bytes;
        return block;
      }
    }
    void* block = ask_system(bytes);
    if (block == nullptr) {
      release();  // blocks of other sizes may be what is missing
      block = ask_system(bytes);
    }
    if (block == nullptr)
      throw ValueError("memory", "expects room for " + std::to_string(bytes) + " bytes",
                       "the system has none", "Use smaller batches or layers.");
    if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
    const std::lock_guard lock(mutex_);
    ++statistics_.system_requests;
    statistics_.in_use_bytes += bytes;
    return static_cast<std::byte*>(block);
  }

  void give(std::byte* block, std::size_t bytes) noexcept {
    {
      const std::lock_guard lock(mutex_);
      statistics_.in_use_bytes -= bytes;
      if (kCaches && statistics_.cached_bytes + bytes <= kMostCachedBytes) {
        try {
          free_[bytes].push_back(block);
          statistics_.cached_bytes += bytes;
          return;
        } catch (const std::bad_alloc&) {  // no room to remember it: it goes back to the system
        }
      }
    }
    std::free(block);
  }

  void release() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto& [bytes, blocks] : free_) {
      for (std::byte* block : blocks) std::free(block);
      blocks.clear();
    }
    statistics_.cached_bytes = 0;
  }

  MemoryStatistics statistics() noexcept {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::byte*>> free_;
  MemoryStatistics statistics_;
};

// Never destroyed: tensors in static storage may outlive every other static object.
Cache& cache() {
  static Cache& instance = *new Cache;
  return instance;
}

}  // namespace

std::shared_ptr<std::byte> allocate(std::size_t size_bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 47;  // the address space of a process
  if (size_bytes > kMost)
    throw ValueError("memory", "expects at most 2^47 bytes", "got " + std::to_string(size_bytes));
  const std::size_t bytes = size_class(size_bytes);
  return {cache().take(bytes), [bytes](std::byte* block) { cache().give(block, bytes); },
          detail::SmallBlocks<std::byte>()};
}

MemoryStatistics memory_statistics() noexcept { return cache().statistics(); }
void release_cached_memory() noexcept { cache().release(); }

}  // namespace keratin::inline v0
