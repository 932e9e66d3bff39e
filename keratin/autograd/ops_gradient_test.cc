// Every op's gradient, and the gradient of that, against central differences in double.
#include <gtest/gtest.h>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/ops/conv.h"
#include "keratin/ops/einsum.h"

namespace keratin {
namespace {

using test::Function;
using Inputs = std::vector<Tensor>;

struct Case {
  std::string name;
  Function function;
  std::vector<Shape> shapes;
  double low = -2, high = 2;
};

// Over two axes: a step of 2 and a gap of 1 in the first, zeros in front of both.
const ops::ConvGeometry kStrided = {.strides = {1, 2, 1}, .dilations = {1, 1, 2}, .before = {0, 1, 1}};
// Overlapping ones of three, two and four elements.
const ops::PoolWindows kWindows = {{{{0, 1}}, {{0, 1}}, {{0, 3}, {1, 3}, {1, 5}}}};

// Inputs from distinct numbers keep clear of kinks by more than the step of the differences.
const std::vector<Case>& cases() {
  static const Tensor condition =
      Tensor::from(std::vector<double>{1, 0, 0, 1, 1, 0}, {2, 3}).astype(DType::boolean);
  static const std::vector<Case> all = {
      {"add", [](const Inputs& x) { return x[0] + x[1]; }, {{2, 3}, {2, 3}}},
      {"add broadcast", [](const Inputs& x) { return x[0] + x[1]; }, {{2, 1, 3}, {4, 1}}},
      {"subtract broadcast", [](const Inputs& x) { return x[0] - x[1]; }, {{2, 3}, {3}}},
      {"multiply", [](const Inputs& x) { return x[0] * x[1]; }, {{2, 3}, {2, 3}}},
      {"multiply broadcast", [](const Inputs& x) { return x[0] * x[1]; }, {{3, 1}, {2, 1, 4}}},
      {"multiply itself", [](const Inputs& x) { return x[0] * x[0]; }, {{2, 3}}},
      {"divide", [](const Inputs& x) { return x[0] / x[1]; }, {{2, 3}, {3}}, 0.5, 2},
      {"maximum", [](const Inputs& x) { return ops::maximum(x[0], x[1]); }, {{2, 3}, {3}}},
      {"minimum", [](const Inputs& x) { return ops::minimum(x[0], x[1]); }, {{2, 3}, {2, 1}}},
      {"power 3", [](const Inputs& x) { return ops::power(x[0], 3); }, {{5}}},
      {"power 2", [](const Inputs& x) { return ops::power(x[0], 2); }, {{5}}},
      {"power 1", [](const Inputs& x) { return ops::power(x[0], 1); }, {{5}}},
      {"power 0", [](const Inputs& x) { return ops::power(x[0], 0); }, {{5}}},
      {"power -1.5", [](const Inputs& x) { return ops::power(x[0], -1.5); }, {{5}}, 0.5, 2},
      {"negative", [](const Inputs& x) { return -x[0]; }, {{5}}},
      {"absolute", [](const Inputs& x) { return ops::absolute(x[0]); }, {{6}}},
      {"square", [](const Inputs& x) { return ops::square(x[0]); }, {{5}}},
      {"sqrt", [](const Inputs& x) { return ops::sqrt(x[0]); }, {{5}}, 0.5, 2},
      {"exp", [](const Inputs& x) { return ops::exp(x[0]); }, {{5}}},
      {"log", [](const Inputs& x) { return ops::log(x[0]); }, {{5}}, 0.5, 2},
      {"clip", [](const Inputs& x) { return ops::clip(x[0], -1, 0.5); }, {{8}}},
      {"where", [](const Inputs& x) { return ops::where(condition, x[0], x[1]); }, {{2, 3}, {3}}},
      {"where broadcast", [](const Inputs& x) { return ops::where(condition, x[0], x[1]); }, {{}, {2, 2, 3}}},
      {"sum", [](const Inputs& x) { return ops::sum(x[0]); }, {{2, 3}}},
      {"sum axes",
       [](const Inputs& x) {
         return ops::sum(x[0], {{0, 2}});
       },
       {{2, 3, 2}}},
      {"sum keepdims", [](const Inputs& x) { return ops::sum(x[0], {{-1}}, true); }, {{2, 3}}},
      {"mean", [](const Inputs& x) { return ops::mean(x[0]); }, {{2, 3}}},
      {"mean axis", [](const Inputs& x) { return ops::mean(x[0], {{0}}); }, {{4, 3}}},
      {"max", [](const Inputs& x) { return ops::max(x[0]); }, {{2, 3}}},
      {"max axis", [](const Inputs& x) { return ops::max(x[0], {{1}}); }, {{2, 3, 2}}},
      {"max keepdims", [](const Inputs& x) { return ops::max(x[0], {{0}}, true); }, {{4, 3}}},
      {"matmul", [](const Inputs& x) { return ops::matmul(x[0], x[1]); }, {{3, 4}, {4, 2}}},
      {"matmul batch", [](const Inputs& x) { return ops::matmul(x[0], x[1]); }, {{2, 1, 3, 2}, {3, 2, 2}}},
      {"matmul vectors", [](const Inputs& x) { return ops::matmul(x[0], x[1]); }, {{4}, {4}}},
      {"matmul vector left", [](const Inputs& x) { return ops::matmul(x[0], x[1]); }, {{4}, {2, 4, 3}}},
      {"matmul vector right", [](const Inputs& x) { return ops::matmul(x[0], x[1]); }, {{3, 4}, {4}}},
      {"reshape",
       [](const Inputs& x) {
         return ops::reshape(x[0], {3, -1});
       },
       {{2, 3}}},
      {"transpose", [](const Inputs& x) { return ops::transpose(x[0]); }, {{2, 3, 2}}},
      {"transpose order",
       [](const Inputs& x) {
         return ops::transpose(x[0], std::vector<std::int64_t>{1, -1, 0});
       },
       {{2, 3, 2}}},
      {"broadcast_to",
       [](const Inputs& x) {
         return ops::broadcast_to(x[0], {2, 3, 2});
       },
       {{3, 1}}},
      {"expand_dims", [](const Inputs& x) { return ops::expand_dims(x[0], 1); }, {{2, 3}}},
      {"squeeze", [](const Inputs& x) { return ops::squeeze(x[0], 1); }, {{2, 1, 3}}},
      {"slice", [](const Inputs& x) { return ops::slice(x[0], 1, 1, 5, 2); }, {{2, 6}}},
      {"slice from the end", [](const Inputs& x) { return ops::slice(x[0], -1, -3, 9); }, {{2, 5}}},
      {"slice of nothing", [](const Inputs& x) { return ops::slice(x[0], 0, 2, 1); }, {{3, 2}}},
      {"concatenate",
       [](const Inputs& x) {
         return ops::concatenate({x[0], x[1], x[0]}, 1);
       },
       {{2, 3}, {2, 1}}},
      {"take",
       [](const Inputs& x) {
         return ops::take(x[0], Tensor::of({2, 0, 2, -1}, DType::int32));
       },
       {{3, 2}}},
      {"einsum",
       [](const Inputs& x) { return ops::einsum("abc,cbd->dab", x[0], x[1]); },
       {{2, 2, 3}, {3, 2, 2}}},
      {"einsum of axes alone",
       [](const Inputs& x) { return ops::einsum("ab,cd->c", x[0], x[1]); },
       {{2, 3}, {2, 2}}},
      {"conv",
       [](const Inputs& x) {
         return ops::conv(x[0], x[1], x[2], ActivationFn(), kStrided, {2, 3, 2, 4});
       },
       {{2, 5, 4, 2}, {2, 3, 2, 4}, {4}}},
      {"conv in groups",
       [](const Inputs& x) {
         return ops::conv(x[0], x[1], {}, ActivationFn(), {.groups = 2}, {1, 3, 4});
       },
       {{1, 4, 4}, {2, 2, 4}}},
      {"conv of each channel alone",
       [](const Inputs& x) {
         return ops::conv(x[0], x[1], {}, ActivationFn(), {.groups = 3}, {1, 3, 6});
       },
       {{1, 4, 3}, {2, 1, 6}}},
      {"conv_data",
       [](const Inputs& x) {
         return ops::conv_data(x[0], x[1], kStrided, {2, 5, 4, 2});
       },
       {{2, 3, 2, 4}, {2, 3, 2, 4}}},
      {"conv_kernel",
       [](const Inputs& x) {
         return ops::conv_kernel(x[0], x[1], kStrided, {2, 3, 2, 4});
       },
       {{2, 5, 4, 2}, {2, 3, 2, 4}}},
      {"max_pool", [](const Inputs& x) { return ops::max_pool(x[0], kWindows); }, {{2, 5, 2}}},
      {"average_pool", [](const Inputs& x) { return ops::average_pool(x[0], kWindows); }, {{2, 5, 2}}},
      {"cast", [](const Inputs& x) { return ops::cast(x[0], DType::float64); }, {{3}}},
      {"operators",
       [](const Inputs& x) { return (2.0 - x[0]) / (x[0] * 0.5 + 3.0) - 1.0 / (x[0] - 4.0); },
       {{5}}},
  };
  return all;
}

struct Point {
  Inputs inputs;
  Tensor upstream;
};

Point point_of(const Case& test) {
  test::Numbers numbers;
  Point point;
  for (const Shape& shape : test.shapes) point.inputs.push_back(numbers.tensor(shape, test.low, test.high));
  point.upstream = numbers.tensor(test.function(point.inputs).shape(), -1, 1);
  return point;
}

Inputs watched(const Inputs& inputs) {
  Inputs result;
  for (const Tensor& input : inputs) result.push_back(input.watched());
  return result;
}

// Gradients of Σ upstream·f, recorded where this thread records; zeros for what f does not depend on.
Inputs gradients_at(const Function& f, const Inputs& leaves, const Tensor& upstream) {
  Tensor y;
  {
    const RecordGradients recording;
    y = f(leaves);
  }
  if (y.node() == nullptr) return Inputs(leaves.size());
  Inputs result = gradients(y, leaves, upstream);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (!result[i].is_defined()) result[i] = Tensor::zeros(leaves[i].shape(), DType::float64);
  return result;
}

// Differences of values of about 10 with steps of 6e-6: 10·(ε / step + step²) ≈ 1e-9 at most.
constexpr double kTolerance = 1e-9;

TEST(OpsGradients, AgreeWithCentralDifferences) {
  for (const Case& test : cases()) {
    const Point point = point_of(test);
    const Inputs analytic = gradients_at(test.function, watched(point.inputs), point.upstream);
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      const Tensor numeric = test::central_differences(test.function, point.inputs, i, point.upstream);
      ASSERT_EQ(analytic[i].shape(), numeric.shape()) << test.name;
      EXPECT_LT(test::worst_difference(analytic[i], numeric), kTolerance)
          << test.name << ", input " << i << "\n"
          << analytic[i] << "\ndifferences\n"
          << numeric;
    }
  }
}

// The gradient with respect to every input as one vector, a function like any other.
Tensor gradient_vector(const Case& test, const Inputs& inputs, const Tensor& upstream) {
  Inputs parts = gradients_at(test.function, inputs, upstream);
  for (Tensor& part : parts) part = ops::reshape(part, {-1});
  return ops::concatenate(parts, 0);
}

TEST(OpsGradients, OfGradientsAgreeWithCentralDifferences) {
  int recorded = 0;
  for (const Case& test : cases()) {
    const Point point = point_of(test);
    const Function first = [&](const Inputs& inputs) {
      // The differences pass plain tensors: each evaluation watches its own.
      return gradient_vector(test, inputs[0].node() != nullptr ? inputs : watched(inputs), point.upstream);
    };
    const Inputs leaves = watched(point.inputs);
    Tensor gradient;
    {
      const RecordGradients recording;
      gradient = first(leaves);
    }
    test::Numbers numbers;
    const Tensor direction = numbers.tensor(gradient.shape(), -1, 1);
    Inputs second(leaves.size());
    if (gradient.node() != nullptr) {
      second = gradients(gradient, leaves, direction);
      ++recorded;
    }
    for (std::size_t i = 0; i < second.size(); ++i) {
      if (!second[i].is_defined()) second[i] = Tensor::zeros(leaves[i].shape(), DType::float64);
      const Tensor numeric = test::central_differences(first, point.inputs, i, direction);
      EXPECT_LT(test::worst_difference(second[i], numeric), kTolerance)
          << test.name << ", input " << i << "\n"
          << second[i] << "\ndifferences\n"
          << numeric;
    }
  }
  EXPECT_GE(recorded, 12);
}

TEST(OpsGradients, AtKinksAreThoseOfKeras) {
  const Tensor x = Tensor::of({-1, 0, 1, 2}, DType::float64).watched();
  const Tensor one = Tensor::scalar(1, DType::float64);
  const auto gradient = [&](const Function& f) {
    const Tensor g = gradients_at(f, {x}, Tensor())[0];
    return std::vector<double>(g.values<double>().begin(), g.values<double>().end());
  };
  using Values = std::vector<double>;
  EXPECT_EQ(gradient([](const Inputs& v) { return ops::absolute(v[0]); }), (Values{-1, 0, 1, 1}));
  EXPECT_EQ(gradient([](const Inputs& v) { return ops::clip(v[0], 0, 1); }), (Values{0, 1, 1, 0}));
  EXPECT_EQ(gradient([&](const Inputs& v) { return ops::maximum(v[0], one); }), (Values{0, 0, 0.5, 1}));
  EXPECT_EQ(gradient([&](const Inputs& v) { return ops::minimum(v[0], one); }), (Values{1, 1, 0.5, 0}));
  EXPECT_EQ(gradient([](const Inputs& v) { return ops::max(ops::maximum(v[0], v[0] * v[0])); }),
            (Values{0, 0, 0, 4}));
  EXPECT_EQ(gradient([](const Inputs& v) { return ops::max(ops::clip(v[0], -5, 1)); }),
            (Values{0, 0, 0.5, 0}));
}

TEST(OpsGradients, OfCastComeBackInTheSourceDtype) {
  const Tensor x = Tensor::of({1, 2}).watched();
  Tensor y;
  {
    const RecordGradients recording;
    y = ops::cast(x, DType::float64) * 3.0;
  }
  const Tensor gradient = gradients(y, Inputs{x})[0];
  EXPECT_EQ(gradient.dtype(), DType::float32);
  EXPECT_EQ(gradient.at({1}), 3);
}

}  // namespace
}  // namespace keratin
