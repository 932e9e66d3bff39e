// Gradients of gradients through activations: closed forms, central differences, and a network trained on its
// own derivatives.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/registry.h"
#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/core/error.h"
#include "keratin/ops/dense.h"

namespace keratin {
namespace {

namespace K = keratin::backend;

Tensor watched_at(const std::vector<double>& x) {
  return Tensor::from(x, {static_cast<std::int64_t>(x.size())}).watched();
}

// The derivatives of order 1, 2, …, `order` of f at x, each of one element by the same of the one before.
std::vector<Tensor> derivatives(const ActivationFn& f, const Tensor& x, int order) {
  const RecordGradients recording;
  std::vector<Tensor> all;
  Tensor y = f(x);
  for (int i = 0; i < order; ++i) {
    const Tensor target[] = {x};
    Tensor next = y.node() == nullptr ? Tensor() : gradients(y, target).front();
    if (!next.is_defined()) next = Tensor::zeros(x.shape(), x.dtype());
    all.push_back(next);
    y = next;
  }
  return all;
}

TEST(ActivationGradients, OfSecondOrderHaveTheirClosedForms) {
  const auto sigmoid_slope = [](double x) {
    return std::exp(-x) / ((1 + std::exp(-x)) * (1 + std::exp(-x)));
  };
  struct Case {
    ActivationFn f;
    std::function<double(double)> second;
  };
  const Case cases[] = {
      {"tanh", [](double x) { return -2 * std::tanh(x) / (std::cosh(x) * std::cosh(x)); }},
      {"exponential", [](double x) { return std::exp(x); }},
      {"sigmoid", [=](double x) { return sigmoid_slope(x) * -std::tanh(x / 2); }},
      {"softplus", sigmoid_slope},
      {"silu", [=](double x) { return sigmoid_slope(x) * (2 - x * std::tanh(x / 2)); }},
      {"gelu", [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI) * (2 - x * x); }},
      {"softsign", [](double x) { return (x < 0 ? 2 : -2) / std::pow(1 + std::abs(x), 3); }},
      {"elu", [](double x) { return x < 0 ? std::exp(x) : 0; }},
      {"relu", [](double) { return 0; }},
      {[](auto x) { return x * x * x; }, [](double x) { return 6 * x; }},
      {[](auto x) { return x * K::sigmoid(1.702 * x); },
       [=](double x) {
         return 1.702 * sigmoid_slope(1.702 * x) * (2 - 1.702 * x * std::tanh(1.702 * x / 2));
       }},
      {K::sin, [](double x) { return -std::sin(x); }},
  };
  const std::vector<double> points = {-9, -3.1, -1, -0.25, 0.125, 0.5, 1.75, 4, 8};
  for (const Case& test : cases) {
    const Tensor second = derivatives(test.f, watched_at(points), 2).back();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double expected = test.second(points[i]);
      // A dozen roundings of terms that cancel to a hundredth at worst.
      EXPECT_NEAR(second.values<double>()[i], expected, 1e-13 + 1e-12 * std::abs(expected))
          << test.f.name() << " at " << points[i];
    }
  }
}

TEST(ActivationGradients, OfEveryBuiltInAreThoseOfItsGradient) {
  // Away from kinks by more than the step.
  const std::vector<double> points = {-7.3, -3.7, -2.2, -0.81, -0.37, 0.29, 0.73, 1.9, 3.3, 5.7};
  constexpr double kStep = 1e-4;
  for (const activations::Function& function : activations::functions()) {
    const ActivationFn f = activations::detail::make_builtin(function, function.defaults);
    const Tensor second = derivatives(f, watched_at(points), 2).back();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto slope = [&](double x) { return function.derivative(function.defaults, x); };
      // Five points: the error is h⁴/30 of a fifth derivative that may be 200, and 2⁻⁵³/h.
      const double x = points[i];
      const double numeric =
          (8 * (slope(x + kStep) - slope(x - kStep)) - (slope(x + 2 * kStep) - slope(x - 2 * kStep))) /
          (12 * kStep);
      EXPECT_NEAR(second.values<double>()[i], numeric, 1e-10 * (1 + std::abs(numeric)))
          << function.info->name << " at " << x;
    }
  }
}

