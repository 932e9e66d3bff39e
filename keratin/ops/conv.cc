#include "keratin/ops/conv.h"

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/check.h"
#include "keratin/ops/conv_patches.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"
#include "keratin/ops/scratch.h"

namespace keratin::inline v0::ops {
namespace {

using detail::ConvSizes;
using detail::Matrix;

ConvSizes sizes_of(const Shape& x, const Shape& kernel, const Shape& result, const ConvGeometry& geometry) {
  const std::size_t rank = x.rank();
  const bool has_ranks = rank >= 3 && rank <= 5 && kernel.rank() == rank && result.rank() == rank;
  const std::int64_t groups = geometry.groups;
  if (!has_ranks || x[0] != result[0] || groups < 1 || kernel[rank - 2] * groups != x.back() ||
      kernel.back() != result.back() || kernel.back() % groups != 0) {
    throw ShapeError(
        "conv",
        "expects x (batch, sizes, in), a kernel (sizes, in/groups, out) and a result (batch, sizes, "
        "out)",
        "got " + x.to_string() + ", " + kernel.to_string() + " and " + result.to_string() +
            " with groups=" + std::to_string(groups));
  }
  ConvSizes sizes{.batch = x[0],
                  .in = {1, 1, 1},
                  .kernel = {1, 1, 1},
                  .out = {1, 1, 1},
                  .channels = x.back(),
                  .filters = kernel.back(),
                  .geometry = geometry};
  for (std::size_t axis = 0; axis + 2 < rank; ++axis) {
    const std::size_t place = axis + 5 - rank;
    sizes.in[place] = x[axis + 1];
    sizes.kernel[place] = kernel[axis];
    sizes.out[place] = result[axis + 1];
  }
  return sizes;
}

// Rows of patches at a time: about 128 KiB, which stays in L2 beside its product.
std::int64_t rows_of(const ConvSizes& sizes) {
  constexpr std::int64_t kElements = 1 << 15;
  return std::clamp<std::int64_t>(kElements / std::max<std::int64_t>(sizes.depth(), 1), 8, 1024);
}

// The blocks of rows of all samples, in parallel: body(sample, first row, rows).
template <class Body>
void for_each_block(const ConvSizes& sizes, Body&& body) {
  if (sizes.batch == 0 || sizes.places() == 0) return;
  const std::int64_t rows = rows_of(sizes), blocks = (sizes.places() - 1) / rows + 1;
  const std::int64_t flops = 2 * rows * sizes.depth() * sizes.filters;
  const std::int64_t grain =
      std::max<std::int64_t>(1, (std::int64_t{1} << 20) / std::max<std::int64_t>(flops, 1));
  parallel_for(sizes.batch * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % blocks * rows;
      body(i / blocks, first, std::min(rows, sizes.places() - first));
    }
  });
}

template <class T>
T* patches_memory(const ConvSizes& sizes) {
  static thread_local detail::Scratch scratch;
  return scratch.get_array<T>(rows_of(sizes) * sizes.depth());
}

// A kernel of one element that takes each place as it is: the patches are x itself.
bool is_pointwise(const ConvSizes& sizes) {
  const ConvGeometry& g = sizes.geometry;
  return sizes.in == sizes.out && ConvSizes::product(sizes.kernel) == 1 && g.groups == 1 &&
         ConvSizes::product(g.strides) == 1 && g.before == std::array<std::int64_t, 3>{0, 0, 0};
}

// One channel a group: products of a row with one number, no matrices.
template <class T>
void depthwise_rows(const ConvSizes& sizes, const T* x, const T* kernel, std::int64_t first,
                    std::int64_t rows, T* out) {
  const std::int64_t filters = sizes.filters, multiplier = sizes.group_filters();
  std::fill_n(out, rows * filters, T(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    T* __restrict y = out + row * filters;
    // The runs of channel 0; the others lie behind it.
    detail::for_each_run(sizes, first + row, 0, [&](std::int64_t from, std::int64_t tap, std::int64_t) {
      const T *in = x + from, *weights = kernel + tap * filters;
      if (multiplier == 1) {
        for (std::int64_t c = 0; c < filters; ++c) y[c] += in[c] * weights[c];
      } else {
        for (std::int64_t c = 0; c < sizes.channels; ++c)
          for (std::int64_t m = 0; m < multiplier; ++m)
            y[c * multiplier + m] += in[c] * weights[c * multiplier + m];
      }
    });
  }
}

template <class T>
void forward(const ConvSizes& sizes, const T* x, const T* kernel, const T* bias,
             const ElementwiseFunction* activation, T* z, T* y) {
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  for_each_block(sizes, [&](std::int64_t sample, std::int64_t first, std::int64_t rows) {
    const T* from = x + sample * sizes.sample_size();
    const std::int64_t start = (sample * sizes.places() + first) * filters;
    if (is_pointwise(sizes)) {
      detail::gemm_block(rows, filters, depth, Matrix<T>{from + first * depth, depth},
                         Matrix<T>{kernel, filters}, z + start, filters);
    } else if (sizes.group_channels() == 1 && sizes.geometry.groups > 1) {
      depthwise_rows(sizes, from, kernel, first, rows, z + start);
    } else {
      T* patches = patches_memory<T>(sizes);
      for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
        detail::gather_patches(sizes, from, first, rows, group, patches);
        detail::gemm_block(rows, wide, depth, Matrix<T>{patches, depth},
                           Matrix<T>{kernel + group * wide, filters}, z + start + group * wide, filters);
      }
    }
    if (bias != nullptr)
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < filters; ++i) z[start + r * filters + i] += bias[i];
    if (activation != nullptr)
      activation->forward(z + start, y + start, static_cast<std::size_t>(rows * filters));
  });
}

