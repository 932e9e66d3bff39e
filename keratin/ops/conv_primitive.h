// Convolutions of floats by oneDNN's primitives: created once for each shape, run on the calling thread.
// Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "keratin/ops/conv_patches.h"

namespace keratin::inline v0::ops::detail {

/// What a primitive computes: the result, or the gradient of x or of the kernel.
enum class ConvTask : std::uint8_t { forward, data, kernel };

/// One convolution of fixed sizes. Tensors of values are channels last; the kernel is in a layout of the
/// primitive's own ("packed"), a copy of at least the kernel's size. Safe from every thread.
class ConvPrimitive {
 public:
  /// The one for these sizes, which is kept from then on; null where oneDNN has nothing faster than loops.
  /// Costs 0.1–1 ms the first time, then a look-up.
  static std::shared_ptr<const ConvPrimitive> find(ConvTask task, const ConvSizes& sizes, bool has_bias);
  ~ConvPrimitive();
  ConvPrimitive(const ConvPrimitive&) = delete;
  ConvPrimitive& operator=(const ConvPrimitive&) = delete;

  std::size_t packed_bytes() const noexcept;
  /// From (sizes, in/groups, out) to the packed layout, and back.
  void pack(const float* kernel, std::byte* packed) const;
  void unpack(const std::byte* packed, float* kernel) const;
  /// Whether the other's packed kernels are this one's.
  bool packs_like(const ConvPrimitive& other) const;

  /// forward: y = x * packed + bias. data: x = the gradient of y times packed. kernel: packed = the gradient
  /// from x and that of y. What is not computed is only read. The caller holds a FloatEnvironment.
  void run(float* x, std::byte* packed, const float* bias, float* y) const;

 private:
  struct State;
  explicit ConvPrimitive(std::unique_ptr<State> state);
  static std::unique_ptr<State> create(ConvTask task, const ConvSizes& sizes, bool has_bias);
  std::unique_ptr<State> state_;
};

}  // namespace keratin::inline v0::ops::detail
