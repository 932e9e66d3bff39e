// Recurrent layers on sequences with masks, and GRU without reset_after, against Keras 3
// (testdata/masked_recurrent.json, written by make_masked_recurrent.py on TensorFlow).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/recurrent.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using test::wave;

Tensor mask_of(const std::vector<std::int64_t>& bits) {
  return Tensor::from(bits, {3, 5}).astype(DType::boolean);
}

void expect_values(const Tensor& found, const Config& expected, const std::string& what) {
  const Tensor flat = found.detach().contiguous();
  const auto values = flat.values<float>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  // Five steps of sums of a dozen products below 1 in float32, and TensorFlow's own tanh and sigmoid, a few
  // units off: some 60 roundings of numbers below 4.
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i].get<double>(), 60 * 4 * 0x1p-24) << what << " " << i;
}

TEST(MaskedRecurrent, ValuesAndGradientsAreThoseOfKeras) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/masked_recurrent.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 28U);
  for (const Config& row : rows) {
    const std::string what = row.at("layer").at("class_name").get<std::string>() + " " +
                             row.at("layer").at("config").dump() + row.at("mask").dump();
    const Layer layer = layers::deserialize(row.at("layer"));
    layer.build({3, 5, 2});
    Tensors weights;
    for (const Variable& variable : layer.variables())
      weights.push_back(wave(variable.shape(), 1.0 + static_cast<double>(weights.size())) * 0.5);
    layer.set_weights(weights);
    Tensors inputs = {wave({3, 5, 2}, 0.5).watched(), wave({3, 4}, 5.0).watched()};
    if (layer.class_name() == "LSTM") inputs.push_back(wave({3, 4}, 6.0).watched());
    CallContext context;
    if (!row.at("mask").is_null()) context.masks = {mask_of(row.at("mask").get<std::vector<std::int64_t>>())};
    Tensors targets = inputs, outputs;
    Tensor loss;
    {
      const RecordGradients on;
      for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
      outputs = layer.call(inputs, context);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Tensor part = ops::sum(outputs[i] * wave(outputs[i].shape(), 3.0 + static_cast<double>(i)));
        loss = loss.is_defined() ? loss + part : part;
      }
    }
    ASSERT_EQ(outputs.size(), row.at("outputs").size()) << what;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      expect_values(outputs[i], row.at("outputs")[i], what + ", output " + std::to_string(i));
      // Nothing recorded keeps less, and gives the same bits.
      const Tensor plain = layer.call(inputs, context)[i];
      EXPECT_EQ(ops::max(ops::absolute(plain - outputs[i].detach())).item(), 0) << what;
    }
    const Tensors found = gradients(loss, targets);
    for (std::size_t i = 0; i < found.size(); ++i)
      expect_values(found[i], row.at("gradients")[i], what + ", gradient " + std::to_string(i));
  }
}

// testdata/time_major.json, written by make_time_major.py.
TEST(MaskedRecurrent, StepsInFrontGiveWhatKeras2Gives) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/time_major.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 14U);
  const Tensor mask =
      Tensor::of({0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1}, DType::boolean).reshape({5, 3});
  for (const Config& row : rows) {
    const std::string what = row.at("layer").dump() + row.at("mask").dump();
    const Layer layer = layers::deserialize(row.at("layer"), Generation::keras2);
    layer.build({5, 3, 2});
    Tensors weights;
    for (const Variable& variable : layer.variables())
      weights.push_back(wave(variable.shape(), static_cast<double>(weights.size())) * 0.5);
    layer.set_weights(weights);
    const Tensor x = wave({5, 3, 2}, 0.5).watched();
    CallContext context;
    if (row.at("mask").get<bool>()) context.masks = {mask};
    const RecordGradients on;
    const Tensors outputs = layer.call({x}, context);
    ASSERT_EQ(outputs.size(), row.at("outputs").size()) << what;
    Tensor loss = Tensor::scalar(0, DType::float32);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Config& wanted = row.at("outputs")[i];
      EXPECT_EQ(outputs[i].shape(), Shape(wanted.at("shape").get<std::vector<std::int64_t>>())) << what;
      EXPECT_EQ(layer.compute_output_shapes({x.shape()})[i], outputs[i].shape()) << what;
      expect_values(outputs[i], wanted.at("values"), what + ", output " + std::to_string(i));
      loss = loss + ops::sum(outputs[i] * wave(outputs[i].shape(), 5.0));
    }
    expect_values(gradients(loss, Tensors{x}).front(), row.at("gradient"), what + ", gradient");
    EXPECT_NE(layer.serialize(Generation::keras2).dump().find(R"("time_major":true)"), std::string::npos);
  }
}

TEST(MaskedRecurrent, GradientsMatchDifferences) {
  using keratin::testing::expect_gradients_match;
  const Tensors inputs = {keratin::testing::values_away_from({3, 5, 2}, {}),
                          keratin::testing::values_away_from({3, 2}, {}, 2)};
  Tensors for_lstm = inputs;
  for_lstm.push_back(keratin::testing::values_away_from({3, 2}, {}, 3));
  constexpr DType kF64 = DType::float64;
  for (const bool is_masked : {false, true}) {
    CallContext context;
    if (is_masked) context.masks = {mask_of({0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0})};
    const std::string what = is_masked ? " masked" : "";
    for (const bool after : {false, true})
      expect_gradients_match(
          "GRU" + what,
          [&] {
            return GRU(2, {.bias_initializer = "ones",
                           .return_sequences = true,
                           .return_state = true,
                           .reset_after = after,
                           .dtype = kF64});
          },
          inputs, context);
    expect_gradients_match(
        "LSTM" + what,
        [&] {
          return LSTM(2,
                      {.return_sequences = true, .return_state = true, .go_backwards = true, .dtype = kF64});
        },
        for_lstm, context);
    expect_gradients_match(
        "SimpleRNN" + what,
        [&] { return SimpleRNN(2, {.return_state = true, .zero_output_for_mask = true, .dtype = kF64}); },
        inputs, context);
  }
}

}  // namespace
}  // namespace keratin
