#include "keratin/layers/drop.h"

#include <cmath>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::detail {
namespace {

constexpr std::int64_t kGrain = 1 << 14;  // a multiple of the four numbers in a random block

// One word of 32 random bits an element, four to a block.
Tensor draw(const Shape& shape, double rate, RandomKey key) {
  Tensor kept = Tensor::empty(shape, DType::boolean);
  bool* out = kept.mutable_values<bool>().data();
  // In 64 bits, for a rate of 1 keeps nothing.
  const auto threshold = static_cast<std::uint64_t>(std::ceil(rate * 0x1p32));
  parallel_for(shape.size(), kGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      for (const std::uint32_t word : random_block(key, static_cast<std::uint64_t>(i / 4))) {
        if (i == end) break;
        out[i++] = word >= threshold;
      }
    }
  });
  return kept;
}

Tensor apply(const Tensor& x, const Tensor& kept, const DropRule& rule);

template <class T>
Tensor select(const Tensor& given, const Tensor& kept, const DropRule& rule) {
  const Tensor x = given.detach().contiguous();
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const T* in = x.values<T>().data();
  const bool* keep = kept.values<bool>().data();
  T* out = y.mutable_values<T>().data();
  const auto scale = static_cast<T>(rule.scale), shift = static_cast<T>(rule.shift);
  const auto dropped = static_cast<T>(rule.dropped);
  parallel_for(x.size(), kGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = keep[i] ? in[i] * scale + shift : dropped;
  });
  return y;
}

// `kept` is contiguous and of x's shape.
Tensor apply(const Tensor& x, const Tensor& kept, const DropRule& rule) {
  Tensor y = x.dtype() == DType::float64 ? select<double>(x, kept, rule) : select<float>(x, kept, rule);
  if (!wants_gradient({&x})) return y;
  return record(std::move(y), "dropout", {&x}, [kept, scale = rule.scale](const Tensor& upstream) {
    return Tensors{apply(upstream, kept, {.scale = scale})};
  });
}

}  // namespace

Tensor drop(const Tensor& x, const Shape& noise_shape, double rate, RandomKey key, const DropRule& rule) {
  return apply(x, draw(noise_shape, rate, key).broadcast_to(x.shape()).contiguous(), rule);
}

Shape noise_shape_for(const Shape& x, const std::optional<Shape>& wanted, std::string_view operation) {
  if (!wanted) return x;
  Shape noise = *wanted;
  bool fits = noise.rank() == x.rank();
  for (std::size_t axis = 0; fits && axis < noise.rank(); ++axis) {
    if (noise[axis] == Shape::kUnknown) noise[axis] = x[axis];
    fits = noise[axis] == 1 || noise[axis] == x[axis];
  }
  if (fits) return noise;
  throw ShapeError(operation, "noise_shape with 1 or the input's size on each axis of " + x.to_string(),
                   "received noise_shape=" + wanted->to_string(), "Leave sizes open with Shape::kUnknown.");
}

RandomKey DropSeed::next() const {
  // Streams apart from those of next_random_key, which count from 0, and of seeded initializers.
  constexpr std::uint64_t kDropStreams = std::uint64_t{1} << 62;
  if (!seed_) return next_random_key();
  return {static_cast<std::uint64_t>(*seed_), kDropStreams + calls_.fetch_add(1)};
}

}  // namespace keratin::inline v0::detail
