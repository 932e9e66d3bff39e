// Expressions compiled to instructions on blocks that stay in the first-level cache. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "keratin/activations/expression_node.h"
#include "keratin/activations/tape_kernels.h"

namespace keratin::inline v0 {

/// A compiled expression of x, and of the upstream gradient where it holds one. Immutable; any number of
/// threads may run it. Computes in double.
class Tape {
 public:
  /// Elements in flight: 2 KiB a register, so that a dozen of them stay in cache.
  static constexpr std::size_t kBlock = 256;

  /// Built-ins in it are taken apart, so that what they share is computed once.
  explicit Tape(const detail::NodePtr& root);

  /// y[i] = f(x[i], upstream[i]); y may be x or upstream. The caller holds a FloatEnvironment. The same bits
  /// for an element wherever it stands. The first runs on a thread allocate that thread's registers.
  void run(const double* x, const double* upstream, double* y, std::size_t count) const;
  void run(const float* x, const float* upstream, float* y, std::size_t count) const;
  /// For an expression with parameters: y[i] = f(x[i], parameters[0][i], …).
  void run(const double* x, std::span<const double* const> parameters, double* y, std::size_t count) const;

  std::size_t instructions() const noexcept { return instructions_.size(); }
  std::size_t registers() const noexcept { return registers_; }

 private:
  struct Instruction {
    ExprOp op = ExprOp::input;
    std::uint16_t out = 0;
    std::array<std::int32_t, 3> inputs{};  // a register, or ~index of a constant
  };
  struct Compiler;

  template <class T>
  void run_blocks(const T* x, const T* upstream, std::span<const T* const> parameters, T* y,
                  std::size_t count) const;
  void run_block(double* registers, std::size_t count) const;

  std::vector<Instruction> instructions_;
  // Eight of each constant, to be read as a vector.
  std::vector<std::array<double, detail::kBlockLanes>> constants_;
  std::int32_t result_ = 0;
  std::size_t registers_ = 0;
  bool takes_upstream_ = false;
  std::size_t parameters_ = 0;
};

}  // namespace keratin::inline v0