TEST(ActivationGradients, OfHigherOrderFollow) {
  const std::vector<double> points = {-2, -0.5, 0.75, 3};
  const std::vector<Tensor> all =
      derivatives([](auto x) { return K::exp(2 * x) + K::sin(x); }, watched_at(points), 5);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = points[i];
    EXPECT_NEAR(all[3].values<double>()[i], 16 * std::exp(2 * x) + std::sin(x),
                1e-11 * std::exp(2 * x) + 1e-14);
    EXPECT_NEAR(all[4].values<double>()[i], 32 * std::exp(2 * x) + std::cos(x),
                1e-11 * std::exp(2 * x) + 1e-14);
  }
}

TEST(ActivationGradients, OfSecondOrderCarryWhatArrivesFromAbove) {
  // d/dx and d/du of Σ c·(u·tanh'(x)), by hand.
  const double x = 0.6, u = -1.5, c = 0.75;
  const Tensor tx = watched_at({x}), tu = watched_at({u});
  Tensor first;
  {
    const RecordGradients recording;
    const Tensor target[] = {tx};
    first = gradients(ActivationFn("tanh")(tx), target, tu).front();
  }
  const Tensor targets[] = {tx, tu};
  const std::vector<Tensor> second = gradients(first, targets, Tensor::from(std::vector<double>{c}, {1}));
  const double slope = 1 / (std::cosh(x) * std::cosh(x));
  EXPECT_NEAR(second[0].item(), c * u * -2 * std::tanh(x) * slope, 1e-15);
  EXPECT_NEAR(second[1].item(), c * slope, 1e-15);
}

TEST(ActivationGradients, OfSecondOrderOfSoftmaxNeedNoCallOfGradients) {
  // Of two numbers softmax is s = sigmoid(x0 - x1) and 1 - s.
  const RecordGradients recording;
  const Tensor x = Tensor::from(std::vector<double>{0.75, 0}, {1, 2}).watched();
  const Tensor first_of = Tensor::from(std::vector<double>{1, 0}, {1, 2});
  const Tensor y = ActivationFn("softmax")(x);
  const Tensor slope = y.node()->backward(first_of).front();
  const Tensors second = slope.node()->backward(first_of);
  const double s = 1 / (1 + std::exp(-0.75)), bend = s * (1 - s) * (1 - 2 * s);
  EXPECT_NEAR(slope.values<double>()[0], s * (1 - s), 1e-15);
  EXPECT_NEAR(second.front().values<double>()[0], bend, 1e-15);
  EXPECT_NEAR(second.front().values<double>()[1], -bend, 1e-15);
}

TEST(ActivationGradients, OfSecondOrderComeInEveryFloatingType) {
  for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
    const Tensor x = Tensor::from(std::vector<double>{-1, 0.5, 2}, {3}).astype(dtype).watched();
    const Tensor second = derivatives("tanh", x, 2).back();
    EXPECT_EQ(second.dtype(), dtype);
    const Tensor wide = second.detach().astype(DType::float64);
    const double places[] = {-1, 0.5, 2};
    for (std::size_t i = 0; i < 3; ++i) {
      const double expected = -2 * std::tanh(places[i]) / (std::cosh(places[i]) * std::cosh(places[i]));
      // Rounded once: to 8 bits in bfloat16.
      EXPECT_NEAR(wide.values<double>()[i], expected, std::abs(expected) * std::ldexp(1, -8));
    }
  }
}

TEST(ActivationGradients, OfSecondOrderKeepNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* name : {"tanh", "relu", "gelu", "softplus", "hard_sigmoid"}) {
    const std::vector<Tensor> all = derivatives(name, watched_at({nan, 1}), 3);
    EXPECT_TRUE(std::isnan(all[1].values<double>()[0])) << name;
    EXPECT_FALSE(std::isnan(all[1].values<double>()[1])) << name;
  }
}

