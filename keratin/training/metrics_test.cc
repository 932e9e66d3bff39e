#include "keratin/training/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/training/history.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Values to_vector(const Tensor& a) {
  const Tensor wide = a.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}
// Shape (n, 1).
Tensor column(std::initializer_list<double> values) { return Tensor::of(values).expand_dims(1); }

const Tensor kScores = Tensor::of({{.1, .2, .7}, {.8, .1, .1}, {.3, .4, .3}, {.5, .5, 0}});

TEST(Metrics, AccuracyIsChosenByTheShapesAlone) {
  const Metric accuracy("accuracy");
  // Binary where the last axis has size 1, with a strict threshold.
  EXPECT_EQ(to_vector(accuracy.values(column({1, 0, 1, 0}), column({.6, .5, .5, .7}))), (Values{1, 1, 0, 0}));
  EXPECT_EQ(to_vector(accuracy.values(Tensor::of({1, 0}), column({.6, .7}))), (Values{1, 0}));
  // Sparse where labels have fewer axes, or a last one of size 1.
  EXPECT_EQ(to_vector(accuracy.values(Tensor::of({2, 1, 1, 0}, DType::int32), kScores)),
            (Values{1, 0, 1, 1}));
  EXPECT_EQ(to_vector(accuracy.values(column({2, 1, 1, 1}), kScores)), (Values{1, 0, 1, 0}));
  // Categorical otherwise: the first of equals on both sides.
  const Tensor one_hot = Tensor::of({{0, 0, 1}, {0, 1, 0}, {0, 1, 0}, {0, 1, 0}});
  EXPECT_EQ(to_vector(accuracy.values(one_hot, kScores)), (Values{1, 0, 1, 0}));
  EXPECT_EQ(accuracy.name(), "accuracy");
  EXPECT_EQ(Metric("acc").name(), "acc");
}

TEST(Metrics, NamedOnesDoWhatTheirNamesSay) {
  const Tensor bits = Tensor::of({{1, 0, 1, 0}}), p = Tensor::of({{.6, .5, .5, .7}});
  EXPECT_EQ(to_vector(Metric("binary_accuracy").values(bits, p)), (Values{.5}));
  EXPECT_EQ(to_vector(Metric(metrics::BinaryAccuracy{.threshold = 0.65}).values(bits, p)), (Values{.25}));
  EXPECT_EQ(to_vector(Metric("Accuracy").values(Tensor::of({{1, 2, 3, 4}}), Tensor::of({{1, 2, 0, 4}}))),
            (Values{.75}));
  EXPECT_EQ(to_vector(Metric("mse").values(Tensor::of({{1, 2}}), Tensor::of({{3, 5}}))), (Values{6.5}));
  EXPECT_EQ(Metric("mse").name(), "mse");
  EXPECT_EQ(Metric(losses::MeanSquaredError{}).name(), "mean_squared_error");
  EXPECT_EQ(Metric(metrics::SparseCategoricalAccuracy{.name = "hits"}).name(), "hits");
  EXPECT_EQ(Metric([](const Tensor& y, const Tensor&) { return y; }, "mine").name(), "mine");
}

TEST(Metrics, MistakesAreNamed) {
  EXPECT_THROW(Metric("acuracy"), ValueError);
  EXPECT_THROW(Metric("accuracy").values(Tensor::of({{1, 0}}), Tensor::of({{1, 0, 1}})), ShapeError);
  EXPECT_THROW(Metric("sparse_categorical_accuracy").values(Tensor::of({3, 0, 0, 0}), kScores), ValueError);
}

TEST(Metrics, MeansAreWeightedOverAllBatches) {
  RunningMean mean;
  EXPECT_EQ(mean.value(), 0);
  mean.add(Tensor::of({1, 2, 3}));
  EXPECT_EQ(mean.value(), 2);
  mean.add(Tensor::of({10, 20}), Tensor::of({0, 3}));
  EXPECT_EQ(mean.value(), 66.0 / 6);
  RunningMean other;
  other.add(Tensor::of({4}), column({6}));
  mean.add(other);
  EXPECT_EQ(mean.value(), 90.0 / 12);
}

TEST(Metrics, ReportsKeepOrderAndFindNames) {
  Metrics report;
  report.set("loss", 0.5);
  report.set("accuracy", 0.25);
  report.set("loss", 1e-4);
  EXPECT_EQ(report.to_string(), "loss: 1.0000e-04 - accuracy: 0.2500");
  EXPECT_EQ(report.loss(), 1e-4);
  EXPECT_THROW(report["los"], ValueError);
  report.sort();
  EXPECT_EQ(report.begin()->first, "accuracy");
  History history;
  history.append(0, report);
  history.append(2, report);
  EXPECT_EQ(history.epoch, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(history["accuracy"], (Values{0.25, 0.25}));
  EXPECT_EQ(history.keys(), (std::vector<std::string>{"accuracy", "loss"}));
  EXPECT_THROW(history["acuracy"], ValueError);
}

}  // namespace
}  // namespace keratin
