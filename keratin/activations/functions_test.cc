#include "keratin/activations/functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "keratin/activations/elementwise_loop.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace keratin::activations {
namespace {

using ::testing::HasSubstr;

TEST(Functions, SpansOfOtherSizesAreAShapeErrorAndNothingIsWritten) {
  const std::vector<float> x(5, 1.0F);
  std::vector<float> y(4, 7.0F);
  const std::string message = message_of<ShapeError>([&] { gelu(x, y); });
  EXPECT_THAT(message, HasSubstr("activations::gelu"));
  EXPECT_THAT(message, HasSubstr("5 and 4 elements"));
  EXPECT_EQ(y, std::vector<float>(4, 7.0F));
  std::vector<float> z(5);
  EXPECT_THAT(message_of<ShapeError>([&] { gelu_gradient(x, y, z); }), HasSubstr("`upstream`"));
}

TEST(Functions, AnOutputThatOverlapsPartOfAnInputIsAValueError) {
  std::vector<double> x(10);
  const std::span<double> all(x);
  EXPECT_THAT(message_of<ValueError>([&] { tanh(all.first(9), all.last(9)); }),
              HasSubstr("1 elements apart"));
  EXPECT_THAT(message_of<ValueError>([&] { tanh(all.last(9), all.first(9)); }), HasSubstr("apart"));
  std::vector<double> other(9);
  EXPECT_THAT(message_of<ValueError>([&] { tanh_gradient(other, all.first(9), all.last(9)); }),
              HasSubstr("`upstream`"));
  EXPECT_NO_THROW(tanh(all.first(5), all.last(5)));
}

TEST(Functions, EmptySpansAreFine) {
  EXPECT_NO_THROW(gelu(std::span<const float>{}, std::span<float>{}));
  EXPECT_NO_THROW(gelu_gradient(std::span<const double>{}, std::span<const double>{}, std::span<double>{}));
}

TEST(Functions, ParametersAreDesignated) {
  const std::vector<double> x{-2, 1};
  std::vector<double> y(2);
  leaky_relu(x, y, {.negative_slope = 0.25});
  EXPECT_EQ(y, (std::vector<double>{-0.5, 1}));
  // The page's example values.
  const std::vector<double> points{-10, -5, 0, 5, 10};
  std::vector<double> out(5);
  relu(points, out);
  EXPECT_EQ(out, (std::vector<double>{0, 0, 0, 5, 10}));
  relu(points, out, {.alpha = 0.5});
  EXPECT_EQ(out, (std::vector<double>{-5, -2.5, 0, 5, 10}));
  relu(points, out, {.max_value = 5});
  EXPECT_EQ(out, (std::vector<double>{0, 0, 0, 5, 5}));
  relu(points, out, {.threshold = 5});
  EXPECT_EQ(out, (std::vector<double>{0, 0, 0, 5, 10}));
  relu(points, out, {.threshold = 5, .as_keras = true});
  EXPECT_EQ(out, (std::vector<double>{0, 0, 0, 0, 10}));
}

TEST(Functions, KerasCodeOfReluFollowsItsMeasuredValues) {
  // reference: keras 3 on TensorFlow, x = -10 … 10.
  const std::vector<double> x{-10, -5, -2, 0, 1, 2, 3, 5, 6, 7, 10};
  std::vector<double> y(x.size());
  relu(x, y, {.alpha = 0.5, .max_value = 6, .threshold = 2, .as_keras = true});
  EXPECT_EQ(y, (std::vector<double>{-6, -3.5, -2, -1, -.5, 0, 3, 5, 6, 6, 6}));
  relu(x, y, {.max_value = 2, .threshold = 4, .as_keras = true});
  EXPECT_EQ(y, (std::vector<double>{0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2}));
}

// Inputs that reach subnormal results, tails and both signs.
template <class T>
std::vector<T> points(std::size_t n) {
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double u = std::fmod(static_cast<double>(i) * 0.618033988749895, 1.0) - 0.5;
    x[i] = static_cast<T>(u * (i % 3 == 0 ? 1e-39 : i % 3 == 1 ? 8 : 220));
  }
  return x;
}

template <class T>
struct Results {
  std::vector<T> value, gradient;
  bool operator==(const Results&) const = default;
};

template <class T>
Results<T> compute(const Function& f, const std::vector<T>& x) {
  Results<T> r{std::vector<T>(x.size()), std::vector<T>(x.size())};
  const std::vector<T> upstream(x.size(), T{1.25});
  detail::apply(f, f.defaults, std::span<const T>(x), std::span<T>(r.value));
  detail::apply_gradient(f, f.defaults, std::span<const T>(x), std::span<const T>(upstream),
                         std::span<T>(r.gradient));
  return r;
}

