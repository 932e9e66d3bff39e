// What every element-wise activation does at the edges, on every instruction set: lengths, alignment, working
// in place, NaN, infinities, the sign of zero, and what is multiplied into the gradient.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "keratin/activations/definitions.h"
#include "keratin/activations/registry.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin::activations {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
Bits<T> bits(T value) {
  return std::isnan(value) ? ~Bits<T>{0} : std::bit_cast<Bits<T>>(value);
}

template <class T>
std::vector<T> forward(const Function& f, const std::vector<T>& x) {
  const FloatEnvironment environment;
  std::vector<T> y(x.size());
  f.forward(f.defaults, x.data(), y.data(), x.size());
  return y;
}

template <class T>
std::vector<T> gradient(const Function& f, const std::vector<T>& x, const std::vector<T>& upstream) {
  const FloatEnvironment environment;
  std::vector<T> y(x.size());
  f.gradient(f.defaults, x.data(), upstream.data(), y.data(), x.size());
  return y;
}

template <class T>
std::vector<T> gradient(const Function& f, const std::vector<T>& x) {
  return gradient(f, x, std::vector<T>(x.size(), T{1}));
}

template <class T>
class Edges : public ::testing::Test {};
using Types = ::testing::Types<float, double>;

class TypeNames {
 public:
  template <class T>
  static std::string GetName(int) {
    return sizeof(T) == 4 ? "f32" : "f64";
  }
};
TYPED_TEST_SUITE(Edges, Types, TypeNames);

