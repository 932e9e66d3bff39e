// Every function of math.inl and wide_math.inl against MPFR, and against itself on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/simd/math_test_kernels.h"

#ifdef KERATIN_HAVE_MPFR
#include <mpfr.h>
#endif

namespace keratin::simd {
namespace {

using testing::math_functions;
using testing::MathFunction;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The error of a wide result is a billionth of an ULP: what remains is its rounding to f64.
constexpr double kWideBound = 0.5001;

std::vector<double> inputs() {
  std::vector<double> x{0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0x1p-1074, -0x1p-1074, 0x1p-1022, -0x1p-1022};
  std::uint64_t random = 1;
  const auto next = [&] { return random = random * 6364136223846793005ULL + 1442695040888963407ULL; };
  for (std::uint64_t exponent = 0; exponent < 2047; ++exponent) {
    x.push_back(std::bit_cast<double>(exponent << 52));
    x.push_back(std::bit_cast<double>(exponent << 52 | next() >> 12));
    x.push_back(-std::bit_cast<double>(exponent << 52 | next() >> 12));
  }
  for (const double range : {1.0, 10.0, 40.0, 750.0}) {
    for (int i = 0; i < 1500; ++i) x.push_back((static_cast<double>(next() >> 11) * 0x1p-52 - 1) * range);
  }
  return x;
}

std::vector<double> results(const MathFunction& function, bool wide, const std::vector<double>& x) {
  std::vector<double> y(x.size());
  (wide ? function.wide : function.vector)(x.data(), y.data(), x.size());
  return y;
}

#ifdef KERATIN_HAVE_MPFR

class Number {
 public:
  Number() { mpfr_init2(value_, 300); }
  ~Number() { mpfr_clear(value_); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  operator mpfr_ptr() { return value_; }

 private:
  mpfr_t value_;
};

// y = the function of x, to 300 bits.
void exact(std::string_view name, double input, mpfr_ptr y) {
  constexpr mpfr_rnd_t kNear = MPFR_RNDN;
  Number x, t;
  mpfr_set_d(x, input, kNear);
  if (name == "exp") mpfr_exp(y, x, kNear);
  if (name == "expm1") mpfr_expm1(y, x, kNear);
  if (name == "log") mpfr_log(y, x, kNear);
  if (name == "log1p") mpfr_log1p(y, x, kNear);
  if (name == "sqrt") mpfr_sqrt(y, x, kNear);
  if (name == "tanh") mpfr_tanh(y, x, kNear);
  if (name == "erf") mpfr_erf(y, x, kNear);
  if (name == "erfc") mpfr_erfc(y, x, kNear);
  if (name == "tanh_slope") {
    mpfr_sech(t, x, kNear);
    mpfr_sqr(y, t, kNear);
  }
  if (name == "sigmoid") {
    mpfr_neg(t, x, kNear);
    mpfr_exp(t, t, kNear);
    mpfr_add_ui(t, t, 1, kNear);
    mpfr_ui_div(y, 1, t, kNear);
  }
  if (name == "softplus") {
    // Beyond 2^20 ln(1 + e^x) is x to a million digits, and e^x leaves MPFR's range later on.
    mpfr_exp(t, x, kNear);
    mpfr_log1p(y, t, kNear);
    if (input > 0x1p20) mpfr_set(y, x, kNear);
  }
  if (name == "gauss") {
    mpfr_sqr(t, x, kNear);
    mpfr_neg(t, t, kNear);
    mpfr_exp(y, t, kNear);
  }
}

// |got - exact| in units in the last place of the exact result. Infinity counts as 2^1024.
double error_in_ulp(mpfr_ptr expected, double got) {
  if (std::isnan(got)) return kInfinity;
  const double rounded = mpfr_get_d(expected, MPFR_RNDN);
  if (std::isinf(got) && got == rounded) return 0;
  const long exponent =
      mpfr_zero_p(expected) ? -1074 : std::clamp<long>(mpfr_get_exp(expected) - 53, -1074, 971);
  Number difference;
  if (std::isinf(got)) {
    mpfr_set_si_2exp(difference, got > 0 ? 1 : -1, 1024, MPFR_RNDN);
  } else {
    mpfr_set_d(difference, got, MPFR_RNDN);
  }
  mpfr_sub(difference, difference, expected, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, -exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference, MPFR_RNDN));
}

struct Worst {
  double ulp = 0, input = 0;
  void update(double error, double x) {
    if (error > ulp) *this = {error, x};
  }
};

TEST(Math, EveryFunctionMeetsItsBound) {
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
  const std::vector<double> x = inputs();
  for (const MathFunction& function : math_functions(supported_isas().back())) {
    const Bound& bound = function.bound;
    const std::vector<double> vector = results(function, false, x), wide = results(function, true, x);
    Worst normal, subnormal, widest;
    Number expected;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] <= bound.from) continue;
      exact(function.name, x[i], expected);
      const bool tiny = mpfr_cmp_d(expected, 0x1p-1022) < 0 && mpfr_cmp_d(expected, -0x1p-1022) > 0;
      (tiny ? subnormal : normal).update(error_in_ulp(expected, vector[i]), x[i]);
      widest.update(error_in_ulp(expected, wide[i]), x[i]);
    }
    EXPECT_LE(normal.ulp, bound.normal) << function.name << " at " << normal.input;
    EXPECT_LE(subnormal.ulp, bound.subnormal) << function.name << " at " << subnormal.input;
    EXPECT_LE(widest.ulp, kWideBound) << "wide " << function.name << " at " << widest.input;
  }
}

