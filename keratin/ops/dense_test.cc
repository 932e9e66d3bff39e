// The fully connected op: values within the bound of a sum of products, bits that no partition changes,
// refusals.
#include "keratin/ops/dense.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <xmmintrin.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include "keratin/core/error.h"
#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

// The fractional parts of i·φ, shifted and scaled: reproducible numbers whose products and sums all round.
Tensor numbers(const Shape& shape, double low, double high, DType dtype) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = low + (high - low) * std::fmod(static_cast<double>(i + 7) * 0.6180339887498949, 1.0);
  return Tensor::from(values, shape).astype(dtype);
}

struct Layer {
  Tensor x, kernel, bias;
};

Layer layer(std::int64_t rows, std::int64_t in, std::int64_t units, DType dtype) {
  return {numbers({rows, in}, -1, 1, dtype), numbers({in, units}, -0.5, 0.4, dtype),
          numbers({units}, -0.2, 0.3, dtype)};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().contiguous(), y = b.detach().contiguous();
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.size()) * size_bytes(x.dtype())) == 0;
}

// The worst |y - exact| over u·(in + 2)·(Σ|x||w| + |b|): in products, in additions in any order and one for
// the bias each err by at most u = ε/2, and (in + 2)·u/(1 - (in + 2)·u) differs from (in + 2)·u by less than
// 1e-4.
template <class T, class Wide>
double worst_of_bound(const Layer& l, const Tensor& y) {
  const std::int64_t rows = l.x.shape()[0], in = l.x.shape()[1], units = l.kernel.shape()[1];
  const auto x = l.x.values<T>(), w = l.kernel.values<T>(), b = l.bias.values<T>(), out = y.values<T>();
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  double worst = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < units; ++j) {
      Wide sum = b[at(j)], size = std::abs(static_cast<Wide>(b[at(j)]));
      for (std::int64_t k = 0; k < in; ++k) {
        const Wide product = static_cast<Wide>(x[at(r * in + k)]) * static_cast<Wide>(w[at(k * units + j)]);
        sum += product;
        size += std::abs(product);
      }
      const Wide bound =
          static_cast<Wide>(std::numeric_limits<T>::epsilon() / 2) * static_cast<Wide>(in + 2) * size;
      worst = std::max(
          worst, static_cast<double>(std::abs(static_cast<Wide>(out[at(r * units + j)]) - sum) / bound));
    }
  }
  return worst;
}

TEST(Dense, IsWithinTheBoundOfASumOfProducts) {
  for (const std::int64_t rows : {1, 2, 63, 64, 65, 130})
    for (const std::int64_t in : {1, 3, 64, 257})
      for (const std::int64_t units : {1, 2, 10, 65, 512, 513}) {
        if (rows * in * units > 5000000) continue;
        const auto where = std::to_string(rows) + " x " + std::to_string(in) + " x " + std::to_string(units);
        const Layer f = layer(rows, in, units, DType::float32), d = layer(rows, in, units, DType::float64);
        EXPECT_LT((worst_of_bound<float, double>(f, ops::dense(f.x, f.kernel, f.bias, {}))), 1) << where;
        EXPECT_LT((worst_of_bound<double, long double>(d, ops::dense(d.x, d.kernel, d.bias, {}))), 1)
            << where;
      }
}

TEST(Dense, TakesAnyRankAboveOneAnyLayoutAndNoBias) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Layer l = layer(12, 5, 7, dtype);
    const Tensor y = ops::dense(l.x, l.kernel, {}, {});
    EXPECT_TRUE(same_bits(ops::dense(l.x.reshape({3, 4, 5}), l.kernel, {}, {}), y.reshape({3, 4, 7})));
    const Tensor strided_x = l.x.transpose().clone().transpose(),
                 strided_w = l.kernel.transpose().clone().transpose();
    ASSERT_FALSE(strided_x.is_contiguous() || strided_w.is_contiguous());
    EXPECT_TRUE(same_bits(ops::dense(strided_x, strided_w, {}, {}), y));
    const Tensor zero = Tensor::zeros({7}, dtype);
    EXPECT_TRUE(same_bits(ops::dense(l.x, l.kernel, zero, {}), y));
    EXPECT_TRUE(same_bits(ops::matmul(l.x, l.kernel), y));
  }
}

TEST(Dense, TakesEmptyBatchesAndNoFeatures) {
  const Tensor bias = Tensor::of({1, 2});
  EXPECT_EQ(ops::dense(Tensor::zeros({0, 3}), Tensor::zeros({3, 2}), bias, "relu").shape(), (Shape{0, 2}));
  EXPECT_TRUE(
      same_bits(ops::dense(Tensor::zeros({1, 0}), Tensor::zeros({0, 2}), bias, {}), bias.reshape({1, 2})));
}

// Element-wise, functions of rows, and one whose value at 0 is not 0.
const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names = {"linear",      "tanh",         "relu", "gelu",
                                                 "elu",         "selu",         "mish", "sigmoid",
                                                 "exponential", "hard_sigmoid", "silu", "softmax"};
  return names;
}

