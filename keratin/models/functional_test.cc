// Models described by calls on symbolic tensors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/layers.h"
#include "keratin/models/model.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

std::vector<std::string> names_of(const Model& model) {
  std::vector<std::string> names;
  for (const Layer& layer : model.layers()) names.push_back(layer.name());
  return names;
}

Tensor some_input(const Shape& shape) {
  return ops::reshape(Tensor::arange(shape.size()), shape) * 0.125 - 1.0;
}

// Two inputs, a shared layer, a branch, two outputs.
struct Graph {
  Input a{{3}, {.name = "a"}}, b{{3}, {.name = "b"}};
  Dense shared{4, {.activation = "tanh", .name = "shared"}};
  Dense side{2, {.name = "side"}};
  Add add{{.name = "add"}};
  Dense head{1, {.name = "head"}};
  SymbolicTensor left = shared(a), right = shared(b);
  SymbolicTensor sum = add({left, right});
  Model model{{a, b}, {head(sum), side(right)}, "graph"};
};

TEST(Functional, ComputesWhatItsLayersComputeOneByOne) {
  const Graph graph;
  const Tensor a = some_input({5, 3}), b = some_input({5, 3}) * 0.5;
  const Tensors found = graph.model.call({a, b});
  ASSERT_EQ(found.size(), 2U);
  const Tensor left = graph.shared(a), right = graph.shared(b);
  EXPECT_EQ(values_of(found[0]), values_of(graph.head(left + right)));
  EXPECT_EQ(values_of(found[1]), values_of(graph.side(right)));
  EXPECT_EQ(graph.model.compute_output_shapes({{Shape::kUnknown, 3}, {Shape::kUnknown, 3}}),
            (Shapes{{Shape::kUnknown, 1}, {Shape::kUnknown, 2}}));
  EXPECT_EQ(graph.model.count_params(), 16 + 5 + 10);
}

TEST(Functional, SymbolicTensorsHaveTheShapesThatLayersGive) {
  const Graph graph;
  EXPECT_EQ(graph.sum.shape(), (Shape{Shape::kUnknown, 4}));
  EXPECT_EQ(Flatten()(Input({2, 3})).shape(), (Shape{Shape::kUnknown, 6}));
}

// d/dw of (x·w) + (2x·w) is Σ 3x.
TEST(Functional, ASharedLayersGradientIsTheSumOfItsCalls) {
  const Input a({1}), b({1});
  const Dense shared(1, {.use_bias = false});
  const Model model({a, b}, {Add()({shared(a), shared(b)})});
  const Tensor x = ops::reshape(Tensor::of({1, 4}), {2, 1});
  std::vector<Variable> weights = model.trainable_variables();
  ASSERT_EQ(weights.size(), 1U);
  Tensor y;
  {
    const RecordGradients on;
    y = model({x, x * 2.0});
  }
  EXPECT_EQ(values_of(gradients(y, weights)[0]), std::vector<double>{15});
}

// Keras 3.15.1 on the same model: [layer.name for layer in model.layers].
TEST(Functional, LayersStandInKerasOrder) {
  const Graph graph;
  EXPECT_EQ(names_of(graph.model), (std::vector<std::string>{"a", "b", "shared", "add", "head", "side"}));
}

TEST(Functional, ModelsStandInModels) {
  const Graph graph;
  const Input x({3});
  const std::vector<SymbolicTensor> inner = graph.model.call({x, x});
  const Sequential tail({Input({1}), Dense(2)}, "tail");
  const Model outer(x, Concatenate()({tail(inner[0]), inner[1]}));
  const Tensor value = some_input({2, 3});
  const Tensors parts = graph.model.call({value, value});
  EXPECT_EQ(values_of(outer(value)), values_of(Concatenate()({tail(parts[0]), parts[1]})));
}

TEST(Functional, ConfigsOfBothGenerationsComeBackAsTheyWere) {
  const Graph graph;
  const Tensor a = some_input({5, 3}), b = some_input({5, 3}) * 0.5;
  for (const Generation generation : {Generation::keras2, Generation::keras3}) {
    const Config config = graph.model.serialize(generation);
    EXPECT_EQ(config["class_name"], "Functional");
    const Model again = Model::from_config(config, generation);
    EXPECT_EQ(names_of(again), names_of(graph.model));
    again.set_weights(graph.model.get_weights());
    const Tensors expected = graph.model.call({a, b}), found = again.call({a, b});
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(values_of(found[i]), values_of(expected[i]));
    EXPECT_EQ(again.serialize(generation).dump(), config.dump());
  }
}

// The forms of a call, as Keras 3.15.1 and tf_keras 2.21 write them.
TEST(Functional, CallsAreWrittenAsKerasWritesThem) {
  const Graph graph;
  const Config config3 = graph.model.serialize(Generation::keras3)["config"];
  EXPECT_EQ(config3["input_layers"].dump(), R"([["a",0,0],["b",0,0]])");
  EXPECT_EQ(config3["output_layers"].dump(), R"([["head",0,0],["side",0,0]])");
  EXPECT_EQ(config3["layers"][3]["inbound_nodes"][0]["args"][0][1]["config"].dump(),
            R"({"shape":[null,4],"dtype":"float32","keras_history":["shared",1,0]})");
  const Config config2 = graph.model.serialize(Generation::keras2)["config"];
  EXPECT_EQ(config2["layers"][2]["inbound_nodes"].dump(), R"([[["a",0,0,{}]],[["b",0,0,{}]]])");
  EXPECT_EQ(config2["layers"][3]["inbound_nodes"].dump(), R"([[["shared",0,0,{}],["shared",1,0,{}]]])");
}