#endif

TEST(Math, EveryInstructionSetGivesTheSameBits) {
  std::vector<double> x = inputs();
  x.insert(x.end(), {kInfinity, -kInfinity});
  const auto reference = math_functions(supported_isas().front());
  for (const Isa isa : supported_isas()) {
    const auto functions = math_functions(isa);
    ASSERT_EQ(functions.size(), reference.size());
    for (std::size_t f = 0; f < functions.size(); ++f) {
      for (const bool wide : {false, true}) {
        const std::vector<double> got = results(functions[f], wide, x), want = results(reference[f], wide, x);
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (std::isnan(got[i]) && std::isnan(want[i])) continue;
          ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i]), std::bit_cast<std::uint64_t>(want[i]))
              << functions[f].name << (wide ? " wide" : "") << " on " << name(isa) << " at " << x[i] << ": "
              << got[i] << " and " << want[i];
        }
      }
    }
  }
}

TEST(Math, CloseNumbersAreWithinTheErrorThatTheyAdmit) {
  std::vector<double> x = inputs();
  std::uint64_t random = 7;
  for (int i = 0; i < 200000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double unit = static_cast<double>(random >> 11) * 0x1p-52 - 1;
    x.push_back(i % 3 == 0 ? 100 * unit : i % 3 == 1 ? 8 * unit : unit * std::ldexp(1.0, -(i % 60)));
  }
  for (const Isa isa : supported_isas()) {
    for (const MathFunction& function : math_functions(isa)) {
      const std::string_view of = function.name;
      std::vector<double> share(x.size());
      function.close(x.data(), share.data(), x.size());
      Worst worst;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] <= (of == "sqrt" ? 0.0 : function.bound.from)) continue;
        const double reach = of == "erfc" ? 7.49 : 15;
        if (std::fabs(x[i]) >= 0x1p-90 && std::fabs(x[i]) <= reach) {
          EXPECT_GE(share[i], 0) << function.name << " has no bound at " << x[i];
        }
        worst.update(share[i], x[i]);
      }
      EXPECT_LE(worst.ulp, 1) << function.name << " on " << name(isa) << " at " << worst.input;
      // A bound that is never nearly reached is not one of this function.
      if (of != "sqrt") {
        EXPECT_GT(worst.ulp, 0.05) << function.name;
      }
      if (isa == supported_isas().back())
        std::printf("%s %.2f at %g\n", function.name, worst.ulp, worst.input);
    }
  }
}

TEST(Math, LimitsAndNaN) {
  // name, at -infinity, at +infinity: textbook limits, NaN where the function is not defined.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    std::string_view name;
    double low, high;
  };
  const Row rows[] = {{"exp", 0, kInfinity},
                      {"expm1", -1, kInfinity},
                      {"log", nan, kInfinity},
                      {"log1p", nan, kInfinity},
                      {"sqrt", nan, kInfinity},
                      {"tanh", -1, 1},
                      {"tanh_slope", 0, 0},
                      {"sigmoid", 0, 1},
                      {"softplus", 0, kInfinity},
                      {"erf", -1, 1},
                      {"erfc", 2, 0},
                      {"gauss", 0, 0}};
  for (const Isa isa : supported_isas()) {
    for (const MathFunction& function : math_functions(isa)) {
      const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                     [&](const Row& r) { return r.name == function.name; });
      ASSERT_NE(row, std::end(rows));
      const std::vector<double> y = results(function, false, {-kInfinity, kInfinity, nan});
      if (std::isnan(row->low)) {
        EXPECT_TRUE(std::isnan(y[0])) << function.name << " on " << name(isa);
      } else {
        EXPECT_EQ(y[0], row->low) << function.name << " on " << name(isa);
      }
      EXPECT_EQ(y[1], row->high) << function.name << " on " << name(isa);
      EXPECT_TRUE(std::isnan(y[2])) << function.name << " of NaN on " << name(isa);
    }
  }
}

TEST(Math, OddFunctionsKeepTheSignOfZero) {
  for (const Isa isa : supported_isas()) {
    for (const MathFunction& function : math_functions(isa)) {
      const std::string_view name = function.name;
      if (name != "expm1" && name != "log1p" && name != "sqrt" && name != "tanh" && name != "erf") continue;
      for (const bool wide : {false, true}) {
        EXPECT_TRUE(std::signbit(results(function, wide, {-0.0})[0])) << name << (wide ? " wide" : "");
        EXPECT_FALSE(std::signbit(results(function, wide, {0.0})[0])) << name << (wide ? " wide" : "");
      }
    }
  }
}

}  // namespace
}  // namespace keratin::simd
