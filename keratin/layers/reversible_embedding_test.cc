// ReversibleEmbedding against Keras 3 (testdata/reversible_embedding.json, written by
// make_reversible_embedding.py on JAX).
#include "keratin/layers/reversible_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/message_of.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/input.h"
#include "keratin/layers/layer_registry.h"

namespace keratin {
namespace {

using ::testing::HasSubstr;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/reversible_embedding.json");
    return Config::parse(file);
  }();
  return config;
}

Tensor array(const char* name, const Shape& shape) {
  return Tensor::from(known().at(name).get<std::vector<float>>(), shape);
}
Tensor ids() { return array("ids", {2, 4}).astype(DType::int32); }

void expect_values(const Tensor& found, const Config& expected, double tolerance, const std::string& what) {
  const Tensor wide = found.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i].get<float>(), tolerance) << what << " " << i;
}

// Half the distance of 1 and the next number of the dtype that scores have.
double unit_of(const std::string& dtype) {
  return dtype == "bfloat16" ? 0x1p-8 : dtype == "float16" ? 0x1p-11 : 0x1p-24;
}

Layer layer_of(const Config& row) {
  const Layer layer = layers::deserialize(row.at("layer"));
  layer.build({2, 4});
  Tensors weights = {array("table", {7, 3})};
  if (row.at("weights").size() == 2) weights.push_back(array("matrix", {3, 7}));
  layer.set_weights(weights);
  return layer;
}

TEST(ReversibleEmbedding, GivesKerasRowsAndScores) {
  for (const Config& row : known().at("cases")) {
    const std::string what = row.at("layer").at("config").dump();
    const Layer layer = layer_of(row);
    std::vector<std::string> names;
    for (const Variable& variable : layer.variables()) names.push_back(variable.name());
    EXPECT_EQ(Config(names), row.at("weights")) << what;
    const double unit = unit_of(row.at("dtype"));
    // Rows come out as they lie, rounded alike.
    expect_values(layer(ids()), row.at("rows"), 0, what);
    const Tensor scores = layer(array("hidden", {2, 4, 3}).astype(layer.compute_dtype()), {.reverse = true});
    EXPECT_EQ(name(scores.dtype()), row.at("dtype").get<std::string>()) << what;
    // Three products below 1, whose sum is below 2, and a tanh: each a rounding in Keras, one at the end
    // here.
    expect_values(scores, row.at("scores"), 6 * unit, what);
  }
}

// testdata/reversible_policies.json, written by make_reversible_policies.py on TensorFlow: each policy and
// reverse_dtype, with and without a cap, rows of float32 and of both half types.
TEST(ReversibleEmbedding, RoundsWhereKerasDoes) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/reversible_policies.json");
  const Config policies = Config::parse(file);
  const auto read = [&](const char* name, const Shape& shape) {
    return Tensor::from(policies.at(name).get<std::vector<float>>(), shape);
  };
  std::size_t rows = 0;
  for (const Config& row : policies.at("rows")) {
    if (row.contains("model")) continue;  // of models: models/dtype_policy_test.cc
    ++rows;
    Config what = row;
    what.erase("scores");
    ReversibleEmbeddingOptions options{.tie_weights = row.at("tie_weights"),
                                       .dtype = row.at("policy").get<std::string>()};
    if (!row.at("reverse_dtype").is_null())
      options.reverse_dtype = dtype_of(row.at("reverse_dtype").get<std::string>());
    if (!row.at("logit_soft_cap").is_null()) options.logit_soft_cap = row.at("logit_soft_cap").get<double>();
    const ReversibleEmbedding layer(7, 3, options);
    layer.build({1, 3});
    Tensors weights = {read("table", {7, 3})};
    if (!options.tie_weights) weights.push_back(read("matrix", {3, 7}));
    layer.set_weights(weights);
    const Tensor x = read("hidden", {1, 3, 3}).astype(dtype_of(row.at("input").get<std::string>()));
    const Tensor scores = layer(x, {.reverse = true});
    EXPECT_EQ(name(scores.dtype()), row.at("dtype").get<std::string>()) << what;
    // To the bit in half types. In float32 three products below 1, whose sum is below 2, and TensorFlow's own
    // tanh, a few units off.
    expect_values(scores, row.at("scores"), row.at("dtype") == "float32" ? 6 * 0x1p-24 : 0, what.dump());
  }
  EXPECT_EQ(rows, 144U);
}

