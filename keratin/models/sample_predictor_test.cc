#include "keratin/models/sample_predictor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/memory.h"
#include "keratin/core/random.h"
#include "keratin/layers/layers.h"
#include "keratin/simd/dispatch.h"

namespace {
std::atomic<std::size_t> allocations = 0;
}
// Counts what this program takes. Inlined, gcc would take malloc behind new for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace keratin {
namespace {

Sequential control_model() {
  set_random_seed(5);
  return {
      Input({16}), Dense(32, {.activation = "tanh"}), Dropout(0.5),         Dense(32, {.activation = "gelu"}),
      ReLU(),      Dense(3, {.use_bias = false}),     Activation("sigmoid")};
}

std::vector<float> sample(std::uint64_t seed) {
  std::vector<float> x(16);
  fill_normal(std::span<float>(x), RandomKey{seed, 1}, 0, 1);
  return x;
}

// By the model itself.
std::vector<double> by_tensors(const Model& model, const std::vector<float>& x) {
  const Tensor y = model(Tensor::from(x, {1, static_cast<std::int64_t>(x.size())}));
  const auto values = y.values<float>();
  return {values.begin(), values.end()};
}

void expect_as_tensors(SamplePredictor& predictor, const Model& model, std::uint64_t seed) {
  const std::vector<float> x = sample(seed);
  std::vector<float> y(3);
  predictor.predict(x, y);
  const std::vector<double> expected = by_tensors(model, x);
  // Sums of up to 32 terms of size 1 in another order.
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 64 * 0x1p-24);
}

TEST(SamplePredictor, GivesWhatTheModelGives) {
  const Sequential model = control_model();
  SamplePredictor predictor(model);
  EXPECT_EQ(predictor.input_size(), 16);
  EXPECT_EQ(predictor.output_size(), 3);
  for (std::uint64_t seed = 0; seed < 20; ++seed) expect_as_tensors(predictor, model, seed);
}

TEST(SamplePredictor, AdaptsKernelsThatHaveLora) {
  const Dense adapted(3, {.activation = "tanh"});
  const Sequential model{Input({16}), adapted};
  adapted.enable_lora(2, {.lora_alpha = 3, .b_initializer = "ones"});
  SamplePredictor predictor(model);
  expect_as_tensors(predictor, model, 3);
}

TEST(SamplePredictor, TakesFunctionalModelsThatAreAChain) {
  const Input x({16});
  const SymbolicTensor h = Dropout(0.5)(Dense(32, {.activation = "tanh"})(x));
  const Model model(x, Dense(3)(h));
  SamplePredictor predictor(model);
  expect_as_tensors(predictor, model, 1);
  const Dense shared(16);
  const SymbolicTensor once = shared(x), next = Dense(16)(once);
  EXPECT_THROW(SamplePredictor(Model(x, shared(next))), ValueError);
  EXPECT_THROW(SamplePredictor(Model({x}, {once, next})), ValueError);
  EXPECT_THROW(SamplePredictor(Model({x}, {once, Dense(2)(x)})), ValueError);
  EXPECT_THROW(SamplePredictor(Model({x}, {once, once})), ValueError);
}

TEST(SamplePredictor, TakesNoMemory) {
  SamplePredictor predictor(control_model());
  const std::vector<float> x = sample(1);
  std::vector<float> y(3);
  predictor.predict(x, y);  // tables are there after this
  const std::size_t before = allocations;
  const auto requests = memory_statistics().system_requests;
  for (int i = 0; i < 100; ++i) predictor.predict(x, y);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(memory_statistics().system_requests, requests);
}

TEST(SamplePredictor, GivesTheSameBitsOnEveryInstructionSet) {
  SamplePredictor predictor(control_model());
  const std::vector<float> x = sample(2);
  std::vector<float> first(3);
  predictor.predict(x, first);
  for (const simd::Isa isa : simd::supported_isas()) {
    const simd::ScopedIsa scoped(isa);
    std::vector<float> y(3);
    predictor.predict(x, y);
    EXPECT_EQ(y, first) << simd::name(isa);
  }
}

TEST(SamplePredictor, KeepsTheWeightsItWasMadeWith) {
  const Sequential model = control_model();
  SamplePredictor predictor(model), copy = predictor;
  const std::vector<float> x = sample(3);
  std::vector<float> before(3), after(3);
  predictor.predict(x, before);
  Tensors zeros;
  for (const Tensor& weight : model.get_weights()) zeros.push_back(Tensor::zeros(weight.shape()));
  model.set_weights(zeros);
  copy.predict(x, after);
  EXPECT_EQ(before, after);
  SamplePredictor(model).predict(x, after);
  EXPECT_EQ(after, (std::vector<float>{0.5F, 0.5F, 0.5F}));
}

TEST(SamplePredictor, MistakesAreNamed) {
  EXPECT_THROW(SamplePredictor(Sequential{Dense(3)}), StateError);
  EXPECT_THROW(SamplePredictor(Sequential{Input({4}), Dense(3, {.activation = "softmax"})}), ValueError);
  EXPECT_THROW(SamplePredictor(Sequential{Input({4}), Dense(3, {.dtype = DType::float64})}), ValueError);
  EXPECT_THROW(SamplePredictor(Sequential{Input({4}), ReLU()}), ValueError);
  // Dense works on each of the four rows of a sample.
  EXPECT_THROW(SamplePredictor(Sequential{Input({4, 16}), Dense(3)}), ValueError);
  SamplePredictor predictor(control_model());
  std::vector<float> x(15), y(3);
  EXPECT_THROW(predictor.predict(x, y), ShapeError);
}

}  // namespace
}  // namespace keratin
