// Pooling: both kinds are linear once the windows (and for the largest, the places) are known.
#include <array>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/check.h"
#include "keratin/ops/conv.h"
#include "keratin/ops/gradient_tools.h"

namespace keratin::inline v0::ops {
namespace {

struct Sizes {
  std::int64_t batch, channels;
  std::array<std::int64_t, 3> in = {1, 1, 1}, out = {1, 1, 1};
  std::int64_t in_size() const { return in[0] * in[1] * in[2] * channels; }
  std::int64_t out_size() const { return out[0] * out[1] * out[2] * channels; }
};

Sizes sizes_of(const Shape& x, const PoolWindows& windows) {
  if (x.rank() < 3 || x.rank() > 5) {
    throw ShapeError("pool", "expects x of shape (batch, one to three sizes, channels)",
                     "got " + x.to_string());
  }
  Sizes sizes{.batch = x[0], .channels = x.back()};
  for (std::size_t axis = 0; axis + 2 < x.rank(); ++axis) sizes.in[axis + 5 - x.rank()] = x[axis + 1];
  for (std::size_t i = 0; i < 3; ++i) {
    sizes.out[i] = static_cast<std::int64_t>(windows[i].size());
    for (const auto& [begin, end] : windows[i]) {
      if (begin >= 0 && begin < end && end <= sizes.in[i]) continue;
      throw ShapeError("pool", "expects windows that lie inside of x and are not empty",
                       "got [" + std::to_string(begin) + ", " + std::to_string(end) + ") of " +
                           std::to_string(sizes.in[i]));
    }
  }
  return sizes;
}

Shape result_shape(const Shape& x, const Sizes& sizes) {
  Shape shape = x;
  for (std::size_t axis = 0; axis + 2 < x.rank(); ++axis) shape[axis + 1] = sizes.out[axis + 5 - x.rank()];
  return shape;
}

using Places = std::vector<std::int64_t, keratin::detail::SmallBlocks<std::int64_t>>;

// Calls visit(place in the result, places of the window in x) of one sample; places count channels.
template <class Visit>
void for_each_window(const Sizes& sizes, const PoolWindows& windows, Visit&& visit) {
  std::int64_t place = 0;
  Places inside;
  for (const auto& [d0, d1] : windows[0]) {
    for (const auto& [h0, h1] : windows[1]) {
      for (const auto& [w0, w1] : windows[2]) {
        inside.clear();
        for (std::int64_t d = d0; d < d1; ++d)
          for (std::int64_t h = h0; h < h1; ++h)
            for (std::int64_t w = w0; w < w1; ++w)
              inside.push_back(((d * sizes.in[1] + h) * sizes.in[2] + w) * sizes.channels);
        visit(place, inside);
        place += sizes.channels;
      }
    }
  }
}

// Runs body(sample) for all samples in parallel.
template <class Body>
void for_each_sample(const Sizes& sizes, Body&& body) {
  constexpr std::int64_t kGrain = 1 << 14;
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(sizes.in_size(), 1));
  parallel_for(sizes.batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t sample = begin; sample < end; ++sample) body(sample);
  });
}

// The largest of each window and where it comes from, within its sample. All channels of one place after the
// other, without branches: vectors.
template <class T>
void find_largest(const Sizes& sizes, const PoolWindows& windows, const T* x, T* y, std::int32_t* places) {
  for_each_sample(sizes, [&](std::int64_t sample) {
    const T* in = x + sample * sizes.in_size();
    for_each_window(sizes, windows, [&](std::int64_t place, const Places& inside) {
      T* __restrict best = y + sample * sizes.out_size() + place;
      std::int32_t* __restrict from = places + sample * sizes.out_size() + place;
      const auto channels = static_cast<std::int32_t>(sizes.channels);
      const auto first = static_cast<std::int32_t>(inside.front());
      for (std::int32_t c = 0; c < channels; ++c) {
        best[c] = in[first + c];
        from[c] = first + c;
      }
      for (std::size_t i = 1; i < inside.size(); ++i) {
        const auto at = static_cast<std::int32_t>(inside[i]);
        for (std::int32_t c = 0; c < channels; ++c) {
          const T value = in[at + c], so_far = best[c];
          // NaN wins, the first of them.
          const bool wins = (value > so_far) | ((value != value) & (so_far == so_far));
          best[c] = wins ? value : so_far;
          from[c] = wins ? at + c : from[c];
        }
      }
    });
  });
}

// y[i] = x[places[i]], and the adjoint, which adds.
Tensor scatter(const Tensor& upstream, const Tensor& places, const Sizes& sizes, const Shape& shape);

Tensor recorded(Tensor result, const Tensor& x, const Tensor& places, const Sizes& sizes) {
  if (!wants_gradient({&x})) return result;
  return record(std::move(result), "max_pool", {&x},
                [places, sizes, shape = x.shape()](const Tensor& upstream) -> Tensors {
                  return {scatter(upstream, places, sizes, shape)};
                });
}

