// The 16-bit floats: every input of every element-wise activation, value and derivative, rounded correctly
// against the formula in MPFR, with the same bits on every instruction set.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/activations/functions.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"
#include "keratin/tensor/node.h"
#include "keratin/tensor/tensor.h"
#include "tools/accuracy/sweep.h"

namespace keratin::activations {
namespace {

using accuracy::Direction;
using accuracy::Oracle;
using accuracy::Variant;

constexpr std::size_t kAll = 65536;

template <class H>
struct Traits;
template <>
struct Traits<float16> {
  static constexpr const char* kName = "float16";
  static constexpr int kDigits = 11, kLowest = -14;
  static float16 round(double value) { return to_float16(value); }
};
template <>
struct Traits<bfloat16> {
  static constexpr const char* kName = "bfloat16";
  static constexpr int kDigits = 8, kLowest = -126;
  static bfloat16 round(double value) { return to_bfloat16(value); }
};

template <class H>
std::vector<H> all_inputs() {
  std::vector<H> x(kAll);
  for (std::size_t i = 0; i < kAll; ++i) x[i].bits = static_cast<std::uint16_t>(i);
  return x;
}

// Its bits, all NaNs alike.
template <class H>
std::uint16_t bits(H value) {
  return std::isnan(to_float(value)) ? 0xFFFF : value.bits;
}

template <class H>
std::vector<H> run(const Variant& variant, Direction direction, const std::vector<H>& x) {
  const FloatEnvironment environment;
  std::vector<H> y(x.size());
  if (direction == Direction::value) {
    variant.function->forward(variant.parameters, x.data(), y.data(), x.size());
  } else {
    const std::vector<H> ones(x.size(), Traits<H>::round(1));
    variant.function->gradient(variant.parameters, x.data(), ones.data(), y.data(), x.size());
  }
  return y;
}

// How far a double is from the middle between two neighbours of the format, in units of their distance.
template <class H>
double distance_to_tie(double value) {
  const int exponent = value == 0 ? Traits<H>::kLowest : std::max(std::ilogb(value), Traits<H>::kLowest);
  const double scaled = std::ldexp(std::fabs(value), Traits<H>::kDigits - 1 - exponent);
  return std::fabs(scaled - std::floor(scaled) - 0.5);
}

// The exact result, rounded once to H. The oracle rounds it to f64; where that is a tie, the side on which
// the exact result lies decides.
template <class H>
H rounded(Oracle& oracle, Direction direction, double x) {
  const auto exact = [&](double at) {
    return (direction == Direction::value ? oracle.value(at, 0.0) : oracle.derivative(at, 0.0)).expected;
  };
  const auto distance = [&](double y) {
    return (direction == Direction::value ? oracle.value(x, y) : oracle.derivative(x, y)).ulp;
  };
  const double nearest = exact(x);
  if (distance_to_tie<H>(nearest) != 0) return Traits<H>::round(nearest);
  const double outside =
      std::nextafter(nearest, std::copysign(std::numeric_limits<double>::infinity(), nearest));
  double outwards = 1 - distance(outside);  // above 0 where the exact result is beyond `nearest`
  // Nearer than the 100 bits that the oracle is certain of: f(x) = c·x^p + …, p = -2 … 2, or c·x + d + … far
  // out. What follows keeps its sign on the way there, so it is read where it can be seen.
  const double power = std::log2(exact(2 * x) / nearest), size = std::fabs(x);
  if (outwards == 0 && power == std::rint(power) && (size < 0x1p-60 || (size > 0x1p20 && power < 0))) {
    const double ratio = std::ldexp(1, (size < 1 ? -20 : 12) - std::ilogb(x));
    outwards = exact(x * ratio) / (nearest * std::pow(ratio, power)) - 1;
  } else if (outwards == 0 && size > 64) {
    const double seen = std::copysign(16, x), slope = (exact(2 * x) - nearest) / x;
    outwards = exact(seen) / (slope * seen + (nearest - slope * x)) - 1;
  }
  return Traits<H>::round(outwards > 0 ? outside : outwards < 0 ? std::nextafter(nearest, 0) : nearest);
}

template <class H>
Variant with_rounded_parameters(Variant variant) {
  for (const Parameter& p : variant.function->parameters) {
    if (p.kind == ParameterKind::flag) continue;
    p.set(variant.parameters, to_float(Traits<H>::round(p.get(variant.parameters))));
  }
  return variant;
}

template <class H>
void expect_correctly_rounded(const Variant& given, Direction direction) {
  const Variant variant = with_rounded_parameters<H>(given);
  const std::vector<H> x = all_inputs<H>(), y = run(given, direction, x);
  accuracy::Names names;
  for (const Parameter& p : variant.function->parameters) {
    names.emplace_back(std::string(p.name), p.get(variant.parameters));
  }
  Oracle oracle(variant.function->info->formula, variant.function->info->derivative, names);
  int wrong = 0;
  for (std::size_t i = 0; i < kAll && wrong < 5; ++i) {
    const double input = to_float(x[i]);
    if (std::isnan(input)) {
      EXPECT_TRUE(std::isnan(to_float(y[i]))) << "of NaN";
      continue;
    }
    // The f64 loops are within 1 ULP (bounds_test.cc): far from a tie they decide, and MPFR joins in for a
    // share of the inputs; near one MPFR alone decides. Infinities are theirs too: the oracle has no limits.
    const double wide = direction == Direction::value
                            ? variant.function->value(variant.parameters, input)
                            : variant.function->derivative(variant.parameters, input);
    const bool sampled = i % 61 == 0 || distance_to_tie<H>(wide) < 0x1p-30;
    const H expected =
        sampled && std::isfinite(input) ? rounded<H>(oracle, direction, input) : Traits<H>::round(wide);
    // The formula's zero has no sign.
    if (bits(expected) == bits(y[i]) || (to_float(expected) == 0 && to_float(y[i]) == 0)) continue;
    ++wrong;
    ADD_FAILURE() << "f(" << input << ") = " << to_float(y[i]) << ", expected " << to_float(expected)
                  << (sampled ? " (MPFR)" : " (f64)");
  }
}

template <class H>
void expect_all_correctly_rounded(const Function& function) {
  for (const Variant& variant : accuracy::variants(function)) {
    for (const Direction direction : {Direction::value, Direction::gradient}) {
      SCOPED_TRACE(std::string(Traits<H>::kName) + " " + variant.text +
                   (direction == Direction::value ? " value" : " gradient"));
      expect_correctly_rounded<H>(variant, direction);
      const std::vector<H> x = all_inputs<H>(), best = run(variant, direction, x);
      for (const simd::Isa isa : simd::supported_isas()) {
        const simd::ScopedIsa scope(isa);
        const std::vector<H> y = run(variant, direction, x);
        std::size_t different = 0;
        for (std::size_t i = 0; i < kAll; ++i) different += bits(y[i]) != bits(best[i]);
        EXPECT_EQ(different, 0U) << "on " << simd::name(isa);
      }
    }
  }
}

class HalfOfEveryInput : public ::testing::TestWithParam<std::size_t> {};

TEST_P(HalfOfEveryInput, IsCorrectlyRoundedOnEveryInstructionSet) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Function& function = functions()[GetParam()];
  expect_all_correctly_rounded<float16>(function);
  expect_all_correctly_rounded<bfloat16>(function);
}

INSTANTIATE_TEST_SUITE_P(Activations, HalfOfEveryInput, ::testing::Range(std::size_t{0}, kFunctionCount),
                         [](const auto& info) { return std::string(functions()[info.param].info->name); });

template <class H>
class Half : public ::testing::Test {};
using Types = ::testing::Types<float16, bfloat16>;
class TypeNames {
 public:
  template <class H>
  static std::string GetName(int) {
    return Traits<H>::kName;
  }
};
TYPED_TEST_SUITE(Half, Types, TypeNames);

template <class H>
std::vector<H> some_inputs(std::size_t n) {
  std::vector<H> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = Traits<H>::round(std::sin(static_cast<double>(i) * 2.5) * 7);
  return x;
}

TYPED_TEST(Half, EveryLengthAndAlignmentGivesTheBitsOfOneElementAloneAndInPlaceToo) {
  using H = TypeParam;
  constexpr std::size_t kMost = 167;
  const std::vector<H> x = some_inputs<H>(kMost + 3), upstream = some_inputs<H>(kMost + 9);
  const FloatEnvironment environment;
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scope(isa);
    for (const Function& f : functions()) {
      SCOPED_TRACE(std::string(f.info->name) + " on " + std::string(simd::name(isa)));
      std::vector<H> value(x.size()), slope(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        f.forward(f.defaults, &x[i], &value[i], 1);
        f.gradient(f.defaults, &x[i], &upstream[i], &slope[i], 1);
      }
      for (std::size_t n = 0; n <= kMost; n += n < 40 ? 1 : 7) {
        const std::size_t shift = n % 3;
        const H guard{0x1234};
        std::vector<H> y(x.size() + 1, guard), g(upstream);
        const Stores stores = n % 2 == 0 ? Stores::cached : Stores::streamed;
        f.forward(f.defaults, x.data() + shift, y.data() + shift, n, stores);
        f.gradient(f.defaults, x.data() + shift, g.data() + shift, g.data() + shift, n);
        for (std::size_t i = 0; i < y.size(); ++i) {
          const bool inside = i >= shift && i < shift + n;
          ASSERT_EQ(bits(y[i]), bits(inside ? value[i] : guard)) << "n = " << n << ", element " << i;
          ASSERT_EQ(bits(g[i]), bits(inside ? slope[i] : upstream[i])) << "n = " << n << ", element " << i;
        }
      }
    }
  }
}