TEST(Dense, FollowedByAnActivationHasTheBitsOfBothInOne) {
  for (const DType dtype : {DType::float32, DType::float64})
    for (const auto& [rows, in, units] : std::vector<std::array<std::int64_t, 3>>{
             {1, 4, 3}, {33, 20, 64}, {130, 50, 10}, {70, 30, 600}, {200, 16, 1}})
      for (const std::string& name : activation_names()) {
        const Layer l = layer(rows, in, units, dtype);
        const ActivationFn activation(name);
        const Tensor apart = activation(ops::dense(l.x, l.kernel, l.bias, {}));
        EXPECT_TRUE(same_bits(ops::dense(l.x, l.kernel, l.bias, activation), apart)) << name << " " << units;
        const RecordGradients recording;
        const Tensor recorded = ops::dense(l.x, l.kernel.watched(), l.bias, activation);
        EXPECT_NE(recorded.node(), nullptr);
        EXPECT_TRUE(same_bits(recorded, apart)) << name << " " << units << ", recorded";
      }
}

struct RestoreThreads {
  int before = num_threads();
  ~RestoreThreads() { set_num_threads(before); }
};

std::vector<Tensor> forward_and_backward(const Layer& l, const ActivationFn& activation) {
  Tensor y;
  {
    const RecordGradients recording;
    y = ops::dense(l.x.watched(), l.kernel.watched(), l.bias.watched(), activation);
  }
  std::vector<Tensor> results = y.node()->backward(numbers(y.shape(), -1, 1, y.dtype()));
  results.push_back(y);
  return results;
}

TEST(Dense, ItsBitsDoNotDependOnTheNumberOfThreads) {
  const RestoreThreads restore;
  for (const DType dtype : {DType::float32, DType::float64})
    for (const auto& [rows, in, units] :
         std::vector<std::array<std::int64_t, 3>>{{300, 200, 600}, {1, 300, 1200}, {700, 30, 10}}) {
      const Layer l = layer(rows, in, units, dtype);
      set_num_threads(1);
      const std::vector<Tensor> expected = forward_and_backward(l, "tanh");
      for (const int threads : {2, 3}) {
        set_num_threads(threads);
        const std::vector<Tensor> got = forward_and_backward(l, "tanh");
        for (std::size_t i = 0; i < got.size(); ++i)
          EXPECT_TRUE(same_bits(got[i], expected[i]))
              << name(dtype) << " " << rows << ", " << i << ", " << threads;
      }
    }
}

TEST(Dense, OfSeveralConcurrentThreadsOfTheUsersGiveTheSameBits) {
  const Layer l = layer(150, 60, 40, DType::float32);
  const std::vector<Tensor> expected = forward_and_backward(l, "tanh");
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong)
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        const std::vector<Tensor> got = forward_and_backward(l, "tanh");
        for (std::size_t i = 0; i < got.size(); ++i) count += same_bits(got[i], expected[i]) ? 0 : 1;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

// OpenMP would start its team on the thread that calls, beside the library's own pool.
TEST(Dense, StartsNoOpenMpThreadsAndLeavesTheCallersSettingAlone) {
  const auto threads_alive = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const Layer l = layer(512, 512, 512, DType::float32);
  ops::dense(l.x, l.kernel, l.bias, {});  // the library's pool is up
  const int before = omp_get_max_threads();
  omp_set_num_threads(7);
  const auto alive = threads_alive();
  forward_and_backward(l, "relu");
  EXPECT_EQ(threads_alive(), alive);
  EXPECT_EQ(omp_get_max_threads(), 7);
  omp_set_num_threads(before);
}

TEST(Dense, GivesTheSameBitsWhateverTheCallersFloatingPointMode) {
  Layer l = layer(40, 20, 30, DType::float32);
  // Products near 1e-40: subnormals that a flushing caller would lose.
  l.x = l.x * 1e-20;
  l.kernel = l.kernel * 1e-20;
  l.bias = l.bias * 1e-39;
  const std::vector<Tensor> expected = forward_and_backward(l, "tanh");
  EXPECT_NE(expected.back().at({0, 0}), 0);
  const unsigned before = _mm_getcsr();
  const unsigned hostile = (before & ~0x6000U) | 0x8040U | 0x4000U;  // FTZ, DAZ, round up
  _mm_setcsr(hostile);
  const std::vector<Tensor> got = forward_and_backward(l, "tanh");
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(after & ~0x3FU, hostile & ~0x3FU);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], expected[i])) << i;
}

TEST(Dense, WithSigmoidOrSoftmaxLeavesItsLogitsToLosses) {
  const Layer l = layer(3, 4, 5, DType::float32);
  const Tensor logits = ops::dense(l.x, l.kernel, l.bias, {});
  for (const std::string name : {"sigmoid", "softmax"}) {
    const Tensor y = ops::dense(l.x, l.kernel, l.bias, name);
    ASSERT_NE(y.origin(), nullptr) << name;
    EXPECT_EQ(y.origin()->function, name);
    EXPECT_TRUE(same_bits(y.origin()->logits, logits));
  }
  EXPECT_EQ(ops::dense(l.x, l.kernel, l.bias, "tanh").origin(), nullptr);
}

