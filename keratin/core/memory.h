// Blocks of memory: aligned to 64 bytes, kept and reused, on huge pages where they are large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

inline constexpr std::size_t kAlignment = 64;

/// A block of at least `size_bytes` bytes, uninitialised, 64-byte aligned; the last owner gives it back to a
/// cache from which the next request of its size class is served, so that steps after the first touch no new
/// page. From 2 MiB on a block asks for huge pages. ValueError for a size that cannot be had; safe from every
/// thread.
KERATIN_API std::shared_ptr<std::byte> allocate(std::size_t size_bytes);

struct MemoryStatistics {
  std::size_t in_use_bytes = 0;       ///< in blocks that somebody owns
  std::size_t cached_bytes = 0;       ///< in blocks kept for reuse
  std::uint64_t system_requests = 0;  ///< blocks ever asked of the system, which the cache could not serve
};
KERATIN_API MemoryStatistics memory_statistics() noexcept;
/// Gives every cached block back to the system.
KERATIN_API void release_cached_memory() noexcept;

}  // namespace keratin::inline v0
