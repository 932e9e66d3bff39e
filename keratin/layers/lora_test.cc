// LoRA against Keras 3 (testdata/lora.json, written by make_lora.py on JAX).
#include "keratin/layers/lora.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/activation.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/einsum_dense.h"
#include "keratin/layers/embedding.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using ::testing::HasSubstr;

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/lora.json");
    return Config::parse(file);
  }();
  return config;
}

Tensor tensor_of(const Config& values, const Shape& shape, DType dtype = DType::float64) {
  return Tensor::from(values.get<std::vector<double>>(), shape).astype(dtype);
}

Shape shape_of(const Config& row) { return Shape(row.at("shape").get<std::vector<std::int64_t>>()); }

Layer class_of(const Config& row, const Config& config) {
  const Layer layer = layers::deserialize({{"class_name", row.at("class_name")}, {"config", config}});
  layer.build(shape_of(row));
  return layer;
}

// The row's layer with Keras's weights: of a config that has the arguments, and by enable_lora.
std::vector<Layer> layers_of(const Config& row) {
  const std::vector<Layer> both = {class_of(row, row.at("config")),
                                   class_of(row, row.at("plain").at("config"))};
  EnableLoraOptions options;
  if (!row.at("alpha").is_null()) options.lora_alpha = row.at("alpha").get<double>();
  enable_lora(both[1], row.at("rank").get<std::int64_t>(), options);
  for (const Layer& layer : both) {
    Tensors given;
    const std::vector<Variable> variables = layer.variables();
    for (std::size_t i = 0; i < variables.size(); ++i)
      given.push_back(tensor_of(row.at("given").at(i), variables[i].shape()));
    layer.set_weights(given);
  }
  return both;
}

Tensor input_of(const Config& row, const Layer& layer) {
  const Tensor x = tensor_of(row.at("x"), shape_of(row));
  return row.at("class_name") == "Embedding" ? x.astype(DType::int32) : x.astype(layer.dtype());
}

Config names_of(const std::vector<Variable>& variables) {
  Config names = Config::array();
  for (const Variable& variable : variables) names.push_back(variable.name());
  return names;
}

std::string what_of(const Config& row) { return row.at("class_name").dump() + " " + row.at("config").dump(); }

void expect_near(const Tensor& found, const Config& expected, double tolerance, const std::string& what) {
  const Tensor wide = found.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i].get<double>(), tolerance) << what << " " << i;
}

// A rounding of a number below 8, as adapted weights are: in float64, too, A·B is of float32.
double rounding_in(const Config& row) { return 8 * (row.at("dtype") == "bfloat16" ? 0x1p-9 : 0x1p-24); }

// The row's step of SGD: on sum(y * factors) and the penalties.
void train(const Layer& layer, const Config& row) {
  std::vector<Variable> variables = layer.trainable_variables();
  if (variables.empty()) return;
  Tensors found;
  {
    const RecordGradients on;
    const Tensor y = layer(input_of(row, layer));
    const DType dtype = layer.dtype();
    Tensor loss = ops::sum(ops::cast(y, dtype) * tensor_of(row.at("factors"), y.shape(), dtype));
    for (const Tensor& penalty : layer.regularization_losses()) loss = loss + ops::cast(penalty, dtype);
    found = gradients(loss, variables);
  }
  for (std::size_t i = 0; i < variables.size(); ++i)
    variables[i].assign(variables[i].value() - found[i] * known().at("rate").get<double>());
}

TEST(Lora, WeightsAreThoseOfKeras) {
  for (const Config& row : known().at("cases")) {
    for (const Layer& layer : layers_of(row)) {
      Config paths = Config::array(), dtypes = Config::array();
      for (const Variable& variable : layer.variables()) {
        paths.push_back(variable.path());
        dtypes.push_back(name(variable.dtype()));
      }
      EXPECT_EQ(names_of(layer.variables()), row.at("names")) << what_of(row);
      EXPECT_EQ(paths, row.at("paths")) << what_of(row);
      EXPECT_EQ(dtypes, row.at("dtypes")) << what_of(row);
      EXPECT_EQ(names_of(layer.trainable_variables()), row.at("trainable")) << what_of(row);
      // Keras trains the base weight, too, of a layer that was frozen in between.
      layer.set_trainable(false);
      EXPECT_EQ(names_of(layer.trainable_variables()), row.at("frozen")) << what_of(row);
      layer.set_trainable(true);
      EXPECT_EQ(names_of(layer.trainable_variables()), row.at("thawed")) << what_of(row);
    }
  }
}

