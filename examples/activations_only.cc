// Activations without networks: on a buffer of audio, in place, with nothing allocated. A soft clipper by
// tanh, and how loud its derivative says that small sounds come through.
#include <keratin/keratin.h>

#include <array>
#include <cmath>
#include <iostream>
#include <numbers>

int main() {
  constexpr std::size_t kFrames = 512;
  constexpr double kRate = 48'000, kPitch = 440, kDrive = 4;
  std::array<float, kFrames> sound{}, ones{}, slope{};
  for (std::size_t i = 0; i < kFrames; ++i) {
    const double angle = 2 * std::numbers::pi * kPitch * static_cast<double>(i) / kRate;
    sound[i] = static_cast<float>(kDrive * std::sin(angle));
    ones[i] = 1;
  }

  // The gradient first: the next line overwrites its input.
  keratin::activations::tanh_gradient(sound, ones, slope);
  keratin::activations::tanh(sound, sound);

  float loudest = 0, flattest = 1;
  for (std::size_t i = 0; i < kFrames; ++i) {
    loudest = std::max(loudest, std::abs(sound[i]));
    flattest = std::min(flattest, slope[i]);
  }
  std::cout << "loudest sample " << loudest << " of " << kDrive << ", smallest slope " << flattest << "\n";

  // Parameters are those of Keras, by name; without the call operator it is a value for any `activation`.
  keratin::activations::elu(sound, sound, {.alpha = 0.5});
  return loudest < 1 ? 0 : 1;
}