TYPED_TEST(Half, AnyNumbersGiveTheBitsOfEachAloneOnEveryInstructionSet) {
  using H = TypeParam;
  std::vector<H> x, upstream;
  for (std::uint32_t i = 0; i < 8192; ++i) {
    const std::uint32_t random = i * 0x9E3779B9u;
    // Any bits, NaN and infinity among them, beside numbers of usual size; every eighth slope next to a zero.
    const double usual = i % 16 == 4 ? -1.2784 : i % 16 == 12 ? -0.7521 : random * 0x1p-29 - 4;
    x.push_back(i % 4 == 0 ? Traits<H>::round(usual) : H{static_cast<std::uint16_t>(random >> 16)});
    upstream.push_back(H{static_cast<std::uint16_t>(random)});
  }
  // Where bfloat16's slope of exponential is subnormal in f32, beside NaN in the other vectors of a block.
  for (int i = 0; i < 256; ++i) {
    const bool is_number = i % 2 == i / 32 % 2;
    const double number = -96 - i / 64 * 1.5;
    x.push_back(Traits<H>::round(is_number ? number : std::numeric_limits<double>::quiet_NaN()));
    upstream.push_back(Traits<H>::round(1.7e30));
  }
  // Half of the smallest number, and a little more, in one of a block's vectors beside NaN and 1 in others.
  const H among[] = {H{1}, Traits<H>::round(std::numeric_limits<double>::quiet_NaN()), Traits<H>::round(1)};
  for (std::size_t block = 0; block < 81; ++block) {
    for (const std::size_t times : {1u, 3u, 9u, 27u}) {
      x.insert(x.end(), 16, among[block / times % 3]);
      upstream.insert(upstream.end(), 16, Traits<H>::round(1));
    }
  }
  const FloatEnvironment environment;
  for (const Function& f : functions()) {
    std::vector<H> value(x.size()), slope(x.size());
    {
      const simd::ScopedIsa scope(simd::supported_isas().front());
      for (std::size_t i = 0; i < x.size(); ++i) {
        f.forward(f.defaults, &x[i], &value[i], 1);
        f.gradient(f.defaults, &x[i], &upstream[i], &slope[i], 1);
      }
    }
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scope(isa);
      std::vector<H> y = x, g = upstream;
      f.forward(f.defaults, y.data(), y.data(), y.size());
      f.gradient(f.defaults, x.data(), g.data(), g.data(), g.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(bits(y[i]), bits(value[i])) << f.info->name << " on " << simd::name(isa) << ", " << i;
        ASSERT_EQ(bits(g[i]), bits(slope[i])) << f.info->name << " on " << simd::name(isa) << ", " << i;
      }
    }
  }
}

