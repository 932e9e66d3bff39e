// What Dropout and AlphaDropout share: elements drawn at random and replaced. Internal.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "keratin/core/random.h"
#include "keratin/core/shape.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// y = kept ? scale·x + shift : dropped.
struct DropRule {
  double scale = 1, shift = 0, dropped = 0;
};

/// x with each element of `noise_shape`, broadcast to x's shape, kept with probability 1 − rate. Recorded:
/// the gradient is scale where x was kept, else 0.
Tensor drop(const Tensor& x, const Shape& noise_shape, double rate, RandomKey key, const DropRule& rule);

/// `wanted` with x's sizes where it leaves them open; x's shape if there is none. ShapeError, naming
/// `operation`, if the result does not broadcast to x's.
Shape noise_shape_for(const Shape& x, const std::optional<Shape>& wanted, std::string_view operation);

/// A stream a call: from the seed, counting calls, or a new one of the library's. A copy starts anew.
class DropSeed {
 public:
  explicit DropSeed(std::optional<std::int64_t> seed) : seed_(seed) {}
  DropSeed(const DropSeed& other) : seed_(other.seed_) {}
  DropSeed& operator=(const DropSeed&) = delete;

  RandomKey next() const;
  const std::optional<std::int64_t>& seed() const noexcept { return seed_; }

 private:
  std::optional<std::int64_t> seed_;
  mutable std::atomic<std::uint64_t> calls_ = 0;
};

}  // namespace keratin::inline v0::detail
