// What memory allows: the fastest that this machine moves the same bytes, whatever is computed on the way.
#pragma once

#include <cstddef>
#include <vector>

#include "bench/timing.h"

namespace keratin::bench {

/// Which arrays an element passes: x to y; y over itself; two into a third.
enum class Traffic { copy, in_place, three_streams };

/// Every way to move the bytes: loops with normal and with streaming stores, and for a copy `rep movsb`. None
/// without AVX-512 or below 64 bytes a thread.
/// The arrays must be there as long as the contestants are, 64-byte aligned; `second` only for three streams.
/// `threads` threads of the library take a part each.
std::vector<Contestant> movers(Traffic traffic, const void* first, const void* second, void* out,
                               std::size_t size_bytes, int threads);

}  // namespace keratin::bench