TEST(Functions, ParallelPartsGiveTheBitsOfOneThread) {
  const std::vector<float> x = points<float>(100'003);
  const int before = num_threads();
  for (const char* name : {"gelu", "tanh", "relu", "softplus"}) {
    set_num_threads(1);
    const Results<float> one = compute(*find(name), x);
    set_num_threads(4);
    EXPECT_TRUE(compute(*find(name), x) == one) << name;
  }
  set_num_threads(before);
}

TEST(Functions, ArraysLongEnoughToBeStreamedHaveTheBitsOfShortOnes) {
  const std::size_t n = static_cast<std::size_t>(detail::streaming_bytes()) / 8 + 12'345;
  const std::vector<float> x = points<float>(n), upstream(n, 1.25F);
  std::vector<float> streamed(n), pieces(n);
  const std::span<const float> in(x), above(upstream);
  for (const char* name : {"relu", "tanh"}) {
    const Function& f = *find(name);
    detail::apply(f, f.defaults, in, std::span(streamed));
    constexpr std::size_t kPiece = 9'973;
    for (std::size_t i = 0; i < n; i += kPiece) {
      const std::size_t count = std::min(kPiece, n - i);
      detail::apply(f, f.defaults, in.subspan(i, count), std::span(pieces).subspan(i, count));
    }
    EXPECT_EQ(std::memcmp(streamed.data(), pieces.data(), n * sizeof(float)), 0) << name;
    detail::apply_gradient(f, f.defaults, in, above, std::span(streamed));
    for (std::size_t i = 0; i < n; i += kPiece) {
      const std::size_t count = std::min(kPiece, n - i);
      detail::apply_gradient(f, f.defaults, in.subspan(i, count), above.subspan(i, count),
                             std::span(pieces).subspan(i, count));
    }
    EXPECT_EQ(std::memcmp(streamed.data(), pieces.data(), n * sizeof(float)), 0) << name << "'s gradient";
    // In place nothing is streamed.
    pieces = x;
    detail::apply(f, f.defaults, std::span<const float>(pieces), std::span(pieces));
    detail::apply(f, f.defaults, in, std::span(streamed));
    EXPECT_EQ(std::memcmp(streamed.data(), pieces.data(), n * sizeof(float)), 0) << name << " in place";
  }
}

// What the environment computes: to tell that the test has changed it. volatile keeps it from being folded.
bool subnormals_survive() {
  volatile float tiny = 1e-38F;
  volatile float half = tiny * 0.5F;
  return half != 0;
}

template <class T>
void expect_unchanged(const char* what, const std::vector<Results<T>>& expected, const std::vector<T>& x) {
  std::size_t i = 0;
  for (const Function& f : functions())
    EXPECT_TRUE(compute(f, x) == expected[i++]) << f.info->name << " with " << what;
}

template <class T>
std::vector<Results<T>> compute_all(const std::vector<T>& x) {
  std::vector<Results<T>> results;
  for (const Function& f : functions()) results.push_back(compute(f, x));
  return results;
}

TEST(Functions, TheCallersRoundingModeChangesNothingAndStays) {
  const std::vector<float> x = points<float>(2'000);
  const std::vector<double> wide = points<double>(2'000);
  const auto expected = compute_all(x);
  const auto expected_wide = compute_all(wide);
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    ASSERT_EQ(std::fesetround(mode), 0);
    expect_unchanged("another rounding mode", expected, x);
    expect_unchanged("another rounding mode", expected_wide, wide);
    EXPECT_EQ(std::fegetround(), mode);
    std::fesetround(FE_TONEAREST);
  }
}

#if defined(__x86_64__)
TEST(Functions, TheCallersFlushToZeroChangesNothingAndStays) {
  const std::vector<float> x = points<float>(2'000);
  const std::vector<double> wide = points<double>(2'000);
  const auto expected = compute_all(x);
  const auto expected_wide = compute_all(wide);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // FTZ and DAZ
  const bool flushed = !subnormals_survive();
  expect_unchanged("FTZ and DAZ", expected, x);
  expect_unchanged("FTZ and DAZ", expected_wide, wide);
  EXPECT_EQ(_mm_getcsr() & 0x8040U, 0x8040U);
  _mm_setcsr(before);
  EXPECT_TRUE(flushed);
}
#endif

}  // namespace
}  // namespace keratin::activations
