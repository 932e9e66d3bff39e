#include "keratin/training/losses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"
#include "keratin/tensor/variable.h"

namespace keratin {
namespace {

constexpr Generation k2 = Generation::keras2, k3 = Generation::keras3;
using Values = std::vector<double>;

Tensor tensor(const Values& values, const Shape& shape, DType dtype = DType::float64) {
  return Tensor::from(values, shape).astype(dtype);
}

// Shape (n, 1).
Tensor column(std::initializer_list<double> values, DType dtype = DType::float32) {
  return Tensor::of(values, dtype).expand_dims(1);
}

Values to_vector(const Tensor& a) {
  const Tensor wide = a.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Labels and predictions of three samples with three entries each.
const Values kRealLabels{0.5, -1.25, 2.0, 0.0, 3.0, -0.75, 1.5, 0.25, -2.0};
const Values kRealPredictions{0.25, -1.0, 4.5, 0.0, 2.5, 1.25, -1.0, 0.25, 0.5};
const Values kPositiveLabels{0.5, 1.25, 2.0, 0.0, 3.0, 0.75, 1.5, 0.25, 2.0};
const Values kPositivePredictions{0.25, 1.0, 4.5, 0.125, 2.5, 1.25, 1.0, 0.25, 0.5};
const Values kDistributions{0.25, 0.25, 0.5, 0.0, 1.0, 0.0, 0.125, 0.0, 0.875};
const Values kProbabilities{0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.0, 0.5, 0.5};
const Values kScores{0.5, 0.5, 1.0, 0.25, 1.5, 0.25, 0.125, 0.5, 0.875};
const Values kBits{0, 1, 1, 1, 0, 1, 0, 0, 1};
const Values kBitProbabilities{0.25, 0.75, 0.5, 0.125, 0.375, 1.0, 0.0, 0.5, 0.875};
const Values kLogits{0.5, -1.25, 2.0, 100.0, 0.0, -100.0, -3.0, 0.25, 1.0};
const Values kClasses{2, 0, 1};

struct Case {
  const char* name;
  Loss loss;
  const Values &labels, &predictions;
  Values expected;  // from the formulas in 40 digits (mpmath)
};

const std::vector<Case>& cases() {
  using namespace losses;
  static const std::vector<Case> list = {
      {"mse",
       MeanSquaredError{},
       kRealLabels,
       kRealPredictions,
       {2.125, 1.4166666666666666667, 4.1666666666666666667}},
      {"mae",
       MeanAbsoluteError{},
       kRealLabels,
       kRealPredictions,
       {1.0, 0.83333333333333333333, 1.6666666666666666667}},
      {"mape",
       MeanAbsolutePercentageError{},
       kScores,
       kRealPredictions,
       {233.33333333333333333, 188.88888888888888889, 330.95238095238095238}},
      {"msle",
       MeanSquaredLogarithmicError{},
       kRealLabels,
       kRealPredictions,
       {0.13354725414720112373, 0.22514609540096033315, 0.33466346495350179329}},
      {"huber",
       Huber{},
       kRealLabels,
       kRealPredictions,
       {0.6875, 0.54166666666666666667, 1.3333333333333333333}},
      {"huber, delta 0.5",
       Huber{.delta = 0.5},
       kRealLabels,
       kRealPredictions,
       {0.39583333333333333333, 0.33333333333333333333, 0.75}},
      {"log_cosh",
       LogCosh{},
       kRealLabels,
       kRealPredictions,
       {0.62514259172316516737, 0.48170575143871398519, 1.2090454452861151728}},
      {"kl_divergence",
       KLDivergence{},
       kDistributions,
       kProbabilities,
       {0.17328679513998632735, 0.28767926472095907174, 2.2444940356084582931}},
      {"poisson",
       Poisson{},
       kPositiveLabels,
       kPositivePredictions,
       {1.1449973391876664873, 0.31958998696396076254, 1.1609557671333102578}},
      {"hinge, labels 0 and 1",
       Hinge{},
       kBits,
       kRealPredictions,
       {1.0833333333333333333, 1.5, 0.58333333333333333333}},
      {"hinge, other labels",
       Hinge{},
       kRealLabels,
       kRealPredictions,
       {0.29166666666666666667, 0.97916666666666666667, 1.8125}},
      {"squared_hinge",
       SquaredHinge{},
       kBits,
       kRealPredictions,
       {1.8541666666666666667, 4.4166666666666666667, 0.60416666666666666667}},
      {"categorical_hinge", CategoricalHinge{}, kDistributions, kRealPredictions, {1.1875, 0, 0.9375}},
      {"cosine_similarity",
       CosineSimilarity{},
       kRealLabels,
       kRealPredictions,
       {-0.93215777060147874637, -0.759256602365296602, 0.84682617378049736009}},
      {"binary, Keras 3",
       BinaryCrossentropy{},
       kBits,
       kBitProbabilities,
       {0.42283710848783572143, 0.84981509030852549397, 0.27555955772815764419}},
      {"binary, Keras 2",
       BinaryCrossentropy{.generation = k2},
       kBits,
       kBitProbabilities,
       {0.42283695293229275847, 0.84981473697530142724, 0.27555941963292672582}},
      {"binary, smoothed, Keras 3",
       BinaryCrossentropy{.label_smoothing = 0.1},
       kBits,
       kBitProbabilities,
       {0.45945751811010604651, 1.0945319407363420437, 0.57662631939505146245}},
      {"binary, smoothed, Keras 2",
       BinaryCrossentropy{.label_smoothing = 0.1, .generation = k2},
       kBits,
       kBitProbabilities,
       {0.45945735366567656503, 1.08297914571124111, 0.56507371852858866754}},
      {"binary from logits",
       BinaryCrossentropy{.from_logits = true},
       kBits,
       kLogits,
       {0.86764469218948402209, 33.56438239351998177, 0.39592948632360281834}},
      {"focal, Keras 3",
       BinaryFocalCrossentropy{},
       kBits,
       kBitProbabilities,
       {0.069749018065486314428, 0.5527222302371019816, 0.058457741049914831114}},
      {"focal, balanced, Keras 3",
       BinaryFocalCrossentropy{.apply_class_balancing = true},
       kBits,
       kBitProbabilities,
       {0.020433942771077629935, 0.14919626761972242244, 0.043495567785809762337}},
      {"focal, Keras 2",
       BinaryFocalCrossentropy{.generation = k2},
       kBits,
       kBitProbabilities,
       {0.069748995843266129243, 0.55272201857051758156, 0.058457723788011769889}},
      {"focal from logits",
       BinaryFocalCrossentropy{.from_logits = true},
       kBits,
       kLogits,
       {0.4288911054715041348, 33.391095598379995442, 0.094599744111798445451}},
      {"categorical",
       CategoricalCrossentropy{},
       kDistributions,
       kScores,
       {1.0397207708399179641, 0.28768207245178092744, 0.78223526936460116826}},
      {"categorical, a probability of 0",
       CategoricalCrossentropy{},
       kDistributions,
       kProbabilities,
       {1.2130075659799042915, 0.28768207245178092744, 2.6212657393597421193}},
      {"categorical, smoothed",
       CategoricalCrossentropy{.label_smoothing = 0.3},
       kDistributions,
       kScores,
       {1.0743781298679152283, 0.64603396629739191434, 0.95981623247410051189}},
      {"categorical from logits",
       CategoricalCrossentropy{.from_logits = true},
       kDistributions,
       kLogits,
       {1.4201219831020326765, 100.0, 0.89923386190890899945}},
      {"categorical from logits, smoothed",
       CategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.3},
       kDistributions,
       kLogits,
       {1.5388719831020326721, 100.0, 1.2242338619089089874}},
      {"sparse",
       SparseCategoricalCrossentropy{},
       kClasses,
       kScores,
       {0.69314723055994905942, 1.7917594025613861119, 1.0986122886681096914}},
      {"sparse from logits",
       SparseCategoricalCrossentropy{.from_logits = true},
       kClasses,
       kLogits,
       {0.23262198310203267647, 0.0, 1.1492338619089089995}},
  };
  return list;
}

Shape labels_shape(const Case& c) {
  if (c.labels.size() == 3) return {3};
  return {3, 3};
}

TEST(Losses, EveryLossHasTheValuesOfItsFormula) {
  for (const Case& c : cases()) {
    for (const DType dtype : {DType::float64, DType::float32}) {
      const Tensor y = tensor(c.labels, labels_shape(c), dtype), p = tensor(c.predictions, {3, 3}, dtype);
      const Tensor values = c.loss.values(y, p);
      ASSERT_EQ(values.shape(), Shape({3})) << c.name;
      ASSERT_EQ(values.dtype(), dtype) << c.name;
      // A few roundings of terms up to the sum; in float32 the distance of a clipped probability from 1,
      // 1e-7, is itself rounded to 1.19e-7, which moves a smoothed term of weight 0.05 by 0.05·ln 1.19 =
      // 0.009 / 3.
      const bool clipped_at_one = std::string(c.name).find("smoothed, Keras") != std::string::npos;
      const double bound =
          dtype == DType::float64 ? (clipped_at_one ? 1e-10 : 4e-15) : (clipped_at_one ? 4e-3 : 2e-6);
      const Values got = to_vector(values);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(got[i], c.expected[i], bound * std::max(1.0, std::abs(c.expected[i])))
            << c.name << ", " << name(dtype) << ", sample " << i;
    }
  }
}

// d sum(upstream·values)/dp by central differences in float64.
TEST(Losses, EveryGradientAgreesWithCentralDifferences) {
  const Tensor upstream = tensor({0.75, -1.5, 2.0}, {3});
  for (const Case& c : cases()) {
    // Away from kinks, and from 0 and 1 where probabilities are clipped: small odd offsets.
    Values p = c.predictions;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (std::abs(p[i]) == 100) p[i] /= 20;
      p[i] += p[i] == 1.0 ? -0.0173 : 0.0119 + 0.0037 * static_cast<double>(i);
    }
    const Tensor y = tensor(c.labels, labels_shape(c));
    const auto objective = [&](const Values& at) {
      const Values values = to_vector(c.loss.values(y, tensor(at, {3, 3})));
      return 0.75 * values[0] - 1.5 * values[1] + 2.0 * values[2];
    };
    Tensor watched = tensor(p, {3, 3}).watched();
    Tensor values;
    {
      const RecordGradients recording;
      values = c.loss.values(y, watched);
    }
    const Values gradient = to_vector(gradients(values, Tensors{watched}, upstream)[0]);
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double kStep = 1e-5;
      const auto at = [&](double offset) {
        Values moved = p;
        moved[i] += offset * kStep;
        return objective(moved);
      };
      const double expected = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * kStep);
      // Truncation: step⁴/30 times a fifth derivative of up to 24/0.01⁵, 1e-10; rounding: some 1e-15/1e-5.
      EXPECT_NEAR(gradient[i], expected, 1e-9 * std::max(1.0, std::abs(expected)))
          << c.name << ", entry " << i;
    }
  }
}

