// The example of Keras's page on activations: a layer of its own, a name, and a backend function are the
// same.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/autograd/gradients.h"
#include "keratin/core/random.h"
#include "keratin/layers/layers.h"
#include "keratin/models/model.h"
#include "keratin/training/training.h"

namespace {

using namespace keratin;
namespace K = keratin::backend;

// The bits, as NaN and -0 have theirs too.
std::vector<std::uint32_t> bits(const Tensor& a) {
  const Tensor plain = a.contiguous();
  const auto values = plain.values<float>();
  std::vector<std::uint32_t> words(values.size());
  std::memcpy(words.data(), values.data(), values.size() * sizeof(float));
  return words;
}

Tensor normal(const Shape& shape, std::uint64_t stream) {
  Tensor result = Tensor::empty(shape);
  fill_normal(result.mutable_values<float>(), RandomKey{17, stream}, 0, 1);
  return result;
}

struct Spelling {
  const char* name;
  Sequential model;
};

// Equal weights in all three.
std::vector<Spelling> spellings() {
  std::vector<Spelling> all;
  all.push_back({"Dense(64), Activation(\"tanh\")", Sequential{Input({32}), Dense(64), Activation("tanh"),
                                                               Dense(3, {.activation = "softmax"})}});
  all.push_back({".activation = \"tanh\"", Sequential{Input({32}), Dense(64, {.activation = "tanh"}),
                                                      Dense(3, {.activation = "softmax"})}});
  all.push_back({".activation = K::tanh", Sequential{Input({32}), Dense(64, {.activation = K::tanh}),
                                                     Dense(3, {.activation = "softmax"})}});
  const std::vector<Tensor> weights = all.front().model.get_weights();
  for (const Spelling& spelling : all) spelling.model.set_weights(weights);
  return all;
}

TEST(Page, ThreeSpellingsOfTanhGiveTheSameBitsForward) {
  const Tensor x = normal({100, 32}, 1);
  const auto all = spellings();
  const auto expected = bits(all[0].model.predict(x));
  for (const Spelling& spelling : all) EXPECT_EQ(bits(spelling.model.predict(x)), expected) << spelling.name;
}

TEST(Page, ThreeSpellingsOfTanhGiveTheSameBitsBackward) {
  const Tensor x = normal({100, 32}, 1), upstream = normal({100, 3}, 2);
  std::vector<std::vector<std::vector<std::uint32_t>>> results;
  const auto all = spellings();
  for (const Spelling& spelling : all) {
    const Tensor watched = x.watched();
    const auto variables = spelling.model.trainable_variables();
    Tensor y;
    {
      const RecordGradients recording;
      y = spelling.model(watched);
    }
    std::vector<std::vector<std::uint32_t>> result{
        bits(gradients(y, std::vector<Tensor>{watched}, upstream)[0])};
    for (const Tensor& gradient : gradients(y, variables, upstream)) result.push_back(bits(gradient));
    results.push_back(std::move(result));
  }
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(results[i], results[0]) << all[i].name;
}

TEST(Page, ThreeSpellingsOfTanhGiveTheSameBitsAfterTraining) {
  const Tensor x = normal({200, 32}, 1);
  Tensor y = Tensor::empty({200}, DType::int32);
  for (std::size_t i = 0; i < 200; ++i)
    y.mutable_values<std::int32_t>()[i] =
        x.values<float>()[i * 32] > 0 ? 2 : static_cast<std::int32_t>(i % 2);
  std::vector<std::vector<std::vector<std::uint32_t>>> results;
  auto all = spellings();
  const auto before = bits(all[0].model.get_weights()[0]);
  for (Spelling& spelling : all) {
    set_random_seed(4);
    spelling.model.compile({.optimizer = Adam(0.01), .loss = "sparse_categorical_crossentropy"});
    spelling.model.fit(x, y, {.epochs = 5});
    std::vector<std::vector<std::uint32_t>> result;
    for (const Tensor& weight : spelling.model.get_weights()) result.push_back(bits(weight));
    results.push_back(std::move(result));
  }
  EXPECT_NE(results[0][0], before);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(results[i], results[0]) << all[i].name;
}

}  // namespace
