#include "keratin/layers/prelu_op.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "keratin/core/parallel.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

// Calls visitor(float{}) or visitor(double{}).
template <class Visitor>
auto visit_floats(DType dtype, Visitor visitor) {
  return dtype == DType::float64 ? visitor(double{}) : visitor(float{});
}

// Calls body(i, j) for every element i and the slope j under it.
template <class Body>
void for_each_element(std::int64_t count, std::int64_t slopes, Body body) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t j = begin % slopes;
    for (std::int64_t i = begin; i < end; ++i) {
      body(i, j);
      if (++j == slopes) j = 0;
    }
  });
}

Tensor slopes_of(const Tensor& x, const Tensor& alpha) {
  return alpha.detach().broadcast_to(x.shape().part(1, x.rank())).contiguous();
}

// The gradients as ops, which record themselves for a second derivative.
Tensor input_gradient_of_ops(const Tensor& x, const Tensor& alpha, const Tensor& upstream) {
  const Tensor zero = Tensor::scalar(0, x.dtype()), one = Tensor::scalar(1, x.dtype());
  const Tensor below = ops::where(ops::greater(zero, x), alpha, zero);
  return upstream * ops::where(ops::greater(x, zero), one, below);
}
Tensor alpha_gradient_of_ops(const Tensor& x, const Tensor& alpha, const Tensor& upstream) {
  const Tensor zero = Tensor::scalar(0, x.dtype());
  return ops::detail::sum_to(upstream * ops::where(ops::greater(zero, x), x, zero), alpha.shape());
}

template <class T>
Tensor forward(const Tensor& given, const Tensor& alpha) {
  const Tensor x = given.detach().contiguous(), slopes = slopes_of(given, alpha);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const T *in = x.values<T>().data(), *a = slopes.values<T>().data();
  T* out = y.mutable_values<T>().data();
  for_each_element(x.size(), slopes.size(), [=](std::int64_t i, std::int64_t j) {
    const T value = in[i];
    out[i] = value < 0 ? a[j] * value : value;
  });
  return y;
}

template <class T>
Tensor input_gradient(const Tensor& given, const Tensor& alpha, const Tensor& given_upstream) {
  const Tensor x = given.detach().contiguous(), upstream = given_upstream.contiguous();
  const Tensor slopes = slopes_of(given, alpha);
  Tensor gradient = Tensor::empty(x.shape(), x.dtype());
  const T *in = x.values<T>().data(), *a = slopes.values<T>().data(), *up = upstream.values<T>().data();
  T* out = gradient.mutable_values<T>().data();
  for_each_element(x.size(), slopes.size(), [=](std::int64_t i, std::int64_t j) {
    const T derivative = in[i] > 0 ? T{1} : in[i] < 0 ? a[j] : T{0};
    out[i] = up[i] * derivative;
  });
  return gradient;
}

template <class T>
Tensor alpha_gradient(const Tensor& given, const Tensor& alpha, const Tensor& given_upstream) {
  const Tensor x = given.detach().contiguous(), upstream = given_upstream.contiguous();
  const Shape shape = x.shape().part(1, x.rank());
  const std::int64_t slopes = shape.size(), batch = x.shape()[0];
  Tensor gradient = Tensor::zeros(shape, x.dtype());
  const T *in = x.values<T>().data(), *up = upstream.values<T>().data();
  T* out = gradient.mutable_values<T>().data();
  // By slope, so that each sum runs over the batch in its order whatever the number of threads.
  parallel_for(slopes, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(batch, 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<double> sums(static_cast<std::size_t>(end - begin));
                 for (std::int64_t row = 0; row < batch; ++row) {
                   for (std::int64_t j = begin; j < end; ++j) {
                     const std::int64_t i = row * slopes + j;
                     if (in[i] < 0)
                       sums[static_cast<std::size_t>(j - begin)] += static_cast<double>(up[i]) * in[i];
                   }
                 }
                 for (std::int64_t j = begin; j < end; ++j) {
                   out[j] = static_cast<T>(sums[static_cast<std::size_t>(j - begin)]);
                 }
               });
  return ops::detail::sum_to(gradient, alpha.shape());
}

}  // namespace

Tensor prelu(const Tensor& x, const Tensor& alpha) {
  if (x.size() == 0) return ops::multiply(x, alpha);
  return visit_floats(x.dtype(), [&]<class T>(T) {
    Tensor y = forward<T>(x, alpha);
    if (!wants_gradient({&x, &alpha})) return y;
    return record(std::move(y), "prelu", {&x, &alpha}, [x, alpha](const Tensor& upstream) {
      Tensors result(2);
      const bool is_second = is_recording();
      if (ops::detail::is_recorded(x)) {
        result[0] =
            is_second ? input_gradient_of_ops(x, alpha, upstream) : input_gradient<T>(x, alpha, upstream);
      }
      if (ops::detail::is_recorded(alpha)) {
        result[1] =
            is_second ? alpha_gradient_of_ops(x, alpha, upstream) : alpha_gradient<T>(x, alpha, upstream);
      }
      return result;
    });
  });
}

}  // namespace keratin::inline v0::detail