// Samples write to places of their own, so they run in parallel.
template <class T>
void backward_data(const ConvSizes& sizes, const T* upstream, const T* kernel, T* x) {
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  const std::int64_t block = rows_of(sizes);
  std::fill_n(x, sizes.batch * sizes.sample_size(), T(0));
  parallel_for(sizes.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    T* patches = patches_memory<T>(sizes);
    for (std::int64_t sample = begin; sample < end; ++sample) {
      for (std::int64_t first = 0; first < sizes.places(); first += block) {
        const std::int64_t rows = std::min(block, sizes.places() - first);
        const T* above = upstream + (sample * sizes.places() + first) * filters;
        for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
          detail::gemm_block(rows, depth, wide, Matrix<T>{above + group * wide, filters},
                             Matrix<T>{kernel + group * wide, filters, true}, patches, depth);
          detail::scatter_patches(sizes, patches, first, rows, group, x + sample * sizes.sample_size());
        }
      }
    }
  });
}

// Sums over a fixed number of parts of the batch, added up in their order.
template <class T>
void backward_kernel(const ConvSizes& sizes, const T* x, const T* upstream, T* kernel) {
  constexpr std::int64_t kParts = 8;
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  const std::int64_t size = depth * filters, block = rows_of(sizes);
  const std::int64_t parts = std::min(kParts, sizes.batch);
  std::fill_n(kernel, size, T(0));
  if (size == 0 || parts == 0) return;
  const std::shared_ptr<std::byte> memory = allocate(static_cast<std::size_t>(2 * parts * size) * sizeof(T));
  T* sums = reinterpret_cast<T*>(memory.get());
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    T* patches = patches_memory<T>(sizes);
    for (std::int64_t part = begin; part < end; ++part) {
      T *sum = sums + 2 * part * size, *product = sum + size;
      std::fill_n(sum, size, T(0));
      for (std::int64_t sample = part * sizes.batch / parts; sample < (part + 1) * sizes.batch / parts;
           ++sample) {
        for (std::int64_t first = 0; first < sizes.places(); first += block) {
          const std::int64_t rows = std::min(block, sizes.places() - first);
          const T* above = upstream + (sample * sizes.places() + first) * filters;
          for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
            detail::gather_patches(sizes, x + sample * sizes.sample_size(), first, rows, group, patches);
            detail::gemm_block(depth, wide, rows, Matrix<T>{patches, depth, true},
                               Matrix<T>{above + group * wide, filters}, product + group * wide, filters);
          }
          for (std::int64_t i = 0; i < size; ++i) sum[i] += product[i];
        }
      }
    }
  });
  for (std::int64_t part = 0; part < parts; ++part)
    for (std::int64_t i = 0; i < size; ++i) kernel[i] += sums[2 * part * size + i];
}

struct Saved {
  Tensor x, kernel, bias;
  Tensor z;  // the pre-activation; undefined where the activation is linear
  ActivationFn activation;
  ConvGeometry geometry;
};

Tensor through_activation(const Saved& saved, const Tensor& upstream) {
  if (!saved.z.is_defined()) return upstream;
  if (is_recording()) {
    const Tensor z =
        conv(saved.x, saved.kernel, saved.bias, ActivationFn(), saved.geometry, upstream.shape());
    return saved.activation(z).node()->backward(upstream).front();
  }
  const FloatEnvironment environment;
  const Tensor above = upstream.detach().contiguous();
  Tensor dz = Tensor::empty(above.shape(), above.dtype());
  detail::visit_arithmetic(above.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *z = static_cast<const T*>(saved.z.data()), *from = static_cast<const T*>(above.data());
    T* out = static_cast<T*>(dz.mutable_data());
    constexpr std::int64_t kGrain = 1 << 15;
    parallel_for(above.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      saved.activation.elementwise()->gradient(z + begin, from + begin, out + begin,
                                               static_cast<std::size_t>(end - begin));
    });
  });
  return dz;
}

