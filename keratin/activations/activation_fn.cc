#include "keratin/activations/activation_fn.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "keratin/activations/builtin.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/dtypes.h"
#include "keratin/activations/elementwise_loop.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0 {
namespace {

using activations::detail::visit_floating;

using activations::detail::for_chunks;

// Pieces of 16-bit arrays for functions that know none: widened, computed, rounded once.
template <class H>
class Widened {
 public:
  static constexpr std::int64_t kMost = 256;

  Widened(const H* from, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) values_[i] = to_float(from[i]);
  }
  double* data() { return values_; }
  void round(H* to, std::int64_t count) const {
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<H, float16>) {
        to[i] = to_float16(values_[i]);
      } else {
        to[i] = to_bfloat16(values_[i]);
      }
    }
  }

 private:
  double values_[kMost];
};

template <class T>
constexpr bool kIs16Bit = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

// Calls body(begin, count) for pieces that a Widened holds.
template <class H, class Body>
void for_pieces(std::int64_t begin, std::int64_t end, const Body& body) {
  for (; begin < end; begin += Widened<H>::kMost) body(begin, std::min(end - begin, Widened<H>::kMost));
}

template <class T>
void run(const ElementwiseFunction& function, const T* x, T* y, std::int64_t size) {
  const activations::BoundFunction bound = function.bound();
  if (bound.function != nullptr) {
    return activations::detail::run_forward(*bound.function, bound.parameters, x, y, size);
  }
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    if constexpr (kIs16Bit<T>) {
      for_pieces<T>(begin, end, [&](std::int64_t i, std::int64_t count) {
        Widened<T> wide(x + i, count);
        function.forward(wide.data(), wide.data(), static_cast<std::size_t>(count));
        wide.round(y + i, count);
      });
    } else {
      function.forward(x + begin, y + begin, static_cast<std::size_t>(end - begin));
    }
  });
}

template <class T>
void run_gradient(const ElementwiseFunction& function, const T* x, const T* upstream, T* out,
                  std::int64_t size) {
  const activations::BoundFunction bound = function.bound();
  if (bound.function != nullptr) {
    return activations::detail::run_gradient(*bound.function, bound.parameters, x, upstream, out, size);
  }
  for_chunks(size, [&](std::int64_t begin, std::int64_t end) {
    if constexpr (kIs16Bit<T>) {
      for_pieces<T>(begin, end, [&](std::int64_t i, std::int64_t count) {
        Widened<T> wide(x + i, count), factor(upstream + i, count);
        function.gradient(wide.data(), factor.data(), wide.data(), static_cast<std::size_t>(count));
        wide.round(out + i, count);
      });
    } else {
      function.gradient(x + begin, upstream + begin, out + begin, static_cast<std::size_t>(end - begin));
    }
  });
}

Tensor gradient_tensor(const ElementwiseFunction& function, const Tensor& x, const Tensor& upstream) {
  const FloatEnvironment environment;
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  const Tensor factor = upstream.contiguous();
  visit_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    run_gradient(function, x.values<T>().data(), factor.values<T>().data(), out.mutable_values<T>().data(),
                 x.size());
  });
  return out;
}

// a·b of one shape and dtype, recorded. Ops multiply tensors too, but stand above this folder.
Tensor product(const Tensor& a, const Tensor& b) {
  const FloatEnvironment environment;
  const Tensor left = a.detach().contiguous(), right = b.detach().contiguous();
  Tensor out = Tensor::empty(a.shape(), a.dtype());
  visit_floating(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x = left.values<T>().data(), *y = right.values<T>().data();
    T* to = out.mutable_values<T>().data();
    for_chunks(out.size(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        if constexpr (std::is_same_v<T, float16>) {
          to[i] = to_float16(static_cast<double>(to_float(x[i])) * to_float(y[i]));
        } else if constexpr (std::is_same_v<T, bfloat16>) {
          to[i] = to_bfloat16(static_cast<double>(to_float(x[i])) * to_float(y[i]));
        } else {
          to[i] = x[i] * y[i];
        }
      }
    });
  });
  if (!wants_gradient({&a, &b})) return out;
  return record(std::move(out), "product", {&a, &b}, [a, b](const Tensor& upstream) {
    Tensors parts(2);
    if (a.node() != nullptr) parts[0] = product(upstream, b);
    if (b.node() != nullptr) parts[1] = product(upstream, a);
    return parts;
  });
}

// upstream·f'(x), recorded where the backward pass is: its gradient is f'(x) by upstream, upstream·f''(x) by
// x.
Tensor recorded_gradient(const std::shared_ptr<const ElementwiseFunction>& function, const Tensor& x,
                         const Tensor& upstream) {
  Tensor out = gradient_tensor(*function, x, upstream);
  if (!wants_gradient({&x, &upstream})) return out;
  return record(std::move(out), "activation gradient", {&x, &upstream},
                [function, x, upstream](const Tensor& above) {
                  Tensors parts(2);
                  if (x.node() != nullptr)
                    parts[0] = recorded_gradient(function->derivative(), x, product(above, upstream));
                  if (upstream.node() != nullptr) parts[1] = recorded_gradient(function, x, above);
                  return parts;
                });
}

}  // namespace

ActivationFunction::~ActivationFunction() = default;

std::shared_ptr<const ElementwiseFunction> ElementwiseFunction::derivative() const {
  throw TypeError("gradients", "a function whose derivative is known, for the gradient of a gradient",
                  "\"" + name() + "\" gives its value and gradient alone",
                  "Write it as an expression: [](auto x) { return x * K::sigmoid(x); }");
}

Tensor ElementwiseFunction::apply(const Tensor& x, bool) const {
  if (is_linear()) return x;
  activations::detail::check_floating(x, operation());
  const FloatEnvironment environment;
  // A Tensor's copy costs as much as a few numbers' results: none but for a view, or to remember.
  const Tensor copy = x.is_contiguous() ? Tensor() : x.contiguous();
  const Tensor& in = copy.is_defined() ? copy : x;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  visit_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    run(*this, in.values<T>().data(), y.mutable_values<T>().data(), in.size());
  });
  if (wants_gradient({&x})) {
    // From the input, not the output: y(1 - y) and 1 - y² lose millions of ULP in the tails.
    auto self = std::static_pointer_cast<const ElementwiseFunction>(shared_from_this());
    // With x's node, so that gradients of gradients reach it.
    Tensor kept = in.detach();
    kept.set_node(x.node());
    y = record(std::move(y), operation(), {&x},
               [self = std::move(self), kept = std::move(kept)](const Tensor& upstream) {
                 return Tensors{recorded_gradient(self, kept, upstream)};
               });
  }
  if (operation() == "sigmoid") {
    y.set_origin(detail::make_small<Tensor::Origin>(Tensor::Origin{"sigmoid", x}));
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
