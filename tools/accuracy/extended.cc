// Running error bounds around the C library's long double functions.
#include "tools/accuracy/extended.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace keratin::accuracy {
namespace {

using Real = long double;

static_assert(std::numeric_limits<Real>::digits >= 64, "the oracle wants eleven bits beyond double");

// A rounding is at most 2^-64 of the result; twice that pays for the roundings of the bound itself. glibc's
// manual knows of no long double function used here that is off by more than 5 ULP, 2^-60.6; four times that
// for what is made of one or two of them.
constexpr Real kUnit = 0x1p-63L, kFunction = 0x1p-58L;
// Results below kSmall may be anything below kTiny. e^±kFar is beyond the one and the other.
constexpr Real kSmall = 1e-4900L, kTiny = 1e-4930L, kFar = 11300;
constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

// e^d - 1 at most, for 0 <= d < 1.
Real growth(Real d) { return d < 1 ? d + d * d : kInfinity; }

Real lost(Real y) { return std::fabs(y) < kSmall ? kTiny : 0; }

// Whether an argument is surely so far below 0 that e^a is less than kTiny; so far above that it counts as
// infinite; so far from 0.
bool vanishes(Extended a) { return a.value + a.error < -kFar; }
bool overflows(Extended a) { return a.value - a.error > kFar; }
bool saturates(Extended a) { return std::fabs(a.value) - a.error > kFar; }

Extended sum(Extended a, Extended b) {
  const Real y = a.value + b.value;
  return {y, a.error + b.error + std::fabs(y) * kUnit};
}

Extended product(Extended a, Extended b) {
  if ((a.value == 0 && a.error == 0) || (b.value == 0 && b.error == 0)) return {0, 0};
  const Real y = a.value * b.value;
  const Real cross = std::fabs(a.value) * b.error + (std::fabs(b.value) + b.error) * a.error;
  return {y, cross + std::fabs(y) * kUnit + lost(y)};
}

Extended quotient(Extended a, Extended b) {
  const Real y = a.value / b.value, least = std::fabs(b.value) - b.error;
  if (!(least > 0)) return {y, kInfinity};
  return {y, (std::fabs(y) * b.error + a.error) / least + std::fabs(y) * kUnit + lost(y)};
}

Extended root(Extended a) {
  const Real y = std::sqrt(a.value);
  if (a.error == 0) return {y, y * kUnit};
  return {y, a.value > 4 * a.error ? Real(0.6) * a.error / y + y * kUnit : kInfinity};
}

Extended exponential(Extended a) {
  if (overflows(a)) return {kInfinity, 0};
  if (vanishes(a)) return {0, kTiny};
  const Real y = std::exp(a.value);
  return {y, y * (growth(a.error) + kFunction) + kTiny};
}

Extended exponential_minus_one(Extended a) {
  if (overflows(a)) return {kInfinity, 0};
  if (vanishes(a)) return {-1, kTiny};
  const Real y = std::expm1(a.value);
  return {y, (std::fabs(y) + 1) * growth(a.error) + std::fabs(y) * kFunction};
}

Extended softplus(Extended a) {
  const Real e = std::exp(-std::fabs(a.value)), y = std::max<Real>(a.value, 0) + std::log1p(e);
  // The slope is at most e^a, and 1.
  const Real below = vanishes(a) ? 0 : e * growth(a.error);
  return {y, (a.value < 0 ? std::min(below, a.error) : a.error) + y * kFunction + kTiny};
}

Extended logistic(Extended a) {
  const Real e = std::exp(-std::fabs(a.value)), y = (a.value < 0 ? e : 1) / (1 + e);
  // The slope is at most e^-|a|.
  return {y, (saturates(a) ? 0 : e * growth(a.error)) + y * kFunction + kTiny};
}

Extended hyperbolic_tangent(Extended a) {
  const Real y = std::tanh(a.value);
  if (a.error == 0) return {y, std::fabs(y) * kFunction};
  // The slope is at most 4 e^(-2|a|), and 1.
  const Real slope = std::min<Real>(1, 4 * std::exp(-2 * std::fabs(a.value)));
  return {y, (saturates(a) ? 0 : slope * growth(2 * a.error)) + std::fabs(y) * kFunction + kTiny};
}

Extended sech2(Extended a) {
  const Real e = std::exp(-2 * std::fabs(a.value)), y = 4 * e / ((1 + e) * (1 + e));
  return {y, y * ((saturates(a) ? 0 : growth(2 * a.error)) + kFunction) + kTiny};
}

// (u cosh(u) - sinh(u))/cosh(u), whose numerator's series has positive terms only; the first left out is
// 4e-30.
Extended tanh_rest(Extended a) {
  if (a.error != 0) return {0, kInfinity};
  const Real u = a.value;
  // 1 - tanh(1) = 0.24.
  if (std::fabs(u) >= 1) return {u - std::tanh(u), kFunction + std::fabs(u) * kUnit};
  static const auto series = [] {
    std::array<Real, 13> c{};
    Real factorial = 1;  // (2k + 1)!
    for (std::size_t i = 0; i < c.size(); ++i) {
      const Real k = static_cast<Real>(i + 1);
      factorial *= 2 * k * (2 * k + 1);
      c[i] = 2 * k / factorial;
    }
    return c;
  }();
  Real p = series.back();
  for (std::size_t i = series.size() - 1; i-- > 0;) p = p * (u * u) + series[i];
  const Real y = u * (u * u) * p / std::cosh(u);
  return {y, std::fabs(y) * kFunction};
}

// 2/sqrt(pi) e^(-z^2).
Real bell(Real z) { return 1.128379167095512573896158903121545172L * std::exp(-z * z); }

// erfc and bell are below kTiny there.
constexpr Real kErfcEnd = 107;

Extended erfc(Extended a) {
  const bool far = std::fabs(a.value) - a.error > kErfcEnd;
  if (far) return a.value > 0 ? Extended{0, kTiny} : Extended{2, kTiny};
  const Real y = std::erfc(a.value);
  // d log(erfc)/dz is at least -(2z + 2); a hundredth more pays for its change within the error of z.
  const Real steep = a.value > 0 ? y * (2 * a.value + 2) : bell(a.value);
  const bool known = (2 * std::fabs(a.value) + 2) * a.error < Real(0x1p-10);
  return {y, known ? Real(1.01) * steep * a.error + y * kFunction + kTiny : kInfinity};
}

Extended gauss(Extended a) {
  const Real z = std::fabs(a.value), y = bell(z), steep = (2 * z + 1) * a.error;
  if (z - a.error > kErfcEnd) return {0, kTiny};
  const Real own = z * z * kUnit + kFunction;
  return {y, steep < Real(0x1p-10) ? y * (Real(1.01) * steep + own) + kTiny : kInfinity};
}

Extended smaller(Extended a, Extended b) {
  const bool first = a.value + a.error < b.value - b.error, second = b.value + b.error < a.value - a.error;
  const Real error = first ? a.error : second ? b.error : std::max(a.error, b.error);
  return {std::min(a.value, b.value), error};
}

// A comparison is certain where the errors cannot change it.
Extended decide(bool yes, Extended a, Extended b) {
  const Real doubt = a.error + b.error;
  const bool certain = doubt == 0 || std::fabs(a.value - b.value) > doubt;
  return {yes ? Real(1) : Real(0), certain ? 0 : kInfinity};
}

Extended negative(Extended a) { return {-a.value, a.error}; }

Extended apply(Op op, Extended a, Extended b, Extended c) {
  switch (op) {
    case Op::neg:
      return negative(a);
    case Op::abs:
      return {std::fabs(a.value), a.error};
    case Op::add:
      return sum(a, b);
    case Op::sub:
      return sum(a, negative(b));
    case Op::mul:
      return product(a, b);
    case Op::div:
      return quotient(a, b);
    case Op::min:
      return smaller(a, b);
    case Op::max:
      return negative(smaller(negative(a), negative(b)));
    case Op::sqrt:
      return root(a);
    case Op::exp:
      return exponential(a);
    case Op::expm1:
      return exponential_minus_one(a);
    case Op::softplus:
      return softplus(a);
    case Op::logistic:
      return logistic(a);
    case Op::tanh:
      return hyperbolic_tangent(a);
    case Op::sech2:
      return sech2(a);
    case Op::tanh_rest:
      return tanh_rest(a);
    case Op::erfc:
      return erfc(a);
    case Op::gauss:
      return gauss(a);
    case Op::less:
      return decide(a.value < b.value, a, b);
    case Op::less_equal:
      return decide(a.value <= b.value, a, b);
    case Op::equal:
      return decide(a.value == b.value, a, b);
    case Op::both:
      return {a.value * b.value, a.error + b.error};
    case Op::either:
      return {std::max(a.value, b.value), a.error + b.error};
    case Op::select: {
      const Extended chosen = a.value != 0 ? b : c;
      return {chosen.value, chosen.error + a.error};
    }
    case Op::constant:
    case Op::x:
      break;
  }
  return a;
}

}  // namespace

Extended evaluate(Op op, Extended a, Extended b, Extended c) {
  const Extended y = apply(op, a, b, c);
  // inf - inf and its like are ignorance.
  return std::isnan(y.value) || std::isnan(y.error) ? Extended{0, kInfinity} : y;
}

ExtendedWorkspace::ExtendedWorkspace(const Program& program) : program_(program), registers_(program.size()) {
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].op != Op::constant) continue;
    for (Extended& number : registers_[i].at) number = {program[i].value, program[i].error};
  }
}

void ExtendedWorkspace::run(const double* x, std::size_t n) {
  for (std::size_t k = 0; k < program_.size(); ++k) {
    const Instruction& now = program_[k];
    Extended* to = registers_[k].at;
    if (now.op == Op::x) {
      for (std::size_t i = 0; i < n; ++i) to[i] = {static_cast<long double>(x[i]), 0};
    } else if (now.op != Op::constant) {
      const Extended *a = registers_[now.a].at, *b = registers_[now.b].at, *c = registers_[now.c].at;
      for (std::size_t i = 0; i < n; ++i) to[i] = evaluate(now.op, a[i], b[i], c[i]);
    }
  }
}

}  // namespace keratin::accuracy
