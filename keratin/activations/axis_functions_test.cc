#include "keratin/activations/axis_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/simd/dispatch.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

using testing::HasSubstr;
namespace act = activations;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Numbers of many sizes, the same in every run; with `short_ones` of those that f32 holds too.
std::vector<double> numbers(std::size_t count, double scale, bool short_ones = true) {
  std::vector<double> values(count);
  std::uint64_t state = 42;
  for (double& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = scale * (static_cast<double>(state >> 11) * 0x1p-53 - 0.5);
    if (short_ones) value = static_cast<float>(value);
  }
  return values;
}

double ulp_of(double exact, double y, int digits, int lowest) {
  if (std::isnan(exact) || std::isnan(y)) return std::isnan(exact) == std::isnan(y) ? 0 : kInf;
  const int exponent = std::max(exact == 0 ? lowest : std::ilogb(exact), lowest);
  return std::fabs(y - exact) / std::ldexp(1.0, exponent - digits + 1);
}
double ulp_f32(double exact, double y) { return ulp_of(exact, y, 24, -126); }
double ulp_f64(double exact, double y) { return ulp_of(exact, y, 53, -1022); }

// The textbook formulas in long double: 64 bits, an independent exp.
using Real = long double;
std::vector<Real> softmax_row(const std::vector<double>& x) {
  const Real top = *std::max_element(x.begin(), x.end());
  Real sum = 0;
  std::vector<Real> y;
  for (const double v : x) sum += std::exp(v - top);
  for (const double v : x) y.push_back(std::exp(v - top) / sum);
  return y;
}
std::vector<Real> log_softmax_row(const std::vector<double>& x) {
  const auto top = std::max_element(x.begin(), x.end());
  Real others = 0;
  for (auto at = x.begin(); at != x.end(); ++at) others += at == top ? 0 : std::exp(Real(*at) - *top);
  std::vector<Real> y;
  for (const double v : x) y.push_back((Real(v) - *top) - std::log1p(others));
  return y;
}
// By bisection on the threshold, which the code does not do.
std::vector<Real> sparsemax_row(const std::vector<double>& x) {
  Real low = *std::max_element(x.begin(), x.end()) - 1, high = low + 1;
  for (int step = 0; step < 200; ++step) {
    const Real middle = (low + high) / 2;
    Real sum = 0;
    for (const double v : x) sum += std::max(v - middle, Real(0));
    (sum > 1 ? low : high) = middle;
  }
  std::vector<Real> y;
  for (const double v : x) y.push_back(std::max(v - low, Real(0)));
  return y;
}

struct Row {
  const char* name;
  ActivationFn function;
  std::vector<Real> (*exact)(const std::vector<double>&);
  double max_ulp_f32, max_ulp_f64;
};

std::vector<Row> rows() {
  // f32: see softmax/softmax_test.cc. f64 is rounded once, as the expected value is here. Sparsemax subtracts
  // a threshold of up to 1: absolute, see below.
  return {{"softmax", act::Softmax{}, softmax_row, 3.7, 1},
          {"log_softmax", act::LogSoftmax{}, log_softmax_row, 4, 1}};
}

TEST(AxisFunctions, RowsOfEveryLengthMeetTheirBoundOnEveryInstructionSet) {
  for (const Row& row : rows()) {
    for (const double scale : {1.0, 30.0, 150.0}) {
      for (const std::size_t length :
           {1u, 2u, 3u, 7u, 8u, 9u, 15u, 16u, 17u, 100u, 2047u, 2048u, 2049u, 5000u}) {
        const std::vector<double> x = numbers(length, scale);
        const std::vector<Real> exact = row.exact(x);
        const Tensor wide = Tensor::from(x, {1, static_cast<std::int64_t>(length)});
        for (const simd::Isa isa : simd::supported_isas()) {
          const simd::ScopedIsa scoped(isa);
          const Tensor y64 = row.function(wide), y32 = row.function(wide.astype(DType::float32));
          for (std::size_t i = 0; i < length; ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const double e = static_cast<double>(exact[i]);
            ASSERT_LE(ulp_f64(e, y64.at({0, at})), row.max_ulp_f64)
                << row.name << " " << length << " " << x[i];
            ASSERT_LE(ulp_f32(e, y32.at({0, at})), row.max_ulp_f32)
                << row.name << " " << length << " " << x[i];
          }
        }
      }
    }
  }
}

