// What the sweeps over many inputs share: threads that take chunks, and rows and hashes put together.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// body(i) for each i below threads, on that many threads. The first exception reaches the caller; stop() is
/// called before, so that the others end.
void on_threads(int threads, const std::function<void(std::size_t)>& body, const std::function<void()>& stop);

/// Adds what one thread found: counts, and the worst.
void merge(const Row& from, Row& row);

/// A hash with those of further chunks, in their order.
std::uint64_t joined(std::uint64_t hash, std::span<const std::uint64_t> parts);

}  // namespace keratin::accuracy
