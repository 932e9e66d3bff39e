// Random numbers: Philox's published vectors, the same bits for any number of threads, and their
// distributions.
#include "keratin/core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "keratin/core/parallel.h"

namespace keratin {
namespace {

// The file kat_vectors of Random123 1.14, lines "philox4x32 10": counter, key, result.
TEST(Random, PhiloxGivesItsPublishedVectors) {
  const struct {
    std::uint64_t counter;
    RandomKey key;
    std::array<std::uint32_t, 4> expected;
  } rows[] = {{0, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
              {~std::uint64_t{0},
               {~std::uint64_t{0}, ~std::uint64_t{0}},
               {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
              {0x85a308d3243f6a88,
               {0x299f31d0a4093822, 0x0370734413198a2e},
               {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const auto& row : rows) EXPECT_EQ(random_block(row.key, row.counter), row.expected);
}

using Fill = void (*)(std::span<float>, RandomKey);
const struct {
  const char* name;
  Fill fill;
} kFills[] = {
    {"uniform", [](std::span<float> out, RandomKey key) { fill_uniform(out, key, -1, 3); }},
    {"normal", [](std::span<float> out, RandomKey key) { fill_normal(out, key, 1, 2); }},
    {"truncated", [](std::span<float> out, RandomKey key) { fill_truncated_normal(out, key, 0, 1); }}};

TEST(Random, TheSameBitsForAnyNumberOfThreadsAndAnyRoundingMode) {
  const int before = num_threads();
  for (const auto& row : kFills) {
    std::vector<float> expected(100'001), values(expected.size());
    set_num_threads(1);
    row.fill(expected, {42, 7});
    for (const int threads : {2, 5}) {
      set_num_threads(threads);
      std::fesetround(FE_UPWARD);
      row.fill(values, {42, 7});
      std::fesetround(FE_TONEAREST);
      EXPECT_EQ(std::memcmp(values.data(), expected.data(), values.size() * sizeof(float)), 0)
          << row.name << " " << threads;
    }
    // A shorter buffer is the beginning of a longer one.
    values.resize(17);
    row.fill(values, {42, 7});
    EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin())) << row.name;
  }
  set_num_threads(before);
}

TEST(Random, ConcurrentFillsGiveTheSameBitsParallelOrNot) {
  std::vector<float> expected(40'000), values(expected.size());
  fill_normal(std::span(expected), {3, 1}, 0, 1);
  parallel_for(4, 1, [&](std::int64_t i, std::int64_t) {
    std::vector<float> own(expected.size());
    fill_normal(std::span(own), {3, 1}, 0, 1);
    const auto quarter = own.size() / 4, begin = quarter * static_cast<std::size_t>(i);
    std::copy_n(own.begin() + static_cast<std::ptrdiff_t>(begin), quarter,
                values.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  EXPECT_EQ(values, expected);
}

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

template <class T>
Moments moments(const std::vector<T>& values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const T value : values) m.mean += static_cast<double>(value) / n;
  double third = 0, fourth = 0;
  for (const T value : values) {
    const double d = static_cast<double>(value) - m.mean;
    m.variance += d * d / n;
    third += d * d * d / n;
    fourth += d * d * d * d / n;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

// Each moment of n samples lies within five of its standard errors: sqrt(var/n) for the mean, and
// sqrt((kurtosis - 1)/n)·var, sqrt(6/n), sqrt(24/n) for a normal's variance, skewness and kurtosis.
constexpr std::size_t kSamples = 1'000'000;
const double kRoot = std::sqrt(static_cast<double>(kSamples));

template <class T>
class RandomMoments : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(RandomMoments, Floats);

TYPED_TEST(RandomMoments, OfTheUniformAreRight) {
  std::vector<TypeParam> values(kSamples);
  fill_uniform(std::span<TypeParam>(values), {1, 2}, -1, 3);
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 1, 5 * std::sqrt(16.0 / 12) / kRoot);
  EXPECT_NEAR(m.variance, 16.0 / 12, 5 * (16.0 / 12) * std::sqrt(0.8) / kRoot);  // kurtosis 9/5
  EXPECT_GE(*std::min_element(values.begin(), values.end()), -1);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 3);
  // Chi-squared over 256 bins: mean 255, standard deviation sqrt(510).
  std::vector<double> bins(256);
  for (const TypeParam value : values) ++bins[static_cast<std::size_t>((value + 1) * 64)];
  double chi = 0;
  for (const double count : bins)
    chi += (count - kSamples / 256.0) * (count - kSamples / 256.0) / (kSamples / 256.0);
  EXPECT_NEAR(chi, 255, 5 * std::sqrt(510.0));
}

TYPED_TEST(RandomMoments, OfTheNormalAreRight) {
  std::vector<TypeParam> values(kSamples);
  fill_normal(std::span<TypeParam>(values), {1, 3}, 5, 2);
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 5, 5 * 2 / kRoot);
  EXPECT_NEAR(m.variance, 4, 5 * 4 * std::sqrt(2.0) / kRoot);
  EXPECT_NEAR(m.skewness, 0, 5 * std::sqrt(6.0) / kRoot);
  EXPECT_NEAR(m.kurtosis, 3, 5 * std::sqrt(24.0) / kRoot);
  // The share beyond two standard deviations is 0.0455003.
  double beyond = 0;
  for (const TypeParam value : values) beyond += std::abs(value - 5) > 4;
  EXPECT_NEAR(beyond / kSamples, 0.0455003, 5 * std::sqrt(0.0455 * 0.9545) / kRoot);
}

TYPED_TEST(RandomMoments, OfTheTruncatedNormalAreRightAndNoneLiesBeyondTwoDeviations) {
  std::vector<TypeParam> values(kSamples);
  const double stddev = 0.3;
  fill_truncated_normal(std::span<TypeParam>(values), {1, 4}, 0, stddev);
  const Moments m = moments(values);
  // Cut at two sigma, a standard normal keeps the variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737413.
  const double variance = 0.7737413 * stddev * stddev;
  EXPECT_NEAR(m.mean, 0, 5 * std::sqrt(variance) / kRoot);
  EXPECT_NEAR(m.variance, variance, 5 * variance * std::sqrt(2.0) / kRoot);
  const auto limit = static_cast<TypeParam>(2 * stddev);  // rounded like the samples
  for (const TypeParam value : values) ASSERT_LE(std::abs(value), limit);
}

TEST(Random, StreamsOfOneSeedAreUncorrelated) {
  std::vector<double> a(kSamples), b(kSamples);
  fill_normal(std::span(a), {1, 10}, 0, 1);
  fill_normal(std::span(b), {1, 11}, 0, 1);
  double product = 0, neighbour = 0;
  for (std::size_t i = 0; i < a.size(); ++i) product += a[i] * b[i];
  for (std::size_t i = 1; i < a.size(); ++i) neighbour += a[i] * a[i - 1];
  EXPECT_NEAR(product / kSamples, 0, 5 / kRoot);
  EXPECT_NEAR(neighbour / kSamples, 0, 5 / kRoot);
}

TEST(Random, TheSeedStartsEveryStreamAnew) {
  set_random_seed(123);
  const RandomKey first = next_random_key(), second = next_random_key();
  EXPECT_NE(first.stream, second.stream);
  EXPECT_EQ(first.seed, 123u);
  set_random_seed(123);
  EXPECT_EQ(next_random_key().stream, first.stream);
  set_random_seed(124);
  EXPECT_NE(random_block(next_random_key(), 0), random_block(first, 0));
}

TEST(Random, EmptyAndDegenerateRanges) {
  fill_uniform(std::span<float>(), {1, 1}, 0, 1);
  std::vector<float> values(100);
  fill_uniform(std::span(values), {1, 1}, 2, 2);
  EXPECT_THAT(values, testing::Each(2.0F));
  fill_normal(std::span(values), {1, 1}, -3, 0);
  EXPECT_THAT(values, testing::Each(-3.0F));
  // So narrow that rounding would reach the upper end.
  fill_uniform(std::span(values), {1, 1}, 1, std::nextafter(1.0F, 2.0F));
  EXPECT_THAT(values, testing::Each(1.0F));
}

TEST(Random, PermutationsHoldEachIndexOnceAndAreEquallyLikely) {
  std::vector<std::int64_t> order(1000);
  fill_permutation(order, {5, 5});
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), order.size());
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 999);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::map<std::vector<std::int64_t>, double> counts;
  const double rounds = 48'000;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(rounds); ++i) {
    std::vector<std::int64_t> small(4);
    fill_permutation(small, {6, i});
    ++counts[small];
  }
  EXPECT_EQ(counts.size(), 24u);
  double chi = 0;
  for (const auto& [permutation, count] : counts)
    chi += (count - rounds / 24) * (count - rounds / 24) / (rounds / 24);
  EXPECT_NEAR(chi, 23, 5 * std::sqrt(46.0));
}

}  // namespace
}  // namespace keratin
