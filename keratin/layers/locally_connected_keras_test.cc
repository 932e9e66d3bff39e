// LocallyConnected1D and 2D, each way to keep their kernels, against tf_keras
// (testdata/locally_connected.json, written by make_locally_connected.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/autograd/test_tools.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

using test::wave;

Shape shape_in(const Config& config) { return Shape(config.get<std::vector<std::int64_t>>()); }

void expect_values(const Tensor& found, const Config& expected, const std::string& what) {
  const Tensor flat = found.detach().contiguous();
  const auto values = flat.values<float>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  // Sums of at most 24 products of numbers below 1, or of as many outputs' gradients: 24 roundings of sums
  // below 8.
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i].get<double>(), 24 * 8 * 0x1p-24) << what << " " << i;
}

TEST(LocallyConnected, KeepsWeightsAndComputesAsTfKeras) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/testdata/locally_connected.json");
  const Config rows = Config::parse(file);
  ASSERT_EQ(rows.size(), 40U);
  for (const Config& row : rows) {
    const std::string what = row.at("layer").dump();
    const Layer layer = layers::deserialize(row.at("layer"), Generation::keras2);
    const Shape input = shape_in(row.at("input"));
    layer.build(input);
    Tensors weights;
    Shapes shapes, expected;
    for (const Config& shape : row.at("shapes")) expected.push_back(shape_in(shape));
    for (const Variable& variable : layer.variables()) {
      shapes.push_back(variable.shape());
      weights.push_back(wave(variable.shape(), 1.0 + static_cast<double>(weights.size())));
    }
    ASSERT_EQ(shapes, expected) << what;
    layer.set_weights(weights);
    Tensors targets = {wave(input, 0.5).watched()};
    Tensor y, loss;
    {
      const RecordGradients on;
      for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
      y = layer(targets[0]);
      loss = ops::sum(y * wave(y.shape(), 3.0));
    }
    ASSERT_EQ(y.shape(), shape_in(row.at("output"))) << what;
    expect_values(y, row.at("values"), what);
    const Tensors found = gradients(loss, targets);
    for (std::size_t i = 0; i < found.size(); ++i)
      expect_values(found[i], row.at("gradients")[i], what + ", gradient " + std::to_string(i));
  }
}

}  // namespace
}  // namespace keratin
