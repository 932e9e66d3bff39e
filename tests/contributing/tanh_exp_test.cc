#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "keratin/activations/activation_fn.h"
#include "keratin/activations/functions.h"

namespace keratin {
namespace {

struct Row {
  double x, value, derivative;
};
// x tanh(e^x) and its derivative in 60 decimal digits, rounded to double.
constexpr std::array<Row, 6> kRows = {{
    {-100, -3.720075976020836e-42, -3.682875216260628e-42},
    {-20, -4.122307244877116e-08, -3.91619188263326e-08},
    {-1, -0.352135490546587, 0.029872880714807083},
    {0.5, 0.4643409705752151, 1.0420726246867236},
    {1, 0.9913289158005998, 1.0382654356632586},
    {3, 3, 1.0000000000000009},
}};

// The distance of the next number of the type beyond |expected|.
template <class T>
double unit(double expected) {
  const T magnitude = std::fabs(static_cast<T>(expected));
  return static_cast<double>(std::nextafter(magnitude, std::numeric_limits<T>::infinity()) - magnitude);
}

template <class T>
void expect_values() {
  std::vector<T> x, y(kRows.size()), ones(kRows.size(), 1);
  for (const Row& row : kRows) x.push_back(static_cast<T>(row.x));
  activations::tanh_exp(x, y);
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    // The bound is 0.501 ULP and the table's own rounding adds at most 0.5 of double's.
    EXPECT_NEAR(static_cast<double>(y[i]), kRows[i].value, 1.001 * unit<T>(kRows[i].value)) << kRows[i].x;
  }
  activations::tanh_exp_gradient(x, ones, y);
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(y[i]), kRows[i].derivative, 1.001 * unit<T>(kRows[i].derivative))
        << kRows[i].x;
  }
}

TEST(TanhExp, ValueAndDerivativeAreRightInBothTypes) {
  expect_values<float>();
  expect_values<double>();
}

TEST(TanhExp, IsKnownByItsName) {
  const ActivationFn activation("tanh_exp");
  EXPECT_EQ(activation.name(), "tanh_exp");
  EXPECT_NEAR(activation(Tensor::of({1})).at({0}), 0.9913289158005998,
              1.001 * unit<float>(0.9913289158005998));
}

}  // namespace
}  // namespace keratin
