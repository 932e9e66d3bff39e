#include "keratin/layers/locally_connected.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/convolution.h"
#include "keratin/layers/gradient_check.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.7, .seed = 4};

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(kF64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

TEST(LocallyConnected, WithOneKernelEverywhereIsAConvolution) {
  const Tensor x = values_away_from({2, 5, 6, 3}, {});
  const Conv2D convolution(4, {2, 3}, {.strides = {2, 1}, .activation = "tanh", .dtype = kF64});
  const Tensor expected = convolution(x);
  const LocallyConnected2D layer(4, {2, 3}, {.strides = {2, 1}, .activation = "tanh", .dtype = kF64});
  layer.build(x.shape());
  // (2, 4) positions, of 2·3·3 values each.
  const Tensor kernel = convolution.get_weights()[0].reshape({1, 18, 4});
  layer.set_weights({kernel.broadcast_to({8, 18, 4}).contiguous(), Tensor::zeros({2, 4, 4}, kF64)});
  const Tensor y = layer(x);
  ASSERT_EQ(y.shape(), expected.shape());
  const std::vector<double> found = values_of(y), wanted = values_of(expected);
  // Sums of 18 products of order 1 in another order: 18 roundings of 1.1e-16 of a sum of about 10.
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 2e-14) << i;
}

TEST(LocallyConnected, EachPositionHasItsOwnWeights) {
  const LocallyConnected1D layer(1, 2);
  const Tensor x = Tensor::of({1, 2, 3}).reshape({1, 3, 1});
  layer.build({1, 3, 1});
  layer.set_weights(
      {Tensor::of({1, 10, 100, 1000}).reshape({2, 2, 1}), Tensor::of({0.5, 0.25}).reshape({2, 1})});
  // 1·1 + 10·2 + 0.5, 100·2 + 1000·3 + 0.25.
  EXPECT_EQ(values_of(layer(x)), (std::vector<double>{21.5, 3200.25}));
}

TEST(LocallyConnected, WindowsOfPaddingSameAreCenteredAsInKeras2) {
  // A window of 2 begins one place before its position: y0 sees x0, y1 sees x0 and x1, y2 sees x1 and x2.
  const Tensor x = Tensor::of({1, 2, 3}).reshape({1, 3, 1});
  const LocallyConnected1D sparse(1, 2, {.padding = "same", .use_bias = false, .implementation = 3});
  sparse.build({1, 3, 1});
  sparse.set_weights({Tensor::of({1, 10, 100, 1000, 10000})});
  EXPECT_EQ(values_of(sparse(x)), (std::vector<double>{1, 210, 32000}));
  // The weights of all of x (rows) to all of y; those not connected count nothing.
  const LocallyConnected1D dense(1, 2, {.padding = "same", .use_bias = false, .implementation = 2});
  dense.build({1, 3, 1});
  dense.set_weights({Tensor::of({{1, 10, 7}, {7, 100, 1000}, {7, 7, 10000}}).reshape({3, 1, 3, 1})});
  EXPECT_EQ(values_of(dense(x)), (std::vector<double>{1, 210, 32000}));
}

TEST(LocallyConnected, GradientsMatchCentralDifferences) {
  for (const char* format : {"channels_last", "channels_first"}) {
    for (const std::int64_t implementation : {1, 2, 3}) {
      expect_gradients_match(
          std::string("LocallyConnected2D ") + format + ", implementation " + std::to_string(implementation),
          [=] {
            return LocallyConnected2D(2, {2, 1},
                                      {.strides = {1, 2},
                                       .padding = implementation == 1 ? "valid" : "same",
                                       .data_format = format,
                                       .activation = "tanh",
                                       .kernel_initializer = kNormal,
                                       .bias_initializer = kNormal,
                                       .implementation = implementation,
                                       .dtype = kF64});
          },
          values_away_from({2, 3, 3, 2}, {}));
    }
  }
}

TEST(LocallyConnected, ACloneHasTheSameWeights) {
  for (const std::int64_t implementation : {1, 2, 3}) {
    const LocallyConnected1D layer(2, 2, {.implementation = implementation});
    const Tensor x = values_away_from({2, 4, 3}, {}).astype(DType::float32);
    const Tensor y = layer(x);
    EXPECT_EQ(values_of(y), values_of(layer.clone()(x)));
  }
}

TEST(LocallyConnected, MistakesNameTheArgument) {
  EXPECT_THAT(message_of([] { LocallyConnected1D(2, 3, {.padding = "same"}); }), HasSubstr("implementation"));
  EXPECT_THAT(message_of([] { LocallyConnected1D(2, 3, {.implementation = 4}); }),
              HasSubstr("implementation=4"));
  EXPECT_THAT(message_of([] { LocallyConnected1D(0, 3); }), HasSubstr("filters=0"));
  EXPECT_THAT(message_of([] {
                LocallyConnected1D(2, 3).build({Shape::kUnknown, Shape::kUnknown, 2});
              }),
              HasSubstr("known spatial sizes"));
  const LocallyConnected1D layer(2, 3);
  layer.build({1, 5, 2});
  EXPECT_THAT(message_of([&] { layer(Tensor::zeros({1, 6, 2})); }), HasSubstr("(None, 5, 2)"));
}

}  // namespace
}  // namespace keratin
