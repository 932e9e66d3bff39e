#include "keratin/layers/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/layer_registry.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.7, .seed = 4};

Layer dense(const ActivationFn& activation) {
  return Dense(
      4,
      {.activation = activation, .kernel_initializer = kNormal, .bias_initializer = kNormal, .dtype = kF64});
}

TEST(Layers, GradientsMatchCentralDifferences) {
  const Tensor flat = values_away_from({3, 5}, {0, 0.5, 1, 1.5}), cube = values_away_from({2, 3, 4}, {0});
  for (const char* name : {"linear", "tanh", "selu", "gelu", "softplus", "softmax", "silu", "log_softmax"}) {
    expect_gradients_match(
        std::string("Dense ") + name, [=] { return dense(name); }, flat);
  }
  expect_gradients_match(
      "Dense of rank 3", [] { return dense("sigmoid"); }, cube);
  expect_gradients_match(
      "Dense without bias",
      [] { return Dense(4, {.use_bias = false, .kernel_initializer = kNormal, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "Activation", [] { return Activation("mish", {.dtype = kF64}); }, cube);
  expect_gradients_match(
      "LeakyReLU", [] { return LeakyReLU({.negative_slope = 0.2, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ELU", [] { return ELU({.alpha = 0.7, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ThresholdedReLU", [] { return ThresholdedReLU({.theta = 0.5, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "ReLU", [] { return ReLU({.dtype = kF64}); }, flat);
  expect_gradients_match(
      "ReLU with all",
      [] { return ReLU({.max_value = 1.5, .negative_slope = 0.1, .threshold = 0.5, .dtype = kF64}); }, flat);
  expect_gradients_match(
      "Flatten", [] { return Flatten({.dtype = kF64}); }, cube);
  expect_gradients_match(
      "Flatten channels_first", [] { return Flatten({.data_format = "channels_first", .dtype = kF64}); },
      values_away_from({2, 3, 2, 2}, {}));
  expect_gradients_match(
      "Reshape",
      [] {
        return Reshape({-1, 2}, {.dtype = kF64});
      },
      cube);
}

TEST(Layers, GradientsOfPReLUMatchCentralDifferences) {
  const Tensor cube = values_away_from({2, 3, 4}, {0}), image = values_away_from({2, 2, 3, 2}, {0});
  const auto prelu = [](std::optional<AxisList> axes) {
    return [axes] { return PReLU({.alpha_initializer = kNormal, .shared_axes = axes, .dtype = kF64}); };
  };
  expect_gradients_match("PReLU", prelu(std::nullopt), cube);
  expect_gradients_match("PReLU shared 1", prelu(1), cube);
  expect_gradients_match("PReLU shared 2", prelu(AxisList{2}), cube);
  expect_gradients_match("PReLU shared 1, 2", prelu(AxisList{1, 2}), image);
  expect_gradients_match("PReLU shared by all", prelu(AxisList{1, 2, 3}), image);
  // Inside a Dense, whose weights alpha joins.
  const Tensor x = values_away_from({3, 5}, {});
  expect_gradients_match(
      "Dense with PReLU", [] { return dense(PReLU({.alpha_initializer = kNormal, .dtype = kF64})); }, x);
}

TEST(Layers, GradientsOfSoftmaxAndItsMaskMatchCentralDifferences) {
  const Tensor x = values_away_from({2, 3, 4}, {});
  Tensor mask = Tensor::full({2, 3, 4}, 1, DType::boolean);
  for (const std::size_t i : {0, 5, 6, 11, 16, 17, 18, 19}) mask.mutable_values<bool>()[i] = false;
  for (const AxisList& axis : {AxisList(-1), AxisList(1), AxisList{1, 2}, AxisList{-1}}) {
    const auto make = [=] { return Softmax({.axis = axis, .dtype = kF64}); };
    expect_gradients_match("Softmax", make, x);
    expect_gradients_match("Softmax with a mask", make, x, {.mask = mask});
    const auto make2 = [=] {
      Layer layer = make();
      layer.body().generation = Generation::keras2;
      return layer;
    };
    // Only where no row is masked altogether: lowered by 1e9 in f64, its values would keep seven digits.
    if (axis == AxisList(1))
      expect_gradients_match("Softmax of Keras 2 with a mask", make2, x, {.mask = mask});
  }
}

TEST(Layers, GradientsOfDropoutMatchCentralDifferences) {
  const Tensor x = values_away_from({4, 5}, {});
  expect_gradients_match("Dropout", [] { return Dropout(0.4, {.seed = 3, .dtype = kF64}); }, x,
                         {.training = true});
  expect_gradients_match(
      "Dropout with a noise shape",
      [] {
        return Dropout(0.4, {.noise_shape = Shape{Shape::kUnknown, 1}, .seed = 3, .dtype = kF64});
      },
      x, {.training = true});
  expect_gradients_match("AlphaDropout", [] { return AlphaDropout(0.4, {.seed = 3, .dtype = kF64}); }, x,
                         {.training = true});
}

// The convention of Keras: 0 for x, and nothing for alpha.
TEST(Layers, PReLUHasNoGradientAtZeroAndKeepsItsSign) {
  for (const bool is_recorded : {false, true}) {
    const PReLU layer({.alpha_initializer = initializers::Constant{0.25}});
    const Tensor x = Tensor::of({{-2, -0.0, 0, 3}}).watched();
    Tensor y, alpha;
    {
      const RecordGradients on;
      y = layer(x);
      alpha = layer.variables()[0].tensor();
    }
    EXPECT_EQ(values_of(y), (std::vector<double>{-0.5, 0, 0, 3}));
    EXPECT_TRUE(std::signbit(y.at({0, 1})));
    const RecordGradients on(is_recorded);
    const std::vector<Tensor> targets = {x, alpha};
    const std::vector<Tensor> found = gradients(y, targets);
    EXPECT_EQ(values_of(found[0]), (std::vector<double>{0.25, 0, 0, 1})) << is_recorded;
    EXPECT_EQ(values_of(found[1]), (std::vector<double>{-2, 0, 0, 0})) << is_recorded;
  }
}

// d/dx of (y²)' = 2·alpha²·x is 2·alpha²: the gradient's own record.
TEST(Layers, PReLUHasSecondDerivatives) {
  const RecordGradients on;
  const PReLU layer({.alpha_initializer = initializers::Constant{0.25}});
  const std::vector<Tensor> x = {Tensor::of({{-2, 3}}).watched()};
  const Tensor first = gradients(ops::square(layer(x[0])), x)[0];
  EXPECT_EQ(values_of(first), (std::vector<double>{-0.25, 6}));
  EXPECT_EQ(values_of(gradients(first, x)[0]), (std::vector<double>{0.125, 2}));
}

TEST(Layers, PReLUHasOneAlphaForEachSharedAxis) {
  const std::pair<std::optional<AxisList>, Shape> rows[] = {
      {std::nullopt, {8, 8, 3}}, {AxisList{1, 2}, {1, 1, 3}}, {1, {1, 8, 3}}, {AxisList{3}, {8, 8, 1}}};
  for (const auto& [axes, shape] : rows) {
    const PReLU layer({.shared_axes = axes});
    layer.build({2, 8, 8, 3});
    EXPECT_EQ(layer.variables()[0].shape(), shape);
  }
  // As Keras takes them from a file: the shape without its batch axis, indexed by axis − 1.
  for (const auto& [axis, shape] : {std::pair<int, Shape>{0, {3, 1}}, std::pair<int, Shape>{-1, {1, 4}}}) {
    Config config = Config::object();
    config["shared_axes"] = {axis};
    const PReLU layer = PReLU::from_config(config);
    layer.build({2, 3, 4});
    EXPECT_EQ(layer.variables()[0].shape(), shape);
  }
  const PReLU open({.shared_axes = AxisList{1}});
  open.build({Shape::kUnknown, Shape::kUnknown, 3});
  EXPECT_EQ(values_of(open(Tensor::full({2, 7, 3}, -1))).size(), 42U);
}

TEST(Layers, MaskedSoftmaxFollowsItsGeneration) {
  const Tensor x = Tensor::of({{1, 2, 3}, {1, 2, 3}});
  Tensor mask = Tensor::full({2, 3}, 0, DType::boolean);
  mask.mutable_values<bool>()[0] = mask.mutable_values<bool>()[2] = true;
  const Softmax keras3;
  const double first = 1 / (1 + std::exp(2.0));
  const std::vector<double> y3 = values_of(keras3(x, {.mask = mask}));
  EXPECT_FLOAT_EQ(static_cast<float>(y3[0]), static_cast<float>(first));
  EXPECT_EQ(y3[1], 0);
  EXPECT_EQ((std::vector<double>(y3.begin() + 3, y3.end())), (std::vector<double>{0, 0, 0}));
  const Layer keras2 = layers::deserialize(
      Config::parse(R"({"class_name": "Softmax", "config": {"axis": -1}})"), Generation::keras2);
  const std::vector<double> y2 = values_of(keras2(x, {.mask = mask}));
  EXPECT_FLOAT_EQ(static_cast<float>(y2[0]), static_cast<float>(first));
  // 1, 2, 3 lowered by 1e9 are one float: uniform.
  for (std::size_t i = 3; i < 6; ++i) EXPECT_FLOAT_EQ(static_cast<float>(y2[i]), 1.0F / 3);
  // A mask of numbers counts from 0.5 on, in Keras 3.
  EXPECT_EQ(values_of(keras3(x, {.mask = Tensor::of({0.9, 0.1, 0.6})})),
            values_of(keras3(x, {.mask = mask.slice(0, 0, 1)})));
  EXPECT_THROW(keras3(x, {.mask = Tensor::zeros({2, 2, 3})}), ShapeError);
  EXPECT_THROW(keras3(x, {.mask = Tensor::zeros({2})}), ShapeError);
  // The other generation's file carries the semantics along.
  const Layer again = layers::deserialize(keras2.serialize(Generation::keras3), Generation::keras3);
  EXPECT_EQ(values_of(again(x, {.mask = mask})), y2);
  const Layer keras3_again = layers::deserialize(keras3.serialize(Generation::keras2), Generation::keras2);
  EXPECT_EQ(values_of(keras3_again(x, {.mask = mask})), y3);
}

TEST(Layers, ReLUFollowsKerasCodeAtItsThreshold) {
  const Tensor x = Tensor::of({-2, 0.5, 1, 3});
  // Keras 3.15: where(x > threshold, min(x, max), slope·(x − threshold)).
  const std::vector<double> y = values_of(ReLU({.max_value = 2, .negative_slope = 0.5, .threshold = 0.5})(x));
  EXPECT_EQ(y, (std::vector<double>{-1.25, 0, 1, 2}));
  EXPECT_EQ(values_of(ThresholdedReLU({.theta = 1})(x)), (std::vector<double>{0, 0, 0, 3}));
}

TEST(Layers, FlattenAndReshapeMoveElementsAsKerasDoes) {
  const Tensor x = Tensor::arange(12).reshape({1, 2, 3, 2});
  EXPECT_EQ(values_of(Flatten()(x)), values_of(x));
  EXPECT_EQ(values_of(Flatten({.data_format = "channels_first"})(x)),
            (std::vector<double>{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
  EXPECT_EQ(Flatten()(Tensor::zeros({3})).shape(), (Shape{3, 1}));
  EXPECT_EQ(Flatten().compute_output_shape({Shape::kUnknown, 4, 5}), (Shape{Shape::kUnknown, 20}));
  EXPECT_EQ(Reshape({-1, 2})(x).shape(), (Shape{1, 6, 2}));
  EXPECT_EQ(Reshape({3, -1})(Tensor::zeros({0, 6})).shape(), (Shape{0, 3, 2}));
  EXPECT_EQ(Reshape({-1}).compute_output_shape({Shape::kUnknown, Shape::kUnknown, 5}),
            (Shape{Shape::kUnknown, Shape::kUnknown}));
  EXPECT_EQ(Flatten()(Tensor::arange(4, DType::int32).reshape({2, 2})).dtype(), DType::int32);
}

// The page's example: the same layer three ways.
TEST(Layers, AnActivationOfItsOwnAndOneInTheLayerHaveTheSameBits) {
  for (const char* name : {"tanh", "gelu", "selu", "softmax"}) {
    const RecordGradients on;
    const Dense plain(64, {.kernel_initializer = initializers::GlorotUniform{.seed = 1}});
    const Dense fused(64, {.activation = name, .kernel_initializer = initializers::GlorotUniform{.seed = 1}});
    const Activation after(name);
    const Tensor x = values_away_from({37, 20}, {}).astype(DType::float32).watched();
    const Tensor one = after(plain(x)), two = fused(x);
    EXPECT_EQ(values_of(one), values_of(two)) << name;
    const std::vector<Tensor> first = {x, plain.variables()[0].tensor(), plain.variables()[1].tensor()};
    const std::vector<Tensor> second = {x, fused.variables()[0].tensor(), fused.variables()[1].tensor()};
    const Tensor upstream = values_away_from({37, 64}, {}, 9).astype(DType::float32);
    const std::vector<Tensor> a = gradients(one, first, upstream), b = gradients(two, second, upstream);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(values_of(a[i]), values_of(b[i])) << name << ", target " << i;
  }
}

// Every config of these classes in the golden data, as Keras 2 and Keras 3 wrote them.
struct Golden {
  Generation generation;
  Config layer;
};

std::vector<Golden> golden() {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/layer_configs.jsonl");
  std::vector<Golden> all;
  std::string line;
  while (std::getline(file, line)) {
    const Config row = Config::parse(line);
    all.push_back({row["generation"] == 2 ? Generation::keras2 : Generation::keras3, row["layer"]});
  }
  return all;
}

// Keys in order of name, for the order in a file carries no meaning.
std::string sorted(const Config& config) { return nlohmann::json::parse(config.dump()).dump(); }

TEST(Layers, KerasConfigsComeBackAsTheyWere) {
  const std::vector<Golden> all = golden();
  ASSERT_EQ(all.size(), 161U);
  for (const Golden& row : all) {
    const Layer layer = layers::deserialize(row.layer, row.generation);
    EXPECT_EQ(layer.name(), row.layer["config"]["name"]);
    const Config written = layer.serialize();
    EXPECT_EQ(written["class_name"], row.layer["class_name"]);
    EXPECT_EQ(sorted(written["config"]), sorted(row.layer["config"]));
    if (row.generation == Generation::keras3) {
      EXPECT_EQ(written["module"], row.layer["module"]);
    }
  }
}

TEST(Layers, KerasConfigsSurviveTheOtherGeneration) {
  for (const Golden& row : golden()) {
    const Layer layer = layers::deserialize(row.layer, row.generation);
    const Generation other = row.generation == Generation::keras2 ? Generation::keras3 : Generation::keras2;
    Config written;
    try {
      written = layer.serialize(other);
    } catch (const ValueError&) {
      continue;  // a function that the other Keras lacks
    }
    const Layer again = layers::deserialize(written, other);
    if (layer.class_name() != "InputLayer") {
      const Tensor x = values_away_from({2, 3, 4}, {}).astype(DType::float32);
      layer.build(x.shape());
      again.build(x.shape());
      again.set_weights(layer.get_weights());
      EXPECT_EQ(values_of(layer(x)), values_of(again(x))) << row.layer.dump();
    }
  }
}

TEST(Layers, BuildConfigIsWrittenWhereKerasWritesIt) {
  const Dense dense(3);
  EXPECT_FALSE(dense.serialize().contains("build_config"));
  dense.build({7, 5});
  EXPECT_EQ(dense.serialize()["build_config"].dump(), R"({"input_shape":[null,5]})");
  const Activation activation("relu");
  activation.build({7, 5});
  EXPECT_FALSE(activation.serialize(Generation::keras3).contains("build_config"));
  EXPECT_TRUE(activation.serialize(Generation::keras2).contains("build_config"));
}

// What Keras 3.15.1 wrote for layers made with defaults.
TEST(Layers, DefaultsAreThoseOfKeras) {
  const std::pair<Layer, const char*> rows[] = {
      {LeakyReLU(), R"({"negative_slope": 0.3})"},
      {PReLU(),
       R"({"alpha_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "alpha_regularizer": null, "alpha_constraint": null, "shared_axes": null})"},
      {ELU(), R"({"alpha": 1.0})"},
      {Softmax(), R"({"axis": -1})"},
      {Softmax({.axis = {1, 2}}), R"({"axis": [1, 2]})"},
      {ReLU(), R"({"max_value": null, "negative_slope": 0.0, "threshold": 0.0})"},
      {Dropout(0.5, {.noise_shape = Shape{Shape::kUnknown, 1}, .seed = 3}),
       R"({"rate": 0.5, "seed": 3, "noise_shape": [null, 1]})"},
      {AlphaDropout(0.1), R"({"rate": 0.1, "seed": null, "noise_shape": null})"},
      {Flatten(), R"({"data_format": "channels_last"})"},
      {Reshape({-1, 2}), R"({"target_shape": [-1, 2]})"},
      {Dense(3),
       R"({"units": 3, "activation": "linear", "use_bias": true, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null}, "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "kernel_regularizer": null, "bias_regularizer": null, "kernel_constraint": null, "bias_constraint": null, "quantization_config": null})"},
  };
  for (const auto& [layer, text] : rows) {
    EXPECT_EQ(layer.body().config(Generation::keras3).dump(), Config::parse(text).dump());
  }
}

TEST(Layers, EveryClassOfTheRegistryIsMadeByItsName) {
  for (const std::string& name : layers::class_names()) {
    const Config config =
        Config::parse(R"({"units": 2, "rate": 0.5, "target_shape": [2], "batch_shape": [null, 2],
                                            "layers": [], "name": "x"})");
    const auto pick = [&](std::initializer_list<const char*> keys) {
      Config object = Config::object();
      object["class_name"] = name;
      object["config"]["name"] = "x";
      for (const char* key : keys) object["config"][key] = config[key];
      return object;
    };
    Config object = pick({});
    if (name == "Dense") object = pick({"units"});
    if (name == "Dropout" || name == "AlphaDropout") object = pick({"rate"});
    if (name == "Reshape") object = pick({"target_shape"});
    if (name == "InputLayer") object = pick({"batch_shape"});
    EXPECT_EQ(layers::deserialize(object).class_name(), name);
  }
}

TEST(Layers, MistakesInConfigsNameClassAndKey) {
  const auto error = [](const char* text, Generation generation = Generation::keras3) {
    return message_of([&] { layers::deserialize(Config::parse(text), generation); });
  };
  EXPECT_THAT(error(R"({"class_name": "Dens", "config": {}})"), HasSubstr(R"("Dens".
  Did you mean "Dense"?)"));
  EXPECT_THAT(error(R"({"class_name": "Lambda", "config": {}})"), HasSubstr("\"Lambda\""));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {}})"), HasSubstr(R"(Dense config: "units")"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 2.5}})"), HasSubstr("2.5"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": "3"}})"), HasSubstr(R"("3")"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "foo": 1}})"),
              HasSubstr(R"("foo": 1)"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "lora_rank": 4}})"),
              HasSubstr("lora_rank"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "dtype": "float17"}})"),
              HasSubstr("float17"));
  EXPECT_THAT(
      error(
          R"({"class_name": "Dense", "config": {"units": 3, "dtype": {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}}})"),
      HasSubstr("mixed_float16"));
  EXPECT_THAT(error(R"({"class_name": "Dense", "config": {"units": 3, "kernel_initializer": "glorott"}})"),
              HasSubstr("glorott"));
  EXPECT_THAT(error(R"({"class_name": "InputLayer", "config": {}})"), HasSubstr("batch_shape"));
  EXPECT_THAT(error(R"({"class_name": "InputLayer", "config": {"batch_shape": [null, -3]}})"),
              HasSubstr("-3"));
  EXPECT_THAT(error("[1]"), HasSubstr("[1]"));
  EXPECT_THAT(error(R"({"class_name": 3})"), HasSubstr("class_name"));
  std::string nested = R"({"class_name": "Activation", "config": {"activation": "relu"}})";
  for (int i = 0; i < 100; ++i)
    nested = R"({"class_name": "Activation", "config": {"activation": )" + nested + "}}";
  EXPECT_THAT(error(nested.c_str()), HasSubstr("at most 64 layers"));
}

