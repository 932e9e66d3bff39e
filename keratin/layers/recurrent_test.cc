// Recurrent layers, their cells and wrappers: gradients, states, masks, mistakes. Values come from the golden
// data.
#include "keratin/layers/recurrent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/layers/attention.h"
#include "keratin/layers/cell.h"
#include "keratin/layers/conv_lstm.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/einsum_dense.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/prelu.h"
#include "keratin/layers/wrappers.h"

namespace keratin {
namespace {

using keratin::testing::expect_gradients_match;
using keratin::testing::values_away_from;
using ::testing::HasSubstr;

constexpr DType kF64 = DType::float64;
const Initializer kNormal = initializers::RandomNormal{.stddev = 0.5, .seed = 4};

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

Tensor some_mask() {
  Tensor mask = Tensor::full({2, 4}, 1, DType::boolean);
  for (const std::size_t i : {0, 3, 6}) mask.mutable_values<bool>()[i] = false;
  return mask;
}

TEST(Recurrent, GradientsMatchCentralDifferences) {
  const Tensor x = values_away_from({2, 4, 3}, {});
  expect_gradients_match("SimpleRNN",
                         [] {
                           return SimpleRNN(3, {.kernel_initializer = kNormal,
                                                .recurrent_initializer = kNormal,
                                                .return_sequences = true,
                                                .dtype = kF64});
                         },
                         x, {.mask = some_mask()});
  expect_gradients_match(
      "LSTM with states",
      [] {
        return LSTM(3, {.kernel_initializer = kNormal,
                        .recurrent_initializer = kNormal,
                        .return_state = true,
                        .go_backwards = true,
                        .dtype = kF64});
      },
      x);
  for (const bool reset_after : {true, false}) {
    expect_gradients_match(
        "GRU",
        [=] {
          return GRU(3, {.kernel_initializer = kNormal,
                         .recurrent_initializer = kNormal,
                         .return_sequences = true,
                         .reset_after = reset_after,
                         .dtype = kF64});
        },
        x);
  }
  expect_gradients_match(
      "Bidirectional",
      [] {
        return Bidirectional(GRU(2, {.kernel_initializer = kNormal,
                                     .recurrent_initializer = kNormal,
                                     .return_sequences = true,
                                     .dtype = kF64}),
                             {.merge_mode = "mul", .dtype = kF64});
      },
      x);
  expect_gradients_match(
      "StackedRNNCells",
      [] {
        const SimpleRNNOptions options{
            .kernel_initializer = kNormal, .recurrent_initializer = kNormal, .dtype = kF64};
        return RNN(StackedRNNCells({SimpleRNNCell(3, options), SimpleRNNCell(2, options)}), {.dtype = kF64});
      },
      x);
  expect_gradients_match(
      "TimeDistributed",
      [] {
        return TimeDistributed(Dense(2, {.activation = "tanh", .kernel_initializer = kNormal, .dtype = kF64}),
                               {.dtype = kF64});
      },
      x);
  expect_gradients_match(
      "ConvLSTM2D",
      [] {
        return ConvLSTM2D(2, 2,
                          {.kernel_initializer = kNormal, .recurrent_initializer = kNormal, .dtype = kF64});
      },
      values_away_from({1, 2, 3, 3, 2}, {}));
}

// Outputs, gradients, and gradients of a function of gradients, of a layer with a mask or without.
std::vector<std::vector<double>> all_orders(const Layer& layer, const Tensor& x, const Tensor& mask) {
  Tensors targets = {x.watched()};
  std::vector<std::vector<double>> all;
  const RecordGradients on;
  for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
  Tensor total;
  for (const Tensor& y : layer.call({targets[0]}, {.mask = mask})) {
    all.push_back(values_of(y));
    const Tensor part = ops::sum(y * y * values_away_from(y.shape(), {}, 5));
    total = total.is_defined() ? total + part : part;
  }
  const Tensors first = gradients(total, targets);
  Tensor penalty;
  for (const Tensor& gradient : first) {
    all.push_back(values_of(gradient));
    const Tensor part = ops::sum(gradient * gradient);
    penalty = penalty.is_defined() ? penalty + part : part;
  }
  for (const Tensor& gradient : gradients(penalty, targets)) all.push_back(values_of(gradient));
  // Not recorded, they come from kernels instead of ops.
  const RecordGradients off(false);
  for (const Tensor& gradient : gradients(total, targets)) all.push_back(values_of(gradient));
  return all;
}

TEST(Recurrent, AllStepsAtOnceGiveWhatStepAfterStepGives) {
  // A mask has the steps run one after the other.
  const Tensor x = values_away_from({35, 4, 3}, {}), mask = Tensor::full({35, 4}, 1, DType::boolean);
  const auto check = [&]<class L, class Options>(L, Options options, const std::string& name) {
    options.kernel_initializer = options.recurrent_initializer = options.bias_initializer = kNormal;
    options.activation = "gelu";
    options.return_sequences = options.return_state = true;
    options.dtype = kF64;
    for (const bool backwards : {false, true}) {
      options.go_backwards = backwards;
      const L layer(3, options);
      layer.build(x.shape());
      const auto whole = all_orders(layer, x, {}), steps = all_orders(layer, x, mask);
      ASSERT_EQ(whole.size(), steps.size());
      for (std::size_t i = 0; i < whole.size(); ++i)
        EXPECT_THAT(whole[i], ::testing::Pointwise(::testing::DoubleNear(1e-9), steps[i]))
            << name << (backwards ? ", backwards" : "") << ", values " << i;
    }
  };
  check(SimpleRNN(1), SimpleRNNOptions{}, "SimpleRNN");
  check(LSTM(1), LSTMOptions{}, "LSTM");
  check(GRU(1), GRUOptions{}, "GRU");
}

TEST(Attention, GradientsMatchCentralDifferences) {
  const Tensors inputs = {values_away_from({2, 3, 4}, {}), values_away_from({2, 2, 4}, {}, 9)};
  expect_gradients_match(
      "Attention", [] { return Attention({.use_scale = true, .dtype = kF64}); }, inputs);
  expect_gradients_match(
      "Attention of sums", [] { return Attention({.score_mode = "concat", .dtype = kF64}); }, inputs);
  expect_gradients_match(
      "AdditiveAttention", [] { return AdditiveAttention({.dtype = kF64}); }, inputs);
  expect_gradients_match(
      "MultiHeadAttention",
      [] { return MultiHeadAttention(2, 3, {.value_dim = 2, .kernel_initializer = kNormal, .dtype = kF64}); },
      inputs, {.use_causal_mask = true});
  expect_gradients_match(
      "GroupQueryAttention",
      [] { return GroupQueryAttention(3, 4, 2, {.kernel_initializer = kNormal, .dtype = kF64}); }, inputs);
  expect_gradients_match(
      "EinsumDense",
      [] {
        return EinsumDense(
            "...x,xy->...y", {3},
            {.activation = "tanh", .bias_axes = "y", .kernel_initializer = kNormal, .dtype = kF64});
      },
      inputs[0]);
}

TEST(Recurrent, AStatefulLayerGoesOnWhereItEnded) {
  const Tensor x = values_away_from({2, 6, 3}, {}).astype(DType::float64);
  const LSTM whole(4, {.return_sequences = true, .dtype = DType::float64}),
      parts(4, {.return_sequences = true, .stateful = true, .dtype = DType::float64});
  whole.build(x.shape());
  parts.build(x.shape());
  parts.set_weights(whole.get_weights());
  const auto both = [&] {
    std::vector<double> values = values_of(parts(x.slice(1, 0, 2)));
    return std::pair(values, values_of(parts(x.slice(1, 2, 6))));
  };
  const auto [first, second] = both();
  const Tensor expected = whole(x);
  EXPECT_EQ(first, values_of(expected.slice(1, 0, 2)));
  EXPECT_EQ(second, values_of(expected.slice(1, 2, 6)));
  EXPECT_NE(both().first, first);
  parts.reset_states();
  EXPECT_EQ(both().first, first);
}

TEST(Recurrent, StatesMayBeGivenAndAreGivenBack) {
  const Tensor x = values_away_from({2, 6, 3}, {}).astype(DType::float64);
  const GRU layer(4, {.return_sequences = true, .return_state = true, .dtype = DType::float64});
  const Tensors whole = layer.call({x});
  ASSERT_EQ(whole.size(), 2U);
  const Tensors first = layer.call({x.slice(1, 0, 2)});
  const Tensors second = layer.call({x.slice(1, 2, 6), first[1]});
  EXPECT_EQ(values_of(second[0]), values_of(whole[0].slice(1, 2, 6)));
  EXPECT_EQ(values_of(second[1]), values_of(whole[1]));
}

TEST(Recurrent, ACellGivesOneStepOfItsLayer) {
  const Tensor x = values_away_from({2, 1, 3}, {}).astype(DType::float32);
  const LSTM layer(4);
  const LSTMCell cell(4);
  layer.build(x.shape());
  cell.build({2, 3});
  cell.set_weights(layer.get_weights());
  const Tensor zeros = Tensor::zeros({2, 4});
  EXPECT_EQ(values_of(cell.call({x.squeeze(1), zeros, zeros})[0]), values_of(layer(x)));
}

TEST(Recurrent, TheForgetGatesBiasStartsAtOne) {
  const LSTM layer(2);
  layer.build({1, 1, 3});
  EXPECT_EQ(values_of(layer.get_weights()[2]), (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 0}));
}

// A cell of one's own: the sum so far.
class SumBody final : public CellBody {
 public:
  std::string_view class_name() const override { return "SumCell"; }
  void build_list(const Shapes&) override {}
  Config config(Generation) const override { return Config::object(); }
  Shapes state_shapes(const Shape& step) const override { return {step}; }
  Tensors step(const Tensor& x, const Tensors& states, const StepNoise&, bool) const override {
    return {x + states[0], x + states[0]};
  }
};

TEST(Recurrent, ACellOfOnesOwnRuns) {
  const RNN layer(Layer(std::make_shared<SumBody>()), {.return_sequences = true});
  EXPECT_EQ(values_of(layer(Tensor::of({{1, 2, 3}}).reshape({1, 3, 1}))), (std::vector<double>{1, 3, 6}));
}

TEST(Recurrent, ACloneHasActivationsOfItsOwn) {
  const GRU layer(2, {.activation = PReLU({.alpha_initializer = "ones"}),
                      .recurrent_activation = PReLU({.alpha_initializer = "ones"})});
  layer.build({Shape::kUnknown, 3, 2});
  const Layer copy = layer.clone();
  Tensors zeros;
  for (const Variable& variable : copy.variables()) zeros.push_back(Tensor::zeros(variable.shape()));
  ASSERT_EQ(zeros.size(), 5U);
  copy.set_weights(zeros);
  for (std::size_t i = 3; i < 5; ++i) EXPECT_EQ(ops::sum(layer.get_weights()[i]).item(), 2) << i;
}

TEST(Recurrent, MasksTravel) {
  const Tensor x = values_away_from({2, 4, 3}, {}).astype(DType::float32), mask = some_mask();
  Tensors masks;
  const LSTM sequences(2, {.return_sequences = true}), last(2);
  sequences(x, {.mask = mask, .output_masks = &masks});
  EXPECT_EQ(values_of(masks[0]), values_of(mask));
  last(x, {.mask = mask, .output_masks = &masks});
  EXPECT_FALSE(masks[0].is_defined());
  // A step that does not count leaves everything as it was.
  const Tensor y = sequences(x, {.mask = mask});
  EXPECT_EQ(values_of(y.select(1, 3).slice(0, 0, 1)), values_of(y.select(1, 2).slice(0, 0, 1)));
}

// Calls that Keras refuses too (kind "error" of the golden data).
TEST(Recurrent, StatesAndMasksOfOtherShapesAreRefused) {
  const Tensor x = Tensor::zeros({2, 3, 4});
  const LSTM layer(3, {.name = "memory"}), stateful(3, {.stateful = true});
  EXPECT_THAT(message_of([&] {
                layer.call({x, Tensor::zeros({2, 5}), Tensor::zeros({2, 3})});
              }),
              HasSubstr("a state of shape (2, 3), received shape (2, 5)"));
  EXPECT_THAT(message_of([&] { layer(x, {.mask = Tensor::full({2}, 1, DType::boolean)}); }),
              HasSubstr("a mask of shape (2, 3), received shape (2,)"));
  stateful(x);
  EXPECT_THAT(message_of([&] { stateful(Tensor::zeros({3, 3, 4})); }), HasSubstr("reset_states()"));
  EXPECT_THROW(layer(Tensor::zeros({2, 3, 4, 5})), ShapeError);
  EXPECT_THROW(TimeDistributed(Dense(3))(Tensor::zeros({2, 3})), ShapeError);
  EXPECT_THROW(MultiHeadAttention(2, 3)(x), ShapeError);
  EXPECT_THROW(MultiHeadAttention(2, 3)({Tensor::zeros({2, 4}), Tensor::zeros({2, 4})}), ShapeError);
  EXPECT_THROW(EinsumDense("abc,cd->abd", {4})(x), ValueError);
  EXPECT_THROW(EinsumDense("ab,bc->ac", {4}, {.bias_axes = "z"})(Tensor::zeros({2, 3})), ValueError);
}

TEST(Recurrent, MistakesAreNamed) {
  EXPECT_THAT(message_of([] { LSTM(0); }), HasSubstr("units=0"));
  EXPECT_THAT(message_of([] { GRU(3, {.dropout = 1.5}); }), HasSubstr("1.5"));
  EXPECT_THAT(message_of([] {
                LSTM(3, {.name = "memory"})(Tensor::zeros({2, 3}));
              }),
              HasSubstr("\"memory\""));
  EXPECT_THROW(RNN(Dense(3)), TypeError);
  EXPECT_THROW(Bidirectional(Dense(3)), TypeError);
  EXPECT_THAT(message_of([] { Bidirectional(LSTM(3), {.merge_mode = "add"}); }),
              HasSubstr("merge_mode=\"add\""));
  const LSTM layer(3);
  const Tensor x = Tensor::zeros({2, 4, 3});
  EXPECT_THROW(layer.call({x, Tensor::zeros({2, 3})}), ShapeError);
  layer(x);
  EXPECT_THROW(layer(Tensor::zeros({2, 4, 5})), ShapeError);
  EXPECT_THROW(MultiHeadAttention(0, 3), ValueError);
  EXPECT_THROW(GroupQueryAttention(3, 3, 2), ValueError);
  EXPECT_THAT(GroupQueryAttention(3, 4, 2).name(), HasSubstr("grouped_query_attention"));
  EXPECT_THROW(EinsumDense("ab->b", {3}), ValueError);
}

}  // namespace
}  // namespace keratin
