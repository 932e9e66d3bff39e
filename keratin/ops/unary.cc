// Element-wise functions of one tensor.
#include <cmath>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/core/text.h"
#include "keratin/ops/check.h"
#include "keratin/ops/exp_log.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/loops.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

template <class F>
Tensor unary(std::string_view operation, const Tensor& a, F f) {
  detail::check_arithmetic(operation, a);
  const FloatEnvironment environment;
  const detail::Plan<1> plan(a.shape(), {&a});
  Tensor result = Tensor::empty(a.shape(), a.dtype());
  detail::visit_arithmetic(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::map(plan, static_cast<const T*>(a.data()), static_cast<T*>(result.mutable_data()), f);
  });
  return result;
}

// A function of whole arrays, run(x, y, count).
template <class Run>
Tensor on_vectors(std::string_view operation, const Tensor& a, Run run) {
  detail::check_arithmetic(operation, a);
  const FloatEnvironment environment;
  const Tensor source = a.detach().contiguous();
  Tensor result = Tensor::empty(a.shape(), a.dtype());
  detail::visit_arithmetic(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* in = static_cast<const T*>(source.data());
    auto* out = static_cast<T*>(result.mutable_data());
    parallel_for(result.size(), detail::kGrain, [&](std::int64_t begin, std::int64_t end) {
      run(in + begin, out + begin, static_cast<std::size_t>(end - begin));
    });
  });
  return result;
}

Tensor sign(const Tensor& a) {
  return unary("absolute", a.detach(), [](auto x) {
    using T = decltype(x);
    return x > 0 ? T(1) : (x < 0 ? T(-1) : x * T(0));
  });
}

// 1 where the bounds let x pass, compared in x's own dtype as clip does.
Tensor within(const Tensor& a, double low, double high) {
  return unary("clip", a.detach(), [low, high](auto x) {
    using T = decltype(x);
    return x >= static_cast<T>(low) && x <= static_cast<T>(high) ? T(1) : T(0);
  });
}

}  // namespace

Tensor power(const Tensor& a, double exponent) {
  // float32 goes through double: rounded once, and the same on every machine.
  Tensor result =
      exponent == 2 ? unary("power", a, [](auto x) { return x * x; }) : unary("power", a, [exponent](auto x) {
        return static_cast<decltype(x)>(std::pow(static_cast<double>(x), exponent));
      });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "power", {&a}, [a, exponent](const Tensor& upstream) -> Tensors {
    // 0·x^-1 would be NaN at 0.
    if (exponent == 0) return {Tensor::zeros(a.shape(), a.dtype())};
    return {multiply(upstream, power(a, exponent - 1) * exponent)};
  });
}

Tensor negative(const Tensor& a) {
  Tensor result = unary("negative", a, [](auto x) { return -x; });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "negative", {&a},
                [](const Tensor& upstream) -> Tensors { return {negative(upstream)}; });
}

Tensor absolute(const Tensor& a) {
  Tensor result = unary("absolute", a, [](auto x) { return std::abs(x); });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "absolute", {&a}, [a = a.detach()](const Tensor& upstream) -> Tensors {
    return {multiply(upstream, sign(a))};
  });
}

Tensor square(const Tensor& a) {
  Tensor result = unary("square", a, [](auto x) { return x * x; });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "square", {&a},
                [a](const Tensor& upstream) -> Tensors { return {multiply(upstream, a * 2.0)}; });
}

Tensor sqrt(const Tensor& a) {
  Tensor result = unary("sqrt", a, [](auto x) { return std::sqrt(x); });
  if (!wants_gradient({&a})) return result;
  return detail::record_with_result(
      std::move(result), "sqrt", {&a},
      [](const Tensor& upstream, const Tensor& y) -> Tensors { return {divide(upstream * 0.5, y)}; });
}

Tensor exp(const Tensor& a) {
  Tensor result = on_vectors("exp", a, [](auto x, auto y, auto count) { detail::exp(x, y, count); });
  if (!wants_gradient({&a})) return result;
  return detail::record_with_result(
      std::move(result), "exp", {&a},
      [](const Tensor& upstream, const Tensor& y) -> Tensors { return {multiply(upstream, y)}; });
}

Tensor log(const Tensor& a) {
  Tensor result = on_vectors("log", a, [](auto x, auto y, auto count) { detail::log(x, y, count); });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "log", {&a},
                [a](const Tensor& upstream) -> Tensors { return {divide(upstream, a)}; });
}

Tensor clip(const Tensor& a, double low, double high) {
  detail::check_arithmetic("clip", a);
  if (!(low <= high))
    throw ValueError("clip", "expects low <= high", "got low " + to_text(low) + " and high " + to_text(high));
  Tensor result = unary("clip", a, [low, high](auto x) {
    using T = decltype(x);
    const T bottom = static_cast<T>(low), top = static_cast<T>(high);
    const T raised = x < bottom ? bottom : x;  // NaN passes both
    return raised > top ? top : raised;
  });
  if (!wants_gradient({&a})) return result;
  return record(std::move(result), "clip", {&a},
                [a = a.detach(), low, high](const Tensor& upstream) -> Tensors {
                  return {multiply(upstream, within(a, low, high))};
                });
}

}  // namespace keratin::inline v0::ops
