// What a step of training takes from the heap, and what a gradient's hook sees of it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/core/sanitized.h"
#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace {

// Counted while `counting` is on: blocks that oneDNN's own code asks for, and all others.
std::atomic<bool> counting = false;
std::atomic<std::size_t> of_onednn = 0, of_others = 0;

void count(const void* caller) {
  if (!counting) return;
  Dl_info info;
  const bool is_onednn = dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
                         std::strstr(info.dli_fname, "libdnnl") != nullptr;
  ++(is_onednn ? of_onednn : of_others);
}

}  // namespace

// Inlined, gcc would take malloc behind new for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  count(__builtin_return_address(0));
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  count(__builtin_return_address(0));
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace keratin {
namespace {

struct Counts {
  std::size_t onednn, others;
};

template <class Body>
Counts counted(const Body& body) {
  of_onednn = of_others = 0;
  counting = true;
  body();
  counting = false;
  return {of_onednn, of_others};
}

struct OneThread {
  OneThread() : before(num_threads()) { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before;
};

Model mlp() {
  return Sequential{Input({64}), Dense(32, {.activation = "relu"}), Dense(32, {.activation = "relu"}),
                    Dense(10)};
}

Tensor ramp(const Shape& shape) { return ops::reshape(Tensor::arange(shape.size()) * 1e-3, shape); }

struct TrainedCase {
  const char* name;
  Shape sample;
  Model (*make)();
  bool from_logits = true;
  /// Whether oneDNN's own code asks operator new at each call, as dnnl_primitive_execute does for its
  /// arguments, 7 blocks for a convolution: nothing outside of it can keep them.
  bool runs_primitives = false;

  friend std::ostream& operator<<(std::ostream& out, const TrainedCase& trained) {
    return out << trained.name;
  }
};

// All end in scores or in probabilities of ten classes.
const TrainedCase kTrained[] = {
    {"Dense", {64}, mlp},
    {"BatchNormalizationSoftmax",
     {64},
     []() -> Model {
       return Sequential{Input({64}),        Dense(32), BatchNormalization(),
                         Activation("relu"), Dense(10), Activation("softmax")};
     },
     false},
    {"Convolution",
     {12, 12, 3},
     []() -> Model {
       return Sequential{Input({12, 12, 3}),
                         Conv2D(8, 3, {.padding = "same", .activation = "relu"}),
                         MaxPooling2D(2),
                         Conv2D(8, 3, {.activation = "tanh"}),
                         AveragePooling2D(2),
                         Flatten(),
                         Dense(10, {.activation = "softmax"})};
     },
     false,
     true},
    {"Recurrent",
     {6, 8},
     []() -> Model {
       return Sequential{Input({6, 8}), LSTM(12, {.return_sequences = true}), GRU(12), Dense(10)};
     }},
    {"LayerNormalization",
     {64},
     []() -> Model {
       return Sequential{Input({64}), Dense(32), LayerNormalization(), Activation("gelu"), Dense(10)};
     }},
    {"Dropout",
     {64},
     []() -> Model {
       return Sequential{Input({64}), Dense(32, {.activation = "relu"}), Dropout(0.3), Dense(10)};
     }},
    {"Embedding",
     {8},
     []() -> Model {
       return Sequential{Input({8}), Embedding(50, 16), GlobalAveragePooling1D(), Dense(10)};
     }},
    {"Branches",
     {64},
     []() -> Model {
       const Input x({64});
       const SymbolicTensor a = Dense(16, {.activation = "tanh"})(x), b = Dense(16)(x);
       const SymbolicTensor both = Concatenate()({Add()({a, b}), Multiply()({a, b})});
       return Model(x, Dense(10)(UnitNormalization()(both)));
     }},
    {"Attention",
     {6, 8},
     []() -> Model {
       const Input x({6, 8});
       const SymbolicTensor seen =
           MultiHeadAttention(2, 4, {.dropout = 0.1, .use_gate = true})({x, x}, {.use_causal_mask = true});
       return Model(x, Dense(10)(GlobalAveragePooling1D()(LayerNormalization()(Add()({x, seen})))));
     }},
    {"MaskedEmbeddingRecurrent",
     {8},
     []() -> Model {
       return Sequential{Input({8}), Embedding(50, 16, {.mask_zero = true}), SimpleRNN(12), Dense(10)};
     }},
};

// Numbers from 0 to 49, for indices and all else.
Tensor samples_of(const TrainedCase& trained, std::int64_t count) {
  const Shape shape = trained.sample.with_inserted(0, count);
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.size(); ++i) values.push_back(static_cast<float>(i * 7 % 50));
  return Tensor::from(values, shape);
}

// Steps of fit in the counts of their batches.
std::vector<Counts> steps_of(const TrainedCase& trained, std::int64_t batch_size) {
  Model model = trained.make();
  model.compile({.optimizer = Adam(1e-3),
                 .loss = losses::SparseCategoricalCrossentropy{.from_logits = trained.from_logits},
                 .metrics = {"accuracy"}});
  std::vector<Counts> steps(8);
  LambdaCallback watch({.on_train_batch_begin =
                            [&](TrainingRun&, std::int64_t) {
                              of_onednn = of_others = 0;
                              counting = true;
                            },
                        .on_train_batch_end =
                            [&](TrainingRun&, std::int64_t batch, const Metrics&) {
                              counting = false;
                              steps[static_cast<std::size_t>(batch)] = {of_onednn, of_others};
                            }});
  model.fit(samples_of(trained, 8 * batch_size), Tensor::zeros({8 * batch_size}, DType::int32),
            {.batch_size = batch_size, .verbose = 0, .callbacks = {watch}});
  return steps;
}

class StepMemory : public ::testing::TestWithParam<TrainedCase> {};

// The record of a step (a node, its closure and its lists for each op) lives in small blocks that the thread
// keeps, arrays in the library's cache. oneDNN's own calls of posix_memalign are not in these numbers: its
// sgemm asks for room to pack into at each call, 11 times in a step of the three Dense layers.
TEST_P(StepMemory, AfterTheFirstStepsNothingIsAskedOfTheHeap) {
  if (detail::kUnderAsan) GTEST_SKIP() << "no block is kept, to see uses after the end";
  const OneThread one_thread;
  for (const std::int64_t batch : {16, 128}) {
    const std::vector<Counts> steps = steps_of(GetParam(), batch);
    for (std::size_t step = 2; step < steps.size(); ++step) {
      EXPECT_EQ(steps[step].others, 0u) << "step " << step << " of batches of " << batch;
      EXPECT_TRUE(GetParam().runs_primitives || steps[step].onednn == 0)
          << steps[step].onednn << " in step " << step << " of batches of " << batch;
    }
  }
}

TEST_P(StepMemory, AfterTheFirstPredictionNothingIsAskedOfTheHeap) {
  if (detail::kUnderAsan) GTEST_SKIP() << "no block is kept, to see uses after the end";
  const OneThread one_thread;
  const Model model = GetParam().make();
  const Tensor x = samples_of(GetParam(), 16);
  for (int i = 0; i < 3; ++i) model.predict(x);
  const Counts counts = counted([&] { model.predict(x); });
  EXPECT_EQ(counts.others, 0u);
  EXPECT_TRUE(GetParam().runs_primitives || counts.onednn == 0) << counts.onednn;
}

INSTANTIATE_TEST_SUITE_P(Models, StepMemory, ::testing::ValuesIn(kTrained),
                         [](const auto& trained) { return std::string(trained.param.name); });

TEST(FitMemory, ArraysOfAFitAreThoseOfItsFirstSteps) {
  if (detail::kUnderAsan) GTEST_SKIP() << "no block is kept, to see uses after the end";
  Model model = mlp();
  model.compile(
      {.optimizer = Adam(1e-3), .loss = losses::SparseCategoricalCrossentropy{.from_logits = true}});
  const Tensor x = ramp({256, 64}), y = Tensor::zeros({256}, DType::int32);
  model.fit(x, y, {.batch_size = 32, .epochs = 2});
  const auto before = memory_statistics().system_requests;
  model.fit(x, y, {.batch_size = 32, .epochs = 3});
  EXPECT_EQ(memory_statistics().system_requests, before);
}

// What data-parallel training needs: each parameter's gradient once a step, as soon as it is complete, the
// last layer's first, before any weight has moved, and the one that the optimizer then uses.
TEST(GradientHooks, FireOnceAStepFromTheLastLayerOnBeforeWeightsMove) {
  const Model model = mlp();
  const std::vector<Variable> variables = model.trainable_variables();
  std::vector<std::size_t> order;
  Tensors before, seen(variables.size());
  for (const Variable& variable : variables) before.push_back(variable.value().clone());
  const auto same = [](const Tensor& a, const Tensor& b) {
    const auto left = a.values<float>(), right = b.values<float>();
    return std::equal(left.begin(), left.end(), right.begin(), right.end());
  };
  for (std::size_t i = 0; i < variables.size(); ++i) {
    Variable(variables[i]).set_gradient_hook([&, i](const Tensor& gradient) {
      order.push_back(i);
      seen[i] = gradient.clone();
      for (std::size_t j = 0; j < variables.size(); ++j) EXPECT_TRUE(same(variables[j].value(), before[j]));
    });
  }
  Optimizer optimizer = SGD(0.5);
  const Loss loss = losses::SparseCategoricalCrossentropy{.from_logits = true};
  train_step(model, loss, optimizer, ramp({8, 64}), Tensor::zeros({8}, DType::int32));
  ASSERT_EQ(order.size(), variables.size());
  // Kernel and bias of a layer in either order; layers from the last to the first.
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i] / 2, 2 - i / 2) << i;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const auto w = before[i].values<float>(), g = seen[i].values<float>();
    const auto after = variables[i].value().values<float>();
    for (std::size_t j = 0; j < w.size(); ++j) EXPECT_EQ(after[j], w[j] - 0.5F * g[j]) << i << " " << j;
    Variable(variables[i]).set_gradient_hook({});
  }
}

// On one machine, instruction set and number of threads; for this library's blocks the number does not matter
// either (dense.md).
TEST(Reproducibility, TwoRunsOfFitGiveTheSameBits) {
  const auto weights_after = [](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    set_random_seed(11);
    Model model = mlp();
    model.compile(
        {.optimizer = Adam(1e-2), .loss = losses::SparseCategoricalCrossentropy{.from_logits = true}});
    model.fit(ramp({300, 64}), Tensor::zeros({300}, DType::int32), {.batch_size = 64, .epochs = 2});
    set_num_threads(before);
    std::vector<float> all;
    for (const Tensor& weight : model.get_weights())
      all.insert(all.end(), weight.values<float>().begin(), weight.values<float>().end());
    return all;
  };
  const std::vector<float> first = weights_after(1);
  EXPECT_EQ(weights_after(1), first);
  EXPECT_EQ(weights_after(2), first);
}

}  // namespace
}  // namespace keratin