TEST(Dense, KeepsNaNAndInfinityInTheirRows) {
  Tensor x = Tensor::full({3, 4}, 1);
  x.mutable_values<float>()[4 + 1] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = ops::dense(x, Tensor::full({4, 5}, 1), {}, "relu");
  for (std::int64_t j = 0; j < 5; ++j) {
    EXPECT_EQ(y.at({0, j}), 4);
    EXPECT_TRUE(std::isnan(y.at({1, j})));
    EXPECT_EQ(y.at({2, j}), 4);
  }
}

// Exactly representable numbers: the product in double is exact, so both layouts give the same.
TEST(Gemm, TakesEveryLayoutOfItsOperands) {
  const std::int64_t m = 130, n = 520, k = 70;
  const auto whole = [](const Shape& shape, DType dtype) {
    return ops::cast(ops::cast(numbers(shape, -8, 9, DType::float64), DType::int32), dtype);
  };
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor a = whole({m, k}, dtype), b = whole({k, n}, dtype);
    const Tensor expected = ops::sum(a.reshape({m, k, 1}) * b.reshape({1, k, n}), {{1}});
    const Tensor at = a.transpose().clone().transpose(), bt = b.transpose().clone().transpose();
    for (const Tensor& left : {a, at})
      for (const Tensor& right : {b, bt}) EXPECT_TRUE(same_bits(ops::matmul(left, right), expected));
    // Rows apart by more than their length.
    const Tensor wide = ops::concatenate({a, a}, 1).slice(1, 0, k);
    ASSERT_FALSE(wide.is_contiguous());
    EXPECT_TRUE(same_bits(ops::matmul(wide, b), expected));
  }
}

TEST(Dense, AsksTheSystemForNoMemoryAfterTheFirstCalls) {
  const Layer l = layer(100, 200, 300, DType::float32);
  forward_and_backward(l, "tanh");
  if (memory_statistics().cached_bytes == 0) GTEST_SKIP() << "this build keeps no block for reuse";
  forward_and_backward(l, "tanh");
  const std::uint64_t before = memory_statistics().system_requests;
  for (int i = 0; i < 10; ++i) forward_and_backward(l, "tanh");
  EXPECT_EQ(memory_statistics().system_requests, before);
}

template <class Exception>
void expect_refusal(const std::string& says, const Tensor& x, const Tensor& kernel, const Tensor& bias = {}) {
  try {
    ops::dense(x, kernel, bias, {});
    ADD_FAILURE() << says << " did not throw";
  } catch (const Exception& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(Dense, RefusesWhatDoesNotFit) {
  const Tensor x = Tensor::zeros({2, 3}), kernel = Tensor::zeros({3, 4});
  expect_refusal<ShapeError>("shape (3,)", Tensor::zeros({3}), kernel);
  expect_refusal<ShapeError>("shape ()", Tensor::scalar(1), kernel);
  expect_refusal<ShapeError>("(2, 5)", Tensor::zeros({2, 5}), kernel);
  expect_refusal<ShapeError>("at least one unit", x, Tensor::zeros({3, 0}));
  expect_refusal<ShapeError>("(3, 4, 1)", x, Tensor::zeros({3, 4, 1}));
  expect_refusal<ShapeError>("got (3,)", x, kernel, Tensor::zeros({3}));
  expect_refusal<ShapeError>("got (1, 4)", x, kernel, Tensor::zeros({1, 4}));
  expect_refusal<TypeError>("float64", x, kernel.astype(DType::float64));
  expect_refusal<TypeError>("float64", x, kernel, Tensor::zeros({4}, DType::float64));
  expect_refusal<TypeError>("int32", x.astype(DType::int32), kernel.astype(DType::int32));
  expect_refusal<StateError>("undefined", Tensor(), kernel);
  expect_refusal<StateError>("undefined", x, Tensor());
}

TEST(Dense, RecordsOnlyWhatAGradientIsWantedFor) {
  const Layer l = layer(4, 3, 2, DType::float32);
  const Tensor upstream = Tensor::full({4, 2}, 1);
  EXPECT_EQ(ops::dense(l.x.watched(), l.kernel, l.bias, "tanh").node(), nullptr);
  Tensor y;
  {
    const RecordGradients recording;
    EXPECT_EQ(ops::dense(l.x, l.kernel, l.bias, "tanh").node(), nullptr);
    y = ops::dense(l.x, l.kernel.watched(), l.bias, "tanh");
  }
  const std::vector<Tensor> gradients = y.node()->backward(upstream);
  EXPECT_FALSE(gradients[0].is_defined());
  EXPECT_TRUE(gradients[1].is_defined());
  EXPECT_FALSE(gradients[2].is_defined());
}

}  // namespace
}  // namespace keratin
