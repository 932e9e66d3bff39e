// Recurrent dropout: all steps as one op against one step after the other, and against what must follow.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/layers/cell.h"
#include "keratin/layers/gradient_check.h"
#include "keratin/layers/recurrent.h"
#include "keratin/ops/ops.h"

namespace keratin {
namespace {

// A cell that is run step by step.
class SteppedBody final : public CellBody {
 public:
  explicit SteppedBody(const Layer& cell)
      : layer_(cell), cell_(std::dynamic_pointer_cast<CellBody>(cell.shared())) {}
  std::string_view class_name() const override { return "SteppedCell"; }
  void build_list(const Shapes& inputs) override { cell_->ensure_built(inputs); }
  Shapes state_shapes(const Shape& step) const override { return cell_->state_shapes(step); }
  Tensors step(const Tensor& x, const Tensors& states, const StepNoise& noise, bool training) const override {
    return cell_->step(x, states, noise, training);
  }
  Tensor project(const Tensor& steps, const StepNoise& noise) const override {
    return cell_->project(steps, noise);
  }
  StepNoise noise(const Shape& step, bool training) const override { return cell_->noise(step, training); }
  std::vector<LayerPart> parts() const override { return {{"cell", cell_}}; }
  Config config(Generation) const override { return Config::object(); }

