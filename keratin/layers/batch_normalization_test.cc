// Batch renormalization against both Keras (testdata/batch_renorm.json, written by make_batch_renorm.py).
#include "keratin/layers/batch_normalization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using test::wave;
using ::testing::HasSubstr;

// Some 20 roundings in another order, of sums up to the number's size or 4.
void expect_values(const Tensor& found, const Config& wanted, const std::string& what) {
  const Tensor whole = found.detach().contiguous();
  const auto values = whole.values<float>();
  ASSERT_EQ(values.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = wanted[i].get<double>();
    EXPECT_NEAR(values[i], value, 20 * 0x1p-24 * std::max(4.0, std::fabs(value))) << what << ", " << i;
  }
}

TEST(BatchRenormalization, StepsAndStatisticsAreThoseOfKeras) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/batch_renorm.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 21U);
  std::vector<float> kept;
  for (int i = 0; i < 12; ++i) kept.push_back(i % 5 != 0 ? 1.0F : 0.0F);
  for (const Config& row : rows) {
    const Generation generation = row.at("generation") == 2 ? Generation::keras2 : Generation::keras3;
    SCOPED_TRACE(row.at("generation").dump() + row.at("layer").at("config").at("renorm_clipping").dump() +
                 row.at("masked").dump());
    const Layer layer = layers::deserialize(row.at("layer"), generation);
    layer.build({4, 3, 2});
    Tensors trained;
    for (const Variable& variable : layer.trainable_variables()) {
      const double phase = static_cast<double>(trained.size());
      trained.push_back(wave(variable.shape(), phase) * 0.5 + 1.0);
      Variable(variable).assign(trained.back());
    }
    ASSERT_EQ(trained.size(), row.at("trainable"));
    CallContext context = {.training = true};
    if (row.at("masked").get<bool>()) context.mask = Tensor::from(kept, {4, 3}).astype(DType::boolean);
    double step = 0;
    for (const Config& wanted : row.at("steps")) {
      const Tensor x = (wave({4, 3, 2}, step) * 3.0 + step).watched();
      const RecordGradients on;
      Tensors targets = {x};
      for (const Variable& variable : layer.trainable_variables()) targets.push_back(variable.tensor());
      const Tensor y = layer(x, context);
      expect_values(y, wanted.at("y"), "y");
      const Tensors found = gradients(ops::sum(y * wave(y.shape(), 5)), targets);
      for (std::size_t i = 0; i < found.size(); ++i)
        expect_values(found[i], wanted.at("gradients")[i], "gradient " + std::to_string(i));
      ++step;
    }
    const std::vector<Variable> weights = layer.variables();
    ASSERT_EQ(weights.size(), row.at("weights").size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      // Keras 2 has no paths: "gamma:0".
      const std::string name = row.at("names")[i].get<std::string>();
      EXPECT_EQ(generation == Generation::keras3 ? weights[i].path() : weights[i].name() + ":0", name);
      expect_values(weights[i].value(), row.at("weights")[i], weights[i].path());
    }
    expect_values(layer(wave({4, 3, 2}, 7)), row.at("inference"), "inference");
    expect_values(layer.clone()(wave({4, 3, 2}, 7)), row.at("inference"), "a clone");
    EXPECT_EQ(nlohmann::json(layer.serialize(generation).at("config")),
              nlohmann::json(row.at("layer").at("config")));
  }
}

TEST(BatchRenormalization, ClippingThatCannotBeIsRefused) {
  const auto made = [](const RenormClipping& clipping) {
    return message_of([&] { BatchNormalization({.renorm = true, .renorm_clipping = clipping}); });
  };
  EXPECT_THAT(made({.rmax = 0.5, .rmin = 1.0}), HasSubstr("rmax of at least rmin"));
  EXPECT_THAT(made({.dmax = -1.0}), HasSubstr("dmax"));
  const Config config = Config::parse(R"({"renorm": true, "renorm_clipping": {"rmx": 1}})");
  EXPECT_THAT(message_of([&] { BatchNormalization::from_config(config); }), HasSubstr("rmx"));
}

}  // namespace
}  // namespace keratin
