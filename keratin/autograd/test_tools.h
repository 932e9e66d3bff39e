// What gradient tests share: reproducible tensors and central differences. Internal to tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "keratin/ops/ops.h"
#include "keratin/tensor/tensor.h"

namespace keratin::test {

/// Reproducible doubles in [low, high) whose differences are no multiples of each other.
class Numbers {
 public:
  Tensor tensor(const Shape& shape, double low, double high) {
    std::vector<double> values(static_cast<std::size_t>(shape.size()));
    for (double& value : values) {
      // The fractional parts of i·φ, far from each other.
      place_ = std::fmod(place_ + 0.6180339887498949, 1.0);
      value = low + (high - low) * place_;
    }
    return Tensor::from(values, shape);
  }

 private:
  double place_ = 0.1234;
};

/// The numbers of the scripts that write testdata with Keras: sines with three decimals.
inline Tensor wave(const Shape& shape, double phase) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    values.push_back(
        static_cast<float>(std::nearbyint(std::sin(static_cast<double>(i) * 1.7 + phase) * 1e3) / 1e3));
  return Tensor::from(values, shape);
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// d Σ upstream·f(inputs) / d inputs[which] by central differences in double.
inline Tensor central_differences(const Function& f, const std::vector<Tensor>& inputs, std::size_t which,
                                  const Tensor& upstream) {
  // Steps of ε^(1/3): truncation and rounding are of one size, about 4e-11 of the values.
  constexpr double kStep = 6e-6;
  const RecordGradients off(false);
  Tensor result = Tensor::zeros(inputs[which].shape(), DType::float64);
  const auto value_at = [&](std::size_t i, double step) {
    std::vector<Tensor> moved = inputs;
    moved[which] = inputs[which].clone();
    moved[which].mutable_values<double>()[i] += step;
    return ops::sum(f(moved) * upstream).item();
  };
  const auto out = result.mutable_values<double>();
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = (value_at(i, kStep) - value_at(i, -kStep)) / (2 * kStep);
  return result;
}

/// max |a - b| / (1 + |b|), infinity where one is NaN.
inline double worst_difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().contiguous(), y = b.detach().contiguous();
  double worst = 0;
  for (std::size_t i = 0; i < y.values<double>().size(); ++i) {
    const double difference =
        std::abs(x.values<double>()[i] - y.values<double>()[i]) / (1 + std::abs(y.values<double>()[i]));
    worst = difference <= worst ? worst : (std::isnan(difference) ? INFINITY : difference);
  }
  return worst;
}

}  // namespace keratin::test
