// Random numbers by counter: number i of a stream depends on its key and i alone, so that any number of
// threads gives the same bits. Philox 4x32-10 (Salmon et al., SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// Names one stream of random numbers.
struct RandomKey {
  std::uint64_t seed = 0, stream = 0;
};

/// Starts every later stream of the library anew from `seed`: initialisers, dropout, shuffling.
/// Keras: keras.utils.set_random_seed.
KERATIN_API void set_random_seed(std::uint64_t seed) noexcept;
/// The key of a stream not used before, from the library's seed. Without set_random_seed that seed differs
/// from process to process.
KERATIN_API RandomKey next_random_key() noexcept;

/// Block `counter` of the stream: four numbers of 32 random bits.
KERATIN_API std::array<std::uint32_t, 4> random_block(RandomKey key, std::uint64_t counter) noexcept;

/// Uniform on [low, high), from 24 bits a float and 53 a double.
KERATIN_API void fill_uniform(std::span<float> out, RandomKey key, double low, double high);
KERATIN_API void fill_uniform(std::span<double> out, RandomKey key, double low, double high);
/// Normal. Box–Muller in double, rounded once.
KERATIN_API void fill_normal(std::span<float> out, RandomKey key, double mean, double stddev);
KERATIN_API void fill_normal(std::span<double> out, RandomKey key, double mean, double stddev);
/// Normal, drawn again while further than two standard deviations from the mean.
KERATIN_API void fill_truncated_normal(std::span<float> out, RandomKey key, double mean, double stddev);
KERATIN_API void fill_truncated_normal(std::span<double> out, RandomKey key, double mean, double stddev);
/// A permutation of 0 … n−1 (Fisher–Yates).
KERATIN_API void fill_permutation(std::span<std::int64_t> out, RandomKey key);

}  // namespace keratin::inline v0
