// The golden data: what Keras and mpmath give, case by case, against what the library gives.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>

#include "tools/golden/compare.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

const GoldenSet& golden_set() {
  static const GoldenSet set(KERATIN_SOURCE_DIR "/tests/golden");
  return set;
}

// One kind of one system. `cases` is how many of the set's the library runs: a case that it stops running is
// a failure, not a case less.
struct Group {
  const char *kind, *api;
  DType precision;
  int cases;
};

std::string name_of(const Group& group) {
  const std::string name = fmt::format("{}_{}", group.kind, group.api);
  return find_kind(group.kind)->has_own_precision
             ? name
             : fmt::format("{}_{}", name, keratin::name(group.precision));
}

void PrintTo(const Group& group, std::ostream* stream) { *stream << name_of(group); }

class Golden : public testing::TestWithParam<Group> {};

struct Worst {
  double share = 0;
  std::string where = "none";
};

void check_case(const Config& golden_case, DType precision, Worst& worst) {
  const std::string id = text_of(golden_case, "id");
  const io::NamedTensors arrays = golden_set().arrays(golden_case);
  const io::NamedTensors results =
      find_kind(text_of(golden_case, "kind"))->run(golden_case, arrays, precision);
  EXPECT_GT(golden_case.at("outputs").size(), 0u) << id;
  for (const auto& [output, rule] : golden_case.at("outputs").items()) {
    if (!results.contains(output)) {
      ADD_FAILURE() << id << " gave no " << output;
      continue;
    }
    const Comparison comparison = compare(rule, arrays, results[output]);
    EXPECT_TRUE(comparison.passed()) << id << " " << output << ": " << comparison.problem;
    if (comparison.worst > worst.share)
      worst = {comparison.worst, fmt::format("{} {} at {}", id, output, comparison.worst_at)};
  }
}

// Cases whose expectation, Keras's own rerun in float64, went through float32 on its way: TensorFlow takes
// the slope of leaky_relu as float32, interpolates images in it and has kernels of float32 alone, JAX attends
// in it; a Bidirectional of Keras 2 in float64 holds layers of float32; Keras's Adam (and AdamW, which is
// one) takes the powers of its betas as (0.999f)^t, 6e-6 off the first update.
bool is_float32_inside(const Config& golden_case) {
  if (golden_case.at("kind") == "training") {
    const std::string optimizer = text_of(golden_case.at("optimizer"), "class_name");
    return optimizer == "Adam" || optimizer == "AdamW";
  }
  const bool is_mixed =
      golden_case.at("api") == "keras2" && golden_case.at("layer").at("class_name") == "Bidirectional";
  return is_mixed || golden_case.contains("no_float64") ||
         golden_case.at("id") == "layers/keras3/LeakyReLU/v0" ||
         golden_case.at("id") == "layers/keras3/UpSampling2D/bilinear" ||
         golden_case.at("id") == "layers/keras3/GroupQueryAttention/gqa";
}

TEST_P(Golden, EveryCaseIsWithinItsTolerance) {
  const Group& group = GetParam();
  int cases = 0;
  Worst worst;
  for (const Config& golden_case : golden_set().cases()) {
    if (text_of(golden_case, "kind") != group.kind || golden_case.at("api") != group.api) continue;
    if (!is_supported(golden_case)) continue;
    if (group.precision == DType::float64 && is_float32_inside(golden_case)) continue;
    ++cases;
    try {
      check_case(golden_case, group.precision, worst);
    } catch (const std::exception& error) {
      ADD_FAILURE() << text_of(golden_case, "id") << " threw: " << error.what();
    }
  }
  EXPECT_EQ(cases, group.cases);
  // The set tolerates 2 % of inputs 1 ULP off; this library rounds all of them correctly.
  if (group.kind == std::string("activation_all16")) {
    EXPECT_EQ(worst.share, 0);
  }
  std::printf("%s", fmt::format("{}: {} cases, worst {:.3f} of its tolerance: {}\n", name_of(group), cases,
                                worst.share, worst.where)
                        .c_str());
}

// Layers and training run twice: in float32 against Keras's own float32 differences, and in float64, where
// only rounding is allowed (rtol64, atol64). Activations run in the dtype that the case names.
INSTANTIATE_TEST_SUITE_P(All, Golden,
                         testing::Values(Group{"activation", "keras2", DType::float32, 74},
                                         Group{"activation", "keras3", DType::float32, 120},
                                         Group{"activation_all16", "keras3", DType::float32, 18},
                                         Group{"activation_vjp", "keras2", DType::float32, 83},
                                         Group{"activation_vjp", "keras3", DType::float32, 155},
                                         Group{"activation_shape", "keras2", DType::float32, 42},
                                         Group{"activation_shape", "keras3", DType::float32, 48},
                                         Group{"layer", "keras2", DType::float32, 222},
                                         Group{"layer", "keras2", DType::float64, 206},
                                         Group{"layer", "keras3", DType::float32, 261},
                                         Group{"layer", "keras3", DType::float64, 252},
                                         Group{"training", "keras2", DType::float32, 79},
                                         Group{"training", "keras2", DType::float64, 58},
                                         Group{"training", "keras3", DType::float32, 83},
                                         Group{"training", "keras3", DType::float64, 61},
                                         Group{"training", "keras2_legacy", DType::float32, 8},
                                         Group{"training", "keras2_legacy", DType::float64, 7}),
                         [](const auto& info) { return name_of(info.param); });

// The counts above, from the manifest alone: all activations, layers and trainings.
TEST(GoldenSet, EveryCaseOfWhatTheLibraryHasIsSupported) {
  int layers = 0, trainings = 0, activations = 0;
  for (const Config& golden_case : golden_set().cases()) {
    const std::string kind = text_of(golden_case, "kind");
    const bool is_activation = kind == "activation" || kind == "activation_all16" ||
                               kind == "activation_vjp" || kind == "activation_shape";
    activations += is_activation;
    layers += kind == "layer";
    trainings += kind == "training";
    if (is_activation || kind == "layer" || kind == "training") {
      EXPECT_TRUE(is_supported(golden_case)) << text_of(golden_case, "id");
    }
  }
  EXPECT_EQ(activations, 194 + 18 + 238 + 90);
  EXPECT_EQ(layers, 483);
  EXPECT_EQ(trainings, 170);
}

TEST(GoldenSet, WhatTheLibraryHasNotIsNotSupported) {
  int others = 0;
  for (const Config& golden_case : golden_set().cases()) {
    const std::string kind = text_of(golden_case, "kind");
    if (kind == "model" || kind == "malicious" || kind == "error" || kind == "dataset") {
      EXPECT_FALSE(is_supported(golden_case)) << text_of(golden_case, "id");
      ++others;
    }
  }
  EXPECT_GT(others, 700);
}

}  // namespace
}  // namespace keratin::golden
