// Sums, means and maxima over axes. Every partition depends on the shape alone, so results do not depend on
// the number of threads.
#include <algorithm>
#include <array>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/loops.h"
#include "keratin/ops/ops.h"
#include "keratin/ops/sum_blocks.h"

namespace keratin::inline v0::ops {
namespace {

using Flags = std::array<bool, Shape::kMaxRank>;

// Which axes are reduced, and the result's shapes.
struct Reduction {
  Flags reduced{};
  Shape kept_shape;  // each reduced axis of size 1
  Shape dropped_shape;
  std::int64_t count = 1;  // elements that go into one of the result
};

Reduction reduction_of(std::string_view operation, const Tensor& a, const Axes& axes) {
  Reduction reduction;
  if (!axes) {
    std::fill_n(reduction.reduced.begin(), a.rank(), true);
  } else {
    for (const std::int64_t given : *axes) {
      const std::size_t axis = a.shape().axis(given, operation);
      if (reduction.reduced[axis])
        throw ShapeError(operation, "expects each axis once", "got axis " + std::to_string(given) + " twice",
                         "The tensor's shape is " + a.shape().to_string() + ".");
      reduction.reduced[axis] = true;
    }
  }
  reduction.kept_shape = reduction.dropped_shape = a.shape();
  for (std::size_t i = a.rank(); i-- > 0;) {
    if (!reduction.reduced[i]) continue;
    reduction.count *= a.shape()[i];
    reduction.kept_shape[i] = 1;
    reduction.dropped_shape = reduction.dropped_shape.without(i);
  }
  return reduction;
}

// A row-major tensor seen as (outer, count, inner), reduced in the middle.
struct Blocks {
  Tensor tensor;
  std::int64_t outer = 1, count = 1, inner = 1;
};

Blocks blocks_of(const Tensor& a, const Reduction& reduction) {
  // The reduced axes in one run: what is outside, they, what is inside.
  std::size_t first = 0, last = a.rank();
  while (first < last && !reduction.reduced[first]) ++first;
  while (last > first && !reduction.reduced[last - 1]) --last;
  Tensor plain = a.detach();
  bool one_run = true;
  for (std::size_t i = first; i < last; ++i) one_run = one_run && reduction.reduced[i];
  Blocks blocks;
  blocks.count = reduction.count;
  if (one_run) {
    for (std::size_t i = 0; i < first; ++i) blocks.outer *= a.shape()[i];
    for (std::size_t i = last; i < a.rank(); ++i) blocks.inner *= a.shape()[i];
  } else {
    AxisNumbers order;
    for (const bool wanted : {false, true})
      for (std::size_t i = 0; i < a.rank(); ++i)
        if (reduction.reduced[i] == wanted) order.push_back(static_cast<std::int64_t>(i));
    plain = plain.transpose(order);
    blocks.outer = reduction.dropped_shape.size();
  }
  blocks.tensor = plain.contiguous();
  return blocks;
}

// The sum over `a`'s axes divided by `divisor`, in the kept shape.
Tensor sum_divided(const Tensor& a, const Reduction& reduction, double divisor) {
  const FloatEnvironment environment;
  const Blocks blocks = blocks_of(a, reduction);
  Tensor result = Tensor::empty(reduction.kept_shape, a.dtype());
  detail::visit_arithmetic(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::sum_blocks(static_cast<const T*>(blocks.tensor.data()), blocks.outer, blocks.count, blocks.inner,
                       divisor, static_cast<T*>(result.mutable_data()));
  });
  return result;
}

// NaN wins: x > y is false for a NaN in y, and a NaN in x is told by x != x.
template <class T>
T larger(T x, T y) {
  return x > y || x != x ? x : y;
}

// The largest of a row, eight side by side.
template <class T>
T row_max(const T* x, std::int64_t count) {
  std::array<T, 8> best;
  best.fill(x[0]);
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (std::size_t k = 0; k < 8; ++k) best[k] = larger(x[i + static_cast<std::int64_t>(k)], best[k]);
  for (; i < count; ++i) best[0] = larger(x[i], best[0]);
  for (std::size_t k = 1; k < 8; ++k) best[0] = larger(best[k], best[0]);
  return best[0];
}

// Down the middle axis of (outer, count, inner).
template <class T>
void max_blocks(const T* in, const Blocks& blocks, T* out) {
  const std::int64_t count = blocks.count, inner = blocks.inner;
  const std::int64_t grain =
      std::max<std::int64_t>(1, detail::kGrain / std::max<std::int64_t>(1, count * inner));
  parallel_for(blocks.outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const T* row = in + o * count * inner;
      T* __restrict best = out + o * inner;
      if (inner == 1) {
        *best = row_max(row, count);
        continue;
      }
      std::copy_n(row, inner, best);
      for (std::int64_t r = 1; r < count; ++r) {
        const T* x = row + r * inner;
        for (std::int64_t i = 0; i < inner; ++i) best[i] = larger(x[i], best[i]);
      }
    }
  });
}

