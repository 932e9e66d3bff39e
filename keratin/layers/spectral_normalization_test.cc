#include "keratin/layers/spectral_normalization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/flatten.h"
#include "keratin/layers/gradient_check.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.7, .seed = 4};

// W^T W is [[10.25, 1], [1, 21]].
Tensor kernel() { return Tensor::of({{1, 2}, {3, -1}, {0.5, 4}}, kF64); }

Layer prepared(std::int64_t power_iterations) {
  const SpectralNormalization layer(Dense(2, {.dtype = kF64}),
                                    {.power_iterations = power_iterations, .dtype = kF64});
  layer.build({1, 3});
  layer.set_weights({Tensor::of({{0.6, 0.8}}, kF64), kernel(), Tensor::of({0.5, -1}, kF64)});
  return layer;
}

TEST(SpectralNormalization, TrainingDividesTheKernelByItsLargestSingularValue) {
  const Layer layer = prepared(100);
  layer(Tensor::zeros({1, 3}, kF64), {.training = true});
  // The larger root of λ² − 31.25 λ + 214.25 = 0. 100 steps, each of which leaves (10.1/21.1)² of the error.
  const double sigma = std::sqrt((31.25 + std::sqrt(31.25 * 31.25 - 4 * 214.25)) / 2);
  const Tensor found = layer.get_weights()[1], expected = kernel();
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(found.values<double>()[i], expected.values<double>()[i] / sigma, 1e-14);
}

TEST(SpectralNormalization, OneStepMovesTheVectorAndUsesItsEstimate) {
  const Layer layer = prepared(1);
  const Tensor x = Tensor::of({{1, 0, 0}}, kF64);
  // u W^T = (2.2, 1, 3.5) =: v; v W / |v| = (6.95, 17.4) / |v|, whose length is the estimate.
  const double sigma = std::hypot(6.95, 17.4) / std::sqrt(2.2 * 2.2 + 1 + 3.5 * 3.5);
  const Tensor y = layer(x, {.training = true});
  EXPECT_NEAR(y.values<double>()[0], 1 / sigma + 0.5, 1e-15);
  EXPECT_NEAR(y.values<double>()[1], 2 / sigma - 1, 1e-15);
  const Tensor u = layer.get_weights()[0];
  EXPECT_NEAR(u.values<double>()[0], 6.95 / std::hypot(6.95, 17.4), 1e-15);
  EXPECT_NEAR(u.values<double>()[1], 17.4 / std::hypot(6.95, 17.4), 1e-15);
}

TEST(SpectralNormalization, InferenceLeavesTheKernel) {
  const Layer layer = prepared(1);
  const Tensor y = layer(Tensor::of({{1, 0, 0}}, kF64));
  EXPECT_EQ(y.values<double>()[0], 1.5);
  EXPECT_EQ(y.values<double>()[1], 1.0);
}

TEST(SpectralNormalization, GradientsMatchCentralDifferences) {
  expect_gradients_match(
      "SpectralNormalization",
      [] {
        return SpectralNormalization(
            Dense(2, {.activation = "tanh", .kernel_initializer = kNormal, .dtype = kF64}), {.dtype = kF64});
      },
      values_away_from({2, 3}, {}));
}

TEST(SpectralNormalization, MistakesAreNamed) {
  EXPECT_THAT(message_of([] { SpectralNormalization(Dense(2), {.power_iterations = 0}); }),
              HasSubstr("power_iterations=0"));
  EXPECT_THAT(message_of([] { SpectralNormalization(Flatten()).build({1, 2}); }), HasSubstr("a Flatten"));
}

}  // namespace
}  // namespace keratin
