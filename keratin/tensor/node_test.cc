// The gradient record: when it is on, what it holds, and how it goes away.
#include "keratin/tensor/node.h"

#include <gtest/gtest.h>

#include <thread>

#include "keratin/tensor/tensor.h"

namespace keratin {
namespace {

Backward pass_on() {
  return [](const Tensor& upstream) { return std::vector<Tensor>{upstream}; };
}

TEST(Record, IsOffUnlessAskedForAndNests) {
  EXPECT_FALSE(is_recording());
  {
    const RecordGradients on;
    EXPECT_TRUE(is_recording());
    {
      const RecordGradients off(false);
      EXPECT_FALSE(is_recording());
    }
    EXPECT_TRUE(is_recording());
  }
  EXPECT_FALSE(is_recording());
}

TEST(Record, BelongsToOneThread) {
  const RecordGradients on;
  bool elsewhere = true;
  std::thread([&] { elsewhere = is_recording(); }).join();
  EXPECT_FALSE(elsewhere);
}

TEST(Record, IsWantedWhereAnInputDependsOnALeaf) {
  const Tensor plain = Tensor::of({1}), leaf = plain.watched();
  EXPECT_FALSE(wants_gradient({&leaf}));
  const RecordGradients on;
  EXPECT_FALSE(wants_gradient({&plain}));
  EXPECT_TRUE(wants_gradient({&plain, &leaf}));
  EXPECT_FALSE(wants_gradient({}));
}

TEST(Record, HoldsTheOperationAndItsInputs) {
  const Tensor plain = Tensor::of({1}), leaf = plain.watched();
  const Tensor result = record(Tensor::of({2}), "sum", {&leaf, &plain}, pass_on());
  ASSERT_NE(result.node(), nullptr);
  EXPECT_EQ(result.node()->operation, "sum");
  ASSERT_EQ(result.node()->inputs.size(), 2u);
  EXPECT_EQ(result.node()->inputs[0], leaf.node());
  EXPECT_EQ(result.node()->inputs[1], nullptr);
  const Tensor both = record(Tensor::of({2}), "stack", std::vector<Tensor>{plain, leaf}, pass_on());
  EXPECT_EQ(both.node()->inputs[1], leaf.node());
  EXPECT_EQ(leaf.node()->operation, "leaf");
  EXPECT_FALSE(static_cast<bool>(leaf.node()->backward));
}

// Each backward holds the tensor before it, as ops do: freed by recursion, this would overflow the stack.
TEST(Record, AMillionOpsGoAwayWithoutRecursion) {
  Tensor tensor = Tensor::of({1}).watched();
  const std::weak_ptr<Node> leaf = tensor.node();
  for (int i = 0; i < 1'000'000; ++i) {
    Backward backward = [saved = tensor](const Tensor&) { return std::vector<Tensor>{saved}; };
    tensor = record(Tensor(), "step", {&tensor}, std::move(backward));
  }
  EXPECT_FALSE(leaf.expired());
  tensor = Tensor();
  EXPECT_TRUE(leaf.expired());
}

}  // namespace
}  // namespace keratin