TEST(Losses, GradientsAreTheSameInFloat32) {
  for (const Case& c : cases()) {
    Values by_type[2];
    for (const DType dtype : {DType::float64, DType::float32}) {
      const Tensor watched = tensor(c.predictions, {3, 3}, dtype).watched();
      Tensor loss;
      {
        const RecordGradients recording;
        loss = c.loss(tensor(c.labels, labels_shape(c), dtype), watched);
      }
      by_type[dtype == DType::float32] = to_vector(gradients(loss, Tensors{watched})[0]);
    }
    // A few roundings; where a probability is clipped at 1 − 1.19e-7 instead of 1 − 1e-7 both slopes are 0.
    for (std::size_t i = 0; i < by_type[0].size(); ++i)
      EXPECT_NEAR(by_type[0][i], by_type[1][i], 2e-6 * std::max(1.0, std::abs(by_type[0][i])))
          << c.name << ", entry " << i;
  }
}

// Values that Keras itself gives (tf-keras 2.21; Keras 3.15 on TensorFlow), float32.
TEST(Losses, ExtremeProbabilitiesGiveWhatKerasGives) {
  const auto binary = [](double y, double p, Generation generation) {
    const Loss loss = losses::BinaryCrossentropy{.generation = generation};
    return loss(column({y}), column({p})).item();
  };
  // Keras prints five to six digits.
  EXPECT_NEAR(binary(1, 0, k2), 15.4249, 1e-4);
  EXPECT_NEAR(binary(1, 0, k3), 16.1181, 1e-4);
  EXPECT_NEAR(binary(0, 1, k2), 15.333, 1e-3);
  EXPECT_NEAR(binary(0, 1, k3), 15.942, 1e-3);
  const Loss sparse("sparse_categorical_crossentropy");
  EXPECT_NEAR(sparse(Tensor::of({0}), Tensor::of({{0, .2, .2}})).item(), 15.2018, 1e-4);
}