Tensor gather(const Tensor& x, const Tensor& places, const Sizes& sizes, const Shape& shape) {
  const Tensor input = x.detach().contiguous();
  Tensor result = Tensor::empty(shape, x.dtype());
  const auto* at = static_cast<const std::int32_t*>(places.data());
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = static_cast<const T*>(input.data());
    T* out = static_cast<T*>(result.mutable_data());
    for_each_sample(sizes, [&](std::int64_t sample) {
      const std::int64_t from = sample * sizes.in_size(), to = sample * sizes.out_size();
      for (std::int64_t i = 0; i < sizes.out_size(); ++i) out[to + i] = in[from + at[to + i]];
    });
  });
  return recorded(std::move(result), x, places, sizes);
}

Tensor scatter(const Tensor& upstream, const Tensor& places, const Sizes& sizes, const Shape& shape) {
  const Tensor above = upstream.detach().contiguous();
  Tensor result = Tensor::zeros(shape, upstream.dtype());
  const auto* at = static_cast<const std::int32_t*>(places.data());
  detail::visit_arithmetic(upstream.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = static_cast<const T*>(above.data());
    T* out = static_cast<T*>(result.mutable_data());
    for_each_sample(sizes, [&](std::int64_t sample) {
      const std::int64_t to = sample * sizes.in_size(), from = sample * sizes.out_size();
      for (std::int64_t i = 0; i < sizes.out_size(); ++i) out[to + at[from + i]] += in[from + i];
    });
  });
  if (!wants_gradient({&upstream})) return result;
  return record(std::move(result), "max_unpool", {&upstream},
                [places, sizes, shape = upstream.shape()](const Tensor& u) -> Tensors {
                  return {gather(u, places, sizes, shape)};
                });
}

Tensor spread(const Tensor& upstream, const PoolWindows& windows, const Shape& shape) {
  const FloatEnvironment environment;
  const Sizes sizes = sizes_of(shape, windows);
  const Tensor above = upstream.detach().contiguous();
  Tensor result = Tensor::zeros(shape, upstream.dtype());
  detail::visit_arithmetic(upstream.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(above.data());
    T* to = static_cast<T*>(result.mutable_data());
    for_each_sample(sizes, [&](std::int64_t sample) {
      const T* in = from + sample * sizes.out_size();
      T* out = to + sample * sizes.in_size();
      for_each_window(sizes, windows, [&](std::int64_t place, const Places& inside) {
        const T count = static_cast<T>(inside.size());
        for (const std::int64_t at : inside)
          for (std::int64_t c = 0; c < sizes.channels; ++c) out[at + c] += in[place + c] / count;
      });
    });
  });
  if (!wants_gradient({&upstream})) return result;
  return record(std::move(result), "average_unpool", {&upstream},
                [windows](const Tensor& u) -> Tensors { return {average_pool(u, windows)}; });
}

}  // namespace

Tensor max_pool(const Tensor& x, const PoolWindows& windows) {
  detail::check_arithmetic("max_pool", x);
  const Sizes sizes = sizes_of(x.shape(), windows);
  if (sizes.in_size() > INT32_MAX) {
    throw ShapeError("max_pool", "expects samples of at most 2^31 elements", "got " + x.shape().to_string());
  }
  const FloatEnvironment environment;
  const Shape shape = result_shape(x.shape(), sizes);
  const Tensor input = x.detach().contiguous();
  Tensor places = Tensor::empty(shape, DType::int32), result = Tensor::empty(shape, x.dtype());
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    find_largest(sizes, windows, static_cast<const T*>(input.data()), static_cast<T*>(result.mutable_data()),
                 static_cast<std::int32_t*>(places.mutable_data()));
  });
  return recorded(std::move(result), x, places, sizes);
}

Tensor average_pool(const Tensor& x, const PoolWindows& windows) {
  detail::check_arithmetic("average_pool", x);
  const FloatEnvironment environment;
  const Sizes sizes = sizes_of(x.shape(), windows);
  const Tensor input = x.detach().contiguous();
  Tensor result = Tensor::zeros(result_shape(x.shape(), sizes), x.dtype());
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(input.data());
    T* to = static_cast<T*>(result.mutable_data());
    for_each_sample(sizes, [&](std::int64_t sample) {
      const T* in = from + sample * sizes.in_size();
      T* out = to + sample * sizes.out_size();
      for_each_window(sizes, windows, [&](std::int64_t place, const Places& inside) {
        for (const std::int64_t at : inside)
          for (std::int64_t c = 0; c < sizes.channels; ++c) out[place + c] += in[at + c];
        for (std::int64_t c = 0; c < sizes.channels; ++c) out[place + c] /= static_cast<T>(inside.size());
      });
    });
  });
  if (!wants_gradient({&x})) return result;
  return record(std::move(result), "average_pool", {&x},
                [windows, shape = x.shape()](const Tensor& upstream) -> Tensors {
                  return {spread(upstream, windows, shape)};
                });
}

}  // namespace keratin::inline v0::ops
