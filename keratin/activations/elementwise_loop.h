// Functions of the registry over whole arrays: split over the threads where they are long, streamed
// past the caches where they are longer than those. Internal.
#pragma once

#include <cstdint>

#include "keratin/activations/registry.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::activations::detail {

/// About 20 to 500 microseconds of work: what waking a thread costs is lost in it.
inline constexpr std::int64_t kGrain = 1 << 14;

/// body(begin, end) over [0, size), in one piece where that is short.
template <class Body>
void for_chunks(std::int64_t size, const Body& body) {
  if (size <= kGrain) return body(std::int64_t{0}, size);
  parallel_for(size, kGrain, body);
}

/// How many bytes a call has to read and write for its results to be streamed: three quarters of the last
/// cache. There streaming begins to win, in forward passes and backward: docs/design/memory.md.
std::int64_t streaming_bytes() noexcept;

/// For a call that reads and writes `count` numbers. Never in place: a line that has just been read is at
/// hand, and is better written where it is.
template <class T>
Stores stores_for(bool in_place, std::int64_t count) noexcept {
  const bool streams = !in_place && count * static_cast<std::int64_t>(sizeof(T)) >= streaming_bytes();
  return streams ? Stores::streamed : Stores::cached;
}

/// y[i] = f(x[i]) for float, double, float16 and bfloat16; y may be x. The caller holds a FloatEnvironment.
template <class T>
void run_forward(const Function& function, const void* parameters, const T* x, T* y, std::int64_t size);
/// out[i] = upstream[i]·f'(x[i]); out may be x or upstream.
template <class T>
void run_gradient(const Function& function, const void* parameters, const T* x, const T* upstream, T* out,
                  std::int64_t size);

}  // namespace keratin::inline v0::activations::detail