Tensor max_kept(const Tensor& a, const Reduction& reduction) {
  const FloatEnvironment environment;
  const Blocks blocks = blocks_of(a, reduction);
  Tensor result = Tensor::empty(reduction.kept_shape, a.dtype());
  detail::visit_arithmetic(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    max_blocks(static_cast<const T*>(blocks.tensor.data()), blocks, static_cast<T*>(result.mutable_data()));
  });
  return result;
}

// The kept shape as the caller wants it.
Tensor finished(const Tensor& kept, const Reduction& reduction, bool keepdims) {
  return keepdims ? kept : kept.reshape(reduction.dropped_shape);
}

}  // namespace

Tensor sum(const Tensor& a, const Axes& axes, bool keepdims) {
  detail::check_arithmetic("sum", a);
  const Reduction reduction = reduction_of("sum", a, axes);
  Tensor result = finished(sum_divided(a, reduction, 1), reduction, keepdims);
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "sum", {&a},
                [shape = a.shape(), kept = reduction.kept_shape](const Tensor& upstream) -> Tensors {
                  return {broadcast_to(reshape(upstream, kept), shape)};
                });
}

Tensor mean(const Tensor& a, const Axes& axes, bool keepdims) {
  detail::check_arithmetic("mean", a);
  const Reduction reduction = reduction_of("mean", a, axes);
  const auto count = static_cast<double>(reduction.count);
  Tensor result = finished(sum_divided(a, reduction, count), reduction, keepdims);
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "mean", {&a},
                [shape = a.shape(), kept = reduction.kept_shape, count](const Tensor& upstream) -> Tensors {
                  return {broadcast_to(reshape(upstream / count, kept), shape)};
                });
}

Tensor max(const Tensor& a, const Axes& axes, bool keepdims) {
  detail::check_arithmetic("max", a);
  const Reduction reduction = reduction_of("max", a, axes);
  if (reduction.count == 0)
    throw ShapeError("max", "expects at least one element on the axes it reduces",
                     "got shape " + a.shape().to_string());
  const Tensor largest = max_kept(a, reduction);
  Tensor result = finished(largest, reduction, keepdims);
  if (!wants_gradient({&a})) return result;
  return record(
      std::move(result), "max", {&a},
      [a = a.detach(), largest, axes, kept = reduction.kept_shape](const Tensor& upstream) -> Tensors {
        const Tensor mask = equal(a, largest).astype(a.dtype());
        return {multiply(mask, divide(reshape(upstream, kept), sum(mask, axes, true)))};
      });
}

Tensor argmax(const Tensor& a, std::int64_t axis) {
  detail::check_ordered("argmax", a);
  const std::size_t reduced = a.shape().axis(axis, "argmax");
  const Reduction reduction = reduction_of("argmax", a, AxisNumbers{static_cast<std::int64_t>(reduced)});
  if (reduction.count == 0)
    throw ShapeError("argmax", "expects at least one element on axis " + std::to_string(axis),
                     "got shape " + a.shape().to_string());
  const FloatEnvironment environment;
  const Blocks blocks = blocks_of(a, reduction);
  Tensor result = Tensor::empty(reduction.dropped_shape, DType::int32);
  auto* out = static_cast<std::int32_t*>(result.mutable_data());
  detail::visit_ordered(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* in = static_cast<const T*>(blocks.tensor.data());
    const std::int64_t grain = std::max<std::int64_t>(1, detail::kGrain / blocks.count);
    parallel_for(blocks.outer * blocks.inner, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* x = in + i / blocks.inner * blocks.count * blocks.inner + i % blocks.inner;
        std::int64_t best = 0;
        for (std::int64_t r = 1; r < blocks.count; ++r) {
          const T value = x[r * blocks.inner], top = x[best * blocks.inner];
          // The first NaN is the largest, as in NumPy.
          if (top != top) break;
          if (value > top || value != value) best = r;
        }
        out[i] = static_cast<std::int32_t>(best);
      }
    });
  });
  return result;
}

}  // namespace keratin::inline v0::ops
