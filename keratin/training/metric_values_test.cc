// Every metric against Keras: the values that Keras 3.15.1 gives for two batches, without and with weights.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/training/metrics.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Tensor rows(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size()) / 3, 3});
}
Tensor vector(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

const Tensor kShares = rows({.1, .7, .2, .8, .15, .05, .3, .4, .3, .5, .5, 0, .25, .25, .5});
const Tensor kOneHot = rows({0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1});
const Tensor kBits = rows({0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0});
const Tensor kParts = rows({.25, .75, .5, .125, .375, 1, 0, .5, .875, .6, .2, .9, .4, .55, .1});
const Tensor kReals = rows({.5, -1.25, 2, 0, 3, -.75, 1.5, .25, -2, 1, 2, 3.5, -1, 0, .5});
const Tensor kRealsGuessed = rows({.25, -1, 4.5, 0, 2.5, 1.25, -1, .25, .5, 1.5, 2, 3, -.5, .25, .75});
const Tensor kNumbers = Tensor::from(Values{1, 2, 3, 4, 5, 6, 7, 8, 9, 0}, {5, 2});
const Tensor kNumbersGuessed = Tensor::from(Values{1, 2, 3, 0, 5, 6, 0, 0, 9, 1}, {5, 2});
const Tensor kIds = rows({1, 2, 0, 0, 1, 2, 1, 0, 2, 2, 0, 1, 2, 1, 0});
const Tensor kClasses = vector({1, 1, 0, 1, 2}), kClassesGuessed = vector({1, 0, 0, 2, 2});
const Tensor kBit = kBits.select(1, 0), kPart = kParts.select(1, 0);
const Tensor kWeights = vector({1, .5, 2, 0, 3});

struct Case {
  const char* name;
  Metric metric;
  Tensor y_true, y_pred;
  Values expected, weighted;
};

std::vector<Case> cases() {
  using namespace metrics;
  return {
      {"Accuracy", Accuracy{}, kNumbers, kNumbersGuessed, {0.6}, {0.7307692307692307}},
      {"BinaryAccuracy .4",
       BinaryAccuracy{.threshold = 0.4},
       kBits,
       kParts,
       {0.7333333432674408},
       {0.8717948794364929}},
      {"CategoricalAccuracy", CategoricalAccuracy{}, kOneHot, kShares, {0.4}, {0.6153846153846154}},
      {"SparseCategoricalAccuracy",
       SparseCategoricalAccuracy{},
       kClasses,
       kShares,
       {0.4},
       {0.6153846153846154}},
      {"TopK 2", TopKCategoricalAccuracy{.k = 2}, kOneHot, kShares, {1.0}, {1.0}},
      {"SparseTopK 2", SparseTopKCategoricalAccuracy{.k = 2}, kClasses, kShares, {1.0}, {1.0}},
      {"SparseTopK ids 2",
       SparseTopKCategoricalAccuracy{.k = 2, .from_sorted_ids = true},
       kClasses,
       kIds,
       {0.8},
       {1.0}},
      {"Cosine", CosineSimilarity{}, kReals, kRealsGuessed, {0.5335466565637429}, {0.3274021236654399}},
      {"Pearson", PearsonCorrelation{}, kReals, kRealsGuessed, {0.5654976844787598}, {0.3975926500100356}},
      {"Concordance",
       ConcordanceCorrelation{},
       kReals,
       kRealsGuessed,
       {0.4890600323677063},
       {0.3486017355552086}},
      {"RMSE", RootMeanSquaredError{}, kReals, kRealsGuessed, {1.2649110958744374}, {1.332531849363111}},
      {"TruePositives", TruePositives{}, kBits, kParts, {5.0}, {6.5}},
      {"TruePositives thresholds .7 .2",
       TruePositives{.thresholds = {{0.7, 0.2}}},
       kBits,
       kParts,
       {3.0, 6.0},
       {3.5, 7.5}},
      {"TrueNegatives", TrueNegatives{}, kBits, kParts, {6.0}, {11.5}},
      {"TrueNegatives thresholds .7 .2",
       TrueNegatives{.thresholds = {{0.7, 0.2}}},
       kBits,
       kParts,
       {6.0, 2.0},
       {11.5, 5.0}},
      {"FalsePositives", FalsePositives{}, kBits, kParts, {1.0}, {0.0}},
      {"FalsePositives thresholds .7 .2",
       FalsePositives{.thresholds = {{0.7, 0.2}}},
       kBits,
       kParts,
       {1.0, 5.0},
       {0.0, 6.5}},
      {"FalseNegatives", FalseNegatives{}, kBits, kParts, {3.0}, {1.5}},
      {"FalseNegatives thresholds .7 .2",
       FalseNegatives{.thresholds = {{0.7, 0.2}}},
       kBits,
       kParts,
       {5.0, 2.0},
       {4.5, 0.5}},
      {"Precision", Precision{}, kBits, kParts, {0.8333333333333334}, {1.0}},
      {"Precision t",
       Precision{.thresholds = {{0.7, 0.2}}},
       kBits,
       kParts,
       {0.75, 0.5454545454545454},
       {1.0, 0.5357142857142857}},
      {"Precision topk 2", Precision{.top_k = 2}, kBits, kParts, {0.6}, {0.5769230769230769}},
      {"Precision class 1 t.3",
       Precision{.thresholds = {{0.3}}, .class_id = 1},
       kBits,
       kParts,
       {0.5},
       {0.6153846153846154}},
      {"Precision topk2 class2", Precision{.top_k = 2, .class_id = 2}, kBits, kParts, {0.75}, {1.0}},
      {"Recall", Recall{}, kBits, kParts, {0.625}, {0.8125}},
      {"Recall t", Recall{.thresholds = {{0.7, 0.2}}}, kBits, kParts, {0.375, 0.75}, {0.4375, 0.9375}},
      {"Recall topk 2", Recall{.top_k = 2}, kBits, kParts, {0.75}, {0.9375}},
      {"Recall class 1 t.3",
       Recall{.thresholds = {{0.3}}, .class_id = 1},
       kBits,
       kParts,
       {0.6666666666666666},
       {1.0}},
      {"SensAtSpec .6", SensitivityAtSpecificity{.specificity = 0.6}, kBits, kParts, {0.75}, {0.9375}},
      {"SpecAtSens .6 11",
       SpecificityAtSensitivity{.sensitivity = 0.6, .num_thresholds = 11},
       kBits,
       kParts,
       {0.8571428571428571},
       {1.0}},
      {"PrecAtRec .5", PrecisionAtRecall{.recall = 0.5}, kBits, kParts, {0.8333333333333334}, {1.0}},
      {"RecAtPrec .6", RecallAtPrecision{.precision = 0.6}, kBits, kParts, {1.0}, {0.9375}},
      {"SensAtSpec .6 1",
       SensitivityAtSpecificity{.specificity = 0.6, .num_thresholds = 1},
       kBits,
       kParts,
       {0.625},
       {0.8125}},
      {"RecAtPrec .7 class 2",
       RecallAtPrecision{.precision = 0.7, .class_id = 2},
       kBits,
       kParts,
       {1.0},
       {1.0}},
      {"AUC", AUC{}, kBits, kParts, {0.7232142857142858}, {0.9538043478260869}},
      {"AUC ROC interpolation 7",
       AUC{.num_thresholds = 7, .curve = "ROC", .summation_method = "interpolation"},
       kBits,
       kParts,
       {0.6964285714285715},
       {0.9211956521739131}},
      {"AUC ROC minoring 7",
       AUC{.num_thresholds = 7, .curve = "ROC", .summation_method = "minoring"},
       kBits,
       kParts,
       {0.625},
       {0.8777173913043478}},
      {"AUC ROC majoring 7",
       AUC{.num_thresholds = 7, .curve = "ROC", .summation_method = "majoring"},
       kBits,
       kParts,
       {0.7678571428571429},
       {0.9646739130434783}},
      {"AUC PR interpolation 7",
       AUC{.num_thresholds = 7, .curve = "PR", .summation_method = "interpolation"},
       kBits,
       kParts,
       {0.6855995295766438},
       {0.9341745412343228}},
      {"AUC PR minoring 7",
       AUC{.num_thresholds = 7, .curve = "PR", .summation_method = "minoring"},
       kBits,
       kParts,
       {0.48541666666666666},
       {0.5977564102564102}},
      {"AUC PR majoring 7",
       AUC{.num_thresholds = 7, .curve = "PR", .summation_method = "majoring"},
       kBits,
       kParts,
       {0.7208333333333333},
       {0.9709821428571428}},
      {"AUC PRGAIN interpolation 7",
       AUC{.num_thresholds = 7, .curve = "PRGAIN", .summation_method = "interpolation"},
       kBits,
       kParts,
       {0.4332361516034986},
       {0.9337126977202591}},
      {"AUC PRGAIN minoring 7",
       AUC{.num_thresholds = 7, .curve = "PRGAIN", .summation_method = "minoring"},
       kBits,
       kParts,
       {0.3071035216807812},
       {0.8953859079378929}},
      {"AUC PRGAIN majoring 7",
       AUC{.num_thresholds = 7, .curve = "PRGAIN", .summation_method = "majoring"},
       kBits,
       kParts,
       {0.5593687815262159},
       {0.9720394875026255}},
      {"AUC thr", AUC{.thresholds = {{0.3, 0.6}}}, kBits, kParts, {0.6428571428571429}, {0.8342391304347827}},
      {"AUC ml", AUC{.multi_label = true}, kBits, kParts, {0.6666666865348816}, {0.7777778506278992}},
      {"AUC ml w",
       AUC{.multi_label = true, .label_weights = {{0.5, 1, 2}}},
       kBits,
       kParts,
       {0.6666666666666666},
       {0.9047619047619049}},
      {"AUC lw",
       AUC{.label_weights = {{0.5, 1, 2}}},
       kBits,
       kParts,
       {0.7133333333333333},
       {0.9758454106280192}},
      {"AUC logits", AUC{.from_logits = true}, kBits, kRealsGuessed, {0.5625}, {0.6086956521739131}},
      {"IoU",
       IoU{.num_classes = 3, .target_class_ids = {0, 2}},
       kClasses,
       kClassesGuessed,
       {0.5},
       {0.8999999761581421}},
      {"MeanIoU",
       MeanIoU{.num_classes = 4},
       kClasses,
       kClassesGuessed,
       {0.4444444477558136},
       {0.8222222328186035}},
      {"MeanIoU ignore",
       MeanIoU{.num_classes = 3, .ignore_class = 1},
       kClasses,
       kClassesGuessed,
       {0.9999998807907104},
       {1.0}},
      {"BinaryIoU .4", BinaryIoU{.threshold = 0.4}, kBit, kPart, {0.4166666865348816}, {0.23076923191547394}},
      {"OneHotIoU",
       OneHotIoU{.num_classes = 3, .target_class_ids = {1}},
       kOneHot,
       kShares,
       {0.2499999701976776},
       {0.2857142686843872}},
      {"OneHotMeanIoU",
       OneHotMeanIoU{.num_classes = 3},
       kOneHot,
       kShares,
       {0.4166666269302368},
       {0.4285714328289032}},
      {"MeanIoU dense pred",
       MeanIoU{.num_classes = 3, .sparse_y_pred = false},
       kClasses,
       kShares,
       {0.4166666269302368},
       {0.4285714328289032}},
      {"FBeta None",
       FBetaScore{.beta = 2, .threshold = 0.4},
       kBits,
       kParts,
       {0.5555555123456806, 0.6666666244444458, 0.9374999472656266},
       {0.0, 0.9090908636363649, 0.9999999514285727}},
      {"F1 None",
       F1Score{},
       kBits,
       kParts,
       {0.0, 0.7999999200000041, 0.6666665944444489},
       {0.0, 0.9999999250000032, 0.833333256944448}},
      {"FBeta micro",
       FBetaScore{.average = "micro", .beta = 2, .threshold = 0.4},
       kBits,
       kParts,
       {0.75},
       {0.9036144018173218}},
      {"F1 micro", F1Score{.average = "micro"}, kBits, kParts, {0.615384578704834}, {0.8965516686439514}},
      {"FBeta macro",
       FBetaScore{.average = "macro", .beta = 2, .threshold = 0.4},
       kBits,
       kParts,
       {0.7199074029922485},
       {0.6363636255264282}},
      {"F1 macro", F1Score{.average = "macro"}, kBits, kParts, {0.48888882994651794}, {0.6111111044883728}},
      {"FBeta weighted",
       FBetaScore{.average = "weighted", .beta = 2, .threshold = 0.4},
       kBits,
       kParts,
       {0.7404513332220556},
       {0.8920453994176156}},
      {"F1 weighted",
       F1Score{.average = "weighted"},
       kBits,
       kParts,
       {0.5499999360416706},
       {0.864583251605907}},
      {"R2 None",
       R2Score{.class_aggregation = std::nullopt},
       kReals,
       kRealsGuessed,
       {-0.8412162162162162, 0.9671772428884027, 0.11279683377308702},
       {-0.7263092269326683, 0.9385342789598109, -0.6213700670141475}},
      {"R2 uniform_average",
       R2Score{.class_aggregation = "uniform_average"},
       kReals,
       kRealsGuessed,
       {0.0795859694480896},
       {-0.13638168573379517}},
      {"R2 variance_weighted_average",
       R2Score{.class_aggregation = "variance_weighted_average"},
       kReals,
       kRealsGuessed,
       {0.2956713132795304},
       {-0.2955567548120166}},
      {"R2 reg 2",
       R2Score{.num_regressors = 2},
       kReals,
       kRealsGuessed,
       {-0.07381636897722887},
       {-0.32577863335609436}},
  };
}

Values results(const Metric& metric) {
  const Tensor result = metric.results().contiguous();
  const auto values = result.values<double>();
  return {values.begin(), values.end()};
}

TEST(MetricValues, AreKerasOwnOverTwoBatches) {
  for (Case& c : cases()) {
    for (const bool weighted : {false, true}) {
      c.metric.reset_state();
      for (const auto& [begin, end] : {std::pair{0, 3}, {3, 5}})
        c.metric.update_state(c.y_true.slice(0, begin, end), c.y_pred.slice(0, begin, end),
                              weighted ? kWeights.slice(0, begin, end) : Tensor());
      const Values got = results(c.metric), &expected = weighted ? c.weighted : c.expected;
      ASSERT_EQ(got.size(), expected.size()) << c.name;
      // Keras rounds some of its sums and quotients to float32.
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], expected[i], 3 * 0x1p-24 * std::max(1.0, std::abs(expected[i])))
            << c.name << (weighted ? ", weighted" : "") << ", result " << i;
    }
  }
}

