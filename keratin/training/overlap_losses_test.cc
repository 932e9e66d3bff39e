// Dice, Tversky, Circle, CTC, focal and generalized categorical cross-entropy.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/training/losses.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Tensor tensor(const Values& values, const Shape& shape, DType dtype = DType::float64) {
  return Tensor::from(values, shape).astype(dtype);
}
Values to_vector(const Tensor& a) {
  const Tensor wide = a.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

struct Case {
  const char* name;
  Loss loss;
  Values labels;
  Shape labels_shape;
  Values predictions;
  Shape shape;
  Values expected;  // by the definition in 40 digits (mpmath); CTC by adding up all paths
};

const Values kDistributions{0.25, 0.25, 0.5, 0.0, 1.0, 0.0, 0.125, 0.0, 0.875};
const Values kScores{0.5, 0.5, 1.0, 0.25, 1.5, 0.25, 0.125, 0.5, 0.875};
const Values kLogits{0.5, -1.25, 2.0, 100.0, 0.0, -100.0, -3.0, 0.25, 1.0};
const Values kBits{0, 1, 1, 1, 0, 1, 0, 0, 1};
const Values kParts{0.25, 0.75, 0.5, 0.125, 0.375, 1.0, 0.0, 0.5, 0.875};
const Values kEmbeddings{0.6, 0.8, 1, 0, 0.8, 0.6, 0, 1};
const Values kSequences{0.5,   -1,   0.25, 0,   1,    -0.5, 1.5, 0, 0.75, -0.25, 0.5, 0,
                        1,     0,    -1,   0.5, 0.25, 0,    -1,  2, 1,    0,     0,   0,
                        0.125, 0.25, 0.5,  2,   -2,   0,    0,   1, -1,   0.75,  0.5, 0.25};

const std::vector<Case>& cases() {
  using namespace losses;
  static const std::vector<Case> list = {
      {"categorical focal",
       CategoricalFocalCrossentropy{},
       kDistributions,
       {3, 3},
       kScores,
       {3, 3},
       {0.11913467165874060006, 0.0044950323820590769912, 0.085720072103421932169}},
      {"categorical focal with all its arguments",
       CategoricalFocalCrossentropy{.alpha = {0.1, 0.2, 0.3}, .gamma = 1.5, .label_smoothing = 0.3},
       kDistributions,
       {3, 3},
       kScores,
       {3, 3},
       {0.10736874187421435774, 0.073833522240956438191, 0.083837940275718241645}},
      {"categorical focal from logits",
       CategoricalFocalCrossentropy{.from_logits = true},
       kDistributions,
       {3, 3},
       kLogits,
       {3, 3},
       {0.27912496947165435194, 4.0295231068348376944, 0.14358104444842441225}},
      {"generalized",
       CategoricalGeneralizedCrossEntropy{},
       {2, 0, 1},
       {3},
       kScores,
       {3, 3},
       {0.0, 1.0, 0.5857864376269049512}},
      {"generalized, q 0.7",
       CategoricalGeneralizedCrossEntropy{.q = 0.7},
       {2, 0, 1},
       {3},
       kScores,
       {3, 3},
       {0.0, 0.88724408338914354202, 0.54918256189648836821}},
      {"dice of each row",
       Dice{.axis = {{-1}}},
       kBits,
       {3, 3},
       kParts,
       {3, 3},
       {0.2857143061224483965, 0.35714287551020355685, 0.26315792576177154687}},
      {"dice of the batch", Dice{}, kBits, {3, 3}, kParts, {3, 3}, {0.30666667406222214334}},
      {"tversky of each row",
       Tversky{.axis = {{1}}},
       kBits,
       {3, 3},
       kParts,
       {3, 3},
       {0.28571432653060991254, 0.35714289387754892128, 0.26315795678669837586}},
      {"tversky of each row, weighted",
       Tversky{.alpha = 0.3, .beta = 0.7, .axis = {{1}}},
       kBits,
       {3, 3},
       kParts,
       {3, 3},
       {0.24242428833792191891, 0.31818185950412972702, 0.30693074796588134924}},
      {"tversky of the batch",
       Tversky{.alpha = 0.3, .beta = 0.7},
       kBits,
       {3, 3},
       kParts,
       {3, 3},
       {0.28767124848939729338}},
      {"circle",
       Circle{},
       {0, 1, 0, 1},
       {4},
       kEmbeddings,
       {4, 2},
       {25.728000000193689762, 105.60000000018698364, 25.728000000193689762, 105.60000000018698364}},
      {"circle with its diagonal",
       Circle{.gamma = 3, .margin = 0.25, .remove_diagonal = false},
       {0, 1, 0, 1},
       {4},
       kEmbeddings,
       {4, 2},
       {2.6711047660478266351, 4.9594984284431274375, 2.6711047660478266351, 4.9594984284431274375}},
      {"ctc",
       CTC{},
       {1, 2, 1, 1, 2, 0},
       {3, 2},
       kSequences,
       {3, 4, 3},
       {1.8753614581001325747, 2.9388601958946252263, 2.540270049991436129}},
  };
  return list;
}

TEST(OverlapLosses, EveryLossHasTheValuesOfItsDefinition) {
  for (const Case& c : cases()) {
    for (const DType dtype : {DType::float64, DType::float32}) {
      const Values got = to_vector(
          c.loss.values(tensor(c.labels, c.labels_shape, dtype), tensor(c.predictions, c.shape, dtype)));
      ASSERT_EQ(got.size(), c.expected.size()) << c.name;
      // A few dozen roundings. Circle multiplies the rounding of a distance by 2·gamma.
      const double ulp = dtype == DType::float64 ? 0x1p-53 : 0x1p-24;
      const double bound = ulp * (std::string(c.name) == "circle" ? 200 : 30);
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], c.expected[i], bound * std::max(1.0, std::abs(c.expected[i])))
            << c.name << ", " << name(dtype) << ", value " << i;
    }
  }
}

