#include "keratin/activations/registry.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "keratin/activations/functions.h"

namespace keratin::activations {
namespace {

TEST(Registry, HoldsEveryElementwiseFunctionOfKeras) {
  // keras.activations of Keras 2 and 3 but softmax, log_softmax, glu and sparsemax, which work on rows.
  for (const char* name :
       {"linear",       "relu",        "leaky_relu",     "relu6",      "elu",         "selu",
        "celu",         "gelu",        "silu",           "swish",      "hard_silu",   "hard_swish",
        "mish",         "softplus",    "softsign",       "squareplus", "sparse_plus", "sigmoid",
        "hard_sigmoid", "log_sigmoid", "sparse_sigmoid", "tanh",       "hard_tanh",   "tanh_shrink",
        "soft_shrink",  "hard_shrink", "threshold",      "exponential"}) {
    EXPECT_NE(find(name), nullptr) << name;
  }
}

TEST(Registry, FindsByNameAndAliasLetterForLetter) {
  EXPECT_EQ(find("swish"), find("silu"));
  EXPECT_EQ(find("hard_swish"), find("hard_silu"));
  EXPECT_EQ(find("Gelu"), nullptr);
  EXPECT_EQ(find("swich"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST(Registry, NamesAreUniqueAndDescriptionsComplete) {
  std::set<std::string_view> names;
  for (const Function& f : functions()) {
    EXPECT_EQ(&f, &functions()[static_cast<std::size_t>(f.index)]);
    EXPECT_TRUE(names.insert(f.info->name).second) << f.info->name;
    for (const std::string_view alias : f.info->aliases) {
      EXPECT_TRUE(alias.empty() || names.insert(alias).second) << alias;
    }
    EXPECT_FALSE(f.info->formula.empty()) << f.info->name;
    EXPECT_FALSE(f.info->source.empty()) << f.info->name;
    EXPECT_LE(f.info->bounds.value_f32, 1) << f.info->name;
    EXPECT_LE(f.info->bounds.gradient_f32, 1) << f.info->name;
    EXPECT_LE(f.info->bounds.value_f64, 1) << f.info->name;
    EXPECT_LE(f.info->bounds.gradient_f64, 1) << f.info->name;
  }
}

TEST(Registry, DefaultsAreKerass) {
  // Keras 2's page for what is on it, Keras 3 otherwise; infinity is None.
  const double none = std::numeric_limits<double>::infinity();
  struct Row {
    const char* function;
    const char* parameter;
    double value;
  };
  const Row rows[] = {{"relu", "alpha", 0},
                      {"relu", "max_value", none},
                      {"relu", "threshold", 0},
                      {"relu", "as_keras", 0},
                      {"leaky_relu", "negative_slope", 0.2},
                      {"elu", "alpha", 1},
                      {"celu", "alpha", 1},
                      {"gelu", "approximate", 0},
                      {"squareplus", "b", 4},
                      {"hard_sigmoid", "limit", 2.5},
                      {"soft_shrink", "threshold", 0.5},
                      {"hard_shrink", "threshold", 0.5}};
  for (const Row& row : rows) {
    const Function& f = *find(row.function);
    bool found = false;
    for (const Parameter& p : f.parameters) {
      if (p.name != row.parameter) continue;
      found = true;
      EXPECT_EQ(p.default_value, row.value) << row.function << " " << row.parameter;
      EXPECT_EQ(p.get(f.defaults), row.value) << row.function << " " << row.parameter;
    }
    EXPECT_TRUE(found) << row.function << " " << row.parameter;
  }
}

TEST(Registry, ParametersAreReadAndWrittenByDescription) {
  for (const Function& f : functions()) {
    ASSERT_LE(f.parameters_size, kMaxParametersSize);
    alignas(std::max_align_t) std::byte bytes[kMaxParametersSize];
    std::memcpy(bytes, f.defaults, f.parameters_size);
    double next = 1;
    for (const Parameter& p : f.parameters) {
      p.set(bytes, p.kind == ParameterKind::flag ? 1 : next++);
    }
    next = 1;
    for (const Parameter& p : f.parameters) {
      EXPECT_EQ(p.get(bytes), p.kind == ParameterKind::flag ? 1 : next++) << f.info->name << " " << p.name;
    }
  }
  Relu relu;
  find("relu")->parameters[1].set(&relu, 6);
  EXPECT_EQ(relu.max_value, 6);
}

TEST(Registry, ParametersHaveBothGenerationsNames) {
  const Parameter& slope = find("relu")->parameters[0];
  EXPECT_EQ(slope.keras2, "alpha");
  EXPECT_EQ(slope.keras3, "negative_slope");
  EXPECT_EQ(find("leaky_relu")->parameters[0].keras2, "alpha");
  EXPECT_TRUE(find("threshold")->parameters[0].required);
  // What a file cannot state: the generation decides.
  EXPECT_TRUE(find("hard_sigmoid")->parameters[0].keras3.empty());
}

TEST(Registry, ScalarsAreComputedWithTheirParameters) {
  const Elu elu{.alpha = 0.5};
  EXPECT_EQ(function<Elu>().value(&elu, -std::numeric_limits<double>::infinity()), -0.5);
  EXPECT_EQ(function<Elu>().derivative(&elu, 0), 0.5);
  EXPECT_EQ(function<Elu>().derivative(&elu, 3), 1);
}

TEST(Registry, ParametersAreRoundedToF32InF32) {
  // 0.3 is no f32: Keras casts it to x's type.
  const LeakyRelu f{.negative_slope = 0.3};
  const float x = -1;
  float y = 0;
  leaky_relu(std::span(&x, 1), std::span(&y, 1), f);
  EXPECT_EQ(y, -0.3F);
  const double wide = -1;
  double z = 0;
  leaky_relu(std::span(&wide, 1), std::span(&z, 1), f);
  EXPECT_EQ(z, -0.3);
}

}  // namespace
}  // namespace keratin::activations