TEST(Lora, GivesKerasOutputsAndPenalties) {
  for (const Config& row : known().at("cases")) {
    for (const Layer& layer : layers_of(row)) {
      // An embedding's rows as they are; of the others a tanh, flat where the sum behind it is large.
      expect_near(layer(input_of(row, layer)), row.at("y"), rounding_in(row), what_of(row));
      const Tensors penalties = layer.regularization_losses();
      ASSERT_EQ(penalties.size(), row.at("penalties").size()) << what_of(row);
      for (std::size_t i = 0; i < penalties.size(); ++i)
        EXPECT_NEAR(penalties[i].item(), row.at("penalties")[i].get<double>(), 8 * 0x1p-24) << what_of(row);
    }
  }
}

TEST(Lora, AStepOfTrainingLeavesKerasWeights) {
  for (const Config& row : known().at("cases")) {
    for (const Layer& layer : layers_of(row)) {
      train(layer, row);
      const Tensors weights = layer.get_weights();
      ASSERT_EQ(weights.size(), row.at("learned").size());
      // Gradients below 8, of which a tenth counts.
      for (std::size_t i = 0; i < weights.size(); ++i)
        expect_near(weights[i], row.at("learned")[i], rounding_in(row), what_of(row) + std::to_string(i));
    }
  }
}

TEST(Lora, ConfigsAreThoseOfKeras) {
  for (const Config& row : known().at("cases")) {
    for (const Layer& layer : layers_of(row)) {
      const Config written = layer.serialize().at("config");
      EXPECT_EQ(nlohmann::json::parse(written.dump()), nlohmann::json::parse(row.at("config").dump()));
      EXPECT_EQ(written.at("lora_alpha").dump(), row.at("config").at("lora_alpha").dump());
    }
  }
  const Config plain = Dense(3).serialize().at("config");
  EXPECT_FALSE(plain.contains("lora_rank") || plain.contains("lora_alpha"));
}

void expect_same(const Tensor& a, const Tensor& b, const std::string& what) {
  const Tensor difference = ops::cast(a, DType::float64) - ops::cast(b, DType::float64);
  EXPECT_EQ(ops::max(ops::absolute(difference)).item(), 0) << what;
}

TEST(Lora, ALayerReadBackAndACloneComputeTheSame) {
  for (const Config& row : known().at("cases")) {
    for (const Layer& layer : layers_of(row)) {
      train(layer, row);
      const Tensor x = input_of(row, layer);
      const Layer back = class_of(row, layer.serialize().at("config")), copy = layer.clone();
      back.set_weights(layer.get_weights());
      expect_same(back(x), layer(x), what_of(row));
      expect_same(copy(x), layer(x), what_of(row));
      EXPECT_EQ(names_of(copy.trainable_variables()), row.at("trainable")) << what_of(row);
      EXPECT_EQ(copy.variables().back().path(), row.at("paths").back().get<std::string>());
      layer.set_trainable(true);
      EXPECT_EQ(names_of(layer.clone().trainable_variables()), row.at("thawed")) << what_of(row);
      // A copy has weights of its own.
      const Tensor before = layer(x).clone();
      copy.variables().back().mutable_value() = Tensor::zeros(copy.variables().back().shape());
      expect_same(layer(x), before, what_of(row));
    }
  }
}

