// The tables in testdata/summaries.txt are Keras 3.15.1's own (testdata/make_summaries.py).
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "keratin/core/error.h"
#include "keratin/layers/layers.h"
#include "keratin/models/model.h"
#include "keratin/models/model_body.h"

namespace keratin {
namespace {

// "mlp 80" → the text under "# mlp 80".
std::map<std::string, std::string> expected() {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/models/testdata/summaries.txt");
  std::map<std::string, std::string> texts;
  std::string line, name;
  while (std::getline(file, line)) {
    if (line.starts_with("# ")) {
      name = line.substr(2);
    } else {
      texts[name] += line + "\n";
    }
  }
  return texts;
}

TEST(Summary, IsWhatKerasPrints) {
  const std::map<std::string, std::string> texts = expected();
  ASSERT_EQ(texts.size(), 13U);
  clear_session();
  const Sequential mlp{Input({64}),
                       Dense(64, {.activation = "selu"}),
                       AlphaDropout(0.1),
                       Dense(64, {.activation = "tanh"}),
                       PReLU(),
                       Dense(10),
                       Activation("softmax")};
  for (const int width : {80, 120, 92, 91, 67, 50, 41}) {
    EXPECT_EQ(mlp.summary(width), texts.at("mlp " + std::to_string(width)));
  }
  const Sequential inner({Dense(2000)}, "inner");
  const Sequential nested(
      {Input({8, 8}), Flatten(), Dense(3, {.name = "a_layer_with_quite_a_long_name_that_needs_wrapping"}),
       Reshape({3, 1}), inner},
      "outer");
  inner.set_trainable(false);
  for (const int width : {80, 60})
    EXPECT_EQ(nested.summary(width), texts.at("nested " + std::to_string(width)));
  clear_session();
  for (int i = 0; i < 4; ++i) Dense(1);
  Flatten();
  const Sequential open({Dense(3), Dropout(0.5), Flatten()}, "open");
  EXPECT_EQ(open.summary(), texts.at("open 80"));
  open.build({Shape::kUnknown, 5});
  EXPECT_EQ(open.summary(), texts.at("built 80"));
  EXPECT_EQ(Sequential({Input({1024}), Dense(1024)}, "big").summary(), texts.at("big 80"));
  EXPECT_EQ(Sequential({}, "empty").summary(), texts.at("empty 80"));
}

TEST(Summary, CountsTheOptimizersVariablesOnceThereAreAny) {
  const Sequential model({Input({2}), Dense(1)}, "m");
  EXPECT_EQ(model.summary().find("Optimizer params"), std::string::npos);
  static_cast<ModelBody&>(model.body()).compiled.optimizer_variables = [] {
    return std::vector<Variable>{Variable(Tensor::zeros({2, 1}), "momentum"),
                                 Variable(Tensor::zeros({}, DType::int64), "iteration")};
  };
  const std::string text = model.summary();
  // 3 weights of 4 bytes, 2 momenta of 4, one counter of 8.
  EXPECT_NE(text.find(" Total params: 6 (28.00 B)\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" Optimizer params: 3 (16.00 B)\n"), std::string::npos) << text;
}

TEST(Summary, NamesInOtherScriptsKeepTheColumnsStraight) {
  const Sequential model({Input({2}), Dense(1, {.name = "größe"})}, "modèle");
  EXPECT_NE(model.summary().find("│ größe (Dense)                   │ (None, 1)"), std::string::npos)
      << model.summary();
}

TEST(Summary, ATerminalTooNarrowIsRefused) { EXPECT_THROW(Sequential().summary(19), ValueError); }

}  // namespace
}  // namespace keratin