TEST(MetricValues, AreTheSameInFloat32) {
  for (Case& c : cases()) {
    c.metric.update_state(c.y_true.astype(DType::float32), c.y_pred.astype(DType::float32),
                          kWeights.astype(DType::float32));
    const Values got = results(c.metric);
    // Data of a few bits: only the roundings of values such as 0.7 and of float32 losses.
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], c.weighted[i], 2e-6 * std::max(1.0, std::abs(c.weighted[i]))) << c.name;
  }
}

TEST(MetricValues, PartsThatWereCollectedApartAddUp) {
  for (const Case& c : cases()) {
    const auto& body = *c.metric.shared_body();
    const auto first = body.start(), second = body.start();
    first->update(c.y_true.slice(0, 0, 3), c.y_pred.slice(0, 0, 3), kWeights.slice(0, 0, 3));
    second->update(c.y_true.slice(0, 3, 5), c.y_pred.slice(0, 3, 5), kWeights.slice(0, 3, 5));
    first->merge(*second);
    first->merge(*body.start());  // one that saw nothing
    const Tensor result = first->result().contiguous();
    const auto got = result.values<double>();
    ASSERT_EQ(got.size(), c.weighted.size()) << c.name;
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], c.weighted[i], 3 * 0x1p-24 * std::max(1.0, std::abs(c.weighted[i]))) << c.name;
  }
}

