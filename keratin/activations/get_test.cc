#include "keratin/activations/get.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/definitions.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"

namespace keratin {
namespace {

using testing::HasSubstr;
namespace act = activations;
constexpr Generation kBoth[] = {Generation::keras2, Generation::keras3};

double value(const ActivationFn& f, double x) { return f(Tensor::of({x}, DType::float64)).item(); }

TEST(Get, NamesAndNothingGiveThePagesFunctions) {
  EXPECT_TRUE(act::get(Config(nullptr)).is_linear());
  EXPECT_TRUE(ActivationFn().is_linear());
  EXPECT_TRUE(ActivationFn(std::nullopt).is_linear());
  EXPECT_EQ(ActivationFn("swish").name(), "silu");
  // 0.2 x + 0.5 on the page and in Keras 2, x/6 + 0.5 in Keras 3.
  EXPECT_EQ(value("hard_sigmoid", 1), 0.7);
  EXPECT_EQ(value(act::get("hard_sigmoid", Generation::keras2), 1), 0.7);
  EXPECT_EQ(value(act::get("hard_sigmoid", Generation::keras3), 1), 4.0 / 6);
  EXPECT_EQ(value("leaky_relu", -1), -0.2);
  EXPECT_EQ(value(act::get(Config("relu6")), 7), 6);
}

TEST(Get, EveryNameOfEitherGenerationIsFound) {
  for (const Generation generation : kBoth) {
    for (const std::string_view name : act::names(generation)) {
      if (name == "threshold") continue;
      EXPECT_NO_THROW(act::get(name, generation)) << name;
    }
  }
  EXPECT_THROW(act::get("celu", Generation::keras2), ValueError);
  EXPECT_NO_THROW(act::get("celu", Generation::keras3));
}

TEST(Get, UnknownNamesProposeTheNearest) {
  EXPECT_EQ(
      message_of<ValueError>([] { act::get("swich"); }),
      "activation: unknown name \"swich\".\n  Did you mean \"swish\"? `keratin activations` lists them all.");
  EXPECT_THAT(message_of<ValueError>([] { act::get("Tanh"); }), HasSubstr("Did you mean \"tanh\"?"));
  EXPECT_THAT(message_of<ValueError>([] { act::get("hard-sigmoid"); }), HasSubstr("\"hard_sigmoid\""));
  EXPECT_THAT(message_of<ValueError>([] { act::get(""); }), HasSubstr("unknown name \"\""));
  EXPECT_THAT(message_of<ValueError>([] { act::get(std::string(1000, 'a')); }), HasSubstr("aaa…\""));
  EXPECT_THAT(message_of<ValueError>([] { act::get("threshold"); }), HasSubstr("threshold has no default"));
}

TEST(Get, WhatIsNoActivationIsATypeError) {
  for (const char* text : {"3", "0.5", "[\"relu\"]", "true", "{}", R"({"config": {}})",
                           R"({"class_name": "function", "config": {}})"}) {
    EXPECT_THROW(act::get(Config::parse(text)), TypeError) << text;
  }
}

TEST(Get, ObjectsOfBothGenerationsAreRead) {
  struct Row {
    const char* config;
    double x, y;
  };
  // Values by hand.
  const Row rows[] = {
      {R"({"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"})",
       -1, 0},
      {R"({"module": "keras.activations", "class_name": "function", "config": "hard_sigmoid"})", 1, 4.0 / 6},
      {R"({"class_name": "function", "config": "relu6"})", 8, 6},
      {R"({"module": "keras.src.ops.nn", "class_name": "Elu", "config": {"name": "e", "alpha": 2.0}})", -800,
       -2},
      {R"({"module": "keras.src.ops.nn", "class_name": "HardSigmoid", "config": {}})", 1, 4.0 / 6},
      {R"({"module": "keras.src.ops.numpy", "class_name": "Exp", "config": {}})", 0, 1},
      {R"({"module": "keras.src.activations.activations", "class_name": "ReLU",
           "config": {"negative_slope": 0.5, "max_value": null, "threshold": 1.0}})",
       1, 0},
      {R"({"module": "keras.src.ops.nn", "class_name": "Threshold",
           "config": {"threshold": 1.0, "default_value": -2.0}})",
       1, -2},
      {R"({"module": "keratin", "class_name": "HardSigmoid", "config": {"limit": 2}})", 1, 0.75},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(value(act::deserialize(Config::parse(row.config)), row.x), row.y) << row.config;
  }
}

TEST(Get, OperationGeluApproximatesUnlessToldOtherwise) {
  const ActivationFn approximate = act::Gelu{.approximate = true};
  const auto read = [](const char* config) {
    return act::deserialize(
        {{"module", "keras.src.ops.nn"}, {"class_name", "Gelu"}, {"config", Config::parse(config)}});
  };
  EXPECT_EQ(value(read("{}"), -2), value(approximate, -2));
  EXPECT_EQ(value(read(R"({"approximate": false})"), -2), value("gelu", -2));
  EXPECT_NE(value("gelu", -2), value(approximate, -2));
}

