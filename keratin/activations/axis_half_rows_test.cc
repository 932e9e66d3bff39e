// Softmax and kin in f16 and bf16, against the formulas in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "keratin/activations/axis_functions.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

namespace act = activations;
using Real = long double;

template <class H>
H rounded(double value) {
  if constexpr (std::is_same_v<H, float16>) return to_float16(value);
  if constexpr (std::is_same_v<H, bfloat16>) return to_bfloat16(value);
}

// Engines give the same numbers everywhere, distributions do not.
template <class H>
std::vector<H> drawn(std::size_t count, double scale, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<H> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(rounded<H>(scale * (static_cast<double>(engine()) * 0x1p-31 - 1)));
  return values;
}

std::vector<Real> softmax_of(const std::vector<Real>& x) {
  const Real largest = *std::max_element(x.begin(), x.end());
  Real sum = 0;
  for (const Real value : x) sum += std::exp(value - largest);
  std::vector<Real> y;
  for (const Real value : x) y.push_back(std::exp(value - largest) / sum);
  return y;
}

template <class H>
std::vector<Real> widened(std::span<const H> x) {
  std::vector<Real> values;
  for (const H value : x) values.push_back(to_float(value));
  return values;
}

// The spacing of H where v lies, and what is smallest of it.
template <class H>
Real spacing(Real v) {
  constexpr int kDigits = std::is_same_v<H, float16> ? 11 : 8,
                kLowest = std::is_same_v<H, float16> ? -14 : -126;
  const int exponent = v == 0 ? kLowest : std::max(std::ilogb(v), kLowest);
  return std::ldexp(Real(1), exponent - kDigits + 1);
}

template <class H>
class HalfRows : public ::testing::Test {};
using HalfTypes = ::testing::Types<float16, bfloat16>;
TYPED_TEST_SUITE(HalfRows, HalfTypes, );

// Half a spacing for the rounding, and 4 ULP of f32, 2^-11 or 2^-14 of the spacing, for what is rounded.
constexpr Real kRounding = 0.5L + 0x1p-11L;

TYPED_TEST(HalfRows, OfSoftmaxAndLogSoftmaxAreTheFormulaRoundedOnce) {
  for (const std::size_t length : {1, 2, 3, 10, 16, 17, 100, 1000, 2048, 2049, 5000}) {
    const std::size_t count = length < 100 ? 300 : 3;
    const auto x = drawn<TypeParam>(count * length, 8, static_cast<std::uint32_t>(length));
    std::vector<TypeParam> y(x.size()), logs(x.size());
    act::softmax(x, y, length);
    act::log_softmax(x, logs, length);
    for (std::size_t row = 0; row < count; ++row) {
      const auto numbers = widened(std::span<const TypeParam>(x).subspan(row * length, length));
      const std::vector<Real> exact = softmax_of(numbers);
      for (std::size_t i = 0; i < length; ++i) {
        const Real log = std::log(exact[i]);
        const std::size_t at = row * length + i;
        EXPECT_LE(std::fabs(to_float(y[at]) - exact[i]), kRounding * spacing<TypeParam>(exact[i])) << length;
        // log(y) of a long double loses 2^-64 where y is next to 1.
        EXPECT_LE(std::fabs(to_float(logs[at]) - log), kRounding * spacing<TypeParam>(log) + 0x1p-60L)
            << length;
      }
    }
  }
}

