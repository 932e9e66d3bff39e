// keratin-hashes: a line for each activation, direction and type with a hash of its results. Machines that
// print the same lines compute the same bits; `./dev check aarch64` compares two. Needs the kernels alone.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "keratin/activations/registry.h"
#include "keratin/core/float_env.h"

namespace {

using namespace keratin;

// A multiple of every instruction set's vectors.
constexpr std::size_t kChunk = 4096;

template <class T>
struct Traits;
template <>
struct Traits<float> {
  using Bits = std::uint32_t;
  static constexpr const char* kName = "float32";
  static constexpr Bits kOne = 0x3f800000, kInfinity = 0x7f800000;
};
template <>
struct Traits<double> {
  using Bits = std::uint64_t;
  static constexpr const char* kName = "float64";
  static constexpr Bits kOne = 0x3ff0000000000000, kInfinity = 0x7ff0000000000000;
};
template <>
struct Traits<float16> {
  using Bits = std::uint16_t;
  static constexpr const char* kName = "float16";
  static constexpr Bits kOne = 0x3c00, kInfinity = 0x7c00;
};
template <>
struct Traits<bfloat16> {
  using Bits = std::uint16_t;
  static constexpr const char* kName = "bfloat16";
  static constexpr Bits kOne = 0x3f80, kInfinity = 0x7f80;
};

template <class T>
std::uint64_t bits_of(T value) {
  using Bits = typename Traits<T>::Bits;
  const Bits bits = std::bit_cast<Bits>(value), size = bits & static_cast<Bits>(~Bits{0} >> 1);
  // Every NaN counts as one.
  return size > Traits<T>::kInfinity ? ~std::uint64_t{0} : bits;
}

// `count` bit patterns, a power of two of them, evenly spread over all that the type has. An odd step, or no
// low bit but 0 would occur.
template <class T>
T input(std::uint64_t index, std::uint64_t count) {
  using Bits = typename Traits<T>::Bits;
  return std::bit_cast<T>(static_cast<Bits>(index * (static_cast<Bits>(~Bits{0}) / count | 1)));
}

template <class T>
void line(const activations::Function& function, bool slope, std::uint64_t count) {
  const FloatEnvironment environment;
  std::vector<T> x(kChunk), y(kChunk), ones(kChunk, std::bit_cast<T>(Traits<T>::kOne));
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint64_t first = 0; first < count; first += kChunk) {
    for (std::size_t i = 0; i < kChunk; ++i) x[i] = input<T>(first + i, count);
    if (slope) {
      function.gradient(function.defaults, x.data(), ones.data(), y.data(), kChunk);
    } else {
      function.forward(function.defaults, x.data(), y.data(), kChunk);
    }
    for (const T value : y) {
      hash = (hash ^ bits_of(value)) * 0x100000001b3;
      hash ^= hash >> 29;
    }
  }
  std::printf("%s %s %s %llu %016llx\n", std::string(function.info->name).c_str(),
              slope ? "gradient" : "value", Traits<T>::kName, static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(hash));
  std::fflush(stdout);
}

}  // namespace

// keratin-hashes [LOG2 of the f32 inputs, 24] [LOG2 of the f64 inputs, 16]
int main(int argc, char** argv) {
  const int f32 = argc > 1 ? std::atoi(argv[1]) : 24, f64 = argc > 2 ? std::atoi(argv[2]) : 16;
  if (argc > 3 || f32 < 12 || f32 > 32 || f64 < 12 || f64 > 32) {
    std::fputs("keratin-hashes: takes two numbers from 12 to 32, the logarithms of how many inputs\n",
               stderr);
    return 2;
  }
  for (const activations::Function& function : activations::functions()) {
    for (const bool slope : {false, true}) {
      line<float>(function, slope, std::uint64_t{1} << f32);
      line<double>(function, slope, std::uint64_t{1} << f64);
      line<float16>(function, slope, 1 << 16);
      line<bfloat16>(function, slope, 1 << 16);
    }
  }
  return 0;
}