// What Keras 3 refuses (golden kind `error`), where the class is ours.
TEST(Layers, MistakesInArgumentsNameTheValue) {
  const Tensor x3 = Tensor::zeros({2, 3, 4}), x2 = Tensor::zeros({2, 3});
  const auto prelu = [](std::initializer_list<std::int64_t> axes) {
    return PReLU({.shared_axes = AxisList(axes)});
  };
  const std::pair<std::string, const char*> rows[] = {
      {message_of([] { Dense(0); }), "units=0"},
      {message_of([] { Dense(-1); }), "units=-1"},
      {message_of([] { Dense(3, {.activation = "relux"}); }), "\"relux\""},
      {message_of([] { Dense(3, {.activation = "Tanh"}); }), "\"Tanh\""},
      {message_of([] { Dense(3, {.activation = ""}); }), "\"\""},
      {message_of([] { Dense(3, {.kernel_initializer = "glorott"}); }), "\"glorott\""},
      {message_of([] { Dense(3, {.kernel_regularizer = "l3"}); }), "\"l3\""},
      {message_of([] { Dense(3, {.kernel_constraint = "abc"}); }), "\"abc\""},
      {message_of([] { Dense(3, {.name = "a/b"}); }), "name=\"a/b\""},
      {message_of([] { Dense(3, {.dtype = DType::float16}); }), "dtype=float16"},
      {message_of([] { Activation("zelu"); }), "Did you mean \""},
      {message_of([] { ReLU({.max_value = -1}); }), "max_value=-1"},
      {message_of([] { ReLU({.negative_slope = -0.1}); }), "negative_slope=-0.1"},
      {message_of([] { ReLU({.threshold = -1}); }), "threshold=-1"},
      {message_of([] { LeakyReLU({.negative_slope = -0.1}); }), "negative_slope=-0.1"},
      {message_of([] { ThresholdedReLU({.theta = -1}); }), "theta=-1"},
      {message_of([] { Dropout(1.5); }), "rate=1.5"},
      {message_of([] { Dropout(-0.1); }), "rate=-0.1"},
      {message_of([] { Dropout(std::nan("")); }), "rate=nan"},
      {message_of([] { AlphaDropout(1.2); }), "rate=1.2"},
      {message_of([] { Flatten({.data_format = "abc"}); }), "data_format=\"abc\""},
      {message_of([] {
         Reshape({-1, -1});
       }),
       "target_shape=(-1, -1)"},
      {message_of([&] {
         Reshape({5, 2})(x3);
       }),
       "target_shape=(5, 2) holds, received shape (2, 3, 4)"},
      {message_of([&] { Dense(3)(Tensor::zeros({4})); }), "rank 2 or more, received shape (4,)"},
      {message_of([&] { Dense(3)(Tensor::zeros({})); }), "received shape ()"},
      {message_of([&] {
         Dense(3).build({Shape::kUnknown, Shape::kUnknown});
       }),
       "(None, None)"},
      {message_of([&] { prelu({3})(x3); }), "shared axis 3, received shape (2, 3, 4)"},
      {message_of([&] { prelu({0}); }), "received 0"},
      {message_of([&] { prelu({-1}); }), "received -1"},
      {message_of([&] {
         PReLU().build({Shape::kUnknown, Shape::kUnknown});
       }),
       "(None, None)"},
      {message_of([&] { Softmax({.axis = 3})(x3); }), "3"},
      {message_of([&] {
         Dropout(0.5, {.noise_shape = Shape{2, 5}})(x2, {.training = true});
       }),
       "(2, 5)"},
      {message_of([&] { AlphaDropout(1)(x2, {.training = true}); }), "rate=1"},
      {message_of([&] { Dense(3)(Tensor()); }), "undefined"},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
}

TEST(Layers, AnInputOfAnotherShapeNamesTheLayerAndBothShapes) {
  const Dense dense(3, {.name = "stem"});
  dense(Tensor::zeros({2, 5}));
  EXPECT_EQ(message_of([&] {
              dense(Tensor::zeros({2, 6}));
            }),
            "dense: an input whose last axis is 5, received shape (2, 6).\n"
            "  Layer \"stem\", built for (None, 5). Feed that many features, or build a new layer.");
  const PReLU prelu;
  prelu(Tensor::zeros({2, 3, 4}));
  EXPECT_THAT(message_of([&] {
                prelu(Tensor::zeros({2, 3, 5}));
              }),
              HasSubstr("(3, 4), received shape (2, 3, 5)"));
}

TEST(Layers, SettingWeightsChecksAllBeforeItChangesAny) {
  const Dense dense(4, {.name = "d"});
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4}), Tensor::zeros({4})});
              }),
              HasSubstr("0 weights, received 2"));
  dense.build({2, 3});
  const std::vector<double> before = values_of(dense.get_weights()[0]);
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4})});
              }),
              HasSubstr("2 weights, received 1"));
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({3, 4}), Tensor::zeros({5})});
              }),
              HasSubstr("\"bias\", of shape (4,), received (5,)"));
  EXPECT_THAT(message_of([&] {
                dense.set_weights({Tensor::zeros({4, 3}), Tensor::zeros({4})});
              }),
              HasSubstr("\"kernel\", of shape (3, 4), received (4, 3)"));
  EXPECT_EQ(values_of(dense.get_weights()[0]), before);
  dense.set_weights({Tensor::zeros({3, 4}), Tensor::full({4}, 2)});
  EXPECT_EQ(values_of(dense(Tensor::zeros({1, 3}))), (std::vector<double>{2, 2, 2, 2}));
}

TEST(Layers, InputsAreConvertedToTheLayersDtype) {
  const Dense dense(2);
  EXPECT_EQ(dense(Tensor::full({1, 2}, 1, DType::float64)).dtype(), DType::float32);
  EXPECT_EQ(dense(Tensor::full({1, 2}, 1, DType::int32)).dtype(), DType::float32);
  const Dense wide(2, {.dtype = DType::float64});
  EXPECT_EQ(wide(Tensor::full({1, 2}, 1)).dtype(), DType::float64);
}

}  // namespace
}  // namespace keratin