TEST(MetricConfigs, ComeBackTheSame) {
  for (const Case& c : cases()) {
    const Config config = c.metric.serialize();
    EXPECT_EQ(config["module"], "keras.metrics") << c.name;
    EXPECT_EQ(metrics::deserialize(config).serialize(), config) << c.name;
  }
  // As Keras 3.15.1 writes it, names and dtype aside.
  EXPECT_EQ(Metric(metrics::AUC{}).serialize().dump(),
            R"({"module":"keras.metrics","class_name":"AUC","config":{"name":"auc","dtype":"float32",)"
            R"("num_thresholds":200,"curve":"ROC","summation_method":"interpolation","multi_label":false,)"
            R"("num_labels":null,"label_weights":null,"from_logits":false},"registered_name":null})");
  EXPECT_EQ(Metric(metrics::F1Score{}).serialize()["config"].dump(),
            R"({"name":"f1_score","dtype":"float32","average":null,"threshold":null})");
  EXPECT_EQ(Metric("LogCoshError").serialize()["class_name"], "LogCoshError");
  EXPECT_EQ(
      metrics::deserialize(Config::parse(R"({"class_name": "Precision", "config": {"thresholds": 0.25}})"))
          .serialize()["config"]["thresholds"],
      Config::parse("[0.25]"));
}