// With all the bits of a double, x − max is none.
TEST(AxisFunctions, F64RowsOfAllBitsAreRoundedOnce) {
  for (const Row& row : rows()) {
    double worst = 0;
    for (const double scale : {1.0, 30.0, 150.0, 1400.0}) {
      for (const std::size_t length : {1u, 2u, 3u, 9u, 17u, 100u, 1023u, 1024u, 1025u, 5000u, 32000u}) {
        const std::vector<double> x = numbers(length, scale, false);
        const std::vector<Real> exact = row.exact(x);
        const Tensor y = row.function(Tensor::from(x, {1, static_cast<std::int64_t>(length)}));
        for (std::size_t i = 0; i < length; ++i) {
          const Real got = y.at({0, static_cast<std::int64_t>(i)});
          if (std::fabs(exact[i]) < 0x1p-1022L) {
            ASSERT_NEAR(static_cast<double>((got - exact[i]) * 0x1p1074L), 0, 1)
                << row.name << " at " << x[i];
          } else {
            const int exponent = std::ilogb(static_cast<double>(exact[i]));
            worst =
                std::max(worst, static_cast<double>(std::fabs(std::ldexp(got - exact[i], 52 - exponent))));
          }
        }
      }
    }
    std::printf("%s %.4f ULP\n", row.name, worst);
    // What long double rounds of x − max is 2^-64 of up to 1400.
    EXPECT_LE(worst, 0.6) << row.name;
  }
}

TEST(AxisFunctions, F64GradientsOfAllBitsAreOffByTheLastDigitOfTheirTerms) {
  double worst = 0;
  for (const double scale : {1.0, 30.0, 1400.0}) {
    for (const std::size_t length : {1u, 2u, 9u, 100u, 1025u, 5000u}) {
      const std::vector<double> x = numbers(2 * length, scale, false), row(x.begin(), x.begin() + length);
      const std::span<const double> upstream(x.data() + length, length);
      const std::vector<Real> y = softmax_row(row);
      Real weighted = 0, sum = 0, size = 0, all = 0;
      for (std::size_t i = 0; i < length; ++i) {
        weighted += y[i] * upstream[i];
        size += y[i] * std::fabs(Real(upstream[i]));
        sum += upstream[i];
        all += std::fabs(Real(upstream[i]));
      }
      std::vector<double> got(length), log_got(length);
      act::softmax_gradient(row, upstream, got, static_cast<std::int64_t>(length));
      act::log_softmax_gradient(row, upstream, log_got, static_cast<std::int64_t>(length));
      for (std::size_t i = 0; i < length; ++i) {
        const Real u = upstream[i], terms = y[i] * (std::fabs(u) + size),
                   log_terms = std::fabs(u) + y[i] * all;
        if (y[i] < 0x1p-900L) continue;
        worst = std::max(worst, static_cast<double>(std::fabs(got[i] - y[i] * (u - weighted)) / terms));
        worst = std::max(worst, static_cast<double>(std::fabs(log_got[i] - (u - y[i] * sum)) / log_terms));
      }
    }
  }
  std::printf("%.3f of 2^-53 of the terms\n", worst * 0x1p53);
  EXPECT_LE(worst * 0x1p53, 1.1);
}

TEST(AxisFunctions, F64RowsOfSeveralBlocksMayBeTheirOwnResult) {
  const std::int64_t length = 5000;
  const std::vector<double> x = numbers(5000, 30, false), upstream = numbers(5000, 3, false);
  std::vector<double> y(5000), in_place = x;
  act::softmax(x, y, length);
  act::softmax(std::span<const double>(in_place), in_place, length);
  EXPECT_EQ(in_place, y);
  in_place = x;
  act::log_softmax(x, y, length);
  act::log_softmax(std::span<const double>(in_place), in_place, length);
  EXPECT_EQ(in_place, y);
  for (const bool log : {false, true}) {
    const auto gradient = [log](std::span<const double> of, std::span<const double> u,
                                std::span<double> out) {
      log ? act::log_softmax_gradient(of, u, out, length) : act::softmax_gradient(of, u, out, length);
    };
    std::vector<double> over_x = x, over_upstream = upstream;
    gradient(x, upstream, y);
    gradient(over_x, upstream, over_x);
    gradient(x, over_upstream, over_upstream);
    EXPECT_EQ(over_x, y);
    EXPECT_EQ(over_upstream, y);
  }
}