std::vector<Tensor> backward(const Saved& saved, const Tensor& upstream) {
  const Tensor dz = through_activation(saved, upstream);
  std::vector<Tensor> gradients(3);
  if (detail::is_recorded(saved.x))
    gradients[0] = conv_data(dz, saved.kernel, saved.geometry, saved.x.shape());
  if (detail::is_recorded(saved.kernel))
    gradients[1] = conv_kernel(saved.x, dz, saved.geometry, saved.kernel.shape());
  if (saved.bias.is_defined() && detail::is_recorded(saved.bias)) {
    const std::int64_t filters = dz.shape().back();
    gradients[2] = sum(reshape(dz, {dz.size() / filters, filters}), {{0}});
  }
  return gradients;
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ActivationFn& activation,
            const ConvGeometry& geometry, const Shape& shape) {
  detail::check_same_dtype("conv", x, kernel);
  detail::check_arithmetic("conv", x);
  const ConvSizes sizes = sizes_of(x.shape(), kernel.shape(), shape, geometry);
  // Sigmoid leaves a note of what it was applied to, for losses that start from there.
  const ElementwiseFunction* elementwise = activation.elementwise();
  if (elementwise == nullptr || elementwise->operation() == "sigmoid")
    return activation(conv(x, kernel, bias, ActivationFn(), geometry, shape));
  const FloatEnvironment environment;
  const bool recorded = wants_gradient({&x, &kernel, &bias}), linear = activation.is_linear();
  const Tensor input = x.detach().contiguous(), weights = kernel.detach().contiguous();
  const Tensor offsets = bias.is_defined() ? bias.detach().contiguous() : Tensor();
  Tensor result = Tensor::empty(shape, x.dtype());
  Tensor z = recorded && !linear ? Tensor::empty(shape, x.dtype()) : Tensor();
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = static_cast<T*>(result.mutable_data());
    forward(sizes, static_cast<const T*>(input.data()), static_cast<const T*>(weights.data()),
            offsets.is_defined() ? static_cast<const T*>(offsets.data()) : nullptr,
            linear ? nullptr : elementwise, z.is_defined() ? static_cast<T*>(z.mutable_data()) : y, y);
  });
  if (!recorded) return result;
  return record(std::move(result), "conv", {&x, &kernel, &bias},
                [saved = Saved{x, kernel, bias, z, activation, geometry}](const Tensor& upstream) {
                  return backward(saved, upstream);
                });
}

Tensor conv_data(const Tensor& upstream, const Tensor& kernel, const ConvGeometry& geometry,
                 const Shape& shape) {
  detail::check_same_dtype("conv_data", upstream, kernel);
  detail::check_arithmetic("conv_data", upstream);
  const ConvSizes sizes = sizes_of(shape, kernel.shape(), upstream.shape(), geometry);
  const FloatEnvironment environment;
  const Tensor above = upstream.detach().contiguous(), weights = kernel.detach().contiguous();
  Tensor result = Tensor::empty(shape, upstream.dtype());
  detail::visit_arithmetic(upstream.dtype(), [&](auto zero) {
    using T = decltype(zero);
    backward_data(sizes, static_cast<const T*>(above.data()), static_cast<const T*>(weights.data()),
                  static_cast<T*>(result.mutable_data()));
  });
  if (!wants_gradient({&upstream, &kernel})) return result;
  return record(std::move(result), "conv_data", {&upstream, &kernel},
                [upstream, kernel, geometry](const Tensor& u) {
                  std::vector<Tensor> gradients(2);
                  if (detail::is_recorded(upstream))
                    gradients[0] = conv(u, kernel, {}, ActivationFn(), geometry, upstream.shape());
                  if (detail::is_recorded(kernel))
                    gradients[1] = conv_kernel(u, upstream, geometry, kernel.shape());
                  return gradients;
                });
}

Tensor conv_kernel(const Tensor& x, const Tensor& upstream, const ConvGeometry& geometry,
                   const Shape& shape) {
  detail::check_same_dtype("conv_kernel", x, upstream);
  detail::check_arithmetic("conv_kernel", x);
  const ConvSizes sizes = sizes_of(x.shape(), shape, upstream.shape(), geometry);
  const FloatEnvironment environment;
  const Tensor input = x.detach().contiguous(), above = upstream.detach().contiguous();
  Tensor result = Tensor::empty(shape, x.dtype());
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    backward_kernel(sizes, static_cast<const T*>(input.data()), static_cast<const T*>(above.data()),
                    static_cast<T*>(result.mutable_data()));
  });
  if (!wants_gradient({&x, &upstream})) return result;
  return record(std::move(result), "conv_kernel", {&x, &upstream}, [x, upstream, geometry](const Tensor& u) {
    std::vector<Tensor> gradients(2);
    if (detail::is_recorded(x)) gradients[0] = conv_data(upstream, u, geometry, x.shape());
    if (detail::is_recorded(upstream))
      gradients[1] = conv(x, u, {}, ActivationFn(), geometry, upstream.shape());
    return gradients;
  });
}

}  // namespace keratin::inline v0::ops