TEST(OverlapLosses, EveryGradientAgreesWithCentralDifferences) {
  for (const Case& c : cases()) {
    const Values weights{0.75, -1.5, 2.0, 0.5};
    // Away from kinks: distances below 0 are cut off in Circle, probabilities are clipped in the others.
    Values p = c.predictions;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (std::abs(p[i]) == 100) p[i] /= 20;
      p[i] = 0.95 * p[i] + (p[i] == 1.0 ? -0.0173 : 0.0119 + 0.0013 * static_cast<double>(i));
    }
    const Tensor y = tensor(c.labels, c.labels_shape);
    const auto objective = [&](const Values& at) {
      const Values values = to_vector(c.loss.values(y, tensor(at, c.shape)));
      double sum = 0;
      for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
      return sum;
    };
    const Tensor watched = tensor(p, c.shape).watched();
    Tensor values;
    {
      const RecordGradients recording;
      values = c.loss.values(y, watched);
    }
    const Tensor upstream =
        Tensor::from(Values(weights.begin(), weights.begin() + values.size()), values.shape());
    const Values gradient = to_vector(gradients(values, Tensors{watched}, upstream)[0]);
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double kStep = 1e-5;
      const auto at = [&](double offset) {
        Values moved = p;
        moved[i] += offset * kStep;
        return objective(moved);
      };
      const double expected = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * kStep);
      // Truncation: step⁴/30 times a fifth derivative, for Circle of 160⁵/100; rounding: 1e-14·100/1e-5.
      EXPECT_NEAR(gradient[i], expected, 3e-9 * std::max(10.0, std::abs(expected)))
          << c.name << ", entry " << i;
    }
  }
}

TEST(OverlapLosses, CircleCountsOnlySamplesThatHaveALoss) {
  // The last one has no partner: its value is 0 and the mean is over the others.
  const Tensor y = Tensor::of({0, 0, 1}), p = Tensor::of({{1, 0}, {0.8, 0.6}, {0, 1}});
  const Values values = to_vector(Loss(losses::Circle{}).values(y, p));
  EXPECT_EQ(values[2], 0);
  EXPECT_GT(values[1], 0);
  EXPECT_FLOAT_EQ(static_cast<float>(Loss(losses::Circle{})(y, p).item()),
                  static_cast<float>((values[0] + values[1]) / 2));
}

