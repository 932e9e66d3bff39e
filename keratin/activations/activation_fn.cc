#include "keratin/activations/activation_fn.h"

#include <algorithm>
#include <utility>

#include "keratin/activations/builtin.h"
#include "keratin/activations/dtypes.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0 {
namespace {

// About 20 to 500 microseconds of work: what waking a thread costs is lost in it.
constexpr std::int64_t kGrain = 1 << 14;

template <class Body>
void for_chunks(std::int64_t size, const Body& body) {
  if (size <= kGrain) return body(std::int64_t{0}, size);
  parallel_for(size, kGrain, body);
}

template <class T>
void run(const ElementwiseFunction& function, const Tensor& x, Tensor& y) {
  const T* in = x.values<T>().data();
  T* out = y.mutable_values<T>().data();
  for_chunks(x.size(), [&](std::int64_t begin, std::int64_t end) {
    function.forward(in + begin, out + begin, static_cast<std::size_t>(end - begin));
  });
}

template <class T>
void run_gradient(const ElementwiseFunction& function, const Tensor& x, const Tensor& upstream, Tensor& out) {
  const T *in = x.values<T>().data(), *g = upstream.values<T>().data();
  T* to = out.mutable_values<T>().data();
  for_chunks(x.size(), [&](std::int64_t begin, std::int64_t end) {
    function.gradient(in + begin, g + begin, to + begin, static_cast<std::size_t>(end - begin));
  });
}

Tensor gradient_tensor(const ElementwiseFunction& function, const Tensor& x, const Tensor& upstream) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  if (x.dtype() == DType::float32) {
    run_gradient<float>(function, x, upstream.contiguous(), out);
  } else {
    run_gradient<double>(function, x, upstream.contiguous(), out);
  }
  return out;
}

}  // namespace

ActivationFunction::~ActivationFunction() = default;

Tensor ElementwiseFunction::apply(const Tensor& x, bool) const {
  if (is_linear()) return x;
  activations::detail::check_floating(x, operation());
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  if (x.dtype() == DType::float32) {
    run<float>(*this, in, y);
  } else {
    run<double>(*this, in, y);
  }
  if (wants_gradient({&x})) {
    // From the input, not the output: y(1 - y) and 1 - y² lose millions of ULP in the tails.
    auto self = std::static_pointer_cast<const ElementwiseFunction>(shared_from_this());
    y = record(std::move(y), operation(), {&x}, [self = std::move(self), in](const Tensor& upstream) {
      return std::vector{gradient_tensor(*self, in, upstream)};
    });
  }
  if (operation() == "sigmoid") {
    y.set_origin(std::make_shared<const Tensor::Origin>(Tensor::Origin{"sigmoid", x}));
  }
  return y;
}

ActivationFn::ActivationFn() {
  static const ActivationFn linear(activations::Linear{});
  *this = linear;
}

ActivationFn::ActivationFn(const char* name) : ActivationFn(activations::get(name)) {}
ActivationFn::ActivationFn(std::string_view name) : ActivationFn(activations::get(name)) {}

ActivationFn::ActivationFn(std::shared_ptr<const ActivationFunction> function)
    : function_(std::move(function)) {
  if (function_ == nullptr) {
    *this = ActivationFn();
    return;
  }
  elementwise_ = dynamic_cast<const ElementwiseFunction*>(function_.get());
  // A StatefulActivation's weights are made after it: the one thing that is not constant.
  stateful_ = const_cast<StatefulActivation*>(dynamic_cast<const StatefulActivation*>(function_.get()));
}

}  // namespace keratin::inline v0