// tf_keras 2.21.0.
TEST(MeanRelativeError, DividesByItsNormalizerAsInKeras2) {
  Metric metric = metrics::MeanRelativeError{.normalizer = {1, 3, 2, 3}};
  metric.update_state(Tensor::of({1, 3, 2, 3}), Tensor::of({2, 4, 6, 8}));
  EXPECT_NEAR(metric.result(), 1.25, 1e-7);
  Metric weighted = metrics::MeanRelativeError{.normalizer = {1, 0, 4}};
  weighted.update_state(Tensor::of({{1, 2, 3}, {4, 5, 6}}), Tensor::of({{2, 2.5, 5}, {4, 1, 0}}),
                        Tensor::of({1, 3}));
  EXPECT_EQ(weighted.result(), 0.5);
  EXPECT_EQ(Metric(metrics::MeanRelativeError{.normalizer = {1, 2}}).serialize()["config"].dump(),
            R"({"name":"mean_relative_error","dtype":"float32","normalizer":[1.0,2.0]})");
  EXPECT_THROW(metrics::get("MeanRelativeError"), ValueError);
  EXPECT_THROW(Metric(metrics::MeanRelativeError{.normalizer = {1, 2}}).values(kBits, kBits), ShapeError);
}

// tf_keras 2.21.0's MeanTensor.
TEST(RunningMeanTensor, IsAMeanElementByElement) {
  const auto near = [](const Tensor& a, const std::vector<double>& expected) {
    const auto values = a.values<double>();
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-6);
  };
  RunningMeanTensor mean;
  EXPECT_THROW(mean.value(), StateError);
  mean.add(Tensor::of({0, 1, 2, 3}), Tensor::of({1, 0.2, 0.5, 0}));
  mean.add(Tensor::of({4, 5, 6, 7}), Tensor::of({0.5, 1, 1, 0}));
  near(mean.value(), {1.3333333730697632, 4.3333330154418945, 4.666666507720947, 0});
  EXPECT_THROW(mean.add(Tensor::of({1, 2})), ShapeError);
  mean.reset();
  mean.add(Tensor::of({{1, 2}, {3, 4}, {5, 6}}), Tensor::of({1, 2, 3}));
  mean.add(Tensor::of({{2, 2}, {3, 5}, {5, 7}}));
  near(mean.value(), {1.5, 2, 3, 4.333333492279053, 5, 6.25});
}

