// Convolution over one to three spatial axes, its two adjoints, and pooling.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops {

/// How a kernel moves over its input; one number for each spatial axis, the last axis last.
struct ConvGeometry {
  std::array<std::int64_t, 3> strides = {1, 1, 1}, dilations = {1, 1, 1};
  /// Zeros before each axis; those after follow from the sizes.
  std::array<std::int64_t, 3> before = {0, 0, 0};
  std::int64_t groups = 1;
};

/// A kernel in the layout that the machine wants, kept for as long as its values stay: a layer has one, so
/// that one prediction after the other does not arrange them anew. A copy keeps nothing yet. Safe from every
/// thread.
class KERATIN_API KeptKernel {
 public:
  struct State;
  KeptKernel();
  KeptKernel(const KeptKernel&) : KeptKernel() {}
  KeptKernel& operator=(const KeptKernel&) = delete;
  State& state() const noexcept { return *state_; }

 private:
  std::shared_ptr<State> state_;
};

/// act(x * kernel + bias): cross-correlation, as all frameworks have it; recorded where a gradient is wanted.
/// x: (batch, N sizes, in)   kernel: (N sizes, in/groups, out)   bias: (out,) or undefined
/// result: `shape`, (batch, N sizes, out); what lies outside of x counts as 0.
/// Bias and an element-wise activation are applied to each block of rows while it is in cache; the gradient
/// leaves out x's if x needs none. `kept` serves calls that are not recorded; training, in which each step
/// has new weights, empties it. The blocks depend on the shapes alone. ShapeError names the shapes. Cost:
/// 2·elements of the result·kernel sizes·in/groups flops, twice that backward.
KERATIN_API Tensor conv(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                        const ActivationFn& activation, const ConvGeometry& geometry, const Shape& shape,
                        const KeptKernel* kept = nullptr);
/// The adjoint of conv with respect to x, which is the transposed convolution: from the result's shape to
/// `shape`, x's.
KERATIN_API Tensor conv_data(const Tensor& upstream, const Tensor& kernel, const ConvGeometry& geometry,
                             const Shape& shape);
/// The adjoint of conv with respect to the kernel, of `shape`.
KERATIN_API Tensor conv_kernel(const Tensor& x, const Tensor& upstream, const ConvGeometry& geometry,
                               const Shape& shape);

/// For each of three spatial axes, for each element of the result, the elements [first, second) it is made
/// of.
using PoolWindow = std::pair<std::int64_t, std::int64_t>;
using PoolWindows = std::array<std::vector<PoolWindow, keratin::detail::SmallBlocks<PoolWindow>>, 3>;

/// x: (batch, N sizes, channels)   result: (batch, windows…, channels)
/// The largest of each window, the first of equals; the gradient goes there.
KERATIN_API Tensor max_pool(const Tensor& x, const PoolWindows& windows);
/// The mean of each window.
KERATIN_API Tensor average_pool(const Tensor& x, const PoolWindows& windows);

}  // namespace keratin::inline v0::ops