TEST(Losses, ResultsOfSoftmaxAndSigmoidAreTakenFromTheirLogits) {
  // Built by hand, as the activations do: the loss must not see the saturated probability.
  const Tensor logits = Tensor::of({{0, 100}});
  Tensor p = Tensor::of({{0, 1}});
  p.set_origin(std::make_shared<Tensor::Origin>(Tensor::Origin{"softmax", logits}));
  EXPECT_FLOAT_EQ(Loss("sparse_categorical_crossentropy")(Tensor::of({0}), p).item(), 100);
  EXPECT_FLOAT_EQ(Loss("categorical_crossentropy")(Tensor::of({{1, 0}}), p).item(), 100);
  // from_logits on top changes nothing.
  EXPECT_FLOAT_EQ(Loss(losses::CategoricalCrossentropy{.from_logits = true})(Tensor::of({{1, 0}}), p).item(),
                  100);
  Tensor q = column({1});
  q.set_origin(std::make_shared<Tensor::Origin>(Tensor::Origin{"sigmoid", column({100})}));
  EXPECT_FLOAT_EQ(Loss("binary_crossentropy")(column({0}), q).item(), 100);
  // 100·0.001/1e-7
  EXPECT_NEAR(Loss("mape")(Tensor::of({0}, DType::float64), Tensor::of({0.001}, DType::float64)).item(), 1e6,
              1e-8);
  // A softmax is no sigmoid.
  EXPECT_NEAR(Loss("binary_crossentropy")(Tensor::of({{1, 0}}), p).item(), 16.0302, 1e-3);
}