TEST(MetricNames, AreKerasClassesAndTheirSnakeCase) {
  for (const char* name :
       {"AUC", "auc", "Precision", "recall", "true_positives", "RootMeanSquaredError",
        "root_mean_squared_error", "top_k_categorical_accuracy", "f1_score", "R2Score", "cosine_similarity",
        "log_cosh_error", "LogCoshError", "mse", "KLDivergence", "categorical_hinge", "binary_crossentropy"})
    EXPECT_EQ(Metric(name).name(), name);
  // The metric, not the loss: the same direction is 1.
  Metric cosine("cosine_similarity");
  cosine.update_state(kReals, kReals);
  EXPECT_NEAR(cosine.result(), 1, 1e-15);
}

TEST(MetricMistakes, AreNamed) {
  using namespace metrics;
  EXPECT_THROW(Metric(AUC{.curve = "RCO"}), ValueError);
  EXPECT_THROW(Metric(AUC{.summation_method = "max"}), ValueError);
  EXPECT_THROW(Metric(AUC{.num_labels = 3}), ValueError);
  EXPECT_THROW(Metric(Precision{.thresholds = {{1.5}}}), ValueError);
  EXPECT_THROW(Metric(Precision{.top_k = 0}), ValueError);
  EXPECT_THROW(Metric(SensitivityAtSpecificity{.specificity = 2}), ValueError);
  EXPECT_THROW(Metric(IoU{.num_classes = 2, .target_class_ids = {2}}), ValueError);
  EXPECT_THROW(Metric(F1Score{.average = "mean"}), ValueError);
  EXPECT_THROW(Metric(R2Score{.class_aggregation = "mean"}), ValueError);
  EXPECT_THROW(metrics::deserialize(Config::parse(R"({"class_name": "AUC", "config": {"thresholdz": 3}})")),
               ValueError);
  Metric precision{Precision{.class_id = 7}};
  EXPECT_THROW(precision.update_state(kBits, kParts), ValueError);
  EXPECT_THROW(precision.update_state(kBits, kParts.slice(1, 0, 2)), ShapeError);
  EXPECT_THROW(Metric("auc").values(kBits, kParts), StateError);
  Metric several{Precision{.thresholds = {{0.2, 0.7}}}};
  several.update_state(kBits, kParts);
  EXPECT_THROW(several.result(), ShapeError);
}

}  // namespace
}  // namespace keratin
