// Chains of arithmetic on blocks of floats: what one step gives the next takes from registers. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace keratin::inline v0::detail {

/// What a step does to the accumulator, a, with its operands p and q. Conditions are floats with all bits set
/// or none. a·p + q and the like are rounded once.
enum class ChainOp : std::uint8_t {
  load,   // a = p
  store,  // out = a
  add,
  subtract,       // a - p
  subtract_from,  // p - a
  multiply,
  divide,       // a / p
  divide_into,  // p / a
  minimum,
  maximum,
  multiply_add,           // a·p + q
  multiply_subtract,      // a·p - q
  subtract_multiple,      // q - a·p
  add_product,            // a + p·q
  subtract_product,       // a - p·q
  subtract_from_product,  // p·q - a
  square,
  negative,
  absolute,
  sign,
  floor,
  round,
  sqrt,
  less,           // a < p
  greater,        // p < a
  less_equal,     // a <= p
  greater_equal,  // p <= a
  equal,
  logical_and,
  logical_or,
  logical_not,
  select,        // a ? p : q
  select_true,   // p ? a : q
  select_false,  // p ? q : a
  clip,          // a between p and q
};

/// The most lanes that a vector of floats has.
inline constexpr std::size_t kChainLanes = 16;
/// A constant to be read as a vector: equal floats.
struct alignas(64) ChainConstant {
  std::array<float, kChainLanes> values;
};
/// Counts are a multiple of this: as many vectors as go through a chain together.
inline constexpr std::size_t kChainGroup = 128;

/// Where an operand lies; a constant has a stride of 0. Neither this nor ChainStep has initial values:
/// filling room for the longest chain would cost as much as running a short one.
struct ChainOperand {
  const float* data;
  std::size_t stride;
};

struct ChainStep {
  ChainOp op;
  ChainOperand p, q;
  float* out;
};

/// Runs the steps for every element, all steps of a group before those of the next: operands may be what
/// an earlier step stored, and results may replace operands.
void run_chain(std::span<const ChainStep> steps, std::size_t count);
/// Whether every |x[i]| < reach, for a multiple of kChainGroup.
bool all_below(const float* x, float reach, std::size_t count);

}  // namespace keratin::inline v0::detail
