// An activation with numbers that are learned: swish, x·sigmoid(beta·x), each unit with its own beta, as
// Ramachandran, Zoph and Le 2017 train it; and PReLU, which Keras has as a layer.
#include <keratin/keratin.h>

#include <algorithm>
#include <iostream>

using namespace keratin;
namespace K = keratin::backend;

int main() {
  const Tensor x = Tensor::arange(512, DType::float32) / 64.0 - 4.0;
  const Tensor y = K::where(K::greater(x, 0.0), K::sin(2 * x), 0.3 * x);
  const auto swish = [](auto v, auto beta) { return v * K::sigmoid(beta * v); };

  set_random_seed(3);
  const ParametricActivation first(swish, {.parameters = {{.name = "beta"}}});
  // The same as text, which a file keeps; one number for all units, pulled towards 0.
  const ParametricActivation second(
      "x * sigmoid(beta * x)",
      {.parameters = {{.name = "beta", .regularizer = regularizers::L2{.l2 = 1e-4}, .shared = true}}});
  Sequential model{Input({1}), Dense(24), first, Dense(24), second, Dense(24), PReLU(), Dense(1)};
  model.compile({.optimizer = Adam(3e-3), .loss = "mean_squared_error"});
  const History history = model.fit(x.expand_dims(1), y.expand_dims(1), {.batch_size = 32, .epochs = 60});

  const Tensor learned = first.get_weights()[0];
  const auto betas = learned.values<float>();
  const auto [least, most] = std::minmax_element(betas.begin(), betas.end());
  std::cout << "beta of each unit: " << *least << " to " << *most << " from 1\n"
            << "beta of all units: " << second.get_weights()[0] << "\n";
  const double before = history["loss"].front(), after = history["loss"].back();
  std::cout << "mean squared error: " << before << " after one epoch, " << after << " after sixty\n";
  return after < 0.1 * before && *least < *most ? 0 : 1;
}
