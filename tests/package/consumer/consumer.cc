// A program of somebody else's: prints the bits of what the library computes, and checks what is known.
#include <keratin/keratin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (!holds) {
    ++failures;
    std::printf("FAILED %s\n", what);
  }
}

void print_bits(const char* what, std::span<const float> values) {
  std::printf("%s", what);
  for (const float& value : values) std::printf(" %08x", std::bit_cast<std::uint32_t>(value));
  std::printf("\n");
}

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// Compared as integers: under -ffast-math a comparison of floats may flush, or assume away, either side.
// NaN is left out, since its payload is unspecified.
constexpr std::array<std::uint32_t, 9> kInputs = {
    0x00000001,  // the smallest subnormal
    0x80012345,  // another, negative
    0x00000000, 0x80000000,
    0x3f800000,  // 1
    0xc0400000,  // -3
    0xc2c80000,  // -100, where sigmoid is subnormal
    0x7f800000, 0xff800000,
};

void check_spans() {
  using namespace keratin;
  std::array<float, kInputs.size()> x, y, ones;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::bit_cast<float>(kInputs[i]);
  ones.fill(1.0f);

  activations::relu(x, y);
  print_bits("relu", y);
  expect(bits(y[0]) == 0x00000001, "relu keeps a subnormal");
  expect(bits(y[7]) == 0x7f800000, "relu(inf) = inf");
  activations::sigmoid(x, y);
  print_bits("sigmoid", y);
  // exp(-100) = 3.7200760e-44 is 26.55 units of the smallest subnormal; at most one unit away.
  expect(bits(y[6]) >= 26 && bits(y[6]) <= 27, "sigmoid(-100) is subnormal, not 0");
  expect(bits(y[4]) >= 0x3f3b26a7 && bits(y[4]) <= 0x3f3b26a9, "sigmoid(1) = 0.7310586, within 1 ULP");
  activations::gelu(x, y);
  print_bits("gelu", y);
  expect(bits(y[8]) == 0x80000000, "gelu(-inf) = -0");
  activations::gelu_gradient(x, ones, y);
  print_bits("gelu gradient", y);
  activations::softsign(x, y);
  print_bits("softsign", y);
  expect(bits(y[7]) == 0x3f800000 && bits(y[8]) == 0xbf800000, "softsign(±inf) = ±1");
}

void check_model() {
  using namespace keratin;
  namespace K = keratin::backend;
  set_random_seed(7);
  Sequential model{
      Input({4}),
      Dense(8, {.activation = "selu"}),
      Dense(8, {.activation = K::tanh}),
      Dense(8, {.activation = [](auto x) { return x * K::sigmoid(1.702 * x); }}),
      Dense(3),
      Activation("softmax"),
  };
  const Tensor x = Tensor::of({{0.5, -1, 2, 1e-40}, {-3, 0.25, 1, 4}});
  const Tensor y = model.predict(x);
  print_bits("predict", y.values<float>());
}

void check_errors() {
  bool caught = false;
  try {
    keratin::activations::get("swich");
  } catch (const keratin::ValueError& error) {
    caught = std::string(error.what()).find("swish") != std::string::npos;
  }
  expect(caught, "an unknown name throws ValueError, caught here, that proposes the nearest");
}

}  // namespace

int main() {
  std::printf("keratin %s\n", keratin::version());
  static_assert(KERATIN_VERSION >= 100);
  check_spans();
  check_model();
  check_errors();
  return failures == 0 ? 0 : 1;
}
