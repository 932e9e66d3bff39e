// The comparison itself: right where check.py is right, and red where a value is moved.
#include "tools/golden/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "keratin/core/error.h"
#include "tools/golden/golden_set.h"

namespace keratin::golden {
namespace {

using testing::HasSubstr;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string problem(const Config& rule, const io::NamedTensors& expected, const Tensor& y) {
  return compare(rule, expected, y).problem;
}

Tensor doubles(std::initializer_list<double> values) { return Tensor::of(values, DType::float64); }

TEST(GoldenCompare, TolArrayHoldsEachElementToItsOwnTolerance) {
  const Config rule = {{"mode", "tol_array"}, {"expect", "t"}, {"tol", "tol"}, {"check", "c"}, {"alt", "k"}};
  const io::NamedTensors d = {{"t", doubles({1, 2, kNan, kInfinity, 5, 0})},
                              {"tol", doubles({0.1, 0, 0, 0, 0.1, 0.1})},
                              {"c", Tensor::of({1, 1, 1, 1, 2, 0}, DType::uint8)},
                              {"k", doubles({9, 9, 9, 9, 7, 9})}};
  EXPECT_EQ(problem(rule, d, doubles({1.05, 2, kNan, kInfinity, 5.05, 123})), "");
  EXPECT_EQ(problem(rule, d, doubles({1, 2, kNan, kInfinity, 7.05, kNan})), "") << "check 2 may follow Keras";
  EXPECT_THAT(problem(rule, d, doubles({1.11, 2, kNan, kInfinity, 5, 0})),
              HasSubstr("1 of 6 elements out of tolerance; first at 0"));
  EXPECT_THAT(problem(rule, d, doubles({1, 2.000001, kNan, kInfinity, 5, 0})), HasSubstr("first at 1"));
  EXPECT_THAT(problem(rule, d, doubles({1, 2, 0, kInfinity, 5, 0})), HasSubstr("first at 2"));
  EXPECT_THAT(problem(rule, d, doubles({1, 2, kNan, -kInfinity, 5, 0})), HasSubstr("first at 3"));
  EXPECT_THAT(problem(rule, d, doubles({1, 2, kNan, kInfinity, 6, 0})), HasSubstr("first at 4"));
  EXPECT_THAT(problem(rule, d, doubles({9, 2, kNan, kInfinity, 5, 0})), HasSubstr("first at 0"))
      << "check 1 may not";
  EXPECT_THAT(problem(rule, d, doubles({kNan, 2, kNan, kInfinity, 5, 0})), HasSubstr("first at 0"));
  EXPECT_THAT(problem(rule, d, doubles({1, 2})), HasSubstr("shape (2,), expected (6,)"));
  EXPECT_NEAR(compare(rule, d, doubles({1.05, 2, kNan, kInfinity, 5.01, 0})).worst, 0.5, 1e-12);
}

TEST(GoldenCompare, AllcloseIsStricterForFloat64) {
  const Config rule = {{"mode", "allclose"}, {"expect", "e"},  {"rtol", 0.01},
                       {"atol", 0.1},        {"rtol64", 1e-6}, {"atol64", 0.0}};
  const io::NamedTensors d = {{"e", doubles({10, 0, kNan, -kInfinity})}};
  EXPECT_EQ(problem(rule, d, doubles({10.15, -0.09, kNan, -kInfinity}).astype(DType::float32)), "");
  EXPECT_THAT(problem(rule, d, doubles({10.25, 0, kNan, -kInfinity}).astype(DType::float32)),
              HasSubstr("first at 0"));
  EXPECT_THAT(problem(rule, d, doubles({10, -0.11, kNan, -kInfinity}).astype(DType::float32)),
              HasSubstr("first at 1"));
  EXPECT_THAT(problem(rule, d, doubles({10.15, 0, kNan, -kInfinity})), HasSubstr("first at 0"));
  EXPECT_EQ(problem(rule, d, doubles({10.000005, 0, kNan, -kInfinity})), "");
  EXPECT_THAT(problem(rule, d, doubles({10, 0, 0, -kInfinity})), HasSubstr("first at 2"));
  EXPECT_THAT(problem(rule, d, doubles({10, 0, kNan, kInfinity})), HasSubstr("first at 3"));
}

TEST(GoldenCompare, AnAlternativeIsTakenAsAWholeOnly) {
  const Config rule = {{"mode", "allclose"}, {"expect", "e"}, {"alt", "a"}, {"rtol", 0.0}, {"atol", 0.1}};
  const io::NamedTensors d = {{"e", doubles({1, 1, 1})}, {"a", doubles({2, 2, 2})}};
  EXPECT_EQ(problem(rule, d, doubles({1, 1, 1})), "");
  EXPECT_EQ(problem(rule, d, doubles({2, 2, 2})), "");
  EXPECT_THAT(problem(rule, d, doubles({1, 2, 2})), HasSubstr("1 of 3"));
}

TEST(GoldenCompare, Bits16CountsUlpsAndRoundings) {
  const Config rule = {{"mode", "bits16"}, {"format", "float16"}, {"max_ulp", 1}, {"max_not_correct", 0.25}};
  const io::NamedTensors d = {{"", Tensor::of({0x3C00, 0x0000, 0x7E00, 0x7C00}, DType::int32)}};
  const auto of = [](std::initializer_list<double> bits) { return Tensor::of(bits, DType::int32); };
  EXPECT_EQ(problem(rule, d, of({0x3C00, 0, 0x7E00, 0x7C00})), "");
  EXPECT_EQ(problem(rule, d, of({0x3C01, 0x8000, 0xFFFF, 0x7C00})), "") << "either zero, any NaN";
  EXPECT_THAT(problem(rule, d, of({0x3C02, 0, 0x7E00, 0x7C00})), HasSubstr("input bits 0x0000: got 0x3c02"));
  EXPECT_THAT(problem(rule, d, of({0x3C01, 1, 0x7E00, 0x7C00})),
              HasSubstr("2 of 4 inputs not correctly rounded"));
  EXPECT_THAT(problem(rule, d, of({0x3C00, 0, 0x3C00, 0x7C00})), HasSubstr("input bits 0x0002"));
  EXPECT_THAT(problem(rule, d, of({0x3C00, 0, 0x7E00, 0x7C01})), HasSubstr("input bits 0x0003"))
      << "NaN is not infinity";
}

TEST(GoldenCompare, ExactIsExact) {
  const Config rule = {{"mode", "exact"}, {"expect", "e"}};
  const io::NamedTensors d = {{"e", Tensor::of({1, 2}, DType::int32)}};
  EXPECT_EQ(problem(rule, d, Tensor::of({1, 2}, DType::int32)), "");
  EXPECT_THAT(problem(rule, d, Tensor::of({1, 3}, DType::int32)), HasSubstr("first at 1"));
  EXPECT_THROW(problem({{"mode", "roughly"}}, d, Tensor()), ValueError);
}

TEST(GoldenCompare, RefusalsNeedAMessage) {
  EXPECT_EQ(compare_refusal("refused", {{"status", "error"}, {"message", "a clear one"}}), "");
  EXPECT_EQ(compare_refusal("error", {{"status", "error"}, {"message", "  no \n"}}),
            "refused without a message");
  EXPECT_THAT(compare_refusal("loaded", {{"status", "error"}, {"message", "a clear one"}}),
              HasSubstr("refused a valid file"));
  EXPECT_THAT(compare_refusal("refused", {{"status", "loaded"}}), HasSubstr("must be refused"));
  EXPECT_EQ(compare_refusal("refused_or_loaded", {{"status", "loaded"}}), "");
  EXPECT_THAT(compare_refusal("refused", {{"status", "crash"}}), HasSubstr("crash"));
}

// What Keras itself returned stands beside the truth, and the manifest says where it is outside the
// tolerance: the comparison has to come to the same verdict on each.
TEST(GoldenCompare, JudgesKerasAsTheManifestDoes) {
  const GoldenSet set(KERATIN_SOURCE_DIR "/tests/golden");
  int right = 0, wrong = 0;
  for (const Config& golden_case : set.cases()) {
    const std::string kind = text_of(golden_case, "kind");
    if (kind != "activation" && kind != "activation_vjp" && kind != "activation_shape" && kind != "layer" &&
        kind != "training")
      continue;
    const io::NamedTensors arrays = set.arrays(golden_case);
    for (const auto& [output, rule] : golden_case.at("outputs").items()) {
      const bool by_element = rule.at("mode") == "tol_array";
      const std::string truth = rule.at("expect").get<std::string>();
      const std::string keras = by_element ? rule.at("alt").get<std::string>() : rule.value("keras", truth);
      const bool within =
          !golden_case.contains("keras_within") || golden_case["keras_within"].at(output).get<bool>();
      const Comparison comparison = compare(rule, arrays, arrays[keras]);
      EXPECT_EQ(comparison.passed(), within)
          << text_of(golden_case, "id") << " " << output << ": " << comparison.problem;
      ++(within ? right : wrong);
    }
  }
  EXPECT_GT(right, 2500);
  EXPECT_GT(wrong, 50);
}

// One element moved by one and a half times what is allowed turns every case red.
TEST(GoldenCompare, AMovedElementTurnsEveryCaseRed) {
  const GoldenSet set(KERATIN_SOURCE_DIR "/tests/golden");
  int moved = 0;
  for (const Config& golden_case : set.cases()) {
    const std::string kind = text_of(golden_case, "kind");
    if (kind != "activation" && kind != "layer" && kind != "training") continue;
    const io::NamedTensors arrays = set.arrays(golden_case);
    for (const auto& [output, rule] : golden_case.at("outputs").items()) {
      const bool by_element = rule.at("mode") == "tol_array";
      const Tensor& truth = arrays[rule.at("expect").get<std::string>()];
      Tensor y = truth.astype(DType::float64);
      ASSERT_EQ(problem(rule, arrays, y), "") << text_of(golden_case, "id");
      const auto values = y.mutable_values<double>();
      std::vector<std::size_t> candidates;
      const Tensor check = by_element ? arrays[rule.at("check").get<std::string>()] : Tensor();
      for (std::size_t i = 0; i < values.size(); ++i)
        if (std::isfinite(values[i]) && (!by_element || check.values<std::uint8_t>()[i] == 1))
          candidates.push_back(i);
      if (candidates.empty()) continue;
      const std::size_t i = candidates[candidates.size() / 2];
      const double allowed =
          by_element
              ? arrays[rule.at("tol").get<std::string>()].astype(DType::float64).values<double>()[i]
              : rule.at("atol64").get<double>() + rule.at("rtol64").get<double>() * std::abs(values[i]);
      values[i] += allowed > 0 ? 1.5 * allowed : std::max(1e-300, std::abs(values[i]) * 1e-9);
      EXPECT_NE(problem(rule, arrays, y), "")
          << text_of(golden_case, "id") << " " << output << " element " << i;
      ++moved;
    }
  }
  EXPECT_GT(moved, 1500);
}

TEST(GoldenSetFile, WhatIsMissingOrDamagedIsNamed) {
  EXPECT_THROW(GoldenSet("/nonexistent"), IoError);
  const GoldenSet set(KERATIN_SOURCE_DIR "/tests/golden");
  EXPECT_THROW(static_cast<void>(set.bytes("activations/absent.npz")), IoError);
  EXPECT_THROW(static_cast<void>(set.bytes("absent/absent.npz")), IoError);
}

}  // namespace
}  // namespace keratin::golden