TEST(Get, PythonLambdasAndUnknownClassesAreRefused) {
  for (const char* text :
       {R"({"class_name": "__lambda__", "config": {"value": "4wEA"}})", R"({"value": ["4wEA", null, null]})",
        R"({"class_name": "Lambda", "config": {}})"}) {
    EXPECT_THAT(message_of<ValueError>([&] { act::get(Config::parse(text)); }), HasSubstr("bytecode"))
        << text;
  }
  EXPECT_THAT(message_of<ValueError>([] {
                act::get(Config{{"class_name", "nope"}, {"config", Config::object()}});
              }),
              HasSubstr("unknown class \"nope\""));
  EXPECT_THROW(
      act::get(Config::parse(R"({"module": "keras.src.ops.nn", "class_name": "Conv", "config": {}})")),
      ValueError);
  EXPECT_THROW(act::get(Config::parse(
                   R"({"module": "keras.src.ops.nn", "class_name": "Elu", "config": {"beta": 1}})")),
               ValueError);
}

TEST(Make, TakesKerasKeywordsOfTheGeneration) {
  EXPECT_EQ(value(act::make("elu", {{"alpha", 0.5}}), -800), -0.5);
  EXPECT_EQ(value(act::make("relu", {{"alpha", 0.5}}, Generation::keras2), -2), -1);
  EXPECT_EQ(value(act::make("relu", {{"negative_slope", 0.5}}, Generation::keras3), -2), -1);
  EXPECT_EQ(value(act::make("relu", {{"max_value", nullptr}}), 7), 7);
  EXPECT_EQ(value(act::make("hard_sigmoid", {{"limit", 1}}), 0.5), 0.75);
  EXPECT_EQ(value(act::make("gelu", {{"approximate", false}}), 1), value("gelu", 1));
  EXPECT_THAT(message_of<ValueError>([] {
                act::make("relu", {{"negative_slope", 0.5}}, Generation::keras2);
              }),
              HasSubstr("it takes alpha, max_value, threshold, received \"negative_slope\""));
  EXPECT_THAT(message_of<ValueError>([] {
                act::make("relu", {{"alpha", 0.5}}, Generation::keras3);
              }),
              HasSubstr("it takes negative_slope"));
  EXPECT_THAT(message_of<ValueError>([] {
                act::make("tanh", {{"alpha", 0.5}});
              }),
              HasSubstr("no parameters"));
  EXPECT_THAT(message_of<ValueError>([] {
                act::make("elu", {{"alpha", "a"}});
              }),
              HasSubstr("alpha is a number, received \"a\""));
  EXPECT_THROW(act::make("gelu", {{"approximate", 1}}), ValueError);
  EXPECT_THROW(act::make("softmax", {{"axis", "a"}}), ValueError);
  EXPECT_THROW(act::make("softmax", {{"axis", 1.5}}), ValueError);
  EXPECT_THROW(act::make("glu", {{"axis", nullptr}}), ValueError);
  EXPECT_THROW(act::make("elu", Config(3)), TypeError);
}

TEST(Make, ParametersThatMakeNoSenseAreRefused) {
  EXPECT_THAT(message_of<ValueError>([] { ActivationFn f = act::HardSigmoid{.limit = 0}; }),
              HasSubstr("hard_sigmoid: limit is above 0, received limit=0"));
  EXPECT_THROW(ActivationFn(act::Celu{.alpha = 0}), ValueError);
  EXPECT_THROW(ActivationFn(act::SoftShrink{.threshold = -1}), ValueError);
  EXPECT_THROW(ActivationFn(act::Elu{.alpha = std::nan("")}), ValueError);
}

// What every built-in may look like: default parameters and others.
std::vector<ActivationFn> samples() {
  std::vector<ActivationFn> all;
  for (const std::string_view name : act::names()) {
    if (name != "threshold") all.push_back(act::get(name));
  }
  all.insert(all.end(), {act::Threshold{.threshold = 0.25, .default_value = -3},
                         act::Elu{.alpha = 0.5},
                         act::Celu{.alpha = 2},
                         act::Gelu{.approximate = true},
                         act::LeakyRelu{.negative_slope = 0.3},
                         act::HardSigmoid{.limit = 3},
                         act::HardSigmoid{.limit = 2},
                         act::HardShrink{.threshold = 1},
                         act::SoftShrink{.threshold = 0.125},
                         act::Squareplus{.b = 1},
                         act::Relu{.alpha = 0.1},
                         act::Relu{.max_value = 6},
                         act::Relu{.threshold = 0.5},
                         act::Relu{.alpha = 0.1, .max_value = 4, .threshold = 0.5, .as_keras = true},
                         act::Relu{.max_value = 2, .threshold = -1},
                         act::Softmax{.axis = 0},
                         act::Softmax{.axis = {0, 1}},
                         act::Softmax{.axis = std::nullopt},
                         act::LogSoftmax{.axis = 0},
                         act::Glu{.axis = 0},
                         act::Sparsemax{.axis = 0}});
  return all;
}