TYPED_TEST(Half, TheGradientIsTheDerivativeTimesWhatComesFromAboveRoundedOnce) {
  using H = TypeParam;
  std::vector<H> x = some_inputs<H>(3000), upstream(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int exponent = static_cast<int>(i % 23) - 11;
    upstream[i] = Traits<H>::round(std::ldexp(i % 2 == 0 ? 1.37 : -1.0, exponent));
  }
  // Where slopes are neither 0 nor 1 from any number, and any number from anywhere.
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    const std::uint32_t random = i * 0x9E3779B9u;
    const H any{static_cast<std::uint16_t>(random >> 16)}, other{static_cast<std::uint16_t>(random)};
    x.push_back(i % 3 == 0 ? any : Traits<H>::round(static_cast<float>(random) * 0x1p-30f - 2));
    upstream.push_back(other);
  }
  std::vector<H> g(x.size());
  const FloatEnvironment environment;
  for (const Function& f : functions()) {
    const Variant rounded = with_rounded_parameters<H>(accuracy::variants(f)[0]);
    f.gradient(f.defaults, x.data(), upstream.data(), g.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      // The f64 loop's product, right but for 1.5 ULP of f64; nearer to a tie it proves nothing, nor on one
      // where x is so small that f64 rounded there.
      const double input = to_float(x[i]), factor = to_float(upstream[i]);
      double wide = input;
      f.gradient(rounded.parameters, &wide, &factor, &wide, 1);
      const double tie = distance_to_tie<H>(wide);
      if (tie < 0x1p-38 && (tie > 0 || std::fabs(input) < 0x1p-20)) continue;
      const H expected = Traits<H>::round(wide);
      if (to_float(g[i]) == 0 && to_float(expected) == 0) continue;
      EXPECT_EQ(bits(g[i]), bits(expected)) << f.info->name << " at " << input << " from " << factor;
    }
  }
}

