#include "keratin/activations/elementwise_loop.h"

#include <unistd.h>

namespace keratin::inline v0::activations::detail {
namespace {

// Never in place: a line that has just been read is at hand, and is better written where it is.
Stores stores_for(bool in_place, std::int64_t bytes) {
  return !in_place && bytes >= streaming_bytes() ? Stores::streamed : Stores::cached;
}

}  // namespace

std::int64_t streaming_bytes() noexcept {
  static const std::int64_t bytes = [] {
    constexpr std::int64_t kUsual = std::int64_t{32} << 20;
    const long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return (size > 0 ? std::int64_t{size} : kUsual) / 4 * 3;
  }();
  return bytes;
}

template <class T>
void run_forward(const Function& function, const void* parameters, const T* x, T* y, std::int64_t size) {
  const Stores stores = stores_for(x == y, 2 * size * static_cast<std::int64_t>(sizeof(T)));
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    function.forward(parameters, x + begin, y + begin, static_cast<std::size_t>(end - begin), stores);
  });
}

template <class T>
void run_gradient(const Function& function, const void* parameters, const T* x, const T* upstream, T* out,
                  std::int64_t size) {
  const bool in_place = x == out || upstream == out;
  const Stores stores = stores_for(in_place, 3 * size * static_cast<std::int64_t>(sizeof(T)));
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    function.gradient(parameters, x + begin, upstream + begin, out + begin,
                      static_cast<std::size_t>(end - begin), stores);
  });
}

#define KERATIN_LOOP_OF(T)                                                             \
  template void run_forward(const Function&, const void*, const T*, T*, std::int64_t); \
  template void run_gradient(const Function&, const void*, const T*, const T*, T*, std::int64_t);
KERATIN_LOOP_OF(float)
KERATIN_LOOP_OF(double)
KERATIN_LOOP_OF(float16)
KERATIN_LOOP_OF(bfloat16)
#undef KERATIN_LOOP_OF

}  // namespace keratin::inline v0::activations::detail
