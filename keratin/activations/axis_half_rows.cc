// Softmax and kin on rows of f16 and bf16: widened, which is exact, run in f32 and rounded from there.
#include <algorithm>
#include <type_traits>

#include "keratin/activations/axis_rows.h"
#include "keratin/activations/softmax/kernels.h"

namespace keratin::inline v0::activations::detail {
namespace {

using Size = std::int64_t;

template <class H>
const HalfConversion<H>& conversion() {
  if constexpr (std::is_same_v<H, float16>) {
    return softmax_kernels().f16;
  } else {
    return softmax_kernels().bf16;
  }
}

template <class H>
void half_forward_rows(AxisKind kind, const H* x, H* y, Size count, Size length) {
  const HalfConversion<H>& converts = conversion<H>();
  const Size in_length = kind == AxisKind::glu ? 2 * length : length;
  RowsRoom buffer(in_length);
  float* rows = buffer.data();
  for (Size first = 0; first < count; first += buffer.rows()) {
    const Size here = std::min(buffer.rows(), count - first);
    converts.widen(x + first * in_length, rows, here * in_length);
    // glu's results do not outrun its inputs: row r is written where row r / 2 was read.
    for (Size r = 0; kind == AxisKind::glu && r < here; ++r)
      forward_rows(kind, rows + r * in_length, rows + r * length, 1, length);
    if (kind != AxisKind::glu) forward_rows(kind, rows, rows, here, length);
    converts.narrow(rows, y + first * length, here * length);
  }
}

template <class H>
void half_gradient_rows(AxisKind kind, const H* x, const H* upstream, H* out, Size count, Size length) {
  const HalfConversion<H>& converts = conversion<H>();
  const Size in_length = kind == AxisKind::glu ? 2 * length : length;
  RowsRoom inputs(in_length), upstreams(length), results(in_length);
  const Size step = inputs.rows();
  for (Size first = 0; first < count; first += step) {
    const Size here = std::min(step, count - first);
    converts.widen(x + first * in_length, inputs.data(), here * in_length);
    converts.widen(upstream + first * length, upstreams.data(), here * length);
    gradient_rows(kind, inputs.data(), upstreams.data(), results.data(), here, length);
    converts.narrow(results.data(), out + first * in_length, here * in_length);
  }
}

}  // namespace

#define KERATIN_HALF_ROWS(H)                                                                          \
  template <>                                                                                         \
  void forward_rows(AxisKind kind, const H* x, H* y, Size count, Size length, Stores) {               \
    half_forward_rows(kind, x, y, count, length);                                                     \
  }                                                                                                   \
  template <>                                                                                         \
  void gradient_rows(AxisKind kind, const H* x, const H* upstream, H* out, Size count, Size length) { \
    half_gradient_rows(kind, x, upstream, out, count, length);                                        \
  }
KERATIN_HALF_ROWS(float16)
KERATIN_HALF_ROWS(bfloat16)
#undef KERATIN_HALF_ROWS

}  // namespace keratin::inline v0::activations::detail
