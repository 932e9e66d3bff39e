// Compiling and running tapes.
#include "keratin/activations/tape.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>

#include "keratin/core/error.h"
#include "keratin/core/memory.h"

namespace keratin::inline v0 {
namespace {

// Registers of this thread, kept between calls; grown by whole expressions, so that calls settle at once.
double* scratch(std::size_t registers) {
  thread_local std::shared_ptr<std::byte> memory;
  thread_local std::size_t held = 0;
  if (held < registers) {
    memory = allocate(registers * Tape::kBlock * sizeof(double));
    held = registers;
  }
  return reinterpret_cast<double*>(memory.get());
}

constexpr std::int32_t kX = 0, kUpstream = 1, kParameters = 2;

bool is_given(const ExprNode& node) {
  return node.op == ExprOp::input || node.op == ExprOp::upstream || node.op == ExprOp::parameter;
}

}  // namespace

// Registers 0 and 1 are x and the upstream gradient, then come the parameters; others are given out and taken
// back as values die.
struct Tape::Compiler {
  Tape& tape;
  std::unordered_map<const ExprNode*, std::int32_t> place;
  std::unordered_map<const ExprNode*, std::size_t> remaining_uses;
  std::vector<std::uint16_t> free;

  std::uint16_t take_register() {
    if (!free.empty()) {
      const std::uint16_t reused = free.back();
      free.pop_back();
      return reused;
    }
    if (tape.registers_ > std::numeric_limits<std::uint16_t>::max()) {
      throw ValueError("expression", "at most 65536 values may be alive at once", "this one has more");
    }
    return static_cast<std::uint16_t>(tape.registers_++);
  }

  void release(const ExprNode& node) {
    if (--remaining_uses.at(&node) != 0 || is_given(node)) return;
    const std::int32_t at = place.at(&node);
    if (at >= 0) free.push_back(static_cast<std::uint16_t>(at));
  }

  std::int32_t constant(double value) {
    tape.constants_.emplace_back().fill(value);
    return ~static_cast<std::int32_t>(tape.constants_.size() - 1);
  }

  void emit(const ExprNode& node) {
    Instruction instruction{.op = node.op};
    std::size_t used = 0;
    for (const detail::NodePtr& input : node.inputs) {
      if (input != nullptr) instruction.inputs[used++] = place.at(input.get());
    }
    // Results may replace inputs: all kernels work in place.
    for (std::size_t i = 0; i < used; ++i) release(*node.inputs[i]);
    instruction.out = take_register();
    place[&node] = instruction.out;
    tape.instructions_.push_back(instruction);
  }

  void compile(const detail::NodePtr& root) {
    tape.parameters_ = detail::parameter_count(root);
    tape.registers_ = static_cast<std::size_t>(kParameters) + tape.parameters_;
    const std::vector<detail::NodePtr> order = detail::topological_order(root);
    for (const auto& node : order) {
      for (const auto& input : node->inputs) {
        if (input != nullptr) ++remaining_uses[input.get()];
      }
    }
    ++remaining_uses[root.get()];
    for (const auto& node : order) {
      if (node->op == ExprOp::input) {
        place[node.get()] = kX;
      } else if (node->op == ExprOp::upstream) {
        place[node.get()] = kUpstream;
        tape.takes_upstream_ = true;
      } else if (node->op == ExprOp::parameter) {
        place[node.get()] = kParameters + static_cast<std::int32_t>(node->value);
      } else if (node->is_constant()) {
        place[node.get()] = constant(node->value);
      } else {
        emit(*node);
      }
    }
    tape.result_ = place.at(root.get());
  }
};

Tape::Tape(const detail::NodePtr& whole) {
  const detail::NodePtr root = detail::without_stops(whole);
  const std::vector<detail::NodePtr> nodes = detail::topological_order(root);
  const bool has_functions =
      std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return node->function != nullptr; });
  // Rebuilding folds constants, which compiles tapes of plain operations: those end here.
  Compiler{*this, {}, {}, {}}.compile(has_functions ? detail::rebuild(root, detail::make_input(), true)
                                                    : root);
}

void Tape::run_block(double* registers, std::size_t count) const {
  const auto operand = [&](std::int32_t at) -> detail::Operand {
    if (at < 0) return {constants_[static_cast<std::size_t>(~at)].data(), 0};
    return {registers + static_cast<std::size_t>(at) * kBlock, detail::kBlockLanes};
  };
  const detail::BlockKernels kernels = detail::block_kernels();
  for (const Instruction& step : instructions_) {
    double* out = registers + step.out * kBlock;
    kernels[static_cast<std::size_t>(step.op)](operand(step.inputs[0]), operand(step.inputs[1]),
                                               operand(step.inputs[2]), out, count);
  }
}

template <class T>
void Tape::run_blocks(const T* x, const T* upstream, std::span<const T* const> parameters, T* y,
                      std::size_t count) const {
  double* registers = scratch(registers_);
  const auto fill = [registers](std::int32_t at, const T* from, std::size_t here, std::size_t padded) {
    double* to = registers + static_cast<std::size_t>(at) * kBlock;
    for (std::size_t i = 0; i < here; ++i) to[i] = static_cast<double>(from[i]);
    std::fill(to + here, to + padded, 0.0);
  };
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t here = std::min(kBlock, count - begin);
    const std::size_t padded = (here + detail::kBlockLanes - 1) / detail::kBlockLanes * detail::kBlockLanes;
    fill(kX, x + begin, here, padded);
    if (takes_upstream_) fill(kUpstream, upstream + begin, here, padded);
    for (std::size_t i = 0; i < parameters_; ++i)
      fill(kParameters + static_cast<std::int32_t>(i), parameters[i] + begin, here, padded);
    run_block(registers, padded);
    if (result_ < 0) {
      std::fill_n(y + begin, here, static_cast<T>(constants_[static_cast<std::size_t>(~result_)][0]));
      continue;
    }
    const double* result = registers + static_cast<std::size_t>(result_) * kBlock;
    for (std::size_t i = 0; i < here; ++i) y[begin + i] = static_cast<T>(result[i]);
  }
}

void Tape::run(const double* x, const double* upstream, double* y, std::size_t count) const {
  run_blocks(x, upstream, {}, y, count);
}
void Tape::run(const float* x, const float* upstream, float* y, std::size_t count) const {
  run_blocks(x, upstream, {}, y, count);
}
void Tape::run(const double* x, std::span<const double* const> parameters, double* y,
               std::size_t count) const {
  run_blocks<double>(x, nullptr, parameters, y, count);
}

}  // namespace keratin::inline v0