// There digits run out first: every input within 1/8, times every fraction, of which some give subnormal
// results.
TYPED_TEST(Half, NextToTheirZeroSlopesKeepTheirDigitsOfAnyUpstream) {
  using H = TypeParam;
  std::vector<H> fractions;
  const int lowest = std::is_same_v<H, float16> ? -14 : -126;
  for (const int exponent : {0, lowest + 10, lowest + 6, lowest + 3, lowest}) {
    const double from = std::ldexp(1, exponent);
    for (std::uint32_t bits = Traits<H>::round(from).bits; bits < Traits<H>::round(2 * from).bits; ++bits)
      fractions.push_back(H{static_cast<std::uint16_t>(bits)});
  }
  std::vector<H> x(fractions.size()), g(fractions.size());
  std::vector<double> inputs(fractions.size()), factors(fractions.size()), wide(fractions.size());
  for (std::size_t i = 0; i < fractions.size(); ++i) factors[i] = to_float(fractions[i]);
  std::size_t wrong = 0;
  const FloatEnvironment environment;
  for (const Function& f : functions()) {
    const double zero = f.info->gradient_zero;
    if (!std::isfinite(zero)) continue;
    const Variant rounded = with_rounded_parameters<H>(accuracy::variants(f)[0]);
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const H input{static_cast<std::uint16_t>(bits)};
      if (!(std::fabs(to_float(input) - zero) < 0.125)) continue;
      std::fill(x.begin(), x.end(), input);
      std::fill(inputs.begin(), inputs.end(), to_float(input));
      f.gradient(f.defaults, x.data(), fractions.data(), g.data(), x.size());
      f.gradient(rounded.parameters, inputs.data(), factors.data(), wide.data(), wide.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (distance_to_tie<H>(wide[i]) < 0x1p-38) continue;
        const bool right = g[i].bits == Traits<H>::round(wide[i]).bits;
        if (!right && ++wrong < 20)
          ADD_FAILURE() << f.info->name << " at " << to_float(input) << " from " << factors[i] << ": "
                        << to_float(g[i]) << ", not " << wide[i];
      }
    }
  }
  EXPECT_EQ(wrong, 0u);
}

