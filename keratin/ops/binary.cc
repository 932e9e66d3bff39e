// Element-wise functions of two tensors, comparisons and where.
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/loops.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

using detail::is_recorded;
using detail::sum_to;

template <class F>
Tensor binary(std::string_view operation, const Tensor& a, const Tensor& b, F f) {
  detail::check_same_dtype(operation, a, b);
  detail::check_arithmetic(operation, a);
  const FloatEnvironment environment;
  const Shape shape = broadcast(a.shape(), b.shape(), operation);
  const detail::Plan<2> plan(shape, {&a, &b});
  Tensor result = Tensor::empty(shape, a.dtype());
  detail::visit_arithmetic(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::map(plan, static_cast<const T*>(a.data()), static_cast<const T*>(b.data()),
                static_cast<T*>(result.mutable_data()), f);
  });
  return result;
}

template <class F>
Tensor comparison(std::string_view operation, const Tensor& a, const Tensor& b, F f) {
  detail::check_same_dtype(operation, a, b);
  detail::check_ordered(operation, a);
  const FloatEnvironment environment;
  const Shape shape = broadcast(a.shape(), b.shape(), operation);
  const detail::Plan<2> plan(shape, {&a, &b});
  Tensor result = Tensor::empty(shape, DType::boolean);
  detail::visit_ordered(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::map(plan, static_cast<const T*>(a.data()), static_cast<const T*>(b.data()),
                static_cast<bool*>(result.mutable_data()), f);
  });
  return result;
}

void check_boolean(std::string_view operation, const Tensor& a) {
  detail::check_defined(operation, a);
  if (a.dtype() == DType::boolean) return;
  throw TypeError(operation, "expects bool tensors", "got " + std::string(name(a.dtype())),
                  "Compare first, or cast it to bool.");
}

// The share of the gradient that goes to the first operand of maximum: 1 where it is larger, ½ where equal.
Tensor larger_share(const Tensor& a, const Tensor& b) {
  return binary("maximum", a.detach(), b.detach(), [](auto x, auto y) {
    using T = decltype(x);
    return x > y ? T(1) : (x == y ? T(0.5) : T(0));
  });
}

// Records maximum(a, b), or minimum: there the share is that of the smaller operand.
Tensor record_extremum(Tensor result, std::string_view operation, const Tensor& a, const Tensor& b,
                       bool maximum) {
  return record(std::move(result), operation, {&a, &b},
                [a = a.detach(), b = b.detach(), maximum, need_a = is_recorded(a),
                 need_b = is_recorded(b)](const Tensor& upstream) -> Tensors {
                  Tensors gradients(2);
                  const Tensor &high = maximum ? a : b, &low = maximum ? b : a;
                  if (need_a) gradients[0] = sum_to(multiply(upstream, larger_share(high, low)), a.shape());
                  if (need_b) gradients[1] = sum_to(multiply(upstream, larger_share(low, high)), b.shape());
                  return gradients;
                });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor result = binary("add", a, b, [](auto x, auto y) { return x + y; });
  if (!wants_gradient({&a, &b})) return result;
  return record(
      std::move(result), "add", {&a, &b},
      [a_shape = a.shape(), b_shape = b.shape(), need_a = is_recorded(a),
       need_b = is_recorded(b)](const Tensor& upstream) -> Tensors {
        return {need_a ? sum_to(upstream, a_shape) : Tensor(), need_b ? sum_to(upstream, b_shape) : Tensor()};
      });
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  Tensor result = binary("subtract", a, b, [](auto x, auto y) { return x - y; });
  if (!wants_gradient({&a, &b})) return result;
  return record(std::move(result), "subtract", {&a, &b},
                [a_shape = a.shape(), b_shape = b.shape(), need_a = is_recorded(a),
                 need_b = is_recorded(b)](const Tensor& upstream) -> Tensors {
                  return {need_a ? sum_to(upstream, a_shape) : Tensor(),
                          need_b ? negative(sum_to(upstream, b_shape)) : Tensor()};
                });
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  Tensor result = binary("multiply", a, b, [](auto x, auto y) { return x * y; });
  if (!wants_gradient({&a, &b})) return result;
  // Each operand is kept only for the other's gradient.
  return record(std::move(result), "multiply", {&a, &b},
                [factor_a = is_recorded(a) ? b : Tensor(), factor_b = is_recorded(b) ? a : Tensor(),
                 a_shape = a.shape(), b_shape = b.shape()](const Tensor& upstream) -> Tensors {
                  return {factor_a.is_defined() ? sum_to(multiply(upstream, factor_a), a_shape) : Tensor(),
                          factor_b.is_defined() ? sum_to(multiply(upstream, factor_b), b_shape) : Tensor()};
                });
}

