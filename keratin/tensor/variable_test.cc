// Variables: handles to one value.
#include "keratin/tensor/variable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keratin/core/error.h"

namespace keratin {
namespace {

TEST(Variable, CopiesAreTheSameVariable) {
  EXPECT_FALSE(Variable().is_defined());
  Variable a(Tensor::of({1, 2}), "kernel");
  Variable b = a;
  EXPECT_TRUE(a == b);
  b.assign(Tensor::of({3, 4}));
  EXPECT_EQ(a.value().at({0}), 3);
  EXPECT_EQ(a.name(), "kernel");
  EXPECT_FALSE(a == Variable(Tensor::of({3, 4}), "kernel"));
}

TEST(Variable, KeepsWhatItWasGivenFromLaterWrites) {
  Tensor source = Tensor::of({1, 2});
  Variable variable(source, "bias");
  source.mutable_values<float>()[0] = 9;
  EXPECT_EQ(variable.value().at({0}), 1);
  const Tensor before = variable.value();
  variable.mutable_value().mutable_values<float>()[0] = 7;
  EXPECT_EQ(before.at({0}), 1);
  EXPECT_EQ(variable.value().at({0}), 7);
}

TEST(Variable, AssignConvertsTheDTypeAndRefusesAnotherShape) {
  Variable variable(Tensor::of({1, 2}), "gamma");
  variable.assign(Tensor::of({0.1, 2}, DType::float64));
  EXPECT_EQ(variable.dtype(), DType::float32);
  EXPECT_EQ(variable.value().at({0}), 0.1F);
  try {
    variable.assign(Tensor::of({1, 2, 3}));
    FAIL() << "accepted";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "assign: variable \"gamma\" expects shape (2,), got (3,).");
  }
  EXPECT_EQ(variable.value().at({0}), 0.1F) << "nothing has changed";
}

TEST(Variable, IsALeafOnlyWhereItIsTrainedAndRecorded) {
  Variable variable(Tensor::of({1}), "kernel");
  EXPECT_EQ(variable.tensor().node(), nullptr);
  const RecordGradients recording;
  EXPECT_EQ(variable.tensor().node(), variable.leaf());
  EXPECT_EQ(variable.value().node(), nullptr);
  variable.set_trainable(false);
  EXPECT_EQ(variable.tensor().node(), nullptr);
  EXPECT_EQ(variable.leaf()->operation, "leaf");
}

TEST(Variable, HoldsItsGradientHookUntilItIsTakenAway) {
  Variable variable(Tensor::of({1}), "kernel");
  EXPECT_FALSE(static_cast<bool>(variable.gradient_hook()));
  double seen = 0;
  variable.set_gradient_hook([&](const Tensor& gradient) { seen = gradient.item(); });
  variable.gradient_hook()(Tensor::of({5}));
  EXPECT_EQ(seen, 5);
  variable.set_gradient_hook({});
  EXPECT_FALSE(static_cast<bool>(variable.gradient_hook()));
}

}  // namespace
}  // namespace keratin