// Runs a check for every function on every instruction set.
template <class Check>
void for_all(const Check& check) {
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scope(isa);
    for (const Function& f : functions()) {
      SCOPED_TRACE(std::string(f.info->name) + " on " + std::string(simd::name(isa)));
      check(f);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(Edges, EveryLengthAndAlignmentGivesTheBitsOfOneElementAlone) {
  using T = TypeParam;
  // 64 f32 are the largest block, four vectors of AVX-512: two and some; the largest numbers lie outside the
  // tables of kernels.
  constexpr std::size_t kMost = 131;
  std::vector<T> x(kMost + 3), upstream(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(std::sin(static_cast<double>(i) * 2.5) * 9);
    upstream[i] = static_cast<T>(std::cos(static_cast<double>(i)) * 3);
  }
  for_all([&](const Function& f) {
    std::vector<T> value(x.size()), slope(x.size());
    const FloatEnvironment environment;
    for (std::size_t i = 0; i < x.size(); ++i) {
      f.forward(f.defaults, &x[i], &value[i], 1);
      f.gradient(f.defaults, &x[i], &upstream[i], &slope[i], 1);
    }
    for (std::size_t n = 0; n <= kMost; ++n) {
      for (std::size_t shift = 0; shift < 3; ++shift) {
        constexpr T kGuard = T{-77};
        std::vector<T> y(x.size() + 1, kGuard), g(x.size() + 1, kGuard);
        f.forward(f.defaults, x.data() + shift, y.data() + shift, n);
        f.gradient(f.defaults, x.data() + shift, upstream.data() + shift, g.data() + shift, n);
        for (std::size_t i = 0; i < y.size(); ++i) {
          const bool inside = i >= shift && i < shift + n;
          ASSERT_EQ(bits(y[i]), bits(inside ? value[i] : kGuard)) << "n = " << n << ", element " << i;
          ASSERT_EQ(bits(g[i]), bits(inside ? slope[i] : kGuard)) << "n = " << n << ", element " << i;
        }
      }
    }
  });
}

// The page behind the numbers is not to be touched.
TYPED_TEST(Edges, NothingIsReadOrWrittenBeyondTheLastElement) {
  using T = TypeParam;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  constexpr std::size_t kArrays = 3;
  void* pages = mmap(nullptr, 2 * kArrays * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  T* end[kArrays];
  for (std::size_t k = 0; k < kArrays; ++k) {
    std::byte* forbidden = static_cast<std::byte*>(pages) + (2 * k + 1) * page;
    ASSERT_EQ(mprotect(forbidden, page, PROT_NONE), 0);
    end[k] = reinterpret_cast<T*>(forbidden);
  }
  for_all([&](const Function& f) {
    const FloatEnvironment environment;
    for (std::size_t n = 1; n <= 70; ++n) {
      std::fill_n(end[0] - n, n, T{0.5});
      std::fill_n(end[1] - n, n, T{1});
      f.forward(f.defaults, end[0] - n, end[2] - n, n);
      f.gradient(f.defaults, end[0] - n, end[1] - n, end[2] - n, n);
    }
  });
  EXPECT_EQ(munmap(pages, 2 * kArrays * page), 0);
}

TYPED_TEST(Edges, StreamedResultsHaveTheBitsOfCachedOnesAtAnyAlignment) {
  using T = TypeParam;
  // 203: the largest group is 64 f32; so several, whatever stands before the first line boundary, and a rest.
  std::vector<T> x(203), upstream(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(std::sin(static_cast<double>(i) * 2.5) * 7);
    upstream[i] = static_cast<T>(std::cos(static_cast<double>(i)) * 3);
  }
  for_all([&](const Function& f) {
    const std::vector<T> value = forward(f, x), slope = gradient(f, x, upstream);
    const FloatEnvironment environment;
    for (const std::size_t shift : {0, 1, 5, 15}) {
      constexpr T kGuard = T{-77};
      std::vector<T> y(x.size() + 20, kGuard), g(x.size() + 20, kGuard);
      f.forward(f.defaults, x.data(), y.data() + shift, x.size(), Stores::streamed);
      f.gradient(f.defaults, x.data(), upstream.data(), g.data() + shift, x.size(), Stores::streamed);
      for (std::size_t i = 0; i < y.size(); ++i) {
        const bool inside = i >= shift && i < shift + x.size();
        ASSERT_EQ(bits(y[i]), bits(inside ? value[i - shift] : kGuard))
            << "shift " << shift << ", element " << i;
        ASSERT_EQ(bits(g[i]), bits(inside ? slope[i - shift] : kGuard))
            << "shift " << shift << ", element " << i;
      }
    }
  });
}

TYPED_TEST(Edges, InstructionSetsGiveTheSameBitsOfAnyNumberTimesAnyOther) {
  using T = TypeParam;
  // Whatever a number that f64 takes the short way meets in the other factor or in its neighbours.
  std::vector<double> numbers;
  for (const double size :
       {0.0,  1e-320, 1e-300, 1e-31, 1e-5,  0.011, 0.3,  1.0,   1.2784645427610738, 2.5, 3.0, 7.5,
        19.0, 60.0,   249.0,  260.0, 700.0, 1e6,   1e31, 1e300, kInfinity}) {
    numbers.push_back(size);
    numbers.push_back(-size);
  }
  numbers.push_back(std::numeric_limits<double>::quiet_NaN());
  std::vector<T> x, upstream;
  for (const double value : numbers) {
    for (const double factor : numbers) {
      x.push_back(static_cast<T>(value));
      upstream.push_back(static_cast<T>(factor));
    }
  }
  for (int i = 0; i < 4096; ++i) {
    x.push_back(static_cast<T>(std::sin(i * 0.7) * (i % 9)));
    upstream.push_back(static_cast<T>(std::cos(i * 1.3)));
  }
  std::vector<std::vector<T>> expected;
  for (const simd::Isa isa : simd::supported_isas()) {  // the scalar one first, which emulates fma
    const simd::ScopedIsa scope(isa);
    std::size_t place = 0;
    for (const Function& f : functions()) {
      for (const std::vector<T>& got : {forward(f, x), gradient(f, x, upstream)}) {
        if (place == expected.size()) expected.push_back(got);
        const std::vector<T>& want = expected[place++];
        for (std::size_t i = 0; i < x.size(); ++i) {
          ASSERT_EQ(bits(got[i]), bits(want[i]))
              << f.info->name << " on " << simd::name(isa) << " at " << x[i] << ", times " << upstream[i]
              << ": " << got[i] << " and " << want[i];
        }
      }
    }
  }
}

TYPED_TEST(Edges, WorksInPlace) {
  using T = TypeParam;
  std::vector<T> x(29), upstream(29);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(0.5 * static_cast<double>(i) - 7);
    upstream[i] = static_cast<T>(i);
  }
  for_all([&](const Function& f) {
    const std::vector<T> y = forward(f, x), g = gradient(f, x, upstream);
    const FloatEnvironment environment;
    std::vector<T> a = x, b = x, c = upstream;
    f.forward(f.defaults, a.data(), a.data(), a.size());
    f.gradient(f.defaults, b.data(), upstream.data(), b.data(), b.size());
    f.gradient(f.defaults, x.data(), c.data(), c.data(), c.size());
    EXPECT_EQ(a, y);
    EXPECT_EQ(b, g);
    EXPECT_EQ(c, g);
  });
}

TYPED_TEST(Edges, NaNInNaNOut) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  // Among numbers, so that no branch over whole vectors hides it; and in the tail.
  std::vector<T> x(21, T{0.5});
  for (const std::size_t i : {0, 5, 20}) x[i] = i == 5 ? -nan : nan;
  for_all([&](const Function& f) {
    const std::vector<T> y = forward(f, x), g = gradient(f, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(std::isnan(y[i]), std::isnan(x[i])) << i;
      EXPECT_EQ(std::isnan(g[i]), std::isnan(x[i])) << i;
    }
    EXPECT_TRUE(std::isnan(gradient<T>(f, {T{0.5}}, {nan})[0]));
  });
}

TYPED_TEST(Edges, InfinitiesAreTakenToTheirLimits) {
  using T = TypeParam;
  // Limits of value and derivative at -infinity and +infinity, by hand from the formulas, default parameters.
  struct Row {
    std::string_view name;
    double low, high, slope_low, slope_high;
  };
  // The constant is that of the paper, scale·alpha, rounded to f64.
  const double selu_low = -1.7580993408473768599, scale = 1.0507009873554804934;
  const Row rows[] = {{"linear", -kInfinity, kInfinity, 1, 1},
                      {"relu", 0, kInfinity, 0, 1},
                      {"leaky_relu", -kInfinity, kInfinity, 0.2, 1},
                      {"relu6", 0, 6, 0, 0},
                      {"elu", -1, kInfinity, 0, 1},
                      {"selu", selu_low, kInfinity, 0, scale},
                      {"celu", -1, kInfinity, 0, 1},
                      {"gelu", 0, kInfinity, 0, 1},
                      {"silu", 0, kInfinity, 0, 1},
                      {"hard_silu", 0, kInfinity, 0, 1},
                      {"mish", 0, kInfinity, 0, 1},
                      {"softplus", 0, kInfinity, 0, 1},
                      {"softsign", -1, 1, 0, 0},
                      {"squareplus", 0, kInfinity, 0, 1},
                      {"sparse_plus", 0, kInfinity, 0, 1},
                      {"sigmoid", 0, 1, 0, 0},
                      {"hard_sigmoid", 0, 1, 0, 0},
                      {"log_sigmoid", -kInfinity, 0, 1, 0},
                      {"sparse_sigmoid", 0, 1, 0, 0},
                      {"tanh", -1, 1, 0, 0},
                      {"hard_tanh", -1, 1, 0, 0},
                      {"tanh_shrink", -kInfinity, kInfinity, 1, 1},
                      {"soft_shrink", -kInfinity, kInfinity, 1, 1},
                      {"hard_shrink", -kInfinity, kInfinity, 1, 1},
                      {"threshold", 0, kInfinity, 0, 1},
                      {"exponential", 0, kInfinity, 0, kInfinity}};
  const T infinity = std::numeric_limits<T>::infinity();
  for_all([&](const Function& f) {
    for (const Row& row : rows) {
      if (row.name != f.info->name) continue;
      EXPECT_EQ(forward<T>(f, {-infinity, infinity}),
                (std::vector<T>{static_cast<T>(row.low), static_cast<T>(row.high)}));
      EXPECT_EQ(gradient<T>(f, {-infinity, infinity}),
                (std::vector<T>{static_cast<T>(row.slope_low), static_cast<T>(row.slope_high)}));
    }
    // A definition without a row, one just added, must at least not make a NaN.
    for (const T y : forward<T>(f, {-infinity, infinity})) EXPECT_FALSE(std::isnan(y));
    for (const T y : gradient<T>(f, {-infinity, infinity})) EXPECT_FALSE(std::isnan(y));
  });
}

TYPED_TEST(Edges, GeluApproximateAndParametersHaveLimitsToo) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  const T x[] = {-infinity, infinity};
  const T ones[] = {1, 1};
  T y[2], g[2];
  const FloatEnvironment environment;
  const auto run = [&](const auto& parameters) {
    using D = std::remove_cvref_t<decltype(parameters)>;
    function<D>().forward(&parameters, x, y, 2);
    function<D>().gradient(&parameters, x, ones, g, 2);
  };
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scope(isa);
    run(Gelu{.approximate = true});
    EXPECT_EQ(y[0], 0);
    EXPECT_TRUE(std::signbit(y[0]));
    EXPECT_EQ(y[1], infinity);
    EXPECT_EQ(g[0], 0);
    EXPECT_EQ(g[1], 1);
    run(Relu{.alpha = 0.5, .max_value = 3, .threshold = 0.5});
    EXPECT_EQ(y[0], -infinity);
    EXPECT_EQ(y[1], 3);
    EXPECT_EQ(g[0], T{0.5});
    EXPECT_EQ(g[1], 0);
    run(LeakyRelu{.negative_slope = 0});
    EXPECT_EQ(y[0], 0);
    run(Squareplus{.b = 0});
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(y[1], infinity);
    EXPECT_EQ(g[0], 0);
    EXPECT_EQ(g[1], 1);
    run(Celu{.alpha = 0.5});
    EXPECT_EQ(y[0], T{-0.5});
    run(SoftShrink{.threshold = std::numeric_limits<double>::infinity()});
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(y[1], 0);
  }
}