TEST(Losses, HugeLogitsNeitherOverflowNorLoseTheGradient) {
  const Tensor z = Tensor::of({{1e30, -1e30, 0}, {3e38, 3e38, 3e38}}).watched();
  Tensor loss;
  {
    const RecordGradients recording;
    loss = Loss(losses::SparseCategoricalCrossentropy{.from_logits = true}).values(Tensor::of({0, 1}), z);
  }
  const Values values = to_vector(loss);
  EXPECT_EQ(values[0], 0);
  // ln 3 is lost beside 3e38, as it is in exact arithmetic rounded once.
  EXPECT_EQ(values[1], 0);
  EXPECT_EQ(to_vector(gradients(loss, Tensors{z})[0])[0], 0);
}

TEST(Losses, ReductionsWeightsAndMasksCombineAsInKeras) {
  const Tensor y = tensor({0, 0, 0, 0}, {4, 1}), p = tensor({1, 2, 3, 4}, {4, 1});  // mse: 1, 4, 9, 16
  const Tensor w = tensor({2, 0, 1, 0.5}, {4}), m = tensor({1, 1, 0, 1}, {4});
  const auto with = [](Reduction reduction) {
    return Loss(losses::MeanSquaredError{.reduction = reduction});
  };
  EXPECT_DOUBLE_EQ(with(Reduction::sum_over_batch_size)(y, p).item(), 30.0 / 4);
  EXPECT_DOUBLE_EQ(with(Reduction::sum_over_batch_size)(y, p, w).item(), (2 + 9 + 8) / 4.0);
  EXPECT_DOUBLE_EQ(with(Reduction::sum_over_batch_size)(y, p, w, m).item(), (2 + 8) / 3.0);
  EXPECT_DOUBLE_EQ(with(Reduction::sum)(y, p, w, m).item(), 10);
  EXPECT_DOUBLE_EQ(with(Reduction::mean_with_sample_weight)(y, p, w).item(), 19 / 3.5);
  EXPECT_DOUBLE_EQ(with(Reduction::mean_with_sample_weight)(y, p, w, m).item(), 10 / 2.5);
  EXPECT_DOUBLE_EQ(with(Reduction::mean_with_sample_weight)(y, p).item(), 30.0 / 4);
  EXPECT_EQ(to_vector(with(Reduction::none)(y, p, w)), (Values{2, 0, 9, 8}));
  EXPECT_EQ(with(Reduction::sum_over_batch_size)(y, p, {}, tensor({0, 0, 0, 0}, {4})).item(), 0);
  // A column of weights is one weight a sample.
  EXPECT_DOUBLE_EQ(with(Reduction::sum_over_batch_size)(y, p, tensor({2, 0, 1, 0.5}, {4, 1})).item(),
                   19 / 4.0);
}