TEST(AxisFunctions, SparsemaxIsThePublishedOne) {
  // Martins and Astudillo; not what Keras 3.15 computes: [0, 0.0667, 0.1667] and [0.05, 0, 0].
  const Tensor y = act::sparsemax(Tensor::of({{0.1, 0.2, 0.3}, {1, 0.9, -1}, {5, 1, 1}}, DType::float64));
  const double expected[3][3] = {{0.7 / 3, 1.0 / 3, 1.3 / 3}, {0.55, 0.45, 0}, {1, 0, 0}};
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t c = 0; c < 3; ++c) EXPECT_NEAR(y.at({r, c}), expected[r][c], 2e-16);
  }
  for (const std::size_t length : {1u, 2u, 9u, 100u, 2049u, 5000u}) {
    const std::vector<double> x = numbers(length, 3.0);
    const std::vector<Real> exact = sparsemax_row(x);
    const Tensor z = act::sparsemax(Tensor::from(x, {static_cast<std::int64_t>(length)}));
    // The threshold is a mean of k numbers in [-1, 0], summed one after another: k/2 half ulps of 1 at most.
    const double tolerance = static_cast<double>(length) * 0x1p-53 + 0x1p-52;
    for (std::size_t i = 0; i < length; ++i) {
      ASSERT_NEAR(z.at({static_cast<std::int64_t>(i)}), static_cast<double>(exact[i]), tolerance) << length;
    }
  }
}

TEST(AxisFunctions, LogSoftmaxKeepsItsDigitsNearZero) {
  // -log1p(e^-20) by mpmath.
  const Tensor y = act::log_softmax(Tensor::of({{20, 0}}, DType::float64));
  EXPECT_DOUBLE_EQ(y.at({0, 0}), -2.0611536203143808e-9);
  EXPECT_DOUBLE_EQ(y.at({0, 1}), -20.000000002061153);
  EXPECT_FLOAT_EQ(static_cast<float>(act::log_softmax(Tensor::of({{20, 0}})).at({0, 0})), -2.0611537e-9f);
}

TEST(AxisFunctions, HugeInputsDoNotOverflow) {
  EXPECT_EQ(act::softmax(Tensor::of({{1000, 1000, 0}})).to_string(), Tensor::of({{0.5, 0.5, 0}}).to_string());
  EXPECT_EQ(act::softmax(Tensor::of({{3e38, -3e38}})).to_string(), Tensor::of({{1, 0}}).to_string());
  EXPECT_EQ(act::softmax(Tensor::of({{1.7e308, -1.7e308}}, DType::float64)).at({0, 0}), 1);
  EXPECT_EQ(act::log_softmax(Tensor::of({{1000, 0}})).at({0, 1}), -1000);
  EXPECT_EQ(act::sparsemax(Tensor::of({{3e38, -3e38}})).at({0, 0}), 1);
}

TEST(AxisFunctions, RowsWithNaNOrPlusInfinityOrOnlyMinusInfinityAreNaNThroughout) {
  const std::vector<std::vector<double>> bad = {
      {kNaN, 0, 1},    {0, kNaN, 1},     {0, 1, kNaN},          {kInf, 0, 1},        {0, kInf, 1},
      {kInf, kInf, 0}, {kInf, -kInf, 0}, {-kInf, -kInf, -kInf}, {kNaN, -kInf, -kInf}};
  for (const ActivationFn& f :
       {ActivationFn(act::Softmax{}), ActivationFn(act::LogSoftmax{}), ActivationFn(act::Sparsemax{})}) {
    for (const auto& row : bad) {
      for (const DType dtype : {DType::float32, DType::float64}) {
        const Tensor y = f(Tensor::from(row, {1, 3}).astype(dtype));
        for (std::int64_t i = 0; i < 3; ++i)
          EXPECT_TRUE(std::isnan(y.at({0, i}))) << f.name() << " " << row[0];
      }
    }
    // -inf beside numbers counts as nothing.
    const Tensor y = f(Tensor::of({{-kInf, 0.25, -kInf}}));
    EXPECT_EQ(y.at({0, 1}), f.name() == "log_softmax" ? 0 : 1);
    EXPECT_EQ(y.at({0, 0}), f.name() == "log_softmax" ? -kInf : 0);
  }
}