// Also where the definition runs in a wider type: relu of these parameters does.
TYPED_TEST(Edges, ParametersLeaveNaNWhatItIs) {
  using T = TypeParam;
  const T x = std::numeric_limits<T>::quiet_NaN();
  T y = 0;
  const FloatEnvironment environment;
  const auto expect_nan = [&](const auto& parameters) {
    using D = std::remove_cvref_t<decltype(parameters)>;
    function<D>().forward(&parameters, &x, &y, 1);
    EXPECT_TRUE(std::isnan(y)) << function<D>().info->name << " on " << simd::name(simd::active_isa());
  };
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scope(isa);
    for (const bool as_keras : {false, true}) {
      expect_nan(Relu{.alpha = 0.3, .threshold = 0.5, .as_keras = as_keras});
      expect_nan(Relu{.alpha = 0.3, .max_value = 2, .as_keras = as_keras});
      expect_nan(Relu{.max_value = 2, .threshold = 0.5, .as_keras = as_keras});
    }
    expect_nan(LeakyRelu{.negative_slope = 0});
    expect_nan(SoftShrink{.threshold = 2});
    expect_nan(HardShrink{.threshold = 2});
    expect_nan(Threshold{.threshold = 1, .default_value = 3});
  }
}

TYPED_TEST(Edges, TheSignOfZeroIsKept) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  // f(x) ~ c x with c > 0 near 0.
  for (const char* name : {"linear", "relu", "leaky_relu", "relu6", "elu", "selu", "celu", "gelu", "silu",
                           "hard_silu", "mish", "softsign", "tanh", "hard_tanh", "tanh_shrink"}) {
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scope(isa);
      const std::vector<T> y = forward<T>(*find(name), {T{0}, T{-0.0}});
      EXPECT_EQ(bits(y[0]), bits(T{0})) << name << " of 0 on " << simd::name(isa);
      EXPECT_EQ(bits(y[1]), bits(T{-0.0})) << name << " of -0 on " << simd::name(isa);
    }
  }
  // From below at -infinity; tiny negative numbers on the way there round to -0 too.
  for (const char* name : {"gelu", "silu", "hard_silu", "mish"}) {
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scope(isa);
      for (const T y : forward<T>(*find(name), {-infinity, T{-3000}, T{-1e30}})) {
        EXPECT_EQ(bits(y), bits(T{-0.0})) << name << " on " << simd::name(isa);
      }
    }
  }
  for (const char* name : {"relu", "relu6", "threshold"}) {
    EXPECT_EQ(bits(forward<T>(*find(name), {T{-5}})[0]), bits(T{0})) << name << " of -5";
  }
}

