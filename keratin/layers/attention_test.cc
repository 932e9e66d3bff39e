// The layers of attention against both Keras (testdata/attention.json, written by make_attention.py).
#include "keratin/layers/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/core/error.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using test::wave;
using ::testing::HasSubstr;

Shape shape_of(const Config& sizes) { return Shape(sizes.get<std::vector<std::int64_t>>()); }

CallContext context_of(const Config& call, Tensors& losses) {
  CallContext context = {.losses = &losses};
  for (const CallKeyword& keyword : kCallKeywords) context.*keyword.value = call.value(keyword.name, false);
  if (!call.contains("attention_mask")) return context;
  const Config& mask = call.at("attention_mask");
  const auto values = mask.at("values").get<std::vector<float>>();
  context.attention_mask = Tensor::from(values, shape_of(mask.at("shape"))).astype(DType::boolean);
  return context;
}

// Sums of a few dozen terms of order 1, in another order than Keras's.
void expect_values(const Tensor& found, const Config& wanted, const std::string& what) {
  ASSERT_EQ(static_cast<std::size_t>(found.size()), wanted.size()) << what;
  const Tensor whole = found.contiguous();
  const auto values = whole.values<float>();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double value = wanted[i].get<double>();
    EXPECT_NEAR(values[i], value, 2e-6 * std::max(1.0, std::fabs(value))) << what << ", " << i;
  }
}

TEST(Attention, ComputesWhatBothKerasDo) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/attention.json");
  std::size_t rows = 0;
  for (const Config& row : Config::parse(file)) {
    const Generation generation = row.at("generation") == 2 ? Generation::keras2 : Generation::keras3;
    Config what = row.at("config").at("config");
    for (const char* key : {"kernel_initializer", "bias_initializer", "dtype"}) what.erase(key);
    SCOPED_TRACE(row.at("generation").dump() + " " + row.at("call").dump() + " " + what.dump());
    ++rows;
    const Layer layer = layers::deserialize(row.at("config"), generation);
    Tensors inputs, losses;
    for (const Config& sizes : row.at("inputs"))
      inputs.push_back(wave(shape_of(sizes), static_cast<double>(inputs.size())).watched());
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    layer.build_list(shapes);
    Tensors weights;
    for (const Tensor& weight : layer.get_weights())
      weights.push_back(wave(weight.shape(), static_cast<double>(weights.size())) * 0.5);
    layer.set_weights(weights);
    ASSERT_EQ(weights.size(), row.at("weights").size());
    if (generation == Generation::keras3) {
      for (std::size_t i = 0; i < weights.size(); ++i)
        EXPECT_EQ(layer.variables()[i].path(), row.at("weights")[i]);
    }

    const RecordGradients on;
    const CallContext context = context_of(row.at("call"), losses);
    const Tensors outputs = layer.call(inputs, context);
    ASSERT_EQ(outputs.size(), row.at("outputs").size());
    Tensor loss = Tensor::full({}, 0.0F), total;
    for (const Tensor& one : losses) loss = loss + one;
    total = loss;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Config& wanted = row.at("outputs")[i];
      ASSERT_EQ(outputs[i].shape(), shape_of(wanted.at("shape")));
      expect_values(outputs[i], wanted.at("values"), "output " + std::to_string(i));
      total = total + ops::sum(outputs[i] * wave(outputs[i].shape(), 5));
    }
    EXPECT_NEAR(loss.item(), row.at("loss").get<double>(), 1e-5);
    const Tensors found = gradients(total, inputs);
    for (std::size_t i = 0; i < found.size(); ++i)
      expect_values(found[i], row.at("gradients")[i], "gradient of input " + std::to_string(i));
    // What is written is what Keras wrote.
    EXPECT_EQ(layer.serialize(generation).at("config"), row.at("config").at("config"));
    EXPECT_EQ(layer.compute_output_shapes(shapes).front(), outputs.front().shape());
  }
  EXPECT_EQ(rows, 35U);
}

TEST(Attention, RefusesArgumentsAndKeywordsThatItCannotHave) {
  const Tensor flat = Tensor::zeros({2, 3, 4}), wide = Tensor::zeros({2, 3, 2, 4});
  const auto message = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message([] { MultiHeadAttention(2, 3, {.sliding_window = 0}); }),
              HasSubstr("sliding_window=0"));
  EXPECT_THAT(message([] { MultiHeadAttention(2, 3, {.dropout = 0.5, .flash_attention = true}); }),
              HasSubstr("dropout=0.5"));
  EXPECT_THAT(message([&] {
                MultiHeadAttention(2, 3, {.attention_axes = 3})({wide, wide});
              }),
              HasSubstr("between 1 and 2"));
  EXPECT_THAT(message([&] {
                MultiHeadAttention(2, 3, {.attention_axes = {{1, 1}}})({wide, wide});
              }),
              HasSubstr("different attention_axes"));
  EXPECT_THAT(message([&] { MultiHeadAttention(2, 3)({flat, wide}); }), HasSubstr("(2, 3, 2, 4)"));
  EXPECT_THAT(message([&] { GroupQueryAttention(2, 4, 2)({wide, wide}); }), HasSubstr("(2, 3, 2, 4)"));
  const MultiHeadAttention flash(2, 3, {.flash_attention = true});
  EXPECT_EQ(flash({flat, flat}).shape(), (Shape{2, 3, 4}));
  EXPECT_THAT(message([&] {
                flash.call({flat, flat}, {.return_attention_scores = true});
              }),
              HasSubstr("flash_attention"));
  EXPECT_THAT(message([&] {
                Attention().call({flat, flat}, {.attention_mask = flat});
              }),
              HasSubstr("MultiHeadAttention"));
  EXPECT_THAT(message([&] { Dense(2)(flat, {.use_causal_mask = true}); }), HasSubstr("use_causal_mask"));
  EXPECT_THAT(message([&] { Dense(2)(flat, {.return_attention_scores = true}); }), HasSubstr("dense"));
}

}  // namespace
}  // namespace keratin