TEST(AxisFunctions, AnyAxisOfAnyRankIsARowOfItsOwn) {
  const Tensor x = Tensor::from(numbers(2 * 3 * 4 * 5, 4), {2, 3, 4, 5});
  for (const auto& row : rows()) {
    for (std::int64_t axis = -4; axis < 4; ++axis) {
      const auto f = [&](std::int64_t a) -> ActivationFn {
        if (std::string(row.name) == "softmax") return act::Softmax{.axis = a};
        return act::LogSoftmax{.axis = a};
      };
      const Tensor y = f(axis)(x);
      // The axis moved last by hand.
      std::vector<std::int64_t> order = {0, 1, 2, 3};
      const std::int64_t front = (axis + 4) % 4;
      order.erase(order.begin() + front);
      order.push_back(front);
      const Tensor expected = f(-1)(x.transpose(order).contiguous());
      EXPECT_EQ(y.transpose(order).contiguous().to_string(), expected.to_string()) << axis;
    }
  }
}

TEST(AxisFunctions, SeveralAxesAreOneRow) {
  const Tensor x = Tensor::from(numbers(24, 4), {2, 3, 4});
  const Tensor flat = act::softmax(x.reshape({2, 12}));
  EXPECT_EQ(act::softmax(x, {1, 2}).reshape({2, 12}).to_string(), flat.to_string());
  EXPECT_EQ(act::softmax(x, {-1, -2}).reshape({2, 12}).to_string(), flat.to_string());
  EXPECT_EQ(act::softmax(x, std::nullopt).reshape({1, 24}).to_string(),
            act::softmax(x.reshape({1, 24})).to_string());
  const std::int64_t order[] = {1, 0, 2};
  const Tensor turned = act::softmax(x.transpose(order).contiguous().reshape({3, 8}));
  EXPECT_EQ(act::softmax(x, {0, 2}).transpose(order).contiguous().reshape({3, 8}).to_string(),
            turned.to_string());
}

TEST(AxisFunctions, GluIsTheFirstHalfTimesSigmoidOfTheSecond) {
  const Tensor x = Tensor::from(numbers(24, 8), {2, 3, 4});
  const Tensor y = act::glu(x);
  ASSERT_EQ(y.shape(), Shape({2, 3, 2}));
  for (std::int64_t c = 0; c < 2; ++c) {
    const double expected = x.at({1, 2, c}) / (1 + std::exp(-x.at({1, 2, c + 2})));
    EXPECT_NEAR(y.at({1, 2, c}), expected, 4e-16 * std::fabs(expected));
  }
  const Tensor z = act::glu(x, 0);
  ASSERT_EQ(z.shape(), Shape({1, 3, 4}));
  const double expected = x.at({0, 2, 3}) / (1 + std::exp(-x.at({1, 2, 3})));
  EXPECT_NEAR(z.at({0, 2, 3}), expected, 4e-16 * std::fabs(expected));
  EXPECT_EQ(ActivationFn("glu").function().output_shape({Shape::kUnknown, 10}), Shape({Shape::kUnknown, 5}));
}

// d sum(r y) / dx by central differences: f(x + h) - f(x - h) over 2h, error h^2 f'''/6 + ulp/h.
void check_gradient(const ActivationFn& f, const Tensor& x) {
  const RecordGradients recording;
  const Tensor y = f(x.watched());
  const Tensor r = Tensor::from(numbers(static_cast<std::size_t>(y.size()), 2), y.shape());
  const Tensor g = y.node()->backward(r).at(0);
  ASSERT_EQ(g.shape(), x.shape());
  const auto weighted = [&](const Tensor& at) {
    const Tensor values = f(at).detach();
    double sum = 0;
    for (std::int64_t i = 0; i < values.size(); ++i) {
      const auto place = static_cast<std::size_t>(i);
      sum += values.values<double>()[place] * r.values<double>()[place];
    }
    return sum;
  };
  constexpr double kStep = 1e-5;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    Tensor up = x.clone(), down = x.clone();
    up.mutable_values<double>()[static_cast<std::size_t>(i)] += kStep;
    down.mutable_values<double>()[static_cast<std::size_t>(i)] -= kStep;
    const double expected = (weighted(up) - weighted(down)) / (2 * kStep);
    // h^2/6 of a third derivative of about 1, and 24 values' 1e-16 over 2h.
    EXPECT_NEAR(g.values<double>()[static_cast<std::size_t>(i)], expected, 1e-9) << f.name() << " " << i;
  }
}

