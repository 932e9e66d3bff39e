// Dtype policies in the configs of models, as both Keras write them (testdata/dtype_policies.json, written by
// make_dtype_policies.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/layers/dtype_policy.h"
#include "keratin/layers/input.h"
#include "keratin/layers/reversible_embedding.h"
#include "keratin/models/model.h"

namespace keratin {
namespace {

// Keys in order of name, for the order in a file carries no meaning; without what layers inside were built
// for and what is said in calls, which has no dtypes of its own.
std::string sorted(Config config) {
  const auto strip = [](auto& self, Config& one) -> void {
    if (one.is_object()) one.erase("build_config");
    if (one.is_object()) one.erase("inbound_nodes");
    if (one.is_structured())
      for (Config& inner : one) self(self, inner);
  };
  strip(strip, config);
  return nlohmann::json::parse(config.dump()).dump();
}

TEST(DtypePolicies, OfModelsComeBackAsBothKerasWriteThem) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/models/testdata/dtype_policies.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 8U);
  for (const Config& row : rows) {
    const Generation generation = row.at("generation") == 2 ? Generation::keras2 : Generation::keras3;
    SCOPED_TRACE(row.at("policy").get<std::string>() + " " + row.at("generation").dump());
    // Whatever the program's own policy is.
    mixed_precision::set_global_policy(row.at("policy") == "float32" ? "mixed_float16" : "float32");
    const Model model = Model::from_config(row.at("config"), generation);
    mixed_precision::set_global_policy("float32");
    EXPECT_EQ(sorted(model.serialize(generation)["config"]["layers"]), sorted(row.at("config").at("layers")));
    std::vector<std::string> compute;
    for (const Layer& layer : model.layers())
      if (layer.name() != "x") compute.emplace_back(name(layer.compute_dtype()));
    EXPECT_EQ(Config(compute), row.at("compute"));
  }
}

// Within a model in mixed precision a ReversibleEmbedding reads its table as it is, and scores are float32
// then (layers/testdata/reversible_policies.json, written by make_reversible_policies.py).
TEST(DtypePolicies, OfAModelDecideWhatAReversibleEmbeddingReads) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/reversible_policies.json");
  const Config policies = Config::parse(file);
  std::size_t rows = 0;
  for (const Config& row : policies.at("rows")) {
    if (!row.contains("model")) continue;
    ++rows;
    Config what = row;
    what.erase("scores");
    SCOPED_TRACE(what.dump());
    mixed_precision::set_global_policy(row.at("model").get<std::string>());
    ReversibleEmbeddingOptions options{.dtype = row.at("policy").get<std::string>()};
    if (!row.at("reverse_dtype").is_null())
      options.reverse_dtype = dtype_of(row.at("reverse_dtype").get<std::string>());
    const DType given = dtype_of(row.at("input").get<std::string>());
    const ReversibleEmbedding layer(7, 3, options);
    layer.build({1, 3});
    const Input x({3, 3}, {.dtype = given});
    const Model model(x, layer(x, {.reverse = true}));
    mixed_precision::set_global_policy("float32");
    layer.set_weights({Tensor::from(policies.at("table").get<std::vector<float>>(), {7, 3})});
    const Tensor scores =
        model(Tensor::from(policies.at("hidden").get<std::vector<float>>(), {1, 3, 3}).astype(given));
    EXPECT_EQ(name(scores.dtype()), row.at("dtype").get<std::string>());
    const Tensor wide = scores.astype(DType::float64);
    const auto values = wide.values<double>();
    // To the bit in half types; in float32 three products below 1, whose sum is below 2.
    const double tolerance = row.at("dtype") == "float32" ? 4 * 0x1p-24 : 0;
    ASSERT_EQ(values.size(), row.at("scores").size());
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], row.at("scores")[i].get<float>(), tolerance) << i;
  }
  EXPECT_EQ(rows, 54U);
}

}  // namespace
}  // namespace keratin
