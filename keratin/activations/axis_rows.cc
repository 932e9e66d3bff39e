// Softmax and kin on rows. Softmax and log_softmax have kernels, softmax/; the rest is computed in double
// and rounded once.
#include "keratin/activations/axis_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "keratin/activations/builtin.h"
#include "keratin/activations/softmax/double_rows.h"
#include "keratin/activations/softmax/kernels.h"

namespace keratin::inline v0::activations::detail {
namespace {

using Size = std::int64_t;
constexpr Size kBlock = 2048;

struct alignas(64) Block {
  std::array<double, kBlock> values;
  double* data() { return values.data(); }
};

// Passes NaN over; −inf where there is nothing else.
template <class T>
double largest(const T* x, Size length) {
  constexpr Size kLanes = 8;
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<T>::infinity());
  Size i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    for (Size lane = 0; lane < kLanes; ++lane)
      lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
  }
  for (; i < length; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  return *std::max_element(lanes, lanes + kLanes);
}

template <class T>
void fill_nan(T* y, Size length) {
  std::fill_n(y, length, std::numeric_limits<T>::quiet_NaN());
}

// The threshold of one row for x − max, and NaN where the row holds NaN or +inf, or nothing but −inf.
template <class T>
double sparsemax_threshold(const T* x, Size length, double max, Block& block) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(max)) return kNaN;
  if (std::any_of(x, x + length, [](T value) { return value != value; })) return kNaN;
  std::vector<double> heap;
  double* sorted = block.data();
  if (length > kBlock) {
    heap.resize(static_cast<std::size_t>(length));
    sorted = heap.data();
  }
  for (Size i = 0; i < length; ++i) sorted[i] = static_cast<double>(x[i]) - max;
  // What lies more than 1 below the largest is never in the support.
  double* end = std::partition(sorted, sorted + length, [](double value) { return value > -1; });
  std::sort(sorted, end, std::greater<>());
  double sum = 0, threshold = 0;
  for (Size k = 1; k <= end - sorted; ++k) {
    const double next = sum + sorted[k - 1];
    const double candidate = (next - 1) / static_cast<double>(k);
    if (!(sorted[k - 1] > candidate)) break;
    sum = next;
    threshold = candidate;
  }
  return threshold;
}

template <class T>
void sparsemax(const T* x, T* y, Size length, Block& block) {
  const double max = largest(x, length);
  const double threshold = sparsemax_threshold(x, length, max, block);
  if (std::isnan(threshold)) return fill_nan(y, length);
  for (Size i = 0; i < length; ++i) {
    y[i] = static_cast<T>(std::max((static_cast<double>(x[i]) - max) - threshold, 0.0));
  }
}

template <class T>
void sparsemax_gradient(const T* x, const T* upstream, T* out, Size length, Block& block) {
  const double max = largest(x, length);
  const double threshold = sparsemax_threshold(x, length, max, block);
  if (std::isnan(threshold)) return fill_nan(out, length);
  const auto in_support = [&](Size i) { return static_cast<double>(x[i]) - max > threshold; };
  double sum = 0, support = 0;
  for (Size i = 0; i < length; ++i) {
    if (!in_support(i)) continue;
    sum += static_cast<double>(upstream[i]);
    support += 1;
  }
  const double mean = sum / support;
  for (Size i = 0; i < length; ++i) {
    out[i] = in_support(i) ? static_cast<T>(static_cast<double>(upstream[i]) - mean) : T(0);
  }
}

const ElementwiseFunction& sigmoid_function() {
  static const std::shared_ptr<const ElementwiseFunction> function = keratin::detail::builtin("sigmoid");
  return *function;
}

template <class T>
void glu(const T* x, T* y, Size length, Block& block) {
  const T *value = x, *gate = x + length;
  double* s = block.data();
  for (Size begin = 0; begin < length; begin += kBlock) {
    const Size count = std::min(kBlock, length - begin);
    for (Size i = 0; i < count; ++i) s[i] = static_cast<double>(gate[begin + i]);
    sigmoid_function().forward(s, s, static_cast<std::size_t>(count));
    for (Size i = 0; i < count; ++i)
      y[begin + i] = static_cast<T>(static_cast<double>(value[begin + i]) * s[i]);
  }
}

template <class T>
void glu_gradient(const T* x, const T* upstream, T* out, Size length, Block& block) {
  constexpr Size kThird = 512;
  double *g = block.data(), *s = g + kThird, *u = s + kThird;
  const T *value = x, *gate = x + length;
  for (Size begin = 0; begin < length; begin += kThird) {
    const Size count = std::min(kThird, length - begin);
    for (Size i = 0; i < count; ++i) {
      g[i] = static_cast<double>(gate[begin + i]);
      u[i] = static_cast<double>(upstream[begin + i]);
    }
    sigmoid_function().forward(g, s, static_cast<std::size_t>(count));
    for (Size i = 0; i < count; ++i) {
      out[begin + i] = static_cast<T>(u[i] * s[i]);
      u[i] *= static_cast<double>(value[begin + i]);
    }
    sigmoid_function().gradient(g, u, u, static_cast<std::size_t>(count));
    for (Size i = 0; i < count; ++i) out[length + begin + i] = static_cast<T>(u[i]);
  }
}

