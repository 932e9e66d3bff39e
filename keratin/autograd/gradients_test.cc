// The backward pass itself: order, sharing, lifetime, hooks, errors.
#include "keratin/autograd/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "keratin/core/error.h"
#include "keratin/core/memory.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using Tensors = std::vector<Tensor>;
using Variables = std::vector<Variable>;

Tensor number(double value) { return Tensor::scalar(value, DType::float64); }

TEST(Gradients, AddUpWhereATensorIsUsedTwice) {
  const Tensor x = number(3).watched();
  const RecordGradients recording;
  const Tensor shared = x * x;
  const Tensor y = shared * x + shared;  // x³ + x²
  EXPECT_EQ(gradients(y, Tensors{x})[0].item(), 3 * 9 + 2 * 3);
}

TEST(Gradients, ReachTensorsInTheMiddleToo) {
  const Tensor x = number(3).watched();
  const RecordGradients recording;
  const Tensor middle = x * x, y = middle * middle;
  const Tensors result = gradients(y, Tensors{middle, y, x});
  EXPECT_EQ(result[0].item(), 2 * 9);
  EXPECT_EQ(result[1].item(), 1);
  EXPECT_EQ(result[2].item(), 4 * 27);
}

TEST(Gradients, AreUndefinedForWhatTheResultDoesNotDependOn) {
  const Tensor x = number(3).watched(), other = number(1).watched();
  const RecordGradients recording;
  const Tensor y = x * other.detach();
  const Tensors result = gradients(y, Tensors{other, number(1), x, x});
  EXPECT_FALSE(result[0].is_defined());
  EXPECT_FALSE(result[1].is_defined());
  EXPECT_EQ(result[2].item(), 1);
  EXPECT_EQ(result[3].item(), 1);
}

TEST(Gradients, StartFromTheUpstreamGivenOrFromOnes) {
  const Tensor x = Tensor::of({1, 2}).watched();
  const RecordGradients recording;
  const Tensor y = x * x;
  EXPECT_EQ(gradients(y, Tensors{x})[0].at({1}), 4);
  EXPECT_EQ(gradients(y, Tensors{x}, Tensor::of({1, 10}))[0].at({1}), 40);
}

// Recursion that deep, in the walk or when the nodes are freed, would overflow the stack.
TEST(Gradients, PassThroughAHundredThousandNodes) {
  const Tensor x = number(1).watched();
  for (const bool through_values : {false, true}) {
    Tensor y = x;
    {
      const RecordGradients recording;
      // A product keeps its factor, so that the next node hangs on a saved tensor as well.
      for (int i = 0; i < 100000; ++i) y = through_values ? y * y : -y;
    }
    const Tensor kept = y;
    const Tensor g = gradients(y, Tensors{x})[0];
    EXPECT_EQ(g.item(), through_values ? INFINITY : 1);
    EXPECT_EQ(gradients(std::move(y), Tensors{x})[0].item(), g.item());
  }
}

TEST(Gradients, CanBeAskedForAgainWhileTheResultIsKept) {
  const Tensor x = number(3).watched();
  Tensor y;
  {
    const RecordGradients recording;
    y = ops::exp(x * x);
  }
  const double first = gradients(y, Tensors{x})[0].item();
  EXPECT_EQ(gradients(y, Tensors{x})[0].item(), first);
}

// Each op saves its operand; when the record is given up, the bytes in use fall while the pass goes on.
TEST(Gradients, OfAMovedResultFreeWhatWasSavedAsTheyGo) {
  const std::int64_t size = 1 << 16;
  const Variable first(Tensor::full({size}, 1), "first"), last(Tensor::full({size}, 1), "last");
  Tensor y;
  {
    const RecordGradients recording;
    y = ops::square(first.tensor());
    for (int i = 0; i < 20; ++i) y = ops::square(y);
    y = ops::sum(y * last.tensor());
  }
  std::size_t at_last = 0, at_first = 0;
  Variable(last).set_gradient_hook([&](const Tensor&) { at_last = memory_statistics().in_use_bytes; });
  Variable(first).set_gradient_hook([&](const Tensor&) { at_first = memory_statistics().in_use_bytes; });
  gradients(std::move(y), Variables{first, last});
  EXPECT_FALSE(y.is_defined());
  EXPECT_GE(at_last, at_first + 18 * size * sizeof(float));
}

TEST(Gradients, OfVariablesCallTheHookOnceWhenComplete) {
  Variable w(number(2), "w"), b(number(5), "b"), frozen(number(7), "frozen", false);
  std::vector<std::pair<std::string, double>> calls;
  for (Variable variable : {w, b, frozen})
    variable.set_gradient_hook([&calls, name = variable.name()](const Tensor& gradient) {
      calls.emplace_back(name, gradient.item());
    });
  Tensor y;
  {
    const RecordGradients recording;
    y = w.tensor() * w.tensor() * frozen.tensor() + b.tensor() * w.tensor();
  }
  const Tensors result = gradients(y, Variables{b, frozen, w});
  EXPECT_EQ(result[0].item(), 2);
  EXPECT_FALSE(result[1].is_defined());
  EXPECT_EQ(result[2].item(), 2 * 2 * 7 + 5);
  std::ranges::sort(calls);
  EXPECT_EQ(calls, (std::vector<std::pair<std::string, double>>{{"b", 2}, {"w", 33}}));
}

TEST(Gradients, LetAnExceptionOfAHookThrough) {
  Variable w(number(2), "w");
  w.set_gradient_hook([](const Tensor&) { throw NumericError("hook", "expects", "this"); });
  const RecordGradients recording;
  const Tensor y = w.tensor() * 2.0;
  EXPECT_THROW(gradients(y, Variables{w}), NumericError);
  w.set_gradient_hook({});
  EXPECT_EQ(gradients(y, Variables{w})[0].item(), 2);
}

TEST(Gradients, OfThirdOrderFollowFromRecordingThePass) {
  const Tensor x = number(2).watched();
  const RecordGradients recording;
  Tensor y = ops::power(x, 4);
  for (const double expected : {4 * 8.0, 12 * 4.0, 24 * 2.0, 24.0}) {
    y = gradients(y, Tensors{x})[0];
    EXPECT_EQ(y.item(), expected);
  }
}

TEST(Gradients, RefuseWhatWasNotRecordedAndWhatDoesNotFit) {
  const Tensor x = Tensor::of({1, 2}).watched();
  const Tensor plain = x * x;
  EXPECT_THROW(gradients(plain, Tensors{x}), StateError);
  EXPECT_THROW(gradients(Tensor(), Tensors{x}), StateError);
  const RecordGradients recording;
  const Tensor y = x * x;
  EXPECT_THROW(gradients(y, Tensors{x}, Tensor::of({1})), ShapeError);
  EXPECT_THROW(gradients(y, Tensors{x}, Tensor::zeros({2}, DType::float64)), TypeError);
  const Tensor wrong = record(Tensor::of({1}), "wrong", {&x}, [](const Tensor& g) { return Tensors{g}; });
  EXPECT_THROW(gradients(wrong, Tensors{x}), ShapeError);
}

TEST(Gradients, OfSeveralThreadsShareVariablesConcurrently) {
  const Variable w(Tensor::full({64, 64}, 0.5), "w");
  std::vector<double> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const RecordGradients recording;
        const Tensor x = Tensor::full({8, 64}, static_cast<double>(i));
        results[i] = gradients(ops::sum(ops::matmul(x, w.tensor())), Variables{w})[0].at({3, 5});
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], 8.0 * static_cast<double>(i));
}

}  // namespace
}  // namespace keratin