TEST(Functional, ACloneHasWeightsOfItsOwn) {
  const Graph graph;
  const Model copy = graph.model.clone();
  const Tensor a = some_input({2, 3});
  const std::vector<double> before = values_of(graph.model.call({a, a})[0]);
  EXPECT_EQ(values_of(copy.call({a, a})[0]), before);
  Tensors zeros;
  for (const Tensor& weight : copy.get_weights()) zeros.push_back(weight * 0.0);
  copy.set_weights(zeros);
  EXPECT_EQ(values_of(graph.model.call({a, a})[0]), before);
  EXPECT_EQ(values_of(copy.call({a, a})[0]), (std::vector<double>{0, 0}));
}

TEST(Functional, MistakesAreNamed) {
  const Graph graph;
  EXPECT_THAT(message_of([&] { Model(graph.a, graph.head(graph.sum)); }),
              HasSubstr("needs \"b\", which is not among them"));
  EXPECT_THAT(message_of([&] { Model(graph.sum, graph.head(graph.sum)); }),
              HasSubstr("inputs that Input made"));
  EXPECT_THAT(message_of([&] {
                const Input x({3});
                Model(x, Dense(1, {.name = "d"})(Dense(1, {.name = "d"})(x)));
              }),
              HasSubstr("received two called \"d\""));
  const Tensor x = some_input({5, 3});
  EXPECT_THAT(message_of([&] { graph.model.call({x}); }), HasSubstr("functional: 2 inputs, received 1"));
  const std::string message = message_of([&] { graph.model.call({x, some_input({5, 4})}); });
  EXPECT_THAT(message, HasSubstr("\"b\" of shape (None, 3)"));
  EXPECT_THAT(message, HasSubstr("received shape (5, 4)"));
  EXPECT_THAT(message_of([&] { graph.model({x, x}); }), HasSubstr("gives 2"));
  EXPECT_THAT(message_of([&] { graph.head({x, x}); }), HasSubstr("one input"));
}

TEST(Functional, DamagedConfigsAreRefused) {
  const Graph graph;
  const Config config = graph.model.serialize();
  const auto refused = [&](const char* pointer, const Config& value) {
    Config damaged = config;
    damaged[Config::json_pointer(pointer)] = value;
    EXPECT_THROW(Model::from_config(damaged), ValueError) << pointer;
  };
  refused("/config/layers", nullptr);
  refused("/config/input_layers", "a");
  refused("/config/output_layers/0/1", -1);
  refused("/config/output_layers/0/0", "nobody");
  refused("/config/layers/3/inbound_nodes/0/args/0/0/config/keras_history", Config::array({"head", 0, 0}));
  refused("/config/layers/3/inbound_nodes/0/kwargs", Config::object({{"training", true}}));
}

TEST(Functional, InputsAndOutputsAreNamedAfterTheirLayers) {
  const Input image({4}, {.name = "image"}), text({3}, {.name = "text"});
  const SymbolicTensor h = Concatenate()({image, text});
  const Dense shared(2, {.name = "head"});
  const Model model({image, text}, {shared(h), Dense(1, {.name = "tail"})(h), shared(h)});
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"image", "text"}));
  // Keras 2 numbers them so; Keras 3 would report two outputs under one name.
  EXPECT_EQ(model.output_names(), (std::vector<std::string>{"head", "tail", "head_1"}));
  EXPECT_EQ((Sequential{Input({4}), Dense(2, {.name = "last"})}).output_names(),
            std::vector<std::string>{"last"});
}

// testdata/summary_graph.txt is what Keras 3.15.1 prints for this model on a terminal of 112 columns.
TEST(Functional, SummaryTellsWhatEachLayerIsConnectedTo) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/models/testdata/summary_graph.txt");
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(Graph().model.summary(112), expected.str());
}

TEST(Functional, AnAttentionMaskMayBeAnInput) {
  const Input x({3, 4}), seen({3, 3}, {.dtype = DType::boolean});
  const MultiHeadAttention attention(2, 3);
  const Model model({x, seen}, attention.call({x, x}, {}, seen));
  const Tensor values = ops::reshape(Tensor::arange(24) * 0.1, {2, 3, 4});
  Tensor mask = Tensor::of({1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1}, DType::boolean);
  mask = mask.reshape({2, 3, 3});
  const Tensor wanted = attention({values, values}, {.attention_mask = mask});
  const auto distance = [&](const Model& of) {
    return ops::max(ops::absolute(of({values, mask}) - wanted)).item();
  };
  EXPECT_EQ(distance(model), 0);
  EXPECT_GT(ops::max(ops::absolute(attention({values, values}) - wanted)).item(), 1e-3);
  EXPECT_EQ(model.compute_output_shapes({values.shape(), mask.shape()}).front(), wanted.shape());
  for (const Generation generation : {Generation::keras2, Generation::keras3}) {
    const Model read = Model::from_config(model.serialize(generation), generation);
    read.set_weights(model.get_weights());
    EXPECT_LT(distance(read), 1e-6);
  }
  EXPECT_EQ(distance(model.clone()), 0);
  EXPECT_THAT(message_of([&] { Dense(2).call({x}, {}, seen); }), HasSubstr("attention_mask"));
  EXPECT_THAT(message_of([&] { attention.call({x, x}, {.attention_mask = mask}); }), HasSubstr("an Input"));
}

}  // namespace
}  // namespace keratin
