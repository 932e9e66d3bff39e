// For tests: a layer's gradients against central differences, in f64.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "keratin/autograd/gradients.h"
#include "keratin/core/random.h"
#include "keratin/layers/layer.h"
#include "keratin/ops/ops.h"

namespace keratin::testing {

/// Normal values, none within `margin` of a kink; the same for the same seed.
inline Tensor values_away_from(const Shape& shape, const std::vector<double>& kinks, std::uint64_t seed = 1) {
  constexpr double kMargin = 1e-3;
  Tensor x = Tensor::empty(shape, DType::float64);
  const auto values = x.mutable_values<double>();
  fill_normal(values, {seed, 77}, 0, 1);
  for (double& value : values) {
    for (const double kink : kinks) {
      if (std::abs(value - kink) < kMargin) value = kink + 2 * kMargin;
    }
  }
  return x;
}

/// Compares d Σ r·layer(x…) / d each x and / d weights, r fixed, with central differences. `make` gives a
/// layer in f64 whose random parts have seeds, since every evaluation takes a new one: dropout draws anew in
/// each call.
inline void expect_gradients_match(const std::string& label, const std::function<Layer()>& make,
                                   const Tensors& inputs, const CallContext& context = {}) {
  const std::size_t count = inputs.size();
  Shapes shapes;
  for (const Tensor& x : inputs) shapes.push_back(x.shape());
  const Layer first = make();
  first.build_list(shapes);
  const Tensors weights = first.get_weights();
  const std::vector<Variable> variables = first.variables();
  const auto loss = [&](const Layer& layer, const Tensors& given) {
    Tensor total;
    for (const Tensor& y : layer.call(given, context)) {
      const Tensor part = ops::sum(y * values_away_from(y.shape(), {}, 5));
      total = total.is_defined() ? total + part : part;
    }
    return total;
  };
  Tensors targets;
  for (const Tensor& x : inputs) targets.push_back(x.watched());
  Tensor result;
  {
    const RecordGradients on;
    for (const Variable& variable : variables) targets.push_back(variable.tensor());
    result = loss(first, {targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(count)});
  }
  // Ops have two backward passes: one that runs, one that records itself for a second derivative.
  const Tensors plain = gradients(result, targets);
  const RecordGradients on;
  const Tensors recorded = gradients(result, targets);
  const auto value_at = [&](std::size_t target, std::int64_t i, double step) {
    Tensors given, values;
    for (const Tensor& x : inputs) given.push_back(x.clone());
    for (const Tensor& weight : weights) values.push_back(weight.clone());
    Tensor& moved = target < count ? given[target] : values[target - count];
    moved.mutable_values<double>()[static_cast<std::size_t>(i)] += step;
    const Layer layer = make();
    layer.build_list(shapes);
    layer.set_weights(values);
    return loss(layer, given).item();
  };
  for (std::size_t target = 0; target < targets.size(); ++target) {
    if (target >= count && !variables[target - count].trainable()) continue;
    ASSERT_TRUE(plain[target].is_defined() && recorded[target].is_defined())
        << label << ", target " << target;
    for (std::int64_t i = 0; i < targets[target].size(); ++i) {
      constexpr double kStep = 1e-5;
      const double expected = (value_at(target, i, kStep) - value_at(target, i, -kStep)) / (2 * kStep);
      for (const Tensor& gradient : {plain[target], recorded[target]}) {
        const Tensor found = gradient.detach().contiguous();
        // Truncation: step²/6 times the third derivative, which is below 100 here: 2e-9. Rounding: sums of a
        // few dozen terms, 1e-14 / step = 1e-9. Both are relative to numbers of order 1.
        EXPECT_NEAR(found.values<double>()[static_cast<std::size_t>(i)], expected,
                    3e-9 * std::max(1.0, std::abs(expected)))
            << label << ", target " << target << ", element " << i;
      }
    }
  }
}

inline void expect_gradients_match(const std::string& label, const std::function<Layer()>& make,
                                   const Tensor& x, const CallContext& context = {}) {
  expect_gradients_match(label, make, Tensors{x}, context);
}

}  // namespace keratin::testing