TEST(AxisFunctions, GradientsAgreeWithCentralDifferences) {
  const Tensor x = Tensor::from(numbers(24, 4), {2, 3, 4});
  for (const ActivationFn& f :
       {ActivationFn(act::Softmax{}), ActivationFn(act::Softmax{.axis = 0}),
        ActivationFn(act::Softmax{.axis = {0, 2}}), ActivationFn(act::Softmax{.axis = std::nullopt}),
        ActivationFn(act::LogSoftmax{}), ActivationFn(act::LogSoftmax{.axis = 1}),
        ActivationFn(act::Sparsemax{}), ActivationFn(act::Sparsemax{.axis = 0}), ActivationFn(act::Glu{}),
        ActivationFn(act::Glu{.axis = 0})}) {
    check_gradient(f, x);
  }
  // Longer than a block.
  const Tensor row = Tensor::from(numbers(2 * 2100, 4), {2, 2100});
  const RecordGradients recording;
  for (const ActivationFn& f : {ActivationFn(act::Softmax{}), ActivationFn(act::LogSoftmax{})}) {
    const Tensor y = f(row.watched());
    const Tensor g = y.node()->backward(Tensor::from(numbers(2 * 2100, 2), {2, 2100})).at(0);
    double sum = 0;
    for (const double v : g.values<double>()) sum += v;
    // A shift of the whole row changes nothing: gradients sum to 0, up to 4200 roundings of at most 2^-53.
    EXPECT_NEAR(sum, 0, 4200 * 0x1p-53);
  }
}

TEST(AxisFunctions, Float32GradientsAreThoseOfFloat64) {
  const Tensor x = Tensor::from(numbers(70, 6), {7, 10}), r = Tensor::from(numbers(70, 2), {7, 10});
  const RecordGradients recording;
  for (const ActivationFn& f :
       {ActivationFn(act::Softmax{}), ActivationFn(act::LogSoftmax{}), ActivationFn(act::Sparsemax{})}) {
    const Tensor wide = f(x.watched()).node()->backward(r).at(0);
    const Tensor narrow =
        f(x.astype(DType::float32).watched()).node()->backward(r.astype(DType::float32)).at(0);
    if (f.name() == "sparsemax") {
      EXPECT_EQ(narrow.to_string(), wide.astype(DType::float32).to_string());
      continue;
    }
    // |r| <= 1: the terms are at most 2 (log_softmax: 11); their errors softmax/softmax_test.cc.
    const double tolerance = (f.name() == "softmax" ? 2 * 10 : 11 * 8) * 0x1p-24;
    for (std::int64_t row = 0; row < 7; ++row) {
      for (std::int64_t i = 0; i < 10; ++i) EXPECT_NEAR(narrow.at({row, i}), wide.at({row, i}), tolerance);
    }
  }
}

TEST(AxisFunctions, ThreadsAndInstructionSetsChangeNoBit) {
  const Tensor x = Tensor::from(numbers(300 * 100, 20), {300, 100}).astype(DType::float32);
  const int before = num_threads();
  for (const ActivationFn& f : {ActivationFn(act::Softmax{}), ActivationFn(act::LogSoftmax{.axis = 0}),
                                ActivationFn(act::Sparsemax{}), ActivationFn(act::Glu{})}) {
    std::vector<float> first;
    for (const simd::Isa isa : simd::supported_isas()) {
      for (const int threads : {1, 3}) {
        const simd::ScopedIsa scoped(isa);
        set_num_threads(threads);
        const Tensor y = f(x);
        const auto values = y.values<float>();
        if (first.empty()) first.assign(values.begin(), values.end());
        EXPECT_EQ(std::memcmp(first.data(), values.data(), values.size_bytes()), 0)
            << f.name() << " " << simd::name(isa);
      }
    }
  }
  set_num_threads(before);
}