TEST(ActivationGradients, OfViewsReachWhatTheyLookAt) {
  const Tensor x = Tensor::from(std::vector<double>{0.1, 9, 0.2, 9}, {2, 2}).watched();
  Tensor first;
  const Tensor target[] = {x};
  {
    const RecordGradients recording;
    first = gradients(K::tanh(ops::slice(x, 1, 0, 1)), target).front();
  }
  const Tensor second = gradients(first, target).front();
  EXPECT_NEAR(second.values<double>()[2], -2 * std::tanh(0.2) / (std::cosh(0.2) * std::cosh(0.2)), 1e-15);
  EXPECT_EQ(second.values<double>()[1], 0);
}

TEST(ActivationGradients, NameTheFunctionThatHasNoSecondDerivative) {
  const ActivationFn known = ScalarFunction{.value = [](double x) { return x * x; },
                                            .derivative = [](double x) { return 2 * x; },
                                            .name = "my square"};
  const Tensor x = watched_at({3});
  const std::vector<Tensor> first = derivatives(known, x, 1);
  EXPECT_EQ(first[0].item(), 6);
  try {
    derivatives(known, x, 2);
    FAIL() << "no error";
  } catch (const TypeError& error) {
    EXPECT_NE(std::string(error.what()).find("my square"), std::string::npos) << error.what();
  }
}

// Softmax and kin, of the type and along the axes that each of their kernels takes: rows, columns, several
// axes.
TEST(ActivationGradients, OfSecondAndThirdOrderThroughAxesAgreeWithCentralDifferences) {
  namespace act = activations;
  struct Case {
    ActivationFn f;
    Shape shape;
  };
  const Case cases[] = {
      {act::Softmax{}, {3, 5}},
      {act::Softmax{.axis = 0}, {4, 3}},
      {act::Softmax{.axis = {0, 2}}, {2, 3, 2}},
      {act::LogSoftmax{}, {3, 5}},
      {act::LogSoftmax{.axis = 1}, {2, 4, 3}},
      {act::Sparsemax{}, {3, 4}},
      {act::Glu{}, {3, 4}},
      {act::Glu{.axis = 0}, {4, 2, 2}},
  };
  for (const Case& test : cases) {
    test::Numbers numbers;
    const Tensor x = numbers.tensor(test.shape, -2, 2);
    const Tensor u = numbers.tensor(test.f(x).shape(), -1, 1);
    const Tensor v = numbers.tensor(test.shape, -1, 1), w = numbers.tensor(test.shape, -1, 1);
    // d Σ u·f / dx, and d Σ v·that / dx, of watched tensors under a record.
    const auto first = [&](const Tensor& at) {
      const Tensor target[] = {at};
      return gradients(test.f(at), target, u).front();
    };
    const auto second = [&](const Tensor& at) {
      const Tensor target[] = {at};
      const Tensor result = gradients(first(at), target, v).front();
      return result.is_defined() ? result : at * 0.0;
    };
    const auto of_plain = [](const auto& f) {
      return [&f](const std::vector<Tensor>& inputs) {
        const RecordGradients recording;
        return f(inputs[0].watched()).detach();
      };
    };
    const RecordGradients recording;
    const Tensor at = x.watched(), target[] = {at};
    // As ops_gradient_test derives it: 1e-9 from differences of values below 10.
    EXPECT_LT(test::worst_difference(second(at), test::central_differences(of_plain(first), {x}, 0, v)), 1e-9)
        << test.f.name() << " " << test.shape.to_string();
    const Tensor third = gradients(second(at), target, w).front();
    EXPECT_LT(test::worst_difference(third.is_defined() ? third : x * 0.0,
                                     test::central_differences(of_plain(second), {x}, 0, w)),
              1e-9)
        << test.f.name() << " " << test.shape.to_string();
  }
}