TEST(Losses, OneWeightASampleReachesEveryStepOfKeras2Only) {
  const Tensor y = Tensor::zeros({2, 3, 1}), p = Tensor::full({2, 3, 1}, 2);  // values (2, 3), all 4
  const Tensor w = Tensor::of({1, 3});
  EXPECT_EQ(Loss(losses::MeanSquaredError{.generation = k2})(y, p, w).item(), 8);
  EXPECT_THROW(Loss("mse")(y, p, w), ShapeError);
}

TEST(Losses, IgnoredClassesNeitherCountNorDriveAGradient) {
  const Loss loss = losses::SparseCategoricalCrossentropy{.from_logits = true, .ignore_class = -1};
  const Tensor z = tensor({1, 2, 3, 4, 5, 6}, {3, 2}).watched();
  Tensor value;
  {
    const RecordGradients recording;
    value = loss(tensor({1, -1, 0}, {3}), z);
  }
  // ln(1 + e^-1) for the first, ln(1 + e) for the last, two that count.
  EXPECT_NEAR(value.item(), (0.31326168751822283405 + 1.31326168751822283405) / 2, 1e-15);
  const Values gradient = to_vector(gradients(value, Tensors{z})[0]);
  EXPECT_EQ(gradient[2], 0);
  EXPECT_EQ(gradient[3], 0);
  EXPECT_NE(gradient[0], 0);
}

TEST(Losses, LabelsOfEveryTypeAndShapeMean) {
  const Loss sparse("sparse_categorical_crossentropy");
  const Tensor p = Tensor::of({{.1, .2, .7}, {.8, .1, .1}});
  const double expected = sparse(Tensor::of({2, 0}), p).item();
  for (const DType dtype : {DType::int32, DType::int64, DType::uint8, DType::float64})
    EXPECT_EQ(sparse(Tensor::of({2, 0}, dtype), p).item(), expected) << name(dtype);
  EXPECT_EQ(sparse(column({2, 0}, DType::int32), p).item(), expected);
  const Loss mse("mse");
  EXPECT_FLOAT_EQ(mse(Tensor::of({1, 2}), column({3, 5})).item(), 6.5);
  EXPECT_FLOAT_EQ(mse(Tensor::of({1, 2}, DType::uint8), column({3, 5})).item(), 6.5);
}

TEST(Losses, TheAxisMayBeAnother) {
  const Tensor y = tensor(kDistributions, {3, 3}), p = tensor(kScores, {3, 3});
  const Loss last = losses::CategoricalCrossentropy{}, first = losses::CategoricalCrossentropy{.axis = 0};
  EXPECT_EQ(to_vector(last.values(y, p)), to_vector(first.values(y.transpose(), p.transpose())));
  const Loss sparse = losses::SparseCategoricalCrossentropy{.axis = 0};
  EXPECT_EQ(to_vector(sparse.values(tensor(kClasses, {3}), p.transpose())),
            to_vector(Loss(losses::SparseCategoricalCrossentropy{}).values(tensor(kClasses, {3}), p)));
}

