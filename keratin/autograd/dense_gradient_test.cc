// The gradients of the fully connected op, first and second, and those of float against double.
#include <gtest/gtest.h>

#include <limits>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/ops/dense.h"

namespace keratin {
namespace {

using Inputs = std::vector<Tensor>;

test::Function dense_with(const std::string& activation) {
  return [activation](const Inputs& in) {
    return ops::dense(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), activation);
  };
}

Inputs watched(const Inputs& inputs) {
  Inputs result;
  for (const Tensor& input : inputs) result.push_back(input.watched());
  return result;
}

Inputs gradients_at(const test::Function& f, const Inputs& leaves, const Tensor& upstream) {
  Tensor y;
  {
    const RecordGradients recording;
    y = f(leaves);
  }
  return gradients(std::move(y), leaves, upstream);
}

// Differences of values of about 10 with steps of 6e-6: 10·(ε / step + step²) ≈ 1e-9 at most.
constexpr double kTolerance = 1e-9;

TEST(DenseGradients, AgreeWithCentralDifferences) {
  for (const std::string activation : {"linear", "tanh", "gelu", "elu", "softplus", "silu", "softmax"})
    for (const bool with_bias : {true, false})
      for (const Shape& x_shape : {Shape{5, 3}, Shape{2, 3, 3}}) {
        test::Numbers numbers;
        Inputs inputs = {numbers.tensor(x_shape, -1, 1), numbers.tensor({3, 4}, -1, 1)};
        if (with_bias) inputs.push_back(numbers.tensor({4}, -1, 1));
        const test::Function f = dense_with(activation);
        const Tensor upstream = numbers.tensor(f(inputs).shape(), -1, 1);
        const Inputs analytic = gradients_at(f, watched(inputs), upstream);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          const Tensor numeric = test::central_differences(f, inputs, i, upstream);
          EXPECT_LT(test::worst_difference(analytic[i], numeric), kTolerance)
              << activation << ", input " << i;
        }
      }
}

TEST(DenseGradients, OfGradientsAgreeWithCentralDifferences) {
  test::Numbers numbers;
  const Inputs inputs = {numbers.tensor({5, 3}, -1, 1), numbers.tensor({3, 4}, -1, 1),
                         numbers.tensor({4}, -1, 1)};
  const test::Function f = [](const Inputs& in) { return ops::square(dense_with("linear")(in)); };
  const Tensor upstream = numbers.tensor({5, 4}, -1, 1);
  const test::Function first = [&](const Inputs& in) {
    Inputs parts = gradients_at(f, in[0].node() != nullptr ? in : watched(in), upstream);
    for (Tensor& part : parts) part = ops::reshape(part, {-1});
    return ops::concatenate(parts, 0);
  };
  const Inputs leaves = watched(inputs);
  Tensor gradient;
  {
    const RecordGradients recording;
    gradient = first(leaves);
  }
  const Tensor direction = numbers.tensor(gradient.shape(), -1, 1);
  const Inputs second = gradients(gradient, leaves, direction);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor numeric = test::central_differences(first, inputs, i, direction);
    EXPECT_LT(test::worst_difference(second[i], numeric), kTolerance) << "input " << i;
  }
}

// Sums of n products of float, each factor itself within a few units: (n + 8)·u·Σ|terms| for n terms, where
// Σ|terms| is bounded by n times the product of the largest magnitudes.
TEST(DenseGradients, OfFloatAreNearThoseOfDouble) {
  const std::int64_t rows = 150, in = 70, units = 90;
  test::Numbers numbers;
  const Inputs wide = {numbers.tensor({rows, in}, -1, 1), numbers.tensor({in, units}, -0.3, 0.3),
                       numbers.tensor({units}, -1, 1)};
  Inputs narrow;
  for (const Tensor& input : wide) narrow.push_back(input.astype(DType::float32));
  Inputs exact;
  for (const Tensor& input : narrow) exact.push_back(input.astype(DType::float64));
  const Tensor upstream = numbers.tensor({rows, units}, -1, 1).astype(DType::float32);
  for (const std::string activation : {"linear", "tanh"}) {
    const Inputs got = gradients_at(dense_with(activation), watched(narrow), upstream);
    const Inputs expected =
        gradients_at(dense_with(activation), watched(exact), upstream.astype(DType::float64));
    const std::vector<double> terms = {double(units), double(rows), double(rows)}, largest = {0.3, 1, 1};
    for (std::size_t i = 0; i < got.size(); ++i) {
      // tanh' moves by at most 0.77 times z's own error, which is (in + 2)·u·in·0.3.
      const double u = std::numeric_limits<float>::epsilon() / 2,
                   from_z = activation == "tanh" ? 0.77 * (in + 2) * in * 0.3 : 0;
      const double bound = (terms[i] + 8 + from_z) * u * terms[i] * largest[i];
      EXPECT_LT(ops::max(ops::absolute(got[i].astype(DType::float64) - expected[i])).item(), bound)
          << activation << ", gradient " << i;
    }
  }
}

}  // namespace
}  // namespace keratin
