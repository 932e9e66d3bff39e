// Trains a classifier of handwritten digits with three kinds of activation. README.md shows it.
#include <keratin/keratin.h>

#include <iostream>

using namespace keratin;
namespace K = keratin::backend;

int main() {
  const auto digits = io::load_npz(io::data_file("digits.npz"));
  const Tensor x = digits["x"].astype(DType::float32) / 16, y = digits["y"];

  Sequential model{
      Input({64}),
      Dense(64, {.activation = "selu", .kernel_initializer = "lecun_normal"}),
      AlphaDropout(0.1),
      Dense(64, {.activation = K::tanh}),
      Dense(64, {.activation = [](auto z) { return z * K::sigmoid(1.702 * z); }}),
      Dense(10, {.activation = "softmax"}),
  };
  model.compile(
      {.optimizer = Adam(1e-3), .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.fit(x, y, {.batch_size = 32, .epochs = 20, .verbose = 2, .validation_split = 0.1});

  std::cout << ops::argmax(model.predict(x.slice(0, 0, 10))) << "\n";
}
