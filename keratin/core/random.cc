#include "keratin/core/random.h"

#include <atomic>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0 {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

struct Source {
  std::atomic<std::uint64_t> seed, next{0};
  Source() {
    std::random_device device;
    seed = (static_cast<std::uint64_t>(device()) << 32) | device();
  }
};

Source& source() {
  static Source instance;
  return instance;
}

// Uniform on [0, 1) from the two words that follow `word` in the block.
double unit(const std::array<std::uint32_t, 4>& block, int word) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(block[word]) << 32) | block[word + 1];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// One standard normal from one block; 1 − u is in (0, 1], so the logarithm is finite.
double normal(const std::array<std::uint32_t, 4>& block) {
  return std::sqrt(-2 * std::log(1 - unit(block, 0))) * std::cos(2 * std::numbers::pi * unit(block, 2));
}

template <class T, class Draw>
void fill(std::span<T> out, Draw draw) {
  const FloatEnvironment environment;
  parallel_for(static_cast<std::int64_t>(out.size()), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = static_cast<T>(draw(i));
  });
}

template <class T>
void fill_uniform_of(std::span<T> out, RandomKey key, double low, double high) {
  fill(out, [=](std::int64_t i) {
    const auto block = random_block(key, static_cast<std::uint64_t>(i));
    const double u = sizeof(T) == 4 ? static_cast<double>(block[0] >> 8) * 0x1p-24 : unit(block, 0);
    const auto value = static_cast<T>(low + (high - low) * u);
    return value < static_cast<T>(high) ? value : static_cast<T>(low);  // rounding may reach `high`
  });
}

template <class T>
void fill_normal_of(std::span<T> out, RandomKey key, double mean, double stddev) {
  fill(out, [=](std::int64_t i) {
    return mean + stddev * normal(random_block(key, static_cast<std::uint64_t>(i)));
  });
}

template <class T>
void fill_truncated_of(std::span<T> out, RandomKey key, double mean, double stddev) {
  fill(out, [=](std::int64_t i) {
    // Attempt a draws block i of the stream's a-th part: 2^48 elements an attempt.
    for (std::uint64_t attempt = 0;; ++attempt) {
      const double z = normal(random_block(key, static_cast<std::uint64_t>(i) | (attempt << 48)));
      if (std::abs(z) <= 2) return mean + stddev * z;
    }
  });
}

}  // namespace

void set_random_seed(std::uint64_t seed) noexcept {
  source().seed = seed;
  source().next = 0;
}

RandomKey next_random_key() noexcept { return {source().seed, source().next.fetch_add(1)}; }

std::array<std::uint32_t, 4> random_block(RandomKey key, std::uint64_t counter) noexcept {
  std::array<std::uint32_t, 4> x = {
      static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
      static_cast<std::uint32_t>(key.stream), static_cast<std::uint32_t>(key.stream >> 32)};
  auto k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * x[0], b = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

void fill_uniform(std::span<float> out, RandomKey key, double low, double high) {
  fill_uniform_of(out, key, low, high);
}
void fill_uniform(std::span<double> out, RandomKey key, double low, double high) {
  fill_uniform_of(out, key, low, high);
}
void fill_normal(std::span<float> out, RandomKey key, double mean, double stddev) {
  fill_normal_of(out, key, mean, stddev);
}
void fill_normal(std::span<double> out, RandomKey key, double mean, double stddev) {
  fill_normal_of(out, key, mean, stddev);
}
void fill_truncated_normal(std::span<float> out, RandomKey key, double mean, double stddev) {
  fill_truncated_of(out, key, mean, stddev);
}
void fill_truncated_normal(std::span<double> out, RandomKey key, double mean, double stddev) {
  fill_truncated_of(out, key, mean, stddev);
}

void fill_permutation(std::span<std::int64_t> out, RandomKey key) {
  std::iota(out.begin(), out.end(), std::int64_t{0});
  for (std::size_t i = out.size(); i > 1; --i) {
    const auto block = random_block(key, i);
    const std::uint64_t bits = (static_cast<std::uint64_t>(block[0]) << 32) | block[1];
    // The bias of the remainder is below i / 2^64.
    std::swap(out[i - 1], out[static_cast<std::size_t>(bits % i)]);
  }
}

}  // namespace keratin::inline v0
