#include "keratin/activations/elementwise_loop.h"

namespace keratin::inline v0::activations::detail {

template <class T>
void run_forward(const Function& function, const void* parameters, const T* x, T* y, std::int64_t size) {
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    function.forward(parameters, x + begin, y + begin, static_cast<std::size_t>(end - begin));
  });
}

template <class T>
void run_gradient(const Function& function, const void* parameters, const T* x, const T* upstream, T* out,
                  std::int64_t size) {
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    function.gradient(parameters, x + begin, upstream + begin, out + begin,
                      static_cast<std::size_t>(end - begin));
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
