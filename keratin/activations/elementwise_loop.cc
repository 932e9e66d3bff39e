#include "keratin/activations/elementwise_loop.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace keratin::inline v0::activations::detail {
namespace {

// The part of the last cache that a core shares. sysconf's number is some machines' sum of all parts: it is
// asked only where the kernel's files are not there.
std::int64_t last_cache_bytes() noexcept {
  if (std::FILE* file = std::fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r")) {
    long kibibytes = 0;
    const bool is_read = std::fscanf(file, "%ldK", &kibibytes) == 1;
    std::fclose(file);
    if (is_read && kibibytes > 0) return std::int64_t{kibibytes} << 10;
  }
  constexpr std::int64_t kUsual = std::int64_t{32} << 20;
  const long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return size > 0 ? std::min(std::int64_t{size}, kUsual) : kUsual;
}

}  // namespace

std::int64_t streaming_bytes() noexcept {
  static const std::int64_t bytes = last_cache_bytes() / 4 * 3;
  return bytes;
}

template <class T>
void run_forward(const Function& function, const void* parameters, const T* x, T* y, std::int64_t size) {
  const Stores stores = stores_for<T>(x == y, 2 * size);
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    function.forward(parameters, x + begin, y + begin, static_cast<std::size_t>(end - begin), stores);
  });
}

template <class T>
void run_gradient(const Function& function, const void* parameters, const T* x, const T* upstream, T* out,
                  std::int64_t size) {
  const bool in_place = x == out || upstream == out;
  const Stores stores = stores_for<T>(in_place, 3 * size);
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