TEST(AxisFunctions, SpansComputeRowsInPlaceToo) {
  const std::vector<double> x = numbers(60, 6);
  const Tensor expected = act::softmax(Tensor::from(x, {6, 10}));
  std::vector<double> y(60), g(60), in_place = x;
  act::softmax(x, y, 10);
  EXPECT_EQ(std::memcmp(y.data(), expected.data(), 480), 0);
  act::softmax(std::span<const double>(in_place), in_place, 10);
  EXPECT_EQ(in_place, y);
  const std::vector<double> r = numbers(60, 2);
  act::softmax_gradient(x, r, g, 10);
  const RecordGradients recording;
  const Tensor recorded = act::softmax(Tensor::from(x, {6, 10}).watched());
  const Tensor expected_gradient = recorded.node()->backward(Tensor::from(r, {6, 10})).at(0);
  EXPECT_EQ(std::memcmp(g.data(), expected_gradient.data(), 480), 0);
  in_place = r;
  act::softmax_gradient(std::span<const double>(x), std::span<const double>(in_place), in_place, 10);
  EXPECT_EQ(in_place, g);
  // One row by default; glu's rows are those of its result.
  std::vector<double> half(30);
  act::glu(x, half, 5);
  EXPECT_EQ(half[5], act::glu(Tensor::from(x, {6, 10})).at({1, 0}));
  EXPECT_THROW(act::softmax(x, y, 7), ShapeError);
  EXPECT_THROW(act::glu(x, y, 10), ShapeError);
  EXPECT_NO_THROW(act::softmax(std::span<const double>(), std::span<double>()));
}

TEST(AxisFunctions, EmptyTensorsStayEmpty) {
  EXPECT_EQ(act::softmax(Tensor::zeros({2, 0})).shape(), Shape({2, 0}));
  EXPECT_EQ(act::softmax(Tensor::zeros({0, 3})).shape(), Shape({0, 3}));
  EXPECT_EQ(act::glu(Tensor::zeros({2, 0})).shape(), Shape({2, 0}));
}

TEST(AxisFunctions, SoftmaxCarriesItsLogitsAlongTheLastAxis) {
  const Tensor x = Tensor::of({{1, 2}, {3, 4}});
  ASSERT_NE(act::softmax(x).origin(), nullptr);
  EXPECT_EQ(act::softmax(x).origin()->function, "softmax");
  EXPECT_EQ(act::softmax(x).origin()->logits.data(), x.data());
  EXPECT_EQ(act::softmax(x, 0).origin(), nullptr);
  EXPECT_EQ(act::log_softmax(x).origin(), nullptr);
}

TEST(AxisFunctions, MistakesSayWhatIsWrong) {
  const Tensor vector = Tensor::of({1, 2, 3});
  EXPECT_EQ(message_of<ValueError>([&] { act::softmax(vector); }),
            "softmax: a tensor of rank 2 or more, x has shape (3,).\n  Give it a batch axis with "
            "expand_dims, or take "
            "Keras 3's behaviour: activations::Softmax{.allow_rank_1 = true}.");
  EXPECT_THROW(act::softmax(Tensor::scalar(1)), ValueError);
  const ActivationFn lifted = act::Softmax{.allow_rank_1 = true};
  EXPECT_NO_THROW(lifted(vector));
  EXPECT_THROW(lifted(Tensor::scalar(1)), ValueError);
  EXPECT_NO_THROW(act::log_softmax(vector));
  const Tensor matrix = Tensor::zeros({3, 5});
  EXPECT_THAT(message_of<ShapeError>([&] { act::softmax(matrix, 2); }), HasSubstr("softmax"));
  EXPECT_THROW(act::softmax(matrix, -3), ShapeError);
  EXPECT_THAT(message_of<ShapeError>([&] { act::softmax(matrix, {1, -1}); }), HasSubstr("axis is [1, -1]"));
  EXPECT_THAT(message_of<ShapeError>([&] { act::glu(matrix); }),
              HasSubstr("glu: an even size on its axis, x has shape (3, 5), axis is -1"));
  EXPECT_THROW(act::glu(matrix, 2), ShapeError);
  EXPECT_THROW(act::sparsemax(matrix, 2), ShapeError);
  EXPECT_THROW(act::softmax(Tensor::zeros({2, 2}, DType::int32)), TypeError);
}

}  // namespace
}  // namespace keratin