TEST(Serialize, WhatIsWrittenReadsBackAsTheSameFunction) {
  // Layers are linked in elsewhere: these stand for them.
  act::register_activation_factory("ELU", [](const Config& object, Generation) -> ActivationFn {
    return act::Elu{.alpha = object["config"]["alpha"].get<double>()};
  });
  act::register_activation_factory("LeakyReLU", [](const Config& object, Generation) -> ActivationFn {
    return act::LeakyRelu{.negative_slope = object["config"]["alpha"].get<double>()};
  });
  act::register_activation_factory("ReLU", [](const Config& object, Generation) -> ActivationFn {
    const Config& max_value = object["config"]["max_value"];
    return act::Relu{.alpha = object["config"]["negative_slope"].get<double>(),
                     .max_value = max_value.is_null() ? act::kNone : max_value.get<double>(),
                     .threshold = object["config"]["threshold"].get<double>(),
                     .as_keras = true};
  });
  act::register_activation_factory("Softmax", [](const Config& object, Generation) {
    return act::make("softmax", {{"axis", object["config"]["axis"]}});
  });
  const Tensor x = Tensor::of({{-6, -2.5, -1, -0.5, 0.125, 0.25}, {0.4, 0.5, 2, 2.75, 3, 7}}, DType::float64);
  for (const Generation generation : kBoth) {
    for (const ActivationFn& f : samples()) {
      const Config written = act::serialize(f, generation);
      // As text, since that is what files hold.
      const ActivationFn g = act::deserialize(Config::parse(written.dump()), generation);
      EXPECT_EQ(f(x).to_string(), g(x).to_string()) << written;
      EXPECT_EQ(act::serialize(g, generation), written);
    }
  }
}

TEST(Serialize, WritesTheNamesOfEachGeneration) {
  const auto text = [](const ActivationFn& f, Generation generation) {
    return act::serialize(f, generation).dump();
  };
  EXPECT_EQ(text("silu", Generation::keras2), "\"swish\"");
  EXPECT_EQ(text("swish", Generation::keras3), "\"silu\"");
  EXPECT_EQ(text("hard_swish", Generation::keras3), "\"hard_silu\"");
  EXPECT_EQ(text(ActivationFn(), Generation::keras3), "\"linear\"");
  EXPECT_EQ(text("softmax", Generation::keras3), "\"softmax\"");
  EXPECT_EQ(text(act::Relu{}, Generation::keras2), "\"relu\"");
  // A name that means another function there is not written.
  EXPECT_EQ(text("hard_sigmoid", Generation::keras2), "\"hard_sigmoid\"");
  EXPECT_EQ(text(act::HardSigmoid{.limit = 3}, Generation::keras3), "\"hard_sigmoid\"");
  EXPECT_THAT(text("hard_sigmoid", Generation::keras3), HasSubstr(R"("limit":2.5)"));
  EXPECT_THAT(text(act::HardSigmoid{.limit = 3}, Generation::keras2), HasSubstr(R"("limit":3.0)"));
}

TEST(Serialize, WritesObjectsThatKerasReads) {
  // Each loaded into Keras 3.15.1 (JAX) as Activation(config) gave the function, saved and loaded again.
  EXPECT_EQ(act::serialize(act::Elu{.alpha = 0.5}),
            Config::parse(R"({"module": "keras.src.ops.nn", "class_name": "Elu", "config": {"alpha": 0.5},
                              "registered_name": "Elu"})"));
  EXPECT_EQ(
      act::serialize(act::Gelu{.approximate = true}),
      Config::parse(R"({"module": "keras.src.ops.nn", "class_name": "Gelu", "config": {"approximate": true},
                              "registered_name": "Gelu"})"));
  EXPECT_EQ(act::serialize(act::Relu{.alpha = 0.125, .max_value = 6}),
            Config::parse(R"({"module": "keras.src.activations.activations", "class_name": "ReLU",
                              "config": {"negative_slope": 0.125, "max_value": 6.0, "threshold": 0.0},
                              "registered_name": "ReLU"})"));
  EXPECT_EQ(act::serialize(act::Softmax{.axis = 1}),
            Config::parse(R"({"module": "keras.src.ops.nn", "class_name": "Softmax", "config": {"axis": 1},
                              "registered_name": "Softmax"})"));
  // As tf-keras's legacy format has layers.
  EXPECT_EQ(act::serialize(act::Elu{.alpha = 0.5}, Generation::keras2),
            Config::parse(R"({"module": "keras.layers", "class_name": "ELU", "config": {"alpha": 0.5},
                              "registered_name": null})"));
}

}  // namespace
}  // namespace keratin