TEST(ActivationGradients, OfSecondOrderThroughAxesInFloat32AreThoseOfFloat64) {
  namespace act = activations;
  // Inner axes of 16 and more go down columns in float32.
  for (const ActivationFn& f :
       {ActivationFn(act::Softmax{}), ActivationFn(act::LogSoftmax{}), ActivationFn(act::Softmax{.axis = 1}),
        ActivationFn(act::LogSoftmax{.axis = 1})}) {
    std::vector<Tensor> found;
    for (const DType dtype : {DType::float64, DType::float32}) {
      test::Numbers numbers;
      const Tensor x = numbers.tensor({2, 5, 20}, -2, 2).astype(dtype).watched(), target[] = {x};
      const Tensor v = numbers.tensor({2, 5, 20}, -1, 1).astype(dtype);
      Tensor first;
      {
        const RecordGradients recording;
        first = gradients(ops::square(f(x)), target).front();
      }
      found.push_back(gradients(first, target, v).front().detach().astype(DType::float64));
    }
    // A dozen roundings of numbers below 4.
    EXPECT_LT(test::worst_difference(found[1], found[0]), 12 * 4 * 0x1p-24) << f.name();
  }
}

// u(x) = w₂·tanh(x·w₁ + b₁) + b₂ trained to u'' = -u, u(0) = 0, u'(0) = 1: the sine. Each step takes third
// derivatives.
TEST(ActivationGradients, TrainANetworkOnADifferentialEquation) {
  for (const ActivationFn& activation :
       {ActivationFn("tanh"), ActivationFn([](auto x) { return x * K::sigmoid(2 * x); })}) {
    test::Numbers numbers;
    constexpr std::int64_t kUnits = 12;
    std::vector<Variable> weights = {Variable(numbers.tensor({1, kUnits}, -1.5, 1.5), "w1"),
                                     Variable(numbers.tensor({kUnits}, -1, 1), "b1"),
                                     Variable(numbers.tensor({kUnits, 1}, -0.5, 0.5), "w2"),
                                     Variable(Tensor::zeros({1}, DType::float64), "b2")};
    const Tensor x = (Tensor::arange(17, DType::float64) * (1.0 / 8) - 1.0).expand_dims(1).watched();
    const Tensor origin = Tensor::zeros({1, 1}, DType::float64).watched();
    const auto u = [&](const Tensor& at) {
      const Tensor hidden = ops::dense(at, weights[0].tensor(), weights[1].tensor(), activation);
      return ops::dense(hidden, weights[2].tensor(), weights[3].tensor(), ActivationFn());
    };
    const auto slope = [](const Tensor& y, const Tensor& at) {
      const Tensor target[] = {at};
      return gradients(y, target).front();
    };
    const auto loss = [&] {
      const Tensor y = u(x), residual = slope(slope(y, x), x) + y;
      const Tensor start = u(origin), start_slope = slope(start, origin) - 1.0;
      return ops::mean(ops::square(residual)) + ops::sum(ops::square(start)) +
             ops::sum(ops::square(start_slope));
    };
    const auto value = [&] {
      const RecordGradients recording;
      return loss().item();
    };
    const auto weight_gradients = [&] {
      Tensor total;
      {
        const RecordGradients recording;
        total = loss();
      }
      return gradients(total, weights);
    };

    const Tensor exact = weight_gradients()[0];
    constexpr double kStep = 1e-5;
    for (std::size_t i = 0; i < kUnits; i += 5) {
      double& weight = weights[0].mutable_value().mutable_values<double>()[i];
      const double before = weight;
      weight = before + kStep;
      const double above = value();
      weight = before - kStep;
      const double below = value();
      weight = before;
      // Truncation h²·f'''/6, the loss's third derivative being some hundred.
      EXPECT_NEAR(exact.values<double>()[i], (above - below) / (2 * kStep), 1e-7) << activation.name();
    }

    const double first = value();
    std::vector<Tensor> pace;
    for (const Variable& weight : weights) pace.push_back(Tensor::zeros(weight.shape(), DType::float64));
    for (int step = 0; step < 400; ++step) {
      const std::vector<Tensor> by = weight_gradients();
      for (std::size_t i = 0; i < weights.size(); ++i) {
        pace[i] = pace[i] * 0.9 + by[i] * 0.01;
        weights[i].assign(weights[i].value() - pace[i]);
      }
    }
    EXPECT_LT(value(), 0.01 * first) << activation.name();
  }
}

}  // namespace
}  // namespace keratin
