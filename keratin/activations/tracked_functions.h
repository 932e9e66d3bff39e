// For tests: dual numbers in long double that carry how much double may be off, and the functions that random
// expressions are made of.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "keratin/activations/backend.h"

namespace keratin::random_expression {

namespace K = backend;
using Real = long double;

inline constexpr Real kUnit = 0x1p-53L;

// A number and its slope, with bounds of what rounding may have done to them in double (first order). The
// branches that led here tell points apart between which a kink lies.
struct Tracked {
  Real value, slope;
  Real value_error = 0, slope_error = 0;
  std::uint64_t branches = 1;
  bool is_decided = true;
};

struct Slopes {
  Real value, first, second;
};

inline Tracked joined(Tracked result, const Tracked& a, const Tracked& b) {
  result.branches = a.branches * 0x9E3779B97F4A7C15u + b.branches;
  result.is_decided = a.is_decided && b.is_decided;
  return result;
}

inline Tracked sum(const Tracked& a, const Tracked& b, int sign) {
  const Real value = a.value + sign * b.value, slope = a.slope + sign * b.slope;
  return joined({value, slope, a.value_error + b.value_error + kUnit * std::fabs(value),
                 a.slope_error + b.slope_error + kUnit * std::fabs(slope)},
                a, b);
}

inline Tracked product(const Tracked& a, const Tracked& b) {
  const Real value = a.value * b.value, one = a.value * b.slope, other = a.slope * b.value;
  const auto size = [](Real x, Real y) { return std::fabs(x * y); };
  return joined({value, one + other,
                 size(a.value_error, b.value) + size(a.value, b.value_error) + kUnit * std::fabs(value),
                 size(a.value_error, b.slope) + size(a.value, b.slope_error) + size(a.slope_error, b.value) +
                     size(a.slope, b.value_error) + 2 * kUnit * (std::fabs(one) + std::fabs(other))},
                a, b);
}

inline Tracked quotient(const Tracked& a, const Tracked& b) {
  const Real value = a.value / b.value, lost = value * b.slope, slope = (a.slope - lost) / b.value;
  const Real value_error =
      (a.value_error + std::fabs(value) * b.value_error) / std::fabs(b.value) + kUnit * std::fabs(value);
  const Real lost_error = value_error * std::fabs(b.slope) + std::fabs(value) * b.slope_error;
  const Real slope_error =
      (a.slope_error + lost_error + kUnit * (std::fabs(lost) + std::fabs(a.slope - lost))) /
          std::fabs(b.value) +
      std::fabs(slope / b.value) * b.value_error + kUnit * std::fabs(slope);
  Tracked y = joined({value, slope, value_error, slope_error}, a, b);
  y.is_decided = y.is_decided && std::fabs(b.value) > 1e6L * b.value_error;
  return y;
}

// A function off by `units` of max(its value, least), its slope alike.
inline Tracked applied(const Tracked& a, const Slopes& f, int units, Real least = 0) {
  Tracked y = a;
  y.value = f.value;
  y.slope = f.first * a.slope;
  y.value_error = std::fabs(f.first) * a.value_error + units * kUnit * std::fmax(std::fabs(f.value), least);
  y.slope_error = std::fabs(f.first) * a.slope_error + std::fabs(f.second * a.slope) * a.value_error +
                  units * kUnit * std::fmax(std::fabs(f.first), least) * std::fabs(a.slope);
  return y;
}

inline Tracked chosen(const Tracked& a, const Tracked& b, bool takes_b, const Tracked& yes,
                      const Tracked& no) {
  Tracked y = takes_b ? no : yes;
  y.branches = (y.branches + a.branches * 31 + b.branches * 17) * 2 + (takes_b ? 1 : 0);
  y.is_decided = a.is_decided && b.is_decided && yes.is_decided && no.is_decided &&
                 std::fabs(a.value - b.value) > 4 * (a.value_error + b.value_error);
  return y;
}

struct Function {
  Expr (*expr)(const Expr&);
  const char* text;  // of u
  Slopes (*slopes)(Real);
  int units;
  Real least = 0;
};

inline Real logistic(Real u) { return 1 / (1 + std::exp(-u)); }
inline constexpr Real kRootPi = 1 / std::numbers::inv_sqrtpi_v<Real>;

// Units as tape_math and simd state them. Built-ins in an expression are off by 16 units of max(1, value), as
// expression_test holds them to; their second derivatives are below 2.
inline const Function kFunctions[] = {
    {[](const Expr& x) { return K::exp(x); }, "exp(u)",
     [](Real u) {
       return Slopes{std::exp(u), std::exp(u), std::exp(u)};
     },
     3},
    {[](const Expr& x) { return K::expm1(x); }, "(exp(u) - 1)",
     [](Real u) {
       return Slopes{std::expm1(u), std::exp(u), std::exp(u)};
     },
     3},
    {[](const Expr& x) { return K::log(x); }, "log(u)",
     [](Real u) {
       return Slopes{std::log(u), 1 / u, -1 / (u * u)};
     },
     3},
    {[](const Expr& x) { return K::log1p(x); }, "log(1 + u)",
     [](Real u) {
       return Slopes{std::log1p(u), 1 / (1 + u), -1 / ((1 + u) * (1 + u))};
     },
     4},
    {[](const Expr& x) { return K::sqrt(x); }, "sqrt(u)",
     [](Real u) {
       return Slopes{std::sqrt(u), 0.5L / std::sqrt(u), -0.25L / (u * std::sqrt(u))};
     },
     3},
    {[](const Expr& x) { return K::tanh(x); }, "tanh(u)",
     [](Real u) {
       const Real t = std::tanh(u), slope = 1 / (std::cosh(u) * std::cosh(u));
       return Slopes{t, slope, -2 * t * slope};
     },
     4},
    {[](const Expr& x) { return K::erf(x); }, "erf(u)",
     [](Real u) {
       const Real slope = 2 / kRootPi * std::exp(-u * u);
       return Slopes{std::erf(u), slope, -2 * u * slope};
     },
     4},
    {[](const Expr& x) { return K::sigmoid(x); }, "(1/(1 + exp(-u)))",
     [](Real u) {
       const Real s = logistic(u), slope = s * logistic(-u);
       return Slopes{s, slope, slope * (1 - 2 * s)};
     },
     4},
    {[](const Expr& x) { return K::softplus(x); }, "log(1 + exp(u))",
     [](Real u) {
       return Slopes{std::fmax(u, 0) + std::log1p(std::exp(-std::fabs(u))), logistic(u),
                     logistic(u) * logistic(-u)};
     },
     4},
    {[](const Expr& x) { return K::silu(x); }, "(u/(1 + exp(-u)))",
     [](Real u) {
       const Real s = logistic(u);
       return Slopes{u * s, s * (1 + u * logistic(-u)), 2};
     },
     16, 1},
    {[](const Expr& x) { return K::gelu(x); }, "(u*(1 + erf(u/sqrt(2)))/2)",
     [](Real u) {
       const Real cdf = std::erfc(-u / std::numbers::sqrt2_v<Real>) / 2;
       return Slopes{u * cdf, cdf + u * std::exp(-u * u / 2) / (kRootPi * std::numbers::sqrt2_v<Real>), 2};
     },
     16, 1},
    {[](const Expr& x) { return K::pow(x, 3); }, "(u*u*u)",
     [](Real u) {
       return Slopes{u * u * u, 3 * u * u, 6 * u};
     },
     4},
    {[](const Expr& x) { return K::reciprocal(x); }, "(1/u)",
     [](Real u) {
       return Slopes{1 / u, -1 / (u * u), 2 / (u * u * u)};
     },
     3},
    {[](const Expr& x) { return K::sin(x); }, "sin(u)",
     [](Real u) {
       return Slopes{std::sin(u), std::cos(u), -std::sin(u)};
     },
     2},
    {[](const Expr& x) { return K::cos(x); }, "cos(u)",
     [](Real u) {
       return Slopes{std::cos(u), -std::sin(u), -std::cos(u)};
     },
     2},
    {[](const Expr& x) { return K::atan(x); }, "atan(u)",
     [](Real u) {
       const Real slope = 1 / (1 + u * u);
       return Slopes{std::atan(u), slope, -2 * u * slope * slope};
     },
     4},
    {[](const Expr& x) { return K::sinh(x); }, "sinh(u)",
     [](Real u) {
       return Slopes{std::sinh(u), std::cosh(u), std::sinh(u)};
     },
     3},
    {[](const Expr& x) { return K::cosh(x); }, "cosh(u)",
     [](Real u) {
       return Slopes{std::cosh(u), std::sinh(u), std::cosh(u)};
     },
     4},
    {[](const Expr& x) { return K::tan(x); }, "(sin(u)/cos(u))",
     [](Real u) {
       const Real slope = 1 / (std::cos(u) * std::cos(u));
       return Slopes{std::tan(u), slope, 2 * std::tan(u) * slope};
     },
     10},
    {[](const Expr& x) { return K::erfc(x); }, "erfc(u)",
     [](Real u) {
       const Real slope = -2 / kRootPi * std::exp(-u * u);
       return Slopes{std::erfc(u), slope, -2 * u * slope};
     },
     5},
    {[](const Expr& x) { return K::square(x); }, "(u*u)",
     [](Real u) {
       return Slopes{u * u, 2 * u, 2};
     },
     2},
    {[](const Expr& x) { return K::negative(x); }, "(-u)",
     [](Real u) {
       return Slopes{-u, -1, 0};
     },
     1},
    {[](const Expr& x) { return K::rsqrt(x); }, "(1/sqrt(u))",
     [](Real u) {
       const Real y = 1 / std::sqrt(u);
       return Slopes{y, -0.5L * y / u, 0.75L * y / (u * u)};
     },
     8},
    {[](const Expr& x) { return K::pow(x, -2); }, "(1/(u*u))",
     [](Real u) {
       return Slopes{1 / (u * u), -2 / (u * u * u), 6 / (u * u * u * u)};
     },
     6},
    // |2.5 ln u| ULP: 64 units for what is between 1e-14 and 1e14.
    {[](const Expr& x) { return K::pow(x, 2.5); }, "(u^2.5)",
     [](Real u) {
       const Real root = std::sqrt(u);
       return Slopes{u * u * root, 2.5L * u * root, 3.75L * root};
     },
     64, 1e-12L},
};

// Functions with steps or kinks: which piece u lies on, how far it is from the next, and the pieces.
struct Stepped {
  Expr (*expr)(const Expr&);
  const char* text;
  Real (*piece)(Real);
  Real (*distance)(Real);
  Slopes (*slopes)(Real);
};

inline Real from_whole(Real u) { return std::fabs(u - std::nearbyint(u)); }
inline const Stepped kStepped[] = {
    {[](const Expr& x) { return K::abs(x); }, "abs(u)", [](Real u) { return std::copysign(Real{1}, u); },
     [](Real u) { return std::fabs(u); },
     [](Real u) {
       return Slopes{std::fabs(u), std::copysign(Real{1}, u), 0};
     }},
    {[](const Expr& x) { return K::sign(x); }, "sign(u)", [](Real u) { return std::copysign(Real{1}, u); },
     [](Real u) { return std::fabs(u); },
     [](Real u) {
       return Slopes{std::copysign(Real{1}, u), 0, 0};
     }},
    {[](const Expr& x) { return K::floor(x); }, "floor(u)", [](Real u) { return std::floor(u); }, from_whole,
     [](Real u) {
       return Slopes{std::floor(u), 0, 0};
     }},
    {[](const Expr& x) { return K::round(x); }, "round(u)", [](Real u) { return std::nearbyint(u); },
     [](Real u) { return from_whole(u - 0.5L); },
     [](Real u) {
       return Slopes{std::nearbyint(u), 0, 0};
     }},
    {[](const Expr& x) { return K::clip(x, -1, 1.5); }, "min(max(u, -1), 1.5)",
     [](Real u) { return u < -1     ? Real{-1}
                         : u > 1.5L ? Real{1}
                                    : Real{0}; },
     [](Real u) { return std::fmin(std::fabs(u + 1), std::fabs(u - 1.5L)); },
     [](Real u) {
       const bool is_inside = u > -1 && u < 1.5L;
       return Slopes{std::fmin(std::fmax(u, -1), 1.5L), is_inside ? Real{1} : Real{0}, 0};
     }},
};

}  // namespace keratin::random_expression
