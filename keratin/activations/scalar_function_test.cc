#include "keratin/activations/scalar_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

using ::testing::HasSubstr;

float cube(float x) { return x * x * x; }
double halved(double x) { return x / 2; }

Tensor gradient_at(const ActivationFn& f, const Tensor& x) {
  const RecordGradients recording;
  return f(x.watched()).node()->backward(Tensor::full(x.shape(), 1, x.dtype())).front();
}

TEST(ScalarFunction, FunctionsPointersAndStdFunctionsAreActivations) {
  const Tensor x = Tensor::of({-2.0, 0.5});
  const std::function<float(float)> wrapped = cube;
  for (const ActivationFn& f : {ActivationFn(cube), ActivationFn(&cube), ActivationFn(wrapped)}) {
    EXPECT_EQ(f(x).values<float>()[0], -8);
    EXPECT_EQ(f(x).values<float>()[1], 0.125f);
  }
  EXPECT_EQ(ActivationFn(halved)(Tensor::of({3.0}, DType::float64)).item(), 1.5);
}

TEST(ScalarFunction, ComputesEveryFloatingTypeInDoubleAndRoundsOnce) {
  // 1/3 has no end: each type keeps as much as it can.
  const ActivationFn third = ScalarFunction{.value = [](double x) { return x / 3; }};
  EXPECT_EQ(third(Tensor::of({1.0}, DType::float64)).item(), 1.0 / 3);
  EXPECT_EQ(third(Tensor::of({1.0}, DType::float32)).item(), static_cast<double>(1.0f / 3.0f));
  // float16 has 11 bits: 1365/4096.
  EXPECT_EQ(third(Tensor::of({1.0}, DType::float16)).astype(DType::float64).item(), 1365.0 / 4096);
}

TEST(ScalarFunction, TrainsWithTheDerivativeGiven) {
  const ActivationFn f = ScalarFunction{.value = [](double x) { return std::sin(x); },
                                        .derivative = [](double x) { return std::cos(x); },
                                        .name = "sine"};
  EXPECT_EQ(f.name(), "sine");
  EXPECT_EQ(gradient_at(f, Tensor::of({0.75}, DType::float64)).item(), std::cos(0.75));
}

TEST(ScalarFunction, WithoutADerivativePredictsButDoesNotTrain) {
  const ActivationFn f = ScalarFunction{.value = cube, .name = "cube"};
  EXPECT_EQ(f(Tensor::of({2.0})).item(), 8);
  EXPECT_THROW(gradient_at(f, Tensor::of({2.0})), TypeError);
  EXPECT_THAT(message_of([&] { gradient_at(f, Tensor::of({2.0})); }),
              testing::AllOf(HasSubstr("\"cube\""), HasSubstr(".derivative = df")));
}

TEST(ScalarFunction, CannotBeSavedAndMayNotBeEmpty) {
  EXPECT_THAT(message_of([] { activations::serialize(ActivationFn(cube)); }), HasSubstr("which is code"));
  EXPECT_THAT(message_of([] { ActivationFn(ScalarFunction{}); }), HasSubstr("it is empty"));
  EXPECT_THAT(explain(ActivationFn(cube)), HasSubstr("one element after the other"));
}

}  // namespace
}  // namespace keratin
