// How calls stand in the configs of functional models: one tensor, a list of them, keywords, as both Keras
// write them (testdata/call_forms.json, written by make_call_forms.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "keratin/models/model.h"

namespace keratin {
namespace {

// Keras also writes arguments that are as they would be without: null masks, training=false.
Config without_defaults(Config call) {
  if (call.is_object() && call.contains("kwargs")) {
    Config given = Config::object();
    for (const auto& [key, value] : call["kwargs"].items())
      if (!value.is_null() && value != false) given[key] = value;
    call["kwargs"] = given;
  } else if (call.is_array()) {
    for (Config& one : call) {
      if (one.is_array()) one = without_defaults(one);
      if (one.is_object() && one.contains("initial_state")) one = Config::object();
      if (one.is_object() && one.contains("args")) one = without_defaults(one);
    }
  }
  return call;
}

TEST(CallForms, AreThoseOfBothKeras) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/models/testdata/call_forms.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 33U);
  for (const Config& row : rows) {
    const Generation generation = row.at("generation") == 2 ? Generation::keras2 : Generation::keras3;
    SCOPED_TRACE(row.at("name").get<std::string>() + " " + row.at("generation").dump());
    const Config& given = row.at("config");
    const Config written = Model::from_config(given, generation).serialize(generation).at("config");
    EXPECT_EQ(written.at("trainable"), given.at("trainable"));
    ASSERT_EQ(written.at("layers").size(), given.at("layers").size());
    for (std::size_t i = 0; i < written.at("layers").size(); ++i) {
      const Config &now = written.at("layers")[i], &then = given.at("layers")[i];
      EXPECT_EQ(now.value("build_config", Config()), then.value("build_config", Config())) << then.at("name");
      EXPECT_EQ(without_defaults(written.at("layers")[i].at("inbound_nodes")).dump(),
                without_defaults(given.at("layers")[i].at("inbound_nodes")).dump());
    }
    EXPECT_EQ(written.at("output_layers").dump(), given.at("output_layers").dump());
  }
}

}  // namespace
}  // namespace keratin