TYPED_TEST(Half, SpansAndTensorsGiveTheLoopsBitsOnAnyNumberOfThreads) {
  using H = TypeParam;
  const std::vector<H> x = some_inputs<H>(100'003);
  std::vector<H> y(x.size()), g(x.size()), expected(x.size()), slope(x.size());
  const std::vector<H> ones(x.size(), Traits<H>::round(1));
  for (const Function& f : functions()) {
    {
      const FloatEnvironment environment;
      f.forward(f.defaults, x.data(), expected.data(), x.size());
      f.gradient(f.defaults, x.data(), ones.data(), slope.data(), x.size());
    }
    detail::apply(f, f.defaults, std::span<const H>(x), std::span<H>(y));
    detail::apply_gradient(f, f.defaults, std::span<const H>(x), std::span<const H>(ones), std::span<H>(g));
    const auto is_same = [](const auto& a, const auto& b) {
      return std::equal(a.begin(), a.end(), b.begin(), [](H p, H q) { return p.bits == q.bits; });
    };
    EXPECT_TRUE(is_same(y, expected)) << f.info->name;
    EXPECT_TRUE(is_same(g, slope)) << f.info->name;
    const Tensor tensor = Tensor::from(x, {static_cast<std::int64_t>(x.size())}).watched();
    const RecordGradients recording;
    const Tensor result = detail::make_builtin(f, f.defaults)(tensor);
    EXPECT_EQ(result.dtype(), kDType<H>);
    EXPECT_TRUE(is_same(result.template values<H>(), expected)) << f.info->name;
    if (result.node() == tensor.node()) continue;  // linear
    const Tensor upstream = Tensor::from(ones, tensor.shape());
    EXPECT_TRUE(is_same(result.node()->backward(upstream)[0].template values<H>(), slope)) << f.info->name;
  }
}

TYPED_TEST(Half, ExpressionsAreComputedWiderAndRoundedOnce) {
  using H = TypeParam;
  const std::vector<H> x = some_inputs<H>(1000);
  const Tensor tensor = Tensor::from(x, {1000}).watched();
  const ActivationFn cubic([](auto z) { return z * z * z - 0.3 * z; });
  const RecordGradients recording;
  const Tensor y = cubic(tensor);
  const Tensor g = y.node()->backward(Tensor::full({1000}, 1, kDType<H>))[0];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = to_float(x[i]);
    const double value = v * v * v - 0.3 * v, slope = 3 * v * v - 0.3;
    // 2^-49: a few roundings of f64, and the cancellation of two terms.
    if (distance_to_tie<H>(value) > 0x1p-30) {
      EXPECT_EQ(to_float(y.template values<H>()[i]), to_float(Traits<H>::round(value))) << v;
    }
    if (distance_to_tie<H>(slope) > 0x1p-30) {
      EXPECT_EQ(to_float(g.template values<H>()[i]), to_float(Traits<H>::round(slope))) << v;
    }
  }
}

}  // namespace
}  // namespace keratin::activations
