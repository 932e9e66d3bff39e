// An activation of one's own: a lambda with `auto`. It is traced once to an expression, differentiated
// exactly, and printed as a formula.
#include <keratin/keratin.h>

#include <iostream>

using namespace keratin;
namespace K = keratin::backend;

int main() {
  // The "snake" of Ziyin, Hartwig and Ueda 2020, which learns what repeats.
  const auto snake = [](auto x) { return x + K::square(K::sin(3 * x)) / 3; };
  const ActivationFn activation = snake;
  const Expr formula = snake(Expr::input());
  std::cout << "f(x)  = " << activation.name() << "\nf'(x) = " << formula.derivative().to_string() << "\n\n";

  const Tensor x = Tensor::arange(256, DType::float32) / 32.0 - 4.0;
  const Tensor y = K::sin(3 * x) + x / 2;
  set_random_seed(1);
  Sequential model{Input({1}), Dense(32, {.activation = snake}), Dense(32, {.activation = snake}), Dense(1)};
  model.compile({.optimizer = Adam(3e-3), .loss = "mean_squared_error"});
  const History history = model.fit(x.expand_dims(1), y.expand_dims(1), {.batch_size = 32, .epochs = 100});
  const double before = history["loss"].front(), after = history["loss"].back();
  std::cout << "mean squared error: " << before << " after one epoch, " << after << " after a hundred\n";
  return after < 0.1 * before ? 0 : 1;
}
