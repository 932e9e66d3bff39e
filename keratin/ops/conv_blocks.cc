#include "keratin/ops/conv_blocks.h"

#include <algorithm>
#include <memory>

#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::ops {

KeptKernel::KeptKernel() : state_(std::make_shared<State>()) {}

namespace detail {
namespace {

using Primitive = std::shared_ptr<const ConvPrimitive>;

bool is_empty(const ConvSizes& sizes) {
  return sizes.batch == 0 || sizes.places() == 0 || sizes.depth() == 0 || sizes.filters == 0 ||
         sizes.sample_size() == 0;
}

ConvSizes with_batch(const ConvSizes& sizes, std::int64_t samples) {
  ConvSizes part = sizes;
  part.batch = samples;
  return part;
}

// Runs of samples and a shorter one at the end, each with a primitive of its own.
class Blocks {
 public:
  Blocks(ConvTask task, const ConvSizes& sizes, bool has_bias) : sizes_(sizes), samples_(samples_of(sizes)) {
    whole_ = ConvPrimitive::find(task, with_batch(sizes, samples_), has_bias);
    const std::int64_t rest = sizes.batch % samples_;
    rest_ = rest == 0 ? whole_ : ConvPrimitive::find(task, with_batch(sizes, rest), has_bias);
  }
  bool exist() const { return whole_ != nullptr && rest_ != nullptr && rest_->packs_like(*whole_); }
  const Primitive& whole() const { return whole_; }

  /// body(primitive, first sample, samples) for each.
  template <class Body>
  void for_each(Body&& body) const {
    parallel_for((sizes_.batch - 1) / samples_ + 1, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i * samples_, count = std::min(samples_, sizes_.batch - first);
        body(count == samples_ ? *whole_ : *rest_, first, count);
      }
    });
  }

 private:
  // One sample if it is work enough to pay for a call, 2 µs: some 40 µs. Its result is still in L2 when the
  // activation comes.
  static std::int64_t samples_of(const ConvSizes& sizes) {
    constexpr std::int64_t kMultiplyAdds = 1 << 21;
    const std::int64_t one = sizes.places() * sizes.depth() * sizes.filters;
    return std::clamp<std::int64_t>(kMultiplyAdds / one, 1, sizes.batch);
  }

  const ConvSizes& sizes_;
  std::int64_t samples_;
  Primitive whole_, rest_;
};

std::shared_ptr<std::byte> packed(const ConvPrimitive& primitive, const float* kernel) {
  std::shared_ptr<std::byte> memory = allocate(primitive.packed_bytes());
  primitive.pack(kernel, memory.get());
  return memory;
}

std::shared_ptr<std::byte> packed(const Primitive& primitive, const Tensor& kernel, const KeptKernel* kept) {
  const auto* values = static_cast<const float*>(kernel.data());
  if (kept == nullptr) return packed(*primitive, values);
  KeptKernel::State& state = kept->state();
  const std::lock_guard lock(state.mutex);
  if (state.primitive == nullptr || state.kernel.data() != kernel.data() ||
      !state.primitive->packs_like(*primitive)) {
    state.packed = packed(*primitive, values);
    state.kernel = kernel;
    state.primitive = primitive;
  }
  return state.packed;
}

}  // namespace

bool conv_blocks(const ConvSizes& sizes, const float* x, const Tensor& kernel, const KeptKernel* kept,
                 const float* bias, const ElementwiseFunction* activation, float* z, float* y) {
  if (is_empty(sizes)) return false;
  const Blocks blocks(ConvTask::forward, sizes, bias != nullptr);
  if (!blocks.exist()) return false;
  const std::shared_ptr<std::byte> weights = packed(blocks.whole(), kernel, kept);
  const std::int64_t size = sizes.places() * sizes.filters;
  blocks.for_each([&](const ConvPrimitive& primitive, std::int64_t first, std::int64_t samples) {
    // x is only read.
    primitive.run(const_cast<float*>(x) + first * sizes.sample_size(), weights.get(), bias, z + first * size);
    if (activation != nullptr)
      activation->forward(z + first * size, y + first * size, static_cast<std::size_t>(samples * size));
  });
  return true;
}

bool conv_data_blocks(const ConvSizes& sizes, const float* upstream, const float* kernel, float* x) {
  if (is_empty(sizes)) return false;
  const Blocks blocks(ConvTask::data, sizes, false);
  if (!blocks.exist()) return false;
  const std::shared_ptr<std::byte> weights = packed(*blocks.whole(), kernel);
  const std::int64_t size = sizes.places() * sizes.filters;
  blocks.for_each([&](const ConvPrimitive& primitive, std::int64_t first, std::int64_t) {
    primitive.run(x + first * sizes.sample_size(), weights.get(), nullptr,
                  const_cast<float*>(upstream) + first * size);
  });
  return true;
}

bool conv_kernel_blocks(const ConvSizes& sizes, const float* x, const float* upstream, float* kernel) {
  if (is_empty(sizes)) return false;
  // Sums over a fixed number of parts of the batch, added up in their order; fewer for large kernels, whose
  // sums take room and time.
  constexpr std::int64_t kMostParts = 8, kElements = 1 << 22;
  const std::int64_t size = sizes.depth() * sizes.filters;
  const std::int64_t parts = std::min(sizes.batch, std::clamp<std::int64_t>(kElements / size, 2, kMostParts));
  const std::int64_t fewer = sizes.batch / parts;
  const Primitive shorter = ConvPrimitive::find(ConvTask::kernel, with_batch(sizes, fewer), false);
  const Primitive longer = sizes.batch % parts == 0
                               ? shorter
                               : ConvPrimitive::find(ConvTask::kernel, with_batch(sizes, fewer + 1), false);
  if (shorter == nullptr || longer == nullptr) return false;
  const std::shared_ptr<std::byte> memory =
      allocate(static_cast<std::size_t>((parts - 1) * size) * sizeof(float));
  float* sums = reinterpret_cast<float*>(memory.get());
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = part * sizes.batch / parts;
      const ConvPrimitive& primitive = (part + 1) * sizes.batch / parts - first == fewer ? *shorter : *longer;
      const std::shared_ptr<std::byte> sum = allocate(primitive.packed_bytes());
      primitive.run(const_cast<float*>(x) + first * sizes.sample_size(), sum.get(), nullptr,
                    const_cast<float*>(upstream) + first * sizes.places() * sizes.filters);
      primitive.unpack(sum.get(), part == 0 ? kernel : sums + (part - 1) * size);
    }
  });
  for (std::int64_t part = 1; part < parts; ++part)
    for (std::int64_t i = 0; i < size; ++i) kernel[i] += sums[(part - 1) * size + i];
  return true;
}

}  // namespace detail
}  // namespace keratin::inline v0::ops