struct alignas(64) Line {
  float values[16];
};

void kernel_forward_rows(AxisKind kind, const float* x, float* y, Size count, Size length, bool streams) {
  if (length == 0) return;
  const SoftmaxKernels& kernels = softmax_kernels();
  if (kind == AxisKind::log_softmax) return kernels.log_softmax(x, y, count, length, streams);
  if (!streams) return kernels.softmax(x, y, count, length, nullptr);
  const auto lines = static_cast<std::size_t>(2 * std::max(kRoom, (length + 15) / 16 * 16) / 16);
  const auto room = std::make_unique_for_overwrite<Line[]>(lines);
  kernels.softmax(x, y, count, length, room[0].values);
}

void kernel_forward_rows(AxisKind kind, const double* x, double* y, Size count, Size length, bool) {
  const DoubleSoftmaxKernels& kernels = double_softmax_kernels();
  const auto row = kind == AxisKind::softmax ? kernels.softmax : kernels.log_softmax;
  for (Size r = 0; r < count && length > 0; ++r) row(x + r * length, y + r * length, length);
}
void kernel_gradient_rows(AxisKind kind, const double* x, const double* upstream, double* out, Size count,
                          Size length) {
  const DoubleSoftmaxKernels& kernels = double_softmax_kernels();
  const auto row = kind == AxisKind::softmax ? kernels.softmax_gradient : kernels.log_softmax_gradient;
  for (Size r = 0; r < count && length > 0; ++r) {
    const Size at = r * length;
    row(x + at, upstream + at, out + at, length);
  }
}

void exact_row(void (*row)(const double*, double*, Size), const float* x, float* y, Size length) {
  std::vector<double> wide(x, x + length);
  row(wide.data(), wide.data(), length);
  std::transform(wide.begin(), wide.end(), y, [](double value) { return static_cast<float>(value); });
}

// Through softmax(x), in a block of rows or in `out`; only a long row whose `out` is its upstream needs
// memory. Never streamed: the results would wait for memory longer than they save.
void kernel_gradient_rows(AxisKind kind, const float* x, const float* upstream, float* out, Size count,
                          Size length) {
  if (length == 0) return;
  const SoftmaxKernels& kernels = softmax_kernels();
  const auto gradient = kind == AxisKind::softmax ? kernels.softmax_gradient : kernels.log_softmax_gradient;
  const bool in_out = length > kRoom && out != upstream;
  RowsRoom room(in_out ? 0 : length);
  const Size step = std::max<Size>(1, kRoom / length);
  for (Size first = 0; first < count; first += step) {
    const Size here = std::min(step, count - first), at = first * length;
    float* y = in_out ? out + at : room.data();
    kernels.softmax(x + at, y, here, length, nullptr);
    gradient(y, upstream + at, out + at, here, length, false);
  }
}

}  // namespace

void exact_softmax_row(const float* x, float* y, Size length) {
  exact_row(double_softmax_kernels().softmax, x, y, length);
}
void exact_log_softmax_row(const float* x, float* y, Size length) {
  exact_row(double_softmax_kernels().log_softmax, x, y, length);
}

void softmax_gradient_rows(const float* y, const float* upstream, float* out, Size count, Size length,
                           Stores stores) {
  if (length > 0)
    softmax_kernels().softmax_gradient(y, upstream, out, count, length, stores == Stores::streamed);
}

template <class T>
void forward_rows(AxisKind kind, const T* x, T* y, Size count, Size length, Stores stores) {
  if (is_softmax(kind)) return kernel_forward_rows(kind, x, y, count, length, stores == Stores::streamed);
  Block block;
  for (Size r = 0; r < count; ++r) {
    switch (kind) {
      case AxisKind::softmax:
      case AxisKind::log_softmax:
        break;
      case AxisKind::sparsemax:
        sparsemax(x + r * length, y + r * length, length, block);
        break;
      case AxisKind::glu:
        glu(x + 2 * r * length, y + r * length, length, block);
        break;
    }
  }
}

template <class T>
void gradient_rows(AxisKind kind, const T* x, const T* upstream, T* out, Size count, Size length) {
  if (is_softmax(kind)) return kernel_gradient_rows(kind, x, upstream, out, count, length);
  Block block;
  for (Size r = 0; r < count; ++r) {
    const T* g = upstream + r * length;
    switch (kind) {
      case AxisKind::softmax:
      case AxisKind::log_softmax:
        break;
      case AxisKind::sparsemax:
        sparsemax_gradient(x + r * length, g, out + r * length, length, block);
        break;
      case AxisKind::glu:
        glu_gradient(x + 2 * r * length, g, out + 2 * r * length, length, block);
        break;
    }
  }
}

template void forward_rows(AxisKind, const float*, float*, Size, Size, Stores);
template void forward_rows(AxisKind, const double*, double*, Size, Size, Stores);
template void gradient_rows(AxisKind, const float*, const float*, float*, Size, Size);
template void gradient_rows(AxisKind, const double*, const double*, double*, Size, Size);

}  // namespace keratin::inline v0::activations::detail
