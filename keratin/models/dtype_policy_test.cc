// Dtype policies in the configs of models, as both Keras write them (testdata/dtype_policies.json, written by
// make_dtype_policies.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/layers/dtype_policy.h"
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

}  // namespace
}  // namespace keratin