TEST(OverlapLosses, CtcHasNoPathWhereTimeDoesNotSuffice) {
  // "1 1" needs a blank between: three steps.
  const Tensor two = Tensor::zeros({1, 2, 3}, DType::float64).watched();
  const RecordGradients recording;
  const Tensor value = Loss("ctc").values(Tensor::of({{1, 1}}), two);
  EXPECT_EQ(value.at({0}), std::numeric_limits<double>::infinity());
  for (const double g : to_vector(gradients(value, Tensors{two})[0])) EXPECT_EQ(g, 0);
  // No label at all: blanks only, 3^-2.
  EXPECT_NEAR(Loss("ctc").values(Tensor::of({{0, 0}}), two.detach()).at({0}), 2 * std::log(3.0), 1e-15);
}

TEST(OverlapLosses, ResultsDoNotDependOnThreads) {
  const int before = num_threads();
  for (const Case& c : cases()) {
    std::vector<Values> results;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      results.push_back(
          to_vector(c.loss.values(tensor(c.labels, c.labels_shape), tensor(c.predictions, c.shape))));
    }
    EXPECT_EQ(results[0], results[1]) << c.name;
  }
  set_num_threads(before);
}

TEST(OverlapLosses, MistakesAreNamed) {
  using namespace losses;
  const Tensor p = Tensor::zeros({2, 3});
  EXPECT_THROW(Loss(CategoricalGeneralizedCrossEntropy{.q = 1}), ValueError);
  EXPECT_THROW(Loss(CategoricalFocalCrossentropy{.alpha = {}}), ValueError);
  EXPECT_THROW(Loss(CategoricalFocalCrossentropy{.alpha = {1, 2}}).values(p, p), ValueError);
  EXPECT_THROW(Loss("dice").values(Tensor::zeros({2, 4}), p), ShapeError);
  EXPECT_THROW(Loss("circle").values(Tensor::zeros({3}), p), ShapeError);
  EXPECT_THROW(Loss("ctc").values(Tensor::zeros({2, 2}), p), ShapeError);
  EXPECT_THROW(Loss("ctc").values(Tensor::of({3, 1}).expand_dims(1), Tensor::zeros({2, 2, 3})), ValueError);
  EXPECT_THROW(Loss("categorical_generalized_cross_entropy").values(Tensor::of({3, 0}), p), ValueError);
}

// As Keras 3.15.1's serialize writes them.
TEST(OverlapLosses, ConfigsAreKerasOwn) {
  const auto object = [](const std::string& class_name, const std::string& name, const std::string& own) {
    return R"({"module":"keras.losses","class_name":")" + class_name + R"(","config":{"name":")" + name +
           R"(","reduction":"sum_over_batch_size")" + own + R"(},"registered_name":null})";
  };
  const std::vector<std::pair<Loss, std::string>> list{
      {losses::Tversky{.alpha = 0.3, .beta = 0.7},
       object("Tversky", "tversky", R"(,"alpha":0.3,"beta":0.7,"axis":null)")},
      {losses::Dice{.axis = {{-1}}}, object("Dice", "dice", R"(,"axis":-1)")},
      {losses::Dice{.axis = {{1, 2}}}, object("Dice", "dice", R"(,"axis":[1,2])")},
      {losses::Circle{}, object("Circle", "circle", R"(,"gamma":80.0,"margin":0.4,"remove_diagonal":true)")},
      {losses::CTC{}, object("CTC", "ctc", "")},
      {losses::CategoricalFocalCrossentropy{},
       object("CategoricalFocalCrossentropy", "categorical_focal_crossentropy",
              R"(,"from_logits":false,"label_smoothing":0.0,"axis":-1,"alpha":0.25,"gamma":2.0)")},
      {losses::CategoricalGeneralizedCrossEntropy{.q = 0.7},
       object("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", R"(,"q":0.7)")}};
  for (const auto& [loss, text] : list) {
    EXPECT_EQ(loss.serialize().dump(), text);
    EXPECT_EQ(losses::deserialize(Config::parse(text)).serialize().dump(), text);
  }
}

}  // namespace
}  // namespace keratin
