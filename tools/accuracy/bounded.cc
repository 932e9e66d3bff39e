// The series' coefficients, computed when first needed, and the choice of instruction set.
#include "tools/accuracy/bounded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "tools/accuracy/series.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tools/accuracy/bounded.inl"
// First foreach_target.h, which needs what the others bring.
#include <hwy/foreach_target.h>
// Then this, for each target.
#include <hwy/highway.h>

#include "tools/accuracy/bounded.inl"

#if HWY_ONCE
namespace keratin::accuracy {

HWY_EXPORT(step);
HWY_EXPORT(judge);
HWY_EXPORT(hash_lines);

Workspace::Workspace(const Program& program)
    : program_(program),
      values_(program.size() + 1),
      errors_(program.size() + 1),
      x_(program.size()),
      result_(program.size() - 1) {
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].op == Op::x) x_ = i;
    if (program[i].op != Op::constant) continue;
    const double value = static_cast<double>(program[i].value);
    const long double rounding = std::fabs(program[i].value - static_cast<long double>(value));
    // 1 + 2^-50: the sum is rounded itself.
    const long double error = std::isinf(value) ? 0 : (program[i].error + rounding) * (1 + 0x1p-50L);
    std::fill_n(values_[i].at, kBlockSize, value);
    std::fill_n(errors_[i].at, kBlockSize, static_cast<double>(error));
  }
}

void Workspace::run() {
  for (std::size_t i = 0; i < program_.size(); ++i) {
    const Instruction& now = program_[i];
    if (now.op <= Op::x) continue;
    const double* operands[] = {values_[now.a].at, errors_[now.a].at, values_[now.b].at,
                                errors_[now.b].at, values_[now.c].at, errors_[now.c].at};
    double* result[] = {values_[i].at, errors_[i].at};
    HWY_DYNAMIC_DISPATCH(step)(now.op, operands, result);
  }
}

void Workspace::judge(const float* results, Verdict& verdict) const {
  HWY_DYNAMIC_DISPATCH(judge)(values(), errors(), results, verdict);
}

std::uint64_t hash_words(std::span<const std::uint32_t> words) {
  std::uint32_t state[16];
  for (std::uint32_t lane = 0; lane < 16; ++lane) state[lane] = 0x811c9dc5U + lane;
  const std::size_t lines = words.size() / 16;
  HWY_DYNAMIC_DISPATCH(hash_lines)(words.data(), lines, state);
  if (const std::size_t rest = words.size() % 16; rest != 0) {
    std::uint32_t last[16] = {};
    std::copy_n(words.data() + 16 * lines, rest, last);
    HWY_DYNAMIC_DISPATCH(hash_lines)(last, 1, state);
  }
  std::uint64_t hash = words.size();
  for (const std::uint32_t lane : state) {
    hash = (hash ^ lane) * 0x100000001b3ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace keratin::accuracy
#endif
