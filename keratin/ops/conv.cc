#include "keratin/ops/conv.h"

#include <concepts>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/activation_gradient.h"
#include "keratin/ops/check.h"
#include "keratin/ops/conv_blocks.h"
#include "keratin/ops/conv_rows.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

using detail::ConvSizes;

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

struct Saved {
  Tensor x, kernel, bias;
  Tensor z;  // the pre-activation; undefined where the activation is linear
  ActivationFn activation;
  ConvGeometry geometry;
};

// Floats by oneDNN, what it has no kernel for and doubles by our own products.
template <class T>
void forward(const ConvSizes& sizes, const T* x, const Tensor& kernel, const KeptKernel* kept, const T* bias,
             const ElementwiseFunction* activation, T* z, T* y) {
  if constexpr (std::same_as<T, float>) {
    if (detail::conv_blocks(sizes, x, kernel, kept, bias, activation, z, y)) return;
  }
  detail::conv_rows(sizes, x, static_cast<const T*>(kernel.data()), bias, activation, z, y);
}
template <class T>
void backward_data(const ConvSizes& sizes, const T* upstream, const T* kernel, T* x) {
  if constexpr (std::same_as<T, float>) {
    if (detail::conv_data_blocks(sizes, upstream, kernel, x)) return;
  }
  detail::conv_data_rows(sizes, upstream, kernel, x);
}
template <class T>
void backward_kernel(const ConvSizes& sizes, const T* x, const T* upstream, T* kernel) {
  if constexpr (std::same_as<T, float>) {
    if (detail::conv_kernel_blocks(sizes, x, upstream, kernel)) return;
  }
  detail::conv_kernel_rows(sizes, x, upstream, kernel);
}

// The gradient of the pre-activation, and of the bias if it is wanted.
std::pair<Tensor, Tensor> through_activation(const Saved& saved, const Tensor& upstream) {
  const bool wants_bias = saved.bias.is_defined() && detail::is_recorded(saved.bias);
  const std::int64_t filters = upstream.shape().back();
  if (is_recording()) {
    Tensor dz = upstream, bias;
    if (saved.z.is_defined()) {
      const Tensor z =
          conv(saved.x, saved.kernel, saved.bias, ActivationFn(), saved.geometry, upstream.shape());
      dz = saved.activation(z).node()->backward(upstream).front();
    }
    if (wants_bias) bias = sum(reshape(dz, {dz.size() / filters, filters}), {{0}});
    return {dz, bias};
  }
  const FloatEnvironment environment;
  const bool linear = !saved.z.is_defined();
  const Tensor above = upstream.detach().contiguous();
  Tensor dz = linear ? above : Tensor::empty(above.shape(), above.dtype());
  Tensor bias = wants_bias ? Tensor::empty(saved.bias.shape(), above.dtype()) : Tensor();
  if (linear && !wants_bias) return {dz, bias};
  detail::visit_arithmetic(above.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::through_activation<T>(
        above.size() / filters, filters, linear ? nullptr : static_cast<const T*>(saved.z.data()),
        static_cast<const T*>(above.data()), linear ? nullptr : saved.activation.elementwise(),
        // A linear layer's dz is upstream itself, which is only read.
        linear ? const_cast<T*>(static_cast<const T*>(dz.data())) : static_cast<T*>(dz.mutable_data()),
        wants_bias ? static_cast<T*>(bias.mutable_data()) : nullptr);
  });
  return {dz, bias};
}

Tensors backward(const Saved& saved, const Tensor& upstream) {
  const auto [dz, bias] = through_activation(saved, upstream);
  Tensors gradients(3);
  if (detail::is_recorded(saved.x))
    gradients[0] = conv_data(dz, saved.kernel, saved.geometry, saved.x.shape());
  if (detail::is_recorded(saved.kernel))
    gradients[1] = conv_kernel(saved.x, dz, saved.geometry, saved.kernel.shape());
  gradients[2] = bias;
  return gradients;
}

void forget(const KeptKernel& kept) {
  const std::lock_guard lock(kept.state().mutex);
  kept.state().kernel = Tensor();
  kept.state().primitive.reset();
  kept.state().packed.reset();
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ActivationFn& activation,
            const ConvGeometry& geometry, const Shape& shape, const KeptKernel* kept) {
  detail::check_same_dtype("conv", x, kernel);
  detail::check_arithmetic("conv", x);
  const ConvSizes sizes = sizes_of(x.shape(), kernel.shape(), shape, geometry);
  // Sigmoid leaves a note of what it was applied to, for losses that start from there.
  const ElementwiseFunction* elementwise = activation.elementwise();
  if (elementwise == nullptr || elementwise->operation() == "sigmoid")
    return activation(conv(x, kernel, bias, ActivationFn(), geometry, shape, kept));
  const FloatEnvironment environment;
  const bool recorded = wants_gradient({&x, &kernel, &bias}), linear = activation.is_linear();
  if (recorded && kept != nullptr) {
    forget(*kept);
    kept = nullptr;
  }
  const Tensor input = x.detach().contiguous(), weights = kernel.detach().contiguous();
  const Tensor offsets = bias.is_defined() ? bias.detach().contiguous() : Tensor();
  Tensor result = Tensor::empty(shape, x.dtype());
  Tensor z = recorded && !linear ? Tensor::empty(shape, x.dtype()) : Tensor();
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = static_cast<T*>(result.mutable_data());
    forward(sizes, static_cast<const T*>(input.data()), weights, kept,
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
                  Tensors gradients(2);
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
    Tensors gradients(2);
    if (detail::is_recorded(x)) gradients[0] = conv_data(upstream, u, geometry, x.shape());
    if (detail::is_recorded(upstream))
      gradients[1] = conv(x, u, {}, ActivationFn(), geometry, upstream.shape());
    return gradients;
  });
}

}  // namespace keratin::inline v0::ops