TEST(ReversibleEmbedding, TheTableLearnsFromBothWaysAsInKeras) {
  for (const Config& row : known().at("cases")) {
    const std::string what = row.at("layer").at("config").dump();
    const Layer layer = layer_of(row);
    const Tensor hidden = array("hidden", {2, 4, 3}).watched();
    Tensors targets, found;
    {
      const RecordGradients on;
      for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
      targets.push_back(hidden);
      const Tensor rows = ops::cast(layer(ids()), DType::float32) + hidden;
      const Tensor scores = ops::cast(layer(rows, {.reverse = true}), DType::float32);
      found = gradients(ops::sum(scores * array("factors", {2, 4, 7})), targets);
    }
    ASSERT_EQ(found.size(), row.at("gradients").size());
    const bool is_half = row.at("dtype") != "float32";
    for (std::size_t i = 0; i < found.size(); ++i) {
      // Sums of at most 56 terms of order 1: their roundings in float32, or the half type's of each term,
      // which Keras rounds in a few places more.
      expect_values(found[i], row.at("gradients")[i], is_half ? 16 * unit_of(row.at("dtype")) : 56 * 0x1p-23,
                    what + " " + std::to_string(i));
    }
  }
}

TEST(ReversibleEmbedding, GradientsMatchDifferences) {
  testing::expect_gradients_match(
      "reverse", [&] { return ReversibleEmbedding(5, 3, {.logit_soft_cap = 2.0, .dtype = DType::float64}); },
      testing::values_away_from({2, 3}, {}), {.reverse = true});
}

TEST(ReversibleEmbedding, ConfigsComeBackAsTheyWere) {
  for (const Config& row : known().at("cases")) {
    const Config& object = row.at("layer");
    const Config written = layers::deserialize(object).serialize();
    EXPECT_EQ(nlohmann::json::parse(written.at("config").dump()),
              nlohmann::json::parse(object.at("config").dump()));
  }
}

TEST(ReversibleEmbedding, ACloneHasATableOfItsOwn) {
  const Layer layer = layer_of(known().at("cases")[0]);
  const Layer copy = layer.clone();
  const Tensor hidden = array("hidden", {2, 4, 3});
  const Tensor before = layer(hidden, {.reverse = true}).clone();
  copy.set_weights({Tensor::zeros({7, 3}, DType::float32)});
  EXPECT_EQ(ops::max(ops::absolute(copy(hidden, {.reverse = true}))).item(), 0);
  EXPECT_EQ(ops::max(ops::absolute(layer(hidden, {.reverse = true}) - before)).item(), 0);
}

TEST(ReversibleEmbedding, MistakesAreNamed) {
  EXPECT_THAT(message_of([] { ReversibleEmbedding(7, 3, {.logit_soft_cap = 0.0}); }),
              HasSubstr("logit_soft_cap is above 0"));
  EXPECT_THAT(message_of([] { ReversibleEmbedding(7, 3, {.reverse_dtype = DType::int32}); }),
              HasSubstr("received int32"));
  EXPECT_THAT(message_of([] {
                ReversibleEmbedding(7, 3)(Tensor::zeros({2, 4}, DType::float32), {.reverse = true});
              }),
              HasSubstr("whose last axis is 3"));
  EXPECT_THAT(message_of([] {
                ReversibleEmbedding(7, 3)(Tensor::full({2, 4}, 7, DType::int32));
              }),
              HasSubstr("reversible_embedding: "));
  // Where it would do nothing, or be written into a file that Keras cannot read.
  EXPECT_THAT(message_of([] {
                Dense(3)(Tensor::zeros({2, 4}), {.reverse = true});
              }),
              HasSubstr("dense: a call without reverse"));
  EXPECT_THAT(message_of([] { Dense(3)(Input({4}), {.reverse = true}); }), HasSubstr("received reverse"));
  EXPECT_THAT(
      message_of([] {
        layers::deserialize(Config::parse(
            R"({"class_name": "ReversibleEmbedding", "config": {"input_dim": 7, "output_dim": 3, "reverse_dtype": 4}})"));
      }),
      HasSubstr("\"reverse_dtype\""));
}

}  // namespace
}  // namespace keratin
