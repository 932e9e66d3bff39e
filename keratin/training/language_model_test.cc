// A model whose table goes both ways, against Keras 3 (keratin/layers/testdata/reversible_embedding.json,
// written by make_reversible_embedding.py on JAX).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/layers/layers.h"
#include "keratin/ops/ops.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

const Config& known() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/reversible_embedding.json");
    return Config::parse(file);
  }();
  return config;
}

Tensor table() { return Tensor::from(known().at("table").get<std::vector<float>>(), {7, 3}); }
Tensor ids() { return Tensor::from(known().at("ids").get<std::vector<std::int64_t>>(), {2, 4}); }

std::string sorted(const Config& config) { return nlohmann::json::parse(config.dump()).dump(); }

TEST(LanguageModel, IsWrittenAndLearnsAsInKeras) {
  const Config& expected = known().at("model");
  Model model = Model::from_config(expected.at("config"));
  EXPECT_EQ(sorted(model.serialize()["config"]), sorted(expected.at("config").at("config")));
  model.set_weights({table(), Tensor::from(expected.at("kernel").get<std::vector<float>>(), {3, 3}),
                     Tensor::zeros({3}, DType::float32)});
  model.compile_from_config(expected.at("config").at("compile_config"));
  const Tensor y = ops::concatenate({ids().slice(1, 1, 4), ids().slice(1, 0, 1)}, 1);
  const History history = model.fit(ids(), y, {.batch_size = 2, .epochs = 4, .shuffle = false});
  // Four steps in float32, sums of some dozen terms of order 1.
  constexpr double kTolerance = 4e-6;
  for (std::size_t epoch = 0; epoch < 4; ++epoch)
    EXPECT_NEAR(history["loss"][epoch], expected.at("loss")[epoch].get<double>(), kTolerance);
  for (std::size_t i = 0; i < 3; ++i) {
    const Tensor weight = model.get_weights()[i];
    const auto values = weight.values<float>();
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_NEAR(values[j], expected.at("learned")[i][j].get<double>(), kTolerance) << i << " " << j;
  }
}

TEST(LanguageModel, ScoresInFloat32UnderAMixedPolicyReadTheTableAsItIs) {
  mixed_precision::set_global_policy("mixed_bfloat16");
  const Input numbers({4}, {.dtype = DType::int32});
  const ReversibleEmbedding layer(7, 3, {.reverse_dtype = DType::float32});
  Model model(numbers, layer(layer(numbers), {.reverse = true}));
  mixed_precision::set_global_policy("float32");
  model.set_weights({table()});
  const Tensor scores = model.predict(ids());
  ASSERT_EQ(scores.dtype(), DType::float32);
  const auto values = scores.values<float>();
  const Config& expected = known().at("mixed").at("scores");
  // Rows are rounded to bfloat16 in both; then three products in float32.
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i].get<double>(), 4 * 0x1p-23) << i;
}

}  // namespace
}  // namespace keratin