TEST(Losses, MistakesAreNamedWithTheirValues) {
  const Tensor p = Tensor::of({{.2, .3, .5}, {.2, .3, .5}});
  const Loss sparse("sparse_categorical_crossentropy");
  EXPECT_THROW(sparse(Tensor::of({1, 3}, DType::int32), p), ValueError);
  EXPECT_NE(message_of([&] {
              sparse(Tensor::of({1, 3}, DType::int32), p);
            }).find("label [1] is 3"),
            std::string::npos);
  EXPECT_THROW(sparse(Tensor::of({1, -1}, DType::int32), p), ValueError);
  EXPECT_THROW(sparse(Tensor::of({{1, 0, 0}, {0, 1, 0}}), p), ShapeError);
  EXPECT_THROW(Loss("mse")(Tensor::of({{1, 2, 3}}), Tensor::of({{1, 2, 3, 4}})), ShapeError);
  EXPECT_THROW(Loss("categorical_crossentropy")(Tensor::of({{1, 2, 3}}), Tensor::of({{1, 2, 3, 4}})),
               ShapeError);
  EXPECT_NE(message_of([] { Loss("msee"); }).find("Did you mean \"mse\""), std::string::npos);
  EXPECT_THROW(Loss(losses::BinaryCrossentropy{.label_smoothing = 1.5}), ValueError);
  EXPECT_THROW(Loss()(p, p), StateError);
  EXPECT_THROW(Loss("mse")(Tensor::of({1}, DType::int32), Tensor::of({1}, DType::int32)), TypeError);
}

TEST(Losses, ChecksBeforeTrainingWhatWouldFailInIt) {
  const Loss sparse("sparse_categorical_crossentropy");
  EXPECT_NO_THROW(sparse.function().check(Tensor::of({0, 2}, DType::int32), {Shape::kUnknown, 3}));
  EXPECT_THROW(sparse.function().check(Tensor::of({0, 3}, DType::int32), {Shape::kUnknown, 3}), ValueError);
  EXPECT_THROW(Loss("mse").function().check(Tensor::of({{0, 3}}), {Shape::kUnknown, 3}), ShapeError);
  EXPECT_NO_THROW(Loss("mse").function().check(Tensor::of({0, 3}), {Shape::kUnknown, 1}));
}

TEST(Losses, ConfigsOfBothGenerationsMakeTheLossAndComeBack) {
  const auto parsed = [](const char* text) { return Config::parse(text); };
  const Loss loss = losses::deserialize(
      parsed(R"({"module": "keras.losses", "class_name": "CategoricalCrossentropy", "config": {"name": "cce",
                 "reduction": "sum", "from_logits": true, "label_smoothing": 0.25, "axis": -1},
                 "registered_name": null})"));
  EXPECT_EQ(loss.name(), "cce");
  EXPECT_EQ(loss.function().reduction(), Reduction::sum);
  EXPECT_EQ(
      loss.serialize(k3).dump(),
      R"({"module":"keras.losses","class_name":"CategoricalCrossentropy","config":{"name":"cce",)"
      R"("reduction":"sum","from_logits":true,"label_smoothing":0.25,"axis":-1},"registered_name":null})");
  const Loss old = losses::deserialize(
      parsed(
          R"({"class_name": "Huber", "config": {"reduction": "auto", "name": "huber_loss", "delta": 2.0}})"),
      k2);
  EXPECT_EQ(old.function().generation(), k2);
  EXPECT_EQ(old.serialize(k2).dump(),
            R"({"module":"keras.losses","class_name":"Huber",)"
            R"("config":{"reduction":"auto","name":"huber_loss","delta":2.0},"registered_name":null})");
  EXPECT_EQ(losses::deserialize("mse").serialize(), "mse");
  EXPECT_EQ(losses::deserialize(parsed(R"({"class_name": "SparseCategoricalCrossentropy",
                                           "config": {"ignore_class": 255}})"))
                .serialize()["config"]["ignore_class"],
            255);
  EXPECT_FALSE(losses::deserialize(nullptr).is_defined());
  EXPECT_THROW(losses::deserialize(parsed(R"({"class_name": "Nonsense", "config": {}})")), ValueError);
  EXPECT_THROW(losses::deserialize(parsed(R"({"class_name": "Huber", "config": {"deltaa": 1}})")),
               ValueError);
  EXPECT_THROW(losses::deserialize(parsed(R"({"class_name": "Huber", "config": {"delta": "x"}})")),
               ValueError);
  EXPECT_THROW(losses::deserialize(parsed("3")), ValueError);
}

