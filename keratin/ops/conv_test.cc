// Convolution of floats against that of doubles, which is computed another way, and against itself.
#include "keratin/ops/conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

struct Case {
  std::string name;
  Shape x, kernel, result;
  ops::ConvGeometry geometry;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"2D", {3, 9, 8, 4}, {3, 3, 4, 6}, {3, 7, 6, 6}, {}},
      {"one channel", {9, 28, 28, 1}, {3, 3, 1, 32}, {9, 26, 26, 32}, {}},
      {"blocks of samples and a rest", {37, 10, 10, 8}, {3, 3, 8, 16}, {37, 8, 8, 16}, {}},
      {"pointwise", {2, 5, 5, 7}, {1, 1, 7, 9}, {2, 5, 5, 9}, {}},
      {"same, strides",
       {2, 9, 9, 3},
       {3, 3, 3, 5},
       {2, 5, 5, 5},
       {.strides = {1, 2, 2}, .before = {0, 1, 1}}},
      {"strides that leave a rest", {2, 8, 9, 3}, {3, 3, 3, 5}, {2, 3, 4, 5}, {.strides = {1, 2, 2}}},
      {"dilated", {2, 11, 12, 3}, {3, 2, 3, 5}, {2, 7, 9, 5}, {.dilations = {1, 2, 3}}},
      {"1D, same", {3, 12, 5}, {3, 5, 4}, {3, 12, 4}, {.before = {0, 0, 2}}},
      {"3D", {2, 5, 6, 7, 3}, {2, 3, 2, 3, 4}, {2, 4, 4, 6, 4}, {}},
      {"groups", {2, 6, 6, 6}, {3, 3, 2, 9}, {2, 4, 4, 9}, {.groups = 3}},
      {"depthwise", {2, 6, 7, 16}, {3, 3, 1, 16}, {2, 4, 5, 16}, {.groups = 16}},
      {"depthwise by two", {2, 6, 7, 5}, {3, 3, 1, 10}, {2, 4, 5, 10}, {.groups = 5}},
  };
  return all;
}

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Tensor values = Tensor::empty(shape, DType::float32);
  fill_normal(values.mutable_values<float>(), {seed, 3}, 0, 1);
  return values;
}

Tensor magnitude(const Tensor& a) { return ops::absolute(a.astype(DType::float64)); }

// A sum of `terms` products in float, in whatever order: each is rounded, and so is each addition.
void expect_near(const Tensor& got, const Tensor& exact, const Tensor& magnitudes, std::int64_t terms,
                 const std::string& what) {
  const auto values = got.values<float>();
  const auto wanted = exact.values<double>(), sizes = magnitudes.values<double>();
  ASSERT_EQ(got.shape(), exact.shape()) << what;
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], wanted[i], static_cast<double>(terms + 1) * 0x1p-24 * sizes[i])
        << what << ", element " << i;
}

TEST(Conv, FloatsAgreeWithDoublesForwardAndBack) {
  for (const Case& c : cases()) {
    const Tensor x = normal(c.x, 1), kernel = normal(c.kernel, 2), above = normal(c.result, 3);
    const auto wide = [](const Tensor& a) { return a.astype(DType::float64); };
    const std::int64_t taps = kernel.size() / kernel.shape().back(),
                       places = above.size() / above.shape().back();
    const auto forward = [&](const Tensor& a, const Tensor& b) {
      return ops::conv(a, b, {}, {}, c.geometry, c.result);
    };
    expect_near(forward(x, kernel), forward(wide(x), wide(kernel)), forward(magnitude(x), magnitude(kernel)),
                taps, c.name + ", forward");
    const auto data = [&](const Tensor& a, const Tensor& b) { return ops::conv_data(a, b, c.geometry, c.x); };
    expect_near(data(above, kernel), data(wide(above), wide(kernel)),
                data(magnitude(above), magnitude(kernel)), kernel.size(), c.name + ", data");
    const auto weights = [&](const Tensor& a, const Tensor& b) {
      return ops::conv_kernel(a, b, c.geometry, c.kernel);
    };
    expect_near(weights(x, above), weights(wide(x), wide(above)), weights(magnitude(x), magnitude(above)),
                places, c.name + ", kernel");
  }
}

std::vector<float> values_of(const Tensor& a) {
  const auto values = a.values<float>();
  return {values.begin(), values.end()};
}

TEST(Conv, AFusedActivationGivesTheBitsOfOneThatFollows) {
  for (const Case& c : cases()) {
    const Tensor x = normal(c.x, 1), kernel = normal(c.kernel, 2), bias = normal({c.kernel.back()}, 4);
    for (const char* name : {"gelu", "tanh", "mish"}) {
      const ActivationFn activation(name);
      EXPECT_EQ(values_of(ops::conv(x, kernel, bias, activation, c.geometry, c.result)),
                values_of(activation(ops::conv(x, kernel, bias, {}, c.geometry, c.result))))
          << c.name << ", " << name;
    }
  }
}

TEST(Conv, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = num_threads();
  for (const Case& c : cases()) {
    const Tensor x = normal(c.x, 1), kernel = normal(c.kernel, 2), above = normal(c.result, 3);
    std::vector<std::vector<float>> all[2];
    for (const int threads : {1, 2}) {
      set_num_threads(threads);
      auto& results = all[threads - 1];
      results.push_back(values_of(ops::conv(x, kernel, {}, "relu", c.geometry, c.result)));
      results.push_back(values_of(ops::conv_data(above, kernel, c.geometry, c.x)));
      results.push_back(values_of(ops::conv_kernel(x, above, c.geometry, c.kernel)));
    }
    EXPECT_EQ(all[0], all[1]) << c.name;
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace keratin
