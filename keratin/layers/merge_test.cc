// Layers that merge several tensors into one.
#include "keratin/layers/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"

namespace keratin {
namespace {

using keratin::testing::values_away_from;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

Tensor mask_of(std::vector<int> values, const Shape& shape) {
  Tensor mask = Tensor::full(shape, 0, DType::boolean);
  for (std::size_t i = 0; i < values.size(); ++i) mask.mutable_values<bool>()[i] = values[i] != 0;
  return mask;
}

TEST(Merge, LayersDoWhatTheirNamesSay) {
  const Tensor a = Tensor::of({{1, 4}}), b = Tensor::of({{3, 2}}), c = Tensor::of({{5, 0}});
  EXPECT_EQ(values_of(Add()({a, b, c})), (std::vector<double>{9, 6}));
  EXPECT_EQ(values_of(Subtract()({a, b})), (std::vector<double>{-2, 2}));
  EXPECT_EQ(values_of(Multiply()({a, b, c})), (std::vector<double>{15, 0}));
  EXPECT_EQ(values_of(Average()({a, b, c})), (std::vector<double>{3, 2}));
  EXPECT_EQ(values_of(Maximum()({a, b, c})), (std::vector<double>{5, 4}));
  EXPECT_EQ(values_of(Minimum()({a, b, c})), (std::vector<double>{1, 0}));
  EXPECT_EQ(values_of(Concatenate()({a, b})), (std::vector<double>{1, 4, 3, 2}));
  EXPECT_EQ(values_of(Dot(1)({a, b})), std::vector<double>{11});
}

TEST(Merge, LowerRanksGetAxesBehindTheBatch) {
  const Tensor y = Add()({Tensor::zeros({2, 3, 4}), Tensor::zeros({2, 4})});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 4}));
}

// Keras 3: the result counts where any input does, and what does not count leaves the others as they are.
TEST(Merge, MasksAreJoinedAsEachGenerationJoinsThem) {
  const Tensor a = Tensor::of({{2, 3, 4}}), b = Tensor::of({{5, 6, 7}});
  const Tensor first = mask_of({1, 1, 0}, {1, 3}), second = mask_of({1, 0, 0}, {1, 3});
  Tensors masks;
  const CallContext context{.masks = {first, second}, .output_masks = &masks};
  Add()({a, b}, context);
  EXPECT_EQ(values_of(masks[0]), (std::vector<double>{1, 1, 0}));
  EXPECT_EQ(values_of(Multiply()({a, b}, context)), (std::vector<double>{10, 3, 0}));
  EXPECT_EQ(values_of(Maximum()({a, b}, context)), (std::vector<double>{5, 3, 4}));
  const Layer keras2 =
      layers::deserialize(Config::parse(R"({"class_name": "Add", "config": {}})"), Generation::keras2);
  keras2({a, b}, context);
  EXPECT_EQ(values_of(masks[0]), (std::vector<double>{1, 0, 0}));
}

TEST(Merge, ShapesThatDoNotFitAreNamed) {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({2, 4});
  const std::string message = message_of([&] { Add({.name = "sum"})({a, b}); });
  EXPECT_THAT(message, HasSubstr("(2, 3) and (2, 4)"));
  EXPECT_THAT(message, HasSubstr("\"sum\""));
  EXPECT_THROW(Subtract()({a, a, a}), ShapeError);
  EXPECT_THROW(Concatenate({.axis = 0})({a, b}), ShapeError);
  EXPECT_THROW(Concatenate({.axis = 2})({a, a}), ShapeError);
  EXPECT_THROW(Dot(1)({a, b}), ShapeError);
  EXPECT_THROW(Dot(0)({a, a}), ValueError);
  EXPECT_THROW(Dot({1, 1, 1}), ValueError);
  EXPECT_THROW(Add()({a, Tensor::zeros({3, 3})}), ShapeError);
}

TEST(Merge, GradientsMatchCentralDifferences) {
  const Tensor x = values_away_from({2, 3, 4}, {0});
  const auto options = [] { return MergeOptions{.dtype = DType::float64}; };
  const std::function<Layer()> layers[] = {
      [&] { return Add(options()); },
      [&] { return Subtract(options()); },
      [&] { return Multiply(options()); },
      [&] { return Average(options()); },
      [&] { return Maximum(options()); },
      [&] { return Minimum(options()); },
      [] { return Concatenate({.axis = 1, .dtype = DType::float64}); },
      [] { return Dot(2, {.normalize = true, .dtype = DType::float64}); },
  };
  for (const auto& make : layers)
    keratin::testing::expect_gradients_match(std::string(make().class_name()), make,
                                             Tensors{x, values_away_from({2, 3, 4}, {0}, 9)});
}

}  // namespace
}  // namespace keratin