TEST(Losses, SecondDerivativesAreRefusedInsteadOfZero) {
  const Tensor p = Tensor::of({{1, 2}}).watched();
  const RecordGradients recording;
  const Tensor loss = Loss("mse")(Tensor::of({{0, 0}}), p);
  const Tensor gradient = gradients(loss, Tensors{p})[0];
  EXPECT_EQ(to_vector(gradient), (Values{1, 2}));
  EXPECT_THROW(gradients(gradient, Tensors{p}), StateError);
}

TEST(Losses, CrossentropyIsChosenByTheShapes) {
  const Loss loss("crossentropy");
  const Tensor p = Tensor::of({{.1, .2, .7}, {.8, .1, .1}});
  EXPECT_EQ(loss(Tensor::of({2, 0}), p).item(),
            Loss("sparse_categorical_crossentropy")(Tensor::of({2, 0}), p).item());
  const Tensor one_hot = Tensor::of({{0, 0, 1}, {1, 0, 0}});
  EXPECT_EQ(loss(one_hot, p).item(), Loss("categorical_crossentropy")(one_hot, p).item());
  EXPECT_EQ(loss(Tensor::of({1}), column({.25})).item(), Loss("bce")(Tensor::of({1}), column({.25})).item());
}

TEST(Losses, ACallableIsALoss) {
  const Loss loss([](const Tensor& y, const Tensor& p) { return Loss("mae").values(y, p); }, "mine");
  EXPECT_EQ(loss.name(), "mine");
  EXPECT_FLOAT_EQ(loss(column({1, 2}), column({3, 5})).item(), 2.5);
  EXPECT_THROW(loss.serialize(), ValueError);
}

TEST(Losses, ParallelRowsGiveTheSameBits) {
  Values many(20000 * 10);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = std::sin(static_cast<double>(i) * 0.7) * 5;
  const Tensor z = tensor(many, {20000, 10}, DType::float32).watched();
  Tensor labels = Tensor::empty({20000}, DType::int32);
  const auto out = labels.mutable_values<std::int32_t>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int32_t>(i * 7 % 10);
  const int before = num_threads();
  std::vector<Values> results;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Tensor loss;
    {
      const RecordGradients recording;
      loss = Loss(losses::SparseCategoricalCrossentropy{.from_logits = true})(labels, z);
    }
    Values result = to_vector(gradients(loss, Tensors{z})[0]);
    result.push_back(loss.item());
    results.push_back(std::move(result));
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Losses, OptionsStandInKerasOrder) {
  // Designated initialisers compile only in the order of declaration: here all of them, as Keras 3.15 lists
  // them.
  const losses::BinaryFocalCrossentropy focal{.apply_class_balancing = true,
                                              .alpha = 0.5,
                                              .gamma = 1,
                                              .from_logits = true,
                                              .label_smoothing = 0.1,
                                              .axis = -1,
                                              .reduction = Reduction::sum,
                                              .name = "f"};
  const losses::SparseCategoricalCrossentropy sparse{
      .from_logits = true, .ignore_class = 1, .reduction = Reduction::sum, .axis = -1, .name = "s"};
  const losses::CategoricalCrossentropy categorical{
      .from_logits = true, .label_smoothing = 0.1, .axis = -1, .reduction = Reduction::sum, .name = "c"};
  const losses::Huber huber{.delta = 2, .reduction = Reduction::sum, .name = "h"};
  EXPECT_EQ(focal.name + sparse.name + categorical.name + huber.name, "fsch");
}

}  // namespace
}  // namespace keratin