Tensor divide(const Tensor& a, const Tensor& b) {
  Tensor result = binary("divide", a, b, [](auto x, auto y) { return x / y; });
  if (!wants_gradient({&a, &b})) return result;
  return record(std::move(result), "divide", {&a, &b},
                [dividend = is_recorded(b) ? a : Tensor(), b, need_a = is_recorded(a),
                 a_shape = a.shape()](const Tensor& upstream) -> Tensors {
                  const Tensor quotient = divide(upstream, b);
                  Tensors gradients(2);
                  if (need_a) gradients[0] = sum_to(quotient, a_shape);
                  // Not a/b²: b² overflows long before the gradient does.
                  if (dividend.is_defined())
                    gradients[1] = sum_to(negative(multiply(quotient, divide(dividend, b))), b.shape());
                  return gradients;
                });
}

// NaN wins, as in NumPy: x > y is false for a NaN in y, and a NaN in x is told by x != x.
Tensor maximum(const Tensor& a, const Tensor& b) {
  Tensor result = binary("maximum", a, b, [](auto x, auto y) { return x > y || x != x ? x : y; });
  return wants_gradient({&a, &b}) ? record_extremum(std::move(result), "maximum", a, b, true) : result;
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  Tensor result = binary("minimum", a, b, [](auto x, auto y) { return x < y || x != x ? x : y; });
  return wants_gradient({&a, &b}) ? record_extremum(std::move(result), "minimum", a, b, false) : result;
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  detail::check_defined("where", condition);
  if (condition.dtype() != DType::boolean)
    throw TypeError("where", "expects a bool condition", "got " + std::string(name(condition.dtype())),
                    "Compare first, or cast it to bool.");
  detail::check_same_dtype("where", a, b);
  const Shape shape = broadcast(broadcast(condition.shape(), a.shape(), "where"), b.shape(), "where");
  const detail::Plan<3> plan(shape, {&condition, &a, &b});
  Tensor result = Tensor::empty(shape, a.dtype());
  visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::select(plan, static_cast<const bool*>(condition.data()), static_cast<const T*>(a.data()),
                   static_cast<const T*>(b.data()), static_cast<T*>(result.mutable_data()));
  });
  if (!wants_gradient({&a, &b})) return result;
  return record(std::move(result), "where", {&a, &b},
                [condition, a_shape = a.shape(), b_shape = b.shape(), need_a = is_recorded(a),
                 need_b = is_recorded(b)](const Tensor& upstream) -> Tensors {
                  const Tensor zero = Tensor::scalar(0, upstream.dtype());
                  return {need_a ? sum_to(where(condition, upstream, zero), a_shape) : Tensor(),
                          need_b ? sum_to(where(condition, zero, upstream), b_shape) : Tensor()};
                });
}

Tensor equal(const Tensor& a, const Tensor& b) {
  return comparison("equal", a, b, [](auto x, auto y) { return x == y; });
}

Tensor not_equal(const Tensor& a, const Tensor& b) {
  return comparison("not_equal", a, b, [](auto x, auto y) { return x != y; });
}

Tensor greater(const Tensor& a, const Tensor& b) {
  return comparison("greater", a, b, [](auto x, auto y) { return x > y; });
}

Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return comparison("greater_equal", a, b, [](auto x, auto y) { return x >= y; });
}

Tensor less(const Tensor& a, const Tensor& b) {
  return comparison("less", a, b, [](auto x, auto y) { return x < y; });
}

Tensor less_equal(const Tensor& a, const Tensor& b) {
  return comparison("less_equal", a, b, [](auto x, auto y) { return x <= y; });
}

Tensor logical_and(const Tensor& a, const Tensor& b) {
  check_boolean("logical_and", a);
  return comparison("logical_and", a, b, [](auto x, auto y) { return x != 0 && y != 0; });
}

Tensor logical_or(const Tensor& a, const Tensor& b) {
  check_boolean("logical_or", a);
  return comparison("logical_or", a, b, [](auto x, auto y) { return x != 0 || y != 0; });
}

Tensor logical_not(const Tensor& a) {
  check_boolean("logical_not", a);
  return comparison("logical_not", a, a, [](auto x, auto) { return x == 0; });
}

}  // namespace keratin::inline v0::ops

namespace keratin::inline v0 {
namespace {

Tensor number_like(const Tensor& a, double value) {
  ops::detail::check_arithmetic("operator", a);
  return Tensor::scalar(value, a.dtype());
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) { return ops::add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return ops::subtract(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return ops::multiply(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return ops::divide(a, b); }
Tensor operator-(const Tensor& a) { return ops::negative(a); }
Tensor operator+(const Tensor& a, double b) { return ops::add(a, number_like(a, b)); }
Tensor operator+(double a, const Tensor& b) { return ops::add(number_like(b, a), b); }
Tensor operator-(const Tensor& a, double b) { return ops::subtract(a, number_like(a, b)); }
Tensor operator-(double a, const Tensor& b) { return ops::subtract(number_like(b, a), b); }
Tensor operator*(const Tensor& a, double b) { return ops::multiply(a, number_like(a, b)); }
Tensor operator*(double a, const Tensor& b) { return ops::multiply(number_like(b, a), b); }
Tensor operator/(const Tensor& a, double b) { return ops::divide(a, number_like(a, b)); }
Tensor operator/(double a, const Tensor& b) { return ops::divide(number_like(b, a), b); }

}  // namespace keratin::inline v0
