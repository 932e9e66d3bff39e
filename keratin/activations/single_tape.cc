// Running tapes in f32.
#include "keratin/activations/single_tape.h"

#include <algorithm>
#include <array>
#include <memory>

#include "keratin/activations/single_tape_compiler.h"
#include "keratin/activations/tape_kernels.h"
#include "keratin/core/memory.h"

namespace keratin::inline v0 {
namespace {

constexpr std::size_t kBlock = SingleTape::kBlock;

// Registers of this thread, kept between calls; grown by whole expressions, so that calls settle at once.
float* scratch(std::size_t registers) {
  thread_local std::shared_ptr<std::byte> memory;
  thread_local std::size_t held = 0;
  if (held < registers) {
    memory = allocate(registers * kBlock * sizeof(float));
    held = registers;
  }
  return reinterpret_cast<float*>(memory.get());
}

const float* ones() {
  static const std::array<float, kBlock> kOnes = [] {
    std::array<float, kBlock> values;
    values.fill(1.0f);
    return values;
  }();
  return kOnes.data();
}

// Any operation in double, rounded once.
void run_wide(ExprOp op, double exponent, const float* x, float* y, std::size_t count) {
  alignas(64) std::array<double, kBlock> block;
  std::array<double, detail::kBlockLanes> exponents;
  exponents.fill(exponent);
  for (std::size_t i = 0; i < count; ++i) block[i] = static_cast<double>(x[i]);
  detail::block_kernel(op)({block.data()}, {exponents.data(), 0}, {}, block.data(), count);
  for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<float>(block[i]);
}

}  // namespace

// Where the registers of this block lie.
struct SingleTape::Machine {
  const SingleTape& tape;
  std::array<float*, Compiler::kFirst> given;  // x, upstream, result
  float* registers;

  float* at(Place place) const {
    const auto i = static_cast<std::size_t>(place);
    return i < given.size() ? given[i] : registers + (i - given.size()) * kBlock;
  }
  detail::ChainOperand operand(Place place) const {
    if (place < 0) return {tape.constants_[static_cast<std::size_t>(~place)].values.data(), 0};
    return {at(place), 1};
  }
};

SingleTape::SingleTape(const detail::NodePtr& root) { Compiler(*this).compile(detail::without_stops(root)); }

void SingleTape::run_block(const Machine& machine, std::size_t count) const {
  for (const Instruction& step : instructions_) {
    if (step.kind == Kind::chain) {
      std::array<detail::ChainStep, Compiler::kLongestChain> steps;
      std::size_t length = 0;
      for (const Step& s : step.steps) {
        const bool stores = s.op == detail::ChainOp::store;
        steps[length++] = {s.op, stores ? detail::ChainOperand{nullptr, 0} : machine.operand(s.p),
                           machine.operand(s.q), stores ? machine.at(s.p) : nullptr};
      }
      detail::run_chain({steps.data(), length}, count);
      continue;
    }
    const float* in = machine.at(step.in);
    float* out = machine.at(step.out);
    if (step.kind == Kind::value) {
      step.function->forward(in, out, count);
    } else if (step.kind == Kind::slope) {
      const float* factor = step.factor == Compiler::kNone ? ones() : machine.at(step.factor);
      step.function->gradient(in, factor, out, count);
    } else {
      run_wide(step.op, step.exponent, in, out, count);
    }
  }
}

void SingleTape::run(const float* x, const float* upstream, float* y, std::size_t count) const {
  float* registers = scratch(registers_ + Compiler::kFirst);
  // Only the result is written, and what is read of x in place is read before.
  const std::array<float*, Compiler::kFirst> spare = {registers + registers_ * kBlock,
                                                      registers + (registers_ + 1) * kBlock,
                                                      registers + (registers_ + 2) * kBlock};
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t here = std::min(kBlock, count - begin);
    const float* factor = takes_upstream_ ? upstream + begin : x + begin;
    if (here % detail::kChainGroup == 0) {
      run_block({*this, {const_cast<float*>(x + begin), const_cast<float*>(factor), y + begin}, registers},
                here);
      continue;
    }
    const std::size_t padded = (here + detail::kChainGroup - 1) / detail::kChainGroup * detail::kChainGroup;
    std::fill(std::copy_n(x + begin, here, spare[0]), spare[0] + padded, 0.0f);
    std::fill(std::copy_n(factor, here, spare[1]), spare[1] + padded, 0.0f);
    run_block({*this, spare, registers}, padded);
    std::copy_n(spare[2], here, y + begin);
  }
}

}  // namespace keratin::inline v0
