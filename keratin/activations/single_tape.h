// Expressions compiled to f32: kernels of built-ins, and chains of arithmetic between them. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "keratin/activations/builtin.h"
#include "keratin/activations/chain_kernels.h"
#include "keratin/activations/expression_node.h"

namespace keratin::inline v0 {

/// A compiled expression of x, and of the upstream gradient where it holds one. Immutable; any number of
/// threads may run it. Every operation is rounded to f32, a·b + c once: how far that is from the exact
/// result depends on the expression, and AdaptiveTape measures it.
class SingleTape {
 public:
  /// Elements in flight: 2 KiB a register, so that a dozen of them stay in the first-level cache.
  static constexpr std::size_t kBlock = 512;

  explicit SingleTape(const detail::NodePtr& root);

  /// y[i] = f(x[i], upstream[i]); y may be x or upstream. The caller holds a FloatEnvironment. The same bits
  /// for an element wherever it stands. The first runs on a thread allocate that thread's registers.
  void run(const float* x, const float* upstream, float* y, std::size_t count) const;

  std::size_t instructions() const noexcept { return instructions_.size(); }

 private:
  // A register, or ~index of a constant.
  using Place = std::int32_t;
  struct Step {
    detail::ChainOp op = detail::ChainOp::load;
    Place p = 0, q = 0;  // store: to p
  };
  enum class Kind : std::uint8_t {
    chain,
    value,  // of a built-in
    slope,  // of a built-in, times `factor`
    wide,   // any other operation: in double, rounded once
  };
  struct Instruction {
    Kind kind = Kind::chain;
    Place in = 0, factor = 0, out = 0;
    std::shared_ptr<const BuiltinActivation> function;
    ExprOp op = ExprOp::input;
    double exponent = 0;
    std::vector<Step> steps;
  };
  struct Machine;
  class Compiler;

  void run_block(const Machine& machine, std::size_t count) const;

  std::vector<Instruction> instructions_;
  std::vector<detail::ChainConstant> constants_;
  std::size_t registers_ = 0;  // beside x, upstream and the result
  bool takes_upstream_ = false;
};

}  // namespace keratin::inline v0
