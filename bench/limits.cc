#include "bench/limits.h"

#include <cstdint>
#include <string>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "keratin/core/parallel.h"

namespace keratin::bench {

#if defined(__x86_64__)
namespace {

// For AVX-512 whatever the rest of the program is compiled for; asked for at run time below.
using Move = void (*)(const float* first, const float* second, float* out, std::size_t n);

#define KERATIN_WIDE __attribute__((target("avx512f")))

KERATIN_WIDE void copy(const float* x, const float*, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) _mm512_store_ps(y + i, _mm512_load_ps(x + i));
}
KERATIN_WIDE void copy_streaming(const float* x, const float*, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) _mm512_stream_ps(y + i, _mm512_load_ps(x + i));
  _mm_sfence();
}
// Negated twice a pair of calls: data stay what they are, and no compiler leaves the loop out.
KERATIN_WIDE void negate(const float*, const float*, float* y, std::size_t n) {
  const __m512i sign = _mm512_set1_epi32(static_cast<int>(0x80000000));
  for (std::size_t i = 0; i < n; i += 16)
    _mm512_store_si512(y + i, _mm512_xor_si512(_mm512_load_si512(y + i), sign));
}
KERATIN_WIDE void join(const float* x, const float* u, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16)
    _mm512_store_si512(y + i, _mm512_xor_si512(_mm512_load_si512(x + i), _mm512_load_si512(u + i)));
}
KERATIN_WIDE void join_streaming(const float* x, const float* u, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(y + i),
                        _mm512_xor_si512(_mm512_load_si512(x + i), _mm512_load_si512(u + i)));
  _mm_sfence();
}
#undef KERATIN_WIDE

void copy_string(const float* x, const float*, float* y, std::size_t n) {
  std::size_t bytes = n * sizeof(float);
  asm volatile("rep movsb" : "+S"(x), "+D"(y), "+c"(bytes) : : "memory");
}

}  // namespace
#endif

std::vector<Contestant> movers(Traffic traffic, const void* first, const void* second, void* out,
                               std::size_t size_bytes, int threads) {
  std::vector<Contestant> all;
#if defined(__x86_64__)
  // Whole vectors: the elements that are left over would not show.
  const std::size_t part = size_bytes / 64 / static_cast<std::size_t>(threads) * 16;
  if (!__builtin_cpu_supports("avx512f") || part == 0) return all;
  const auto add = [&](std::string name, Move move) {
    all.push_back(local(std::move(name), [=] {
      const auto* x = static_cast<const float*>(first);
      const auto* u = static_cast<const float*>(second);
      auto* y = static_cast<float*>(out);
      if (threads == 1) return move(x, u, y, part);
      parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t) {
        const std::size_t at = static_cast<std::size_t>(begin) * part;
        move(x + at, u ? u + at : u, y + at, part);
      });
    }));
  };
  switch (traffic) {
    case Traffic::copy:
      add("copy", copy);
      add("copy, streaming stores", copy_streaming);
      add("copy, rep movsb", copy_string);
      break;
    case Traffic::in_place:
      add("read and write in place", negate);
      break;
    case Traffic::three_streams:
      add("two into one", join);
      add("two into one, streaming stores", join_streaming);
      break;
  }
#endif
  return all;
}

}  // namespace keratin::bench
