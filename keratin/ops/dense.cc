#include "keratin/ops/dense.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/activation_gradient.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

using detail::Matrix;

struct Sizes {
  std::int64_t rows, in, units;
};

Sizes check(const Tensor& x, const Tensor& kernel, const Tensor& bias) {
  detail::check_same_dtype("dense", x, kernel);
  detail::check_arithmetic("dense", x);
  if (x.rank() < 2)
    throw ShapeError("dense", "expects an input of shape (batch, ..., in)",
                     "got shape " + x.shape().to_string(), "Put a batch axis in front: expand_dims(x, 0).");
  if (kernel.rank() != 2 || kernel.shape()[1] < 1)
    throw ShapeError("dense", "expects a kernel of shape (in, units) with at least one unit",
                     "got shape " + kernel.shape().to_string());
  const std::int64_t in = kernel.shape()[0], units = kernel.shape()[1];
  if (x.shape().back() != in)
    throw ShapeError("dense",
                     "expects " + std::to_string(in) + " features on the last axis, as the kernel of shape " +
                         kernel.shape().to_string() + " has rows",
                     "got an input of shape " + x.shape().to_string());
  if (bias.is_defined()) {
    detail::check_same_dtype("dense", x, bias);
    if (bias.shape() != Shape{units})
      throw ShapeError("dense",
                       "expects a bias of shape " + Shape{units}.to_string() + " with a kernel of shape " +
                           kernel.shape().to_string(),
                       "got " + bias.shape().to_string());
  }
  return {x.shape().part(0, x.rank() - 1).size(), in, units};
}

// z = x·kernel + bias, y = f(z), block by block: bias and activation find their block in cache. z may be y.
template <class T>
void forward(const Sizes& sizes, const T* x, const T* kernel, const T* bias,
             const ElementwiseFunction* activation, T* z, T* y) {
  if (sizes.rows == 0) return;
  const std::int64_t units = sizes.units;
  const detail::Blocking block = detail::blocking_of(sizes.rows, units, false);
  const std::int64_t across = (units - 1) / block.columns + 1, down = (sizes.rows - 1) / block.rows + 1;
  const auto one = [&](std::int64_t row, std::int64_t column) {
    const std::int64_t rows = std::min(block.rows, sizes.rows - row);
    const std::int64_t columns = std::min(block.columns, units - column);
    const std::int64_t start = row * units + column;
    detail::gemm_block(rows, columns, sizes.in, Matrix<T>{x + row * sizes.in, sizes.in},
                       Matrix<T>{kernel + column, units}, z + start, units);
    for (std::int64_t r = 0; r < rows; ++r) {
      T* line = z + start + r * units;
      if (bias != nullptr)
        for (std::int64_t i = 0; i < columns; ++i) line[i] += bias[column + i];
      if (activation != nullptr && columns < units)
        activation->forward(line, y + start + r * units, static_cast<std::size_t>(columns));
    }
    if (activation != nullptr && columns == units)
      activation->forward(z + start, y + start, static_cast<std::size_t>(rows * units));
  };
  parallel_for(across * down, detail::blocks_per_chunk(block, sizes.in),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t place = begin; place < end; ++place)
                   one(place / across * block.rows, place % across * block.columns);
               });
}

// What the backward pass needs.
struct Saved {
  Tensor x, kernel, bias;  // as given, so that second derivatives reach them
  Tensor z;                // the pre-activation; undefined where the activation is linear
  ActivationFn activation;
  Sizes sizes;
};