TYPED_TEST(Edges, SubnormalInputsAreNotLost) {
  using T = TypeParam;
  const T tiny = std::numeric_limits<T>::denorm_min(), more = std::numeric_limits<T>::min() / 4;
  // f(x) = x to first order; for the halves x/2, exact for even multiples of the smallest number.
  for (const char* name : {"linear", "relu", "relu6", "elu", "celu", "softsign", "tanh", "hard_tanh"}) {
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scope(isa);
      EXPECT_EQ(forward<T>(*find(name), {tiny, more}), (std::vector<T>{tiny, more}))
          << name << simd::name(isa);
    }
  }
  for (const char* name : {"gelu", "silu"}) {
    EXPECT_EQ(forward<T>(*find(name), {2 * tiny, -more}), (std::vector<T>{tiny, -more / 2})) << name;
  }
}

TYPED_TEST(Edges, TheGradientIsTheDerivativeTimesWhatComesFromAbove) {
  using T = TypeParam;
  std::vector<T> x, upstream;
  std::vector<double> wide;
  for (int i = 0; i < 400; ++i) {
    x.push_back(static_cast<T>(std::sin(i) * 6));
    upstream.push_back(static_cast<T>(std::exp2(i % 41 - 20) * (i % 2 ? -1.37 : 1.0001)));
    wide.push_back(static_cast<double>(x.back()));
  }
  const int digits = std::numeric_limits<T>::digits;
  for_all([&](const Function& f) {
    const std::vector<T> g = gradient(f, x, upstream);
    // In f32 the parameters are rounded; no default but leaky_relu's 0.2 is affected.
    const std::vector<double> slope = gradient(f, wide);
    const double slack = f.info->name == "leaky_relu" ? 0.5 : 0;
    // Half for the product's rounding. In f64 half of the slope's ULP, which is at most one of the product's;
    // in f32 nothing for the slope where it comes in f64, else its bound, and at most twice as many of the
    // product's.
    const double bound = f.info->bounds.gradient_f32;
    const double allowed = sizeof(T) == 8 ? 1.51 : bound <= 0.501 ? 0.501 + slack : 0.5 + 2 * bound;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double exact = static_cast<long double>(slope[i]) * static_cast<long double>(upstream[i]);
      if (exact == 0) {
        EXPECT_EQ(g[i], 0);
        continue;
      }
      const long double ulp = std::ldexp(1.0L, std::ilogb(exact) + 1 - digits);
      const bool near_zero = sizeof(T) == 4 && std::fabs(wide[i] - f.info->gradient_zero) < 0.125;
      const long double absolute =
          near_zero ? 0x1p-24L * std::fabs(static_cast<long double>(upstream[i])) : 0;
      EXPECT_LE(std::fabs(static_cast<long double>(g[i]) - exact), ulp * allowed + absolute)
          << "at " << x[i] << " from " << upstream[i];
    }
  });
}

TEST(EdgesOfGradients, FollowCentralDifferences) {
  // A second witness beside the oracle. For h = 1e-5 the truncation is below 1e-10 |f'''|, the rounding below
  // 2e-11; kinks are left out.
  constexpr double h = 1e-5;
  for (const Function& f : functions()) {
    for (int i = 0; i < 500; ++i) {
      const double x = -8 + 0.0321 * i + 1e-3;
      bool kink = false;
      for (const double k : {0.0, 0.5, 1.0, 2.5, 3.0, 6.0})
        kink = kink || std::fabs(std::fabs(x) - k) < 2 * h;
      if (kink) continue;
      const double difference = (f.value(f.defaults, x + h) - f.value(f.defaults, x - h)) / (2 * h);
      const double slope = f.derivative(f.defaults, x);
      EXPECT_NEAR(slope, difference, 1e-9 * std::max(1.0, std::fabs(slope))) << f.info->name << " at " << x;
    }
  }
}

}  // namespace
}  // namespace keratin::activations
