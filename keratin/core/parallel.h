// Loops over all cores: one pool for the whole library.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// How many threads the library uses, the caller's included. Default: the cores that the process may use.
KERATIN_API int num_threads() noexcept;
/// ValueError below 1. Takes effect at the next loop. Results do not depend on it.
KERATIN_API void set_num_threads(int count);

namespace detail {
using ChunkFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);
KERATIN_API void run_chunks(std::int64_t count, std::int64_t grain, ChunkFunction function, void* context);
}  // namespace detail

/// Calls body(begin, end) for chunks of `grain` that make up [0, count), on several threads; the last may be
/// shorter. The chunks depend on count and grain alone, so results need not depend on the number of threads.
/// Every thread computes in the library's FloatEnvironment. A loop inside a body, or beside another thread's
/// loop, runs on its caller's thread. The first exception of a body reaches the caller, when all have ended.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, Body&& body) {
  if (count <= 0) return;
  using Plain = std::remove_reference_t<Body>;
  detail::run_chunks(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<Plain*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(std::addressof(body))));
}

}  // namespace keratin::inline v0