TYPED_TEST(HalfRows, OfGradientsAreTheFormulaToTheF32TermsTheyAreMadeOf) {
  for (const std::size_t length : {1, 5, 16, 70, 2049}) {
    const std::size_t count = length < 100 ? 60 : 2;
    const auto x = drawn<TypeParam>(count * length, 4, 1), u = drawn<TypeParam>(count * length, 3, 2);
    std::vector<TypeParam> out(x.size()), log_out(x.size()), in_place = u;
    act::softmax_gradient(x, u, out, length);
    act::log_softmax_gradient(x, u, log_out, length);
    act::softmax_gradient(x, in_place, in_place, length);
    for (std::size_t row = 0; row < count; ++row) {
      const auto y = softmax_of(widened(std::span<const TypeParam>(x).subspan(row * length, length)));
      const auto r = widened(std::span<const TypeParam>(u).subspan(row * length, length));
      Real mean = 0, sum = 0, size = 0, total = 0;
      for (std::size_t i = 0; i < length; ++i) {
        mean += y[i] * r[i];
        size += y[i] * std::fabs(r[i]);
        sum += r[i];
        total += std::fabs(r[i]);
      }
      for (std::size_t i = 0; i < length; ++i) {
        const std::size_t at = row * length + i;
        const Real exact = y[i] * (r[i] - mean), log_exact = r[i] - y[i] * sum;
        // The f32 kernels' own: eight of 2^-24 of the terms.
        const Real slack = 0x1p-21L * y[i] * (std::fabs(r[i]) + size);
        const Real log_slack = 0x1p-21L * (std::fabs(r[i]) + y[i] * total);
        EXPECT_LE(std::fabs(to_float(out[at]) - exact), 0.5L * spacing<TypeParam>(exact) + slack) << length;
        EXPECT_LE(std::fabs(to_float(log_out[at]) - log_exact),
                  0.5L * spacing<TypeParam>(log_exact) + log_slack)
            << length;
        EXPECT_EQ(in_place[at].bits, out[at].bits);
      }
    }
  }
}

TYPED_TEST(HalfRows, OfTensorsRunAlongAnyAxisAndKeepTheirDtype) {
  constexpr DType kType = kDType<TypeParam>;
  const auto values = drawn<TypeParam>(6 * 40 * 20, 3, 3);
  const Tensor x = Tensor::from<TypeParam>(values, {6, 40, 20});
  const std::vector<std::int64_t> turned = {0, 2, 1};
  const Tensor y = act::softmax(x, 1), rows = act::softmax(x.transpose(turned).contiguous());
  EXPECT_EQ(y.dtype(), kType);
  EXPECT_EQ(y.transpose(turned).contiguous().to_string(), rows.to_string());

  const RecordGradients recording;
  const Tensor watched = x.watched(), result = act::log_softmax(watched, 1);
  const Tensor gradient = result.node()->backward(Tensor::from<TypeParam>(values, {6, 40, 20})).at(0);
  EXPECT_EQ(gradient.dtype(), kType);
  EXPECT_EQ(gradient.shape(), x.shape());
}

TYPED_TEST(HalfRows, OfGluAndSparsemaxAreThoseOfTheSameNumbersInF64RoundedOnce) {
  constexpr std::int64_t kRows = 700, kLength = 24;
  const auto values = drawn<TypeParam>(kRows * kLength, 2, 4);
  const Tensor x = Tensor::from<TypeParam>(values, {kRows, kLength}).watched();
  const Tensor wide = x.astype(DType::float64).detach().watched();
  const RecordGradients recording;
  for (const ActivationFn& f : {ActivationFn(act::Glu{}), ActivationFn(act::Sparsemax{})}) {
    const Tensor y = f(x), exact = f(wide);
    const std::int64_t length = y.shape()[1];
    const auto above = drawn<TypeParam>(static_cast<std::size_t>(kRows * length), 2, 5);
    const Tensor upstream = Tensor::from<TypeParam>(above, {kRows, length});
    const Tensor slope = y.node()->backward(upstream).at(0);
    const Tensor exact_slope = exact.node()->backward(upstream.astype(DType::float64)).at(0);
    int different = 0;
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t i = 0; i < length; ++i)
        different += y.at({row, i}) != to_float(rounded<TypeParam>(exact.at({row, i})));
      for (std::int64_t i = 0; i < kLength; ++i)
        different += slope.at({row, i}) != to_float(rounded<TypeParam>(exact_slope.at({row, i})));
    }
    EXPECT_EQ(different, 0) << f.name();
  }
}

TYPED_TEST(HalfRows, WithNaNOrPlusInfinityOrOnlyMinusInfinityAreNaNThroughout) {
  constexpr double kInf = std::numeric_limits<double>::infinity(),
                   kNaN = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<double>& row :
       {std::vector{kNaN, 0.0, 1.0}, {0.0, kInf, 1.0}, {-kInf, -kInf, -kInf}, {-kNaN, -kInf, 2.0}}) {
    const Tensor y = act::softmax(Tensor::from(row, {1, 3}).astype(kDType<TypeParam>));
    for (std::int64_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y.at({0, i}))) << row[0];
  }
}

}  // namespace
}  // namespace keratin
