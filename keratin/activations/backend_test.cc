#include "keratin/activations/backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "keratin/activations/builtin.h"
#include "keratin/activations/functions.h"
#include "keratin/activations/get.h"
#include "keratin/activations/parse.h"
#include "keratin/core/error.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

namespace K = backend;

static_assert(std::is_same_v<decltype(K::tanh(1.0f)), float>);
static_assert(std::is_same_v<decltype(K::tanh(1.0)), double>);
static_assert(std::is_same_v<decltype(K::tanh(1)), double>);
static_assert(std::is_same_v<decltype(K::exp(Expr::input())), Expr>);
static_assert(std::is_same_v<decltype(K::exp(Tensor())), Tensor>);

Tensor ramp() {
  std::vector<float> values;
  for (int i = -500; i < 500; ++i) values.push_back(0.0173f * static_cast<float>(i));
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const auto one = a.values<float>(), other = b.values<float>();
  return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size_bytes()) == 0;
}

TEST(Backend, EveryActivationIsTheBuiltInItself) {
  const Tensor x = ramp();
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(fn, Struct)                                                     \
  {                                                                                        \
    const ActivationFn f = K::fn;                                                          \
    EXPECT_EQ(f.name(), #fn);                                                              \
    EXPECT_TRUE(same_bits(K::fn(x), f(x))) << #fn;                                         \
    EXPECT_TRUE(same_bits(f(x), activations::fn(x))) << #fn;                               \
    EXPECT_TRUE(same_bits(f(x), ActivationFn([](auto v) { return K::fn(v); })(x))) << #fn; \
    const float one = K::fn(0.75f);                                                        \
    EXPECT_EQ(one, static_cast<float>(f(Tensor::of({0.75})).item())) << #fn;               \
    EXPECT_EQ(K::fn(0.75), f(Tensor::of({0.75}, DType::float64)).item()) << #fn;           \
  }
#include "keratin/activations/definitions/list.inc"
}

TEST(Backend, ComparisonsOfExpressionsAreConditionsAndOfNumbersBools) {
  static_assert(std::is_same_v<decltype(K::greater(Expr::input(), 0)), BoolExpr>);
  static_assert(std::is_same_v<decltype(K::less(1, 2.5)), bool>);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    BoolExpr (*condition)(const Expr&);
    bool below, same, above, is_nan;  // at x = 0, 1, 2, NaN
  };
  const Row rows[] = {
      {[](const Expr& x) { return K::equal(x, 1); }, false, true, false, false},
      {[](const Expr& x) { return K::not_equal(x, 1); }, true, false, true, true},
      {[](const Expr& x) { return K::greater(x, 1); }, false, false, true, false},
      {[](const Expr& x) { return K::greater_equal(x, 1); }, false, true, true, false},
      {[](const Expr& x) { return K::less(x, 1); }, true, false, false, false},
      {[](const Expr& x) { return K::less_equal(1, x); }, false, true, true, false},
      {[](const Expr& x) { return K::logical_and(K::less(0, x), K::less(x, 2)); }, false, true, false, false},
      {[](const Expr& x) { return K::logical_or(K::less(x, 1), K::equal(x, 2)); }, true, false, true, false},
      {[](const Expr& x) { return K::logical_not(K::less(x, 1)); }, false, true, true, true},
  };
  for (const Row& row : rows) {
    const Expr chosen = K::switch_(row.condition(Expr::input()), Expr(1), Expr(0));
    EXPECT_EQ(chosen.evaluate(0), row.below) << chosen.to_string();
    EXPECT_EQ(chosen.evaluate(1), row.same) << chosen.to_string();
    EXPECT_EQ(chosen.evaluate(2), row.above) << chosen.to_string();
    EXPECT_EQ(chosen.evaluate(nan), row.is_nan) << chosen.to_string();
  }
  EXPECT_TRUE(K::greater_equal(2, 2));
  EXPECT_FALSE(K::logical_and(K::less(1, 2), K::equal(1, 2)));
}

TEST(Backend, IdentityZerosAndOnesKeepShapeAndType) {
  EXPECT_EQ(K::ones_like(Tensor::of({3.0, 4.0}, DType::float64)).dtype(), DType::float64);
  EXPECT_EQ(K::zeros_like(Tensor::of({3.0, 4.0})).values<float>()[1], 0);
  EXPECT_EQ(K::identity(2.5), 2.5);
  EXPECT_EQ((Expr::input() * K::ones_like(Expr::input())).to_string(), "x");
}

TEST(Backend, ActivationsSerialiseByTheirName) {
  EXPECT_EQ(activations::serialize(K::tanh), "tanh");
  EXPECT_EQ(activations::serialize(K::swish), "silu");
  EXPECT_EQ(activations::serialize(K::exp), "exponential");
  EXPECT_EQ(activations::serialize(K::softmax, Generation::keras2), "softmax");
}