 private:
  Layer layer_;
  std::shared_ptr<CellBody> cell_;
};

struct Case {
  const char* name;
  std::size_t states;
  std::function<Layer(double rate, DType dtype)> make;
};

const std::vector<Case>& cells() {
  static const std::vector<Case> all = {
      {"SimpleRNN", 1,
       [](double rate, DType dtype) {
         return SimpleRNNCell(5, {.recurrent_dropout = rate, .seed = 3, .dtype = dtype});
       }},
      {"LSTM", 2,
       [](double rate, DType dtype) {
         return LSTMCell(5, {.recurrent_dropout = rate, .seed = 3, .dtype = dtype});
       }},
      {"GRU", 1,
       [](double rate, DType dtype) {
         return GRUCell(5,
                        {.bias_initializer = "ones", .recurrent_dropout = rate, .seed = 3, .dtype = dtype});
       }},
      {"GRU without reset_after", 1,
       [](double rate, DType dtype) {
         return GRUCell(5, {.recurrent_dropout = rate, .seed = 3, .reset_after = false, .dtype = dtype});
       }},
  };
  return all;
}

Tensor values(const Shape& shape, std::uint64_t seed, DType dtype) {
  return testing::values_away_from(shape, {}, seed).astype(dtype);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return ops::max(ops::absolute(a.detach() - b.detach())).item();
}

// Outputs and states, the gradients by inputs, states and weights, and gradients of the sum of their squares.
struct Results {
  Tensors outputs, first, second;
};

// As it stands, the batch is more than a block of rows, and not a multiple of it.
Results results_of(const Layer& cell, std::size_t states, bool is_masked, DType dtype,
                   std::int64_t batch = 19) {
  constexpr std::int64_t kSteps = 4, kUnits = 5;
  const RNN layer(cell, {.return_sequences = true, .return_state = true, .dtype = dtype});
  layer.build({batch, kSteps, 3});
  Tensors weights, inputs = {values({batch, kSteps, 3}, 1, dtype).watched()};
  for (const Variable& variable : layer.variables())
    weights.push_back(values(variable.shape(), 10 + weights.size(), dtype));
  layer.set_weights(weights);
  for (std::size_t i = 0; i < states; ++i) inputs.push_back(values({batch, kUnits}, 2 + i, dtype).watched());
  CallContext context{.training = true};
  if (is_masked) context.masks = {ops::greater(values({batch, kSteps}, 7, dtype), Tensor::scalar(0, dtype))};
  Results result;
  Tensors targets = inputs;
  const RecordGradients on;
  for (const Variable& variable : layer.variables()) targets.push_back(variable.tensor());
  result.outputs = layer.call(inputs, context);
  Tensor loss, squares;
  for (const Tensor& y : result.outputs) {
    const Tensor part = ops::sum(y * values(y.shape(), 5, dtype));
    loss = loss.is_defined() ? loss + part : part;
  }
  {
    const RecordGradients off(false);
    result.first = gradients(loss, targets);
  }
  for (const Tensor& gradient : gradients(loss, targets)) {
    const Tensor part = ops::sum(ops::square(gradient));
    squares = squares.is_defined() ? squares + part : part;
  }
  const RecordGradients off(false);
  result.second = gradients(squares, targets);
  return result;
}

TEST(RecurrentDropout, AllStepsAsOneOpGiveWhatStepsGive) {
  for (const Case& cell : cells()) {
    for (const bool is_masked : {false, true}) {
      const std::string what = std::string(cell.name) + (is_masked ? ", masked" : "");
      const Results one = results_of(cell.make(0.4, DType::float64), cell.states, is_masked, DType::float64);
      const Results steps = results_of(Layer(std::make_shared<SteppedBody>(cell.make(0.4, DType::float64))),
                                       cell.states, is_masked, DType::float64);
      ASSERT_EQ(one.outputs.size(), steps.outputs.size()) << what;
      for (std::size_t i = 0; i < one.outputs.size(); ++i)
        EXPECT_EQ(largest_difference(one.outputs[i], steps.outputs[i]), 0) << what << ", output " << i;
      ASSERT_EQ(one.first.size(), steps.first.size()) << what;
      for (std::size_t i = 0; i < one.first.size(); ++i) {
        // Sums of some hundred products, of numbers up to a thousand in second derivatives, in other orders.
        EXPECT_LT(largest_difference(one.first[i], steps.first[i]), 1e3 * 0x1p-52 * 100) << what << " " << i;
        EXPECT_LT(largest_difference(one.second[i], steps.second[i]), 1e5 * 0x1p-52 * 100)
            << what << ", second, " << i;
      }
    }
  }
}

// Of one block of rows: oneDNN sums a product of float32 in an order that may depend on how many rows it has.
TEST(RecurrentDropout, InFloatsTheBitsAreThoseOfSteps) {
  constexpr std::int64_t kBatch = 8;
  for (const Case& cell : cells()) {
    const Results one =
        results_of(cell.make(0.4, DType::float32), cell.states, false, DType::float32, kBatch);
    const Results steps = results_of(Layer(std::make_shared<SteppedBody>(cell.make(0.4, DType::float32))),
                                     cell.states, false, DType::float32, kBatch);
    for (std::size_t i = 0; i < one.outputs.size(); ++i)
      EXPECT_EQ(largest_difference(one.outputs[i], steps.outputs[i]), 0) << cell.name << ", output " << i;
  }
}

// A rate of 1 leaves nothing of the states where they meet U: as if U were zeros.
TEST(RecurrentDropout, AtARateOfOneTheRecurrentKernelDoesNotCount) {
  for (const Case& cell : cells()) {
    const RNN dropped(cell.make(1, DType::float64), {.dtype = DType::float64}),
        plain(cell.make(0, DType::float64), {.dtype = DType::float64});
    const Tensor x = values({3, 4, 2}, 1, DType::float64);
    dropped.build(x.shape());
    plain.build(x.shape());
    Tensors weights = dropped.get_weights();
    weights[1] = Tensor::zeros(weights[1].shape(), DType::float64);
    plain.set_weights(weights);
    for (Tensor& weight : weights) weight = weight.clone();
    weights[1] = values(weights[1].shape(), 4, DType::float64);
    dropped.set_weights(weights);
    EXPECT_EQ(largest_difference(dropped(x, {.training = true}), plain(x)), 0) << cell.name;
    // It counts in inference.
    EXPECT_GT(largest_difference(dropped(x), plain(x)), 1e-3) << cell.name;
  }
}

TEST(RecurrentDropout, GradientsMatchDifferences) {
  for (const Case& cell : cells()) {
    testing::expect_gradients_match(cell.name,
                                    [&] {
                                      return RNN(cell.make(0.4, DType::float64),
                                                 {.return_sequences = true, .dtype = DType::float64});
                                    },
                                    {testing::values_away_from({2, 3, 2}, {})}, {.training = true});
  }
}

}  // namespace
}  // namespace keratin