TEST(Lora, StartsAsTheLayerWas) {
  const EinsumDense layer("abc,cde->abde", {Shape::kUnknown, 20, 30});
  layer.build({2, 3, 40});
  const Tensor x = Tensor::full({2, 3, 40}, 0.5), before = layer(x).clone();
  layer.enable_lora(50);
  expect_same(layer(x), before, "B starts at 0");
  // A He-uniform: of 40,000 values the largest is within a thousandth of the limit.
  const std::vector<double> largest = known().at("started");
  const Tensors weights = layer.get_weights();
  EXPECT_NEAR(ops::max(ops::absolute(weights[1])).item(), largest[0], 1e-3 * largest[0]);
  EXPECT_EQ(ops::max(ops::absolute(weights[2])).item(), largest[1]);
}

TEST(Lora, TakesInitializersOfTheCaller) {
  const Embedding layer(5, 2);
  layer.build({1});
  const auto fails = [](const Shape&, DType) -> Tensor { throw IoError("read", "a file", "none"); };
  EXPECT_THROW(layer.enable_lora(3, {.b_initializer = fails}), IoError);
  EXPECT_EQ(layer.variables().size(), 1U);
  EXPECT_EQ(layer.trainable_variables().size(), 1U);
  layer.enable_lora(3, {.lora_alpha = 1.5, .a_initializer = "ones", .b_initializer = "ones"});
  layer.set_weights({Tensor::zeros({5, 2}), layer.get_weights()[1], layer.get_weights()[2]});
  // 1.5/3 · (1 + 1 + 1)
  expect_same(layer(Tensor::zeros({1}, DType::int32)), Tensor::full({1, 2}, 1.5), "alpha");
}

// As in Keras's EinsumDense; its Dense and Embedding forget it when they are built.
TEST(Lora, AlphaCountsWhereItIsAnArgumentToo) {
  const Dense dense(2, {.use_bias = false, .kernel_initializer = "zeros", .lora_rank = 2, .lora_alpha = 3.0});
  dense.build({1, 1});
  dense.set_weights({Tensor::zeros({1, 2}), Tensor::full({1, 2}, 1), Tensor::full({2, 2}, 1)});
  expect_same(dense(Tensor::full({1, 1}, 1)), Tensor::full({1, 2}, 3), "3/2 · (1 + 1)");
  EXPECT_EQ(dense.serialize().at("config").at("lora_alpha").dump(), "3");
}

TEST(Lora, MistakesAreNamed) {
  EXPECT_THAT(message_of<ValueError>([] { Dense(3, {.lora_rank = 0}); }),
              HasSubstr("Dense: a LoRA rank of at least 1, received 0"));
  EXPECT_THAT(
      message_of<ValueError>([] { Embedding(3, 2, {.embeddings_constraint = "non_neg", .lora_rank = 1}); }),
      HasSubstr("Embedding: a weight without a constraint"));
  EXPECT_THAT(message_of<ValueError>([] {
                layers::deserialize(
                    {{"class_name", "EinsumDense"},
                     {"config", {{"equation", "ab,bc->ac"}, {"output_shape", {3}}, {"lora_rank", -2}}}});
              }),
              HasSubstr("received -2"));
  const Dense dense(3);
  EXPECT_THAT(message_of<StateError>([&] { dense.enable_lora(2); }), HasSubstr("a layer that is built"));
  dense.build({1, 4});
  EXPECT_THAT(message_of<ValueError>([&] { dense.enable_lora(0); }), HasSubstr("received 0"));
  EXPECT_EQ(dense.trainable_variables().size(), 2U);
  dense.enable_lora(2);
  EXPECT_THAT(message_of<StateError>([&] { dense.enable_lora(2); }), HasSubstr("it has LoRA"));
  const Dense bound(3, {.kernel_constraint = "non_neg"});
  bound.build({1, 4});
  EXPECT_THAT(message_of<ValueError>([&] { bound.enable_lora(2); }), HasSubstr("without a constraint"));
  EXPECT_THAT(message_of<ValueError>([] { enable_lora(Activation("relu"), 2); }),
              HasSubstr("received Activation"));
}

}  // namespace
}  // namespace keratin
