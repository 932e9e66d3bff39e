#include "keratin/activations/axis_loop.h"

#include "keratin/activations/elementwise_loop.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::activations::detail {
namespace {

// Streamed rows are written beside the computation of the next ones: in longer chunks.
template <class Body>
void for_rows(std::int64_t count, std::int64_t length, Stores stores, const Body& body) {
  const std::int64_t grain = rows_grain(length) * (stores == Stores::streamed ? 16 : 1);
  if (count <= grain) return body(std::int64_t{0}, count);
  parallel_for(count, grain, body);
}

std::int64_t in_length_of(AxisKind kind, std::int64_t length) {
  return kind == AxisKind::glu ? 2 * length : length;
}

}  // namespace

template <class T>
void run_forward_rows(AxisKind kind, const T* x, T* y, std::int64_t count, std::int64_t length) {
  const std::int64_t in_length = in_length_of(kind, length);
  const Stores stores = stores_for<T>(x == y, count * (in_length + length));
  for_rows(count, length, stores, [&](std::int64_t begin, std::int64_t end) {
    forward_rows(kind, x + begin * in_length, y + begin * length, end - begin, length, stores);
  });
}

template <class T>
void run_gradient_rows(AxisKind kind, const T* x, const T* upstream, T* out, std::int64_t count,
                       std::int64_t length) {
  const std::int64_t in_length = in_length_of(kind, length);
  for_rows(count, length, Stores::cached, [&](std::int64_t begin, std::int64_t end) {
    gradient_rows(kind, x + begin * in_length, upstream + begin * length, out + begin * in_length,
                  end - begin, length);
  });
}

void run_softmax_gradient_rows(const float* y, const float* upstream, float* out, std::int64_t count,
                               std::int64_t length) {
  const Stores stores = stores_for<float>(y == out || upstream == out, 3 * count * length);
  for_rows(count, length, stores, [&](std::int64_t begin, std::int64_t end) {
    softmax_gradient_rows(y + begin * length, upstream + begin * length, out + begin * length, end - begin,
                          length, stores);
  });
}

#define KERATIN_LOOP_OF(T)                                                            \
  template void run_forward_rows(AxisKind, const T*, T*, std::int64_t, std::int64_t); \
  template void run_gradient_rows(AxisKind, const T*, const T*, T*, std::int64_t, std::int64_t);
KERATIN_LOOP_OF(float)
KERATIN_LOOP_OF(double)
KERATIN_LOOP_OF(float16)
KERATIN_LOOP_OF(bfloat16)
#undef KERATIN_LOOP_OF

}  // namespace keratin::inline v0::activations::detail