Tensors backward(const Saved& saved, const Tensor& upstream) {
  const FloatEnvironment environment;
  const Sizes& sizes = saved.sizes;
  const Tensor from_above = upstream.detach().contiguous();
  const Tensor x = saved.x.detach().contiguous(), kernel = saved.kernel.detach().contiguous();
  const bool linear = !saved.z.is_defined();
  Tensor dz = linear ? from_above : Tensor::empty(upstream.shape(), upstream.dtype());
  Tensors gradients(3);
  if (saved.bias.is_defined() && detail::is_recorded(saved.bias))
    gradients[2] = Tensor::empty(saved.bias.shape(), upstream.dtype());
  detail::visit_arithmetic(upstream.dtype(), [&](auto zero) {
    using T = decltype(zero);
    // A linear layer's dz is upstream itself, which is only read.
    T* dz_data =
        linear ? const_cast<T*>(static_cast<const T*>(dz.data())) : static_cast<T*>(dz.mutable_data());
    if (!linear || gradients[2].is_defined())
      detail::through_activation(
          sizes.rows, sizes.units, linear ? nullptr : static_cast<const T*>(saved.z.data()),
          static_cast<const T*>(from_above.data()), linear ? nullptr : saved.activation.elementwise(),
          dz_data, gradients[2].is_defined() ? static_cast<T*>(gradients[2].mutable_data()) : nullptr);
    const Matrix<T> above{dz_data, sizes.units};
    if (detail::is_recorded(saved.kernel)) {
      gradients[1] = Tensor::empty(saved.kernel.shape(), upstream.dtype());
      detail::gemm(sizes.in, sizes.units, sizes.rows,
                   Matrix<T>{static_cast<const T*>(x.data()), sizes.in, true}, above,
                   static_cast<T*>(gradients[1].mutable_data()), sizes.units);
    }
    if (detail::is_recorded(saved.x)) {
      gradients[0] = Tensor::empty(saved.x.shape(), upstream.dtype());
      detail::gemm(sizes.rows, sizes.in, sizes.units, above,
                   Matrix<T>{static_cast<const T*>(kernel.data()), sizes.units, true},
                   static_cast<T*>(gradients[0].mutable_data()), sizes.in);
    }
  });
  return gradients;
}

// The same from ops that record themselves.
Tensors recorded_backward(const Saved& saved, const Tensor& upstream) {
  const Sizes& sizes = saved.sizes;
  Tensor dz = upstream;
  if (saved.z.is_defined()) {
    const Tensor z = dense(saved.x, saved.kernel, saved.bias, ActivationFn());
    dz = saved.activation(z).node()->backward(upstream).front();
  }
  dz = reshape(dz, {sizes.rows, sizes.units});
  Tensors gradients(3);
  if (detail::is_recorded(saved.x))
    gradients[0] = reshape(matmul(dz, transpose(saved.kernel)), saved.x.shape());
  if (detail::is_recorded(saved.kernel))
    gradients[1] = matmul(transpose(reshape(saved.x, {sizes.rows, sizes.in})), dz);
  if (saved.bias.is_defined() && detail::is_recorded(saved.bias)) gradients[2] = sum(dz, {{0}});
  return gradients;
}

}  // namespace

Tensor dense(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ActivationFn& activation) {
  const Sizes sizes = check(x, kernel, bias);
  // Sigmoid leaves a note of what it was applied to, for losses that start from there.
  const ElementwiseFunction* elementwise = activation.elementwise();
  if (elementwise == nullptr || elementwise->operation() == "sigmoid")
    return activation(dense(x, kernel, bias, ActivationFn()));

  const FloatEnvironment environment;
  const bool recorded = wants_gradient({&x, &kernel, &bias}), linear = activation.is_linear();
  const Tensor input = x.detach().contiguous(), weights = kernel.detach().contiguous();
  const Tensor offsets = bias.is_defined() ? bias.detach().contiguous() : Tensor();
  Shape shape = x.shape();
  shape[x.rank() - 1] = sizes.units;
  Tensor result = Tensor::empty(shape, x.dtype());
  Tensor z = recorded && !linear ? Tensor::empty(shape, x.dtype()) : Tensor();
  detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = static_cast<T*>(result.mutable_data());
    forward(sizes, static_cast<const T*>(input.data()), static_cast<const T*>(weights.data()),
            offsets.is_defined() ? static_cast<const T*>(offsets.data()) : nullptr,
            linear ? nullptr : activation.elementwise(),
            z.is_defined() ? static_cast<T*>(z.mutable_data()) : y, y);
  });
  if (!recorded) return result;
  return record(std::move(result), "dense", {&x, &kernel, &bias},
                [saved = Saved{x, kernel, bias, z, activation, sizes}](const Tensor& upstream) {
                  return is_recording() ? recorded_backward(saved, upstream) : backward(saved, upstream);
                });
}

}  // namespace keratin::inline v0::ops
