// One operation of an expression on a block of doubles. Internal.
#pragma once

#include <cstddef>

#include "keratin/activations/expression_node.h"

namespace keratin::inline v0::detail {

/// The most lanes that a vector of doubles has: blocks are padded to a multiple of it.
inline constexpr std::ptrdiff_t kBlockLanes = 8;

/// Where an input lies. Constants are kBlockLanes equal doubles with a step of 0.
struct Operand {
  const double* data = nullptr;
  std::ptrdiff_t step = kBlockLanes;  ///< doubles from one kBlockLanes to the next: kBlockLanes or 0
};

/// out[i] = op(a[i], b[i], c[i]) for a multiple of kBlockLanes; out may be an input. Unused inputs are not
/// read. Conditions are doubles with all bits set or none.
using BlockKernel = void (*)(Operand a, Operand b, Operand c, double* out, std::size_t count);

/// By operation, for the instruction set in use; null for input, constant, function, derivative and upstream.
using BlockKernels = const BlockKernel*;
BlockKernels block_kernels();
inline BlockKernel block_kernel(ExprOp op) { return block_kernels()[static_cast<std::size_t>(op)]; }

}  // namespace keratin::inline v0::detail