TEST(Backend, ParametersGoByNameOrInOrder) {
  EXPECT_EQ(K::elu(-800.0, 0.5), -0.5);
  EXPECT_EQ(K::elu(-800.0, {.alpha = 0.5}), -0.5);
  EXPECT_EQ(K::relu(-2.0, 0.5, activations::kNone, 0.0), -1);
  EXPECT_EQ(K::relu(9.0, {.max_value = 6}), 6);
  EXPECT_EQ(K::gelu(1.0, true),
            ActivationFn(activations::Gelu{.approximate = true})(Tensor::of({1}, DType::float64)).item());
  EXPECT_EQ(K::hard_sigmoid(1, 3), 4.0 / 6);
}

TEST(Backend, FunctionsComputeTheirFormulaOnNumbersTensorsAndInLambdas) {
  struct Row {
    ActivationFn function;
    Tensor (*tensor)(const Tensor&);
    double (*number)(double);
    double (*exact)(double);
  };
#define KERATIN_ROW(fn, formula)                                                        \
  Row {                                                                                 \
    K::fn, [](const Tensor& x) { return K::fn(x); }, [](double v) { return K::fn(v); }, \
        [](double v) -> double { return formula; }                                      \
  }
  const Row rows[] = {
      KERATIN_ROW(abs, std::fabs(v)),
      KERATIN_ROW(negative, -v),
      KERATIN_ROW(square, v * v),
      KERATIN_ROW(sqrt, std::sqrt(v)),
      KERATIN_ROW(rsqrt, 1 / std::sqrt(v)),
      KERATIN_ROW(reciprocal, 1 / v),
      KERATIN_ROW(exp, std::exp(v)),
      KERATIN_ROW(expm1, std::expm1(v)),
      KERATIN_ROW(log, std::log(v)),
      KERATIN_ROW(log1p, std::log1p(v)),
      KERATIN_ROW(sin, std::sin(v)),
      KERATIN_ROW(cos, std::cos(v)),
      KERATIN_ROW(tan, std::tan(v)),
      KERATIN_ROW(sinh, std::sinh(v)),
      KERATIN_ROW(cosh, std::cosh(v)),
      KERATIN_ROW(atan, std::atan(v)),
      KERATIN_ROW(erf, std::erf(v)),
      KERATIN_ROW(erfc, std::erfc(v)),
      KERATIN_ROW(sign, (v > 0) - (v < 0)),
      KERATIN_ROW(floor, std::floor(v)),
      KERATIN_ROW(round, std::nearbyint(v)),
  };
#undef KERATIN_ROW
  for (const Row& row : rows) {
    for (const double v : {0.3, 1.0, 2.5, 7.75}) {
      const double expected = row.exact(v);
      // Each of the two is within 3 ulp.
      const double tolerance = 6 * 0x1p-53 * std::fabs(expected);
      EXPECT_NEAR(row.number(v), expected, tolerance) << row.function.name() << " " << v;
      const Tensor x = Tensor::of({v}, DType::float64);
      EXPECT_EQ(row.tensor(x).item(), row.number(v));
      EXPECT_EQ(row.function(x).item(), row.number(v));
    }
  }
}

TEST(Backend, TensorsAreRecorded) {
  const RecordGradients recording;
  const Tensor x = Tensor::of({-1, 2, 9}, DType::float64).watched(),
               ones = Tensor::of({1, 1, 1}, DType::float64);
  EXPECT_EQ(K::square(x).node()->backward(ones)[0].at({2}), 18);
  EXPECT_EQ(K::pow(x, 3).node()->backward(ones)[0].at({1}), 12);
  EXPECT_EQ(K::clip(x, 0, 5).node()->backward(ones)[0].at({0}), 0);
  EXPECT_EQ(K::clip(x, 0, 5).at({2}), 5);
  EXPECT_EQ(K::maximum(x, 0.5).node()->backward(ones)[0].at({1}), 1);
  EXPECT_EQ(K::minimum(1, x).at({2}), 1);
}

