// Softmax and kin on rows of f16 and bf16: widened, which is exact, run in f32 and rounded from there; glu
// and sparsemax in f64, rounded once.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

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

// Of the two floats around a number that is none the odd one: rounding it again rounds once.
float to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || value != value) return nearest;
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  const bool is_beyond = std::fabs(static_cast<double>(nearest)) > std::fabs(value);
  return std::bit_cast<float>((bits - is_beyond) | 1);
}

// Rows in f64 between conversions.
template <class H>
class WideRow {
 public:
  explicit WideRow(Size length) : room_(length), values_(static_cast<std::size_t>(length)) {}
  double* data() { return values_.data(); }
  void read(const H* from) {
    conversion<H>().widen(from, room_.data(), size());
    std::copy_n(room_.data(), size(), data());
  }
  void write(H* to) {
    std::transform(values_.begin(), values_.end(), room_.data(), to_odd);
    conversion<H>().narrow(room_.data(), to, size());
  }

 private:
  Size size() const { return static_cast<Size>(values_.size()); }
  RowsRoom room_;
  std::vector<double> values_;
};

template <class H>
void wide_forward_rows(AxisKind kind, const H* x, H* y, Size count, Size length) {
  const Size in_length = kind == AxisKind::glu ? 2 * length : length;
  WideRow<H> in(in_length), out(length);
  for (Size r = 0; r < count; ++r) {
    in.read(x + r * in_length);
    forward_rows(kind, in.data(), out.data(), 1, length);
    out.write(y + r * length);
  }
}

template <class H>
void wide_gradient_rows(AxisKind kind, const H* x, const H* upstream, H* out, Size count, Size length) {
  const Size in_length = kind == AxisKind::glu ? 2 * length : length;
  WideRow<H> in(in_length), above(length), result(in_length);
  for (Size r = 0; r < count; ++r) {
    in.read(x + r * in_length);
    above.read(upstream + r * length);
    gradient_rows(kind, in.data(), above.data(), result.data(), 1, length);
    result.write(out + r * in_length);
  }
}

template <class H>
void half_forward_rows(AxisKind kind, const H* x, H* y, Size count, Size length) {
  if (!is_softmax(kind)) return wide_forward_rows(kind, x, y, count, length);
  const HalfConversion<H>& converts = conversion<H>();
  // In place softmax would look for the largest elements first.
  const bool in_place = kind != AxisKind::softmax;
  RowsRoom inputs(length), results(in_place ? 0 : length);
  float* y_rows = in_place ? inputs.data() : results.data();
  const Size step = inputs.rows();
  for (Size first = 0; first < count; first += step) {
    const Size here = std::min(step, count - first), at = first * length;
    converts.widen(x + at, inputs.data(), here * length);
    forward_rows(kind, inputs.data(), y_rows, here, length);
    converts.narrow(y_rows, y + at, here * length);
  }
}

template <class H>
void half_gradient_rows(AxisKind kind, const H* x, const H* upstream, H* out, Size count, Size length) {
  if (!is_softmax(kind)) return wide_gradient_rows(kind, x, upstream, out, count, length);
  const HalfConversion<H>& converts = conversion<H>();
  RowsRoom inputs(length), upstreams(length), results(length);
  const Size step = inputs.rows();
  for (Size first = 0; first < count; first += step) {
    const Size here = std::min(step, count - first), at = first * length;
    converts.widen(x + at, inputs.data(), here * length);
    converts.widen(upstream + at, upstreams.data(), here * length);
    gradient_rows(kind, inputs.data(), upstreams.data(), results.data(), here, length);
    converts.narrow(results.data(), out + at, here * length);
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
