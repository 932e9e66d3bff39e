#include "keratin/layers/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/layers/alpha_dropout.h"

namespace keratin {
namespace {

CallContext training() { return {.training = true}; }

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

double share_of(const std::vector<double>& values, double wanted) {
  return static_cast<double>(std::count(values.begin(), values.end(), wanted)) /
         static_cast<double>(values.size());
}

TEST(Dropout, DropsTheRateAndScalesTheRest) {
  set_random_seed(1);
  const Tensor x = Tensor::full({400, 500}, 3);
  for (const double rate : {0.1, 0.5, 0.9}) {
    const std::vector<double> y = values_of(Dropout(rate)(x, training()));
    // 200,000 draws: the share's standard error is √(r(1 − r)/200000) <= 0.0012; five of them.
    EXPECT_NEAR(share_of(y, 0), rate, 5 * std::sqrt(rate * (1 - rate) / 2e5)) << rate;
    const auto kept = static_cast<float>(3 * static_cast<float>(1 / (1 - rate)));
    EXPECT_EQ(share_of(y, 0) + share_of(y, kept), 1) << rate;
  }
}

TEST(Dropout, DoesNothingOutsideTrainingOrAtRateZero) {
  const Tensor x = Tensor::of({{1, 2}, {3, 4}});
  EXPECT_EQ(Dropout(0.5)(x).data(), x.data());
  EXPECT_EQ(Dropout(0)(x, training()).data(), x.data());
  EXPECT_EQ(AlphaDropout(0.5)(x).data(), x.data());
  EXPECT_EQ(AlphaDropout(1)(x).data(), x.data());
}

TEST(Dropout, RateOneDropsAllAndInfinityIsDroppedToo) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::of({1, infinity, -infinity});
  EXPECT_EQ(values_of(Dropout(1)(x, training())), (std::vector<double>{0, 0, 0}));
}

TEST(Dropout, ASeedGivesTheSameCallsWhateverTheNumberOfThreads) {
  const int threads = num_threads();
  const Tensor x = Tensor::full({300, 201}, 1);
  set_num_threads(1);
  const Dropout one(0.3, {.seed = 8});
  const std::vector<double> first = values_of(one(x, training())), second = values_of(one(x, training()));
  EXPECT_NE(first, second);
  set_num_threads(3);
  const Dropout two(0.3, {.seed = 8});
  EXPECT_EQ(values_of(two(x, training())), first);
  EXPECT_EQ(values_of(two(x, training())), second);
  // A part of the batch draws the same as the whole.
  const Dropout part(0.3, {.seed = 8});
  const std::vector<double> row = values_of(part(x.slice(0, 0, 7), training()));
  EXPECT_TRUE(std::equal(row.begin(), row.end(), first.begin()));
  set_num_threads(threads);
}

TEST(Dropout, WithoutASeedFollowsSetRandomSeed) {
  const Tensor x = Tensor::full({20, 20}, 1);
  const Dropout layer(0.5);
  set_random_seed(4);
  const std::vector<double> first = values_of(layer(x, training()));
  EXPECT_NE(values_of(layer(x, training())), first);
  set_random_seed(4);
  EXPECT_EQ(values_of(layer(x, training())), first);
}

TEST(Dropout, ANoiseShapeSharesDraws) {
  const Tensor x = Tensor::full({50, 4, 3}, 1);
  const Tensor y = Dropout(0.5, {.noise_shape = Shape{Shape::kUnknown, 1, 3}, .seed = 2})(x, training());
  bool differs = false;
  for (std::int64_t i = 0; i < 50; ++i) {
    for (std::int64_t k = 0; k < 3; ++k) {
      for (std::int64_t j = 1; j < 4; ++j) EXPECT_EQ(y.at({i, j, k}), y.at({i, 0, k}));
      differs = differs || y.at({i, 0, k}) != y.at({i, 0, 0});
    }
  }
  EXPECT_TRUE(differs);
}

// Klambauer et al. 2017 and Keras, for rate 0.2: a = 0.8789035834435328, b = 0.30903996214409446.
TEST(AlphaDropout, UsesThePublishedScaleAndShift) {
  const double a = 0.8789035834435328, b = 0.30903996214409446, limit = -1.7580993408473766;
  const Tensor x = Tensor::of({{1, -2, 0.5, 3, 0}}, DType::float64);
  bool kept = false, dropped = false;
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    const Tensor y = AlphaDropout(0.2, {.seed = seed, .dtype = DType::float64})(x, training());
    for (std::int64_t i = 0; i < 5; ++i) {
      // Two roundings of numbers below 4.
      const bool is_dropped = std::abs(y.at({0, i}) - (a * limit + b)) < 1e-15;
      if (!is_dropped) {
        EXPECT_NEAR(y.at({0, i}), a * x.at({0, i}) + b, 1e-15);
      }
      (is_dropped ? dropped : kept) = true;
    }
  }
  EXPECT_TRUE(kept && dropped);
}

TEST(AlphaDropout, KeepsMeanAndVariance) {
  Tensor x = Tensor::empty({1000, 1000});
  fill_normal(x.mutable_values<float>(), {7, 7}, 0, 1);
  for (const double rate : {0.05, 0.2, 0.5, 0.8}) {
    const std::vector<double> y = values_of(AlphaDropout(rate, {.seed = 1})(x, training()));
    double mean = 0, variance = 0;
    for (const double value : y) mean += value * 1e-6;
    for (const double value : y) variance += (value - mean) * (value - mean) * 1e-6;
    // A million draws of variance 1: the mean's standard error is 0.001; that of the variance √((κ − 1)/n),
    // with a kurtosis κ below 6 at these rates: 0.0023. Five of them.
    EXPECT_NEAR(mean, 0, 0.005) << rate;
    EXPECT_NEAR(variance, 1, 0.0115) << rate;
  }
}

}  // namespace
}  // namespace keratin