// testdata/keras2_backend.txt lists the functions of keras.backend in Keras 2, by its own dir().
TEST(Backend, HasEveryElementwiseFunctionOfKeras2) {
  const std::map<std::string, const char*> calls = {
      {"abs", "x"},          {"clip", "x, -1, 1"},  {"cos", "x"},           {"elu", "x, 0.5"},
      {"equal", "x, 1"},     {"exp", "x"},          {"greater", "x, 1"},    {"greater_equal", "x, 1"},
      {"hard_sigmoid", "x"}, {"less", "x, 1"},      {"log", "x"},           {"less_equal", "x, 1"},
      {"maximum", "x, 1"},   {"minimum", "x, 1"},   {"not_equal", "x, 1"},  {"ones_like", "x"},
      {"pow", "x, 3"},       {"relu", "x, 0.1, 6"}, {"round", "x"},         {"sigmoid", "x"},
      {"sign", "x"},         {"sin", "x"},          {"softplus", "x"},      {"softsign", "x"},
      {"sqrt", "x"},         {"square", "x"},       {"stop_gradient", "x"}, {"switch", "x > 0, x, 1"},
      {"tanh", "x"},         {"zeros_like", "x"},
  };
  // Of arrays, shapes, sessions, variables, random numbers: what looks at more than one element, or at none.
  const std::set<std::string> others = {"all",
                                        "any",
                                        "arange",
                                        "argmax",
                                        "argmin",
                                        "backend",
                                        "batch_dot",
                                        "batch_flatten",
                                        "batch_get_value",
                                        "batch_normalization",
                                        "batch_set_value",
                                        "bias_add",
                                        "binary_crossentropy",
                                        "binary_focal_crossentropy",
                                        "cast",
                                        "cast_to_floatx",
                                        "categorical_crossentropy",
                                        "categorical_focal_crossentropy",
                                        "clear_session",
                                        "concatenate",
                                        "constant",
                                        "conv1d",
                                        "conv2d",
                                        "conv2d_transpose",
                                        "conv3d",
                                        "count_params",
                                        "ctc_batch_cost",
                                        "ctc_decode",
                                        "ctc_label_dense_to_sparse",
                                        "cumprod",
                                        "cumsum",
                                        "depthwise_conv2d",
                                        "dot",
                                        "dropout",
                                        "dtype",
                                        "epsilon",
                                        "eval",
                                        "expand_dims",
                                        "eye",
                                        "flatten",
                                        "floatx",
                                        "foldl",
                                        "foldr",
                                        "function",
                                        "gather",
                                        "get_uid",
                                        "get_value",
                                        "gradients",
                                        "image_data_format",
                                        "in_test_phase",
                                        "in_top_k",
                                        "in_train_phase",
                                        "int_shape",
                                        "is_keras_tensor",
                                        "is_sparse",
                                        "l2_normalize",
                                        "learning_phase",
                                        "learning_phase_scope",
                                        "local_conv1d",
                                        "local_conv2d",
                                        "manual_variable_initialization",
                                        "map_fn",
                                        "max",
                                        "mean",
                                        "min",
                                        "moving_average_update",
                                        "name_scope",
                                        "ndim",
                                        "normalize_batch_in_training",
                                        "one_hot",
                                        "ones",
                                        "permute_dimensions",
                                        "placeholder",
                                        "pool2d",
                                        "pool3d",
                                        "print_tensor",
                                        "prod",
                                        "random_bernoulli",
                                        "random_binomial",
                                        "random_normal",
                                        "random_normal_variable",
                                        "random_uniform",
                                        "random_uniform_variable",
                                        "repeat",
                                        "repeat_elements",
                                        "reset_uids",
                                        "reshape",
                                        "resize_images",
                                        "resize_volumes",
                                        "reverse",
                                        "rnn",
                                        "separable_conv2d",
                                        "set_epsilon",
                                        "set_floatx",
                                        "set_image_data_format",
                                        "set_learning_phase",
                                        "set_value",
                                        "shape",
                                        "softmax",
                                        "sparse_categorical_crossentropy",
                                        "spatial_2d_padding",
                                        "spatial_3d_padding",
                                        "squeeze",
                                        "stack",
                                        "std",
                                        "sum",
                                        "temporal_padding",
                                        "tile",
                                        "to_dense",
                                        "transpose",
                                        "truncated_normal",
                                        "update",
                                        "update_add",
                                        "update_sub",
                                        "var",
                                        "variable",
                                        "zeros"};
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/activations/testdata/keras2_backend.txt");
  std::size_t found = 0;
  for (std::string name; std::getline(file, name);) {
    const auto call = calls.find(name);
    if (call == calls.end()) {
      EXPECT_TRUE(others.contains(name)) << name << " is neither element-wise here nor known to be none";
      continue;
    }
    ++found;
    const bool is_condition =
        name.find("equal") != std::string::npos || name.starts_with("less") || name.starts_with("greater");
    const std::string formula = "K." + name + "(" + call->second + ")";
    EXPECT_NO_THROW(activations::parse(is_condition ? "where(" + formula + ", x, 0)" : formula)) << formula;
  }
  EXPECT_EQ(found, calls.size());
}

TEST(Backend, StopGradientLeavesNumbersAlone) {
  EXPECT_EQ(K::stop_gradient(2.5), 2.5);
  const RecordGradients recording;
  const Tensor x = Tensor::of({1, 2}).watched();
  EXPECT_EQ(K::stop_gradient(x).node(), nullptr);
  EXPECT_EQ(K::stop_gradient(x).at({1}), 2);
}

TEST(Backend, NumbersChooseByWhereToo) {
  const auto f = [](auto v) { return K::where(v > 0, v, 0.1 * v); };
  EXPECT_EQ(f(3.0), 3);
  EXPECT_EQ(f(-3.0), 0.1 * -3.0);
  EXPECT_EQ(K::maximum(2, 3), 3);
  EXPECT_EQ(K::pow(2.0, 10), 1024);
}

TEST(Backend, MistakesSayWhatIsWrong) {
  EXPECT_THROW(K::clip(Expr::input(), 2, 1), ValueError);
  EXPECT_THROW(K::softmax(Tensor::of({1, 2})), ValueError);
  EXPECT_THROW(K::tanh(Tensor::zeros({2}, DType::int32)), TypeError);
}

}  // namespace
}  // namespace keratin
