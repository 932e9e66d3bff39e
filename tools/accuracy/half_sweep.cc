#include "tools/accuracy/half_sweep.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "keratin/core/dtype.h"
#include "keratin/core/float_env.h"
#include "tools/accuracy/bounded.h"

namespace keratin::accuracy {
namespace {

constexpr std::size_t kInputs = 1 << 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The spacing of numbers next to y.
double spacing(double y, const Format& format) {
  const int exponent = y == 0 ? format.min_exponent : std::max(std::ilogb(y) + 1, format.min_exponent);
  return std::ldexp(1.0, exponent - format.digits);
}

double nearest(double y, const Format& format) {
  if (!std::isfinite(y)) return y;
  const double ulp = spacing(y, format), rounded = std::nearbyint(y / ulp) * ulp;
  return std::fabs(rounded) < std::ldexp(1.0, format.max_exponent) ? rounded : std::copysign(kInfinity, y);
}

// Exact, by its own arithmetic: the type's bits are a sign, an exponent and format.digits - 1 bits more.
double number(std::uint16_t bits, const Format& format) {
  const int fraction_bits = format.digits - 1;
  const int exponent = (bits & 0x7fff) >> fraction_bits, all_ones = 0x7fff >> fraction_bits;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  double size = std::ldexp(fraction, format.min_exponent - format.digits);
  if (exponent > 0) {
    size = std::ldexp(fraction + (1 << fraction_bits), exponent - 1 + format.min_exponent - format.digits);
  }
  if (exponent == all_ones) size = fraction == 0 ? kInfinity : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -size : size;
}

template <class T>
std::vector<std::uint32_t> results(const Variant& variant, Direction direction, std::uint16_t one) {
  const FloatEnvironment environment;
  std::vector<T> x(kInputs), y(kInputs), ones(kInputs, T{one});
  for (std::size_t i = 0; i < kInputs; ++i) x[i].bits = static_cast<std::uint16_t>(i);
  if (direction == Direction::value) {
    variant.function->forward(variant.parameters, x.data(), y.data(), kInputs);
  } else {
    variant.function->gradient(variant.parameters, x.data(), ones.data(), y.data(), kInputs);
  }
  std::vector<std::uint32_t> bits(kInputs);
  for (std::size_t i = 0; i < kInputs; ++i) bits[i] = y[i].bits;
  return bits;
}

void judge(const Variant& variant, const Format& format, const std::vector<std::uint32_t>& bits, Row& row) {
  const activations::Info& info = *variant.function->info;
  const bool slope = row.direction == Direction::gradient;
  const std::optional<Program> program = compile(info.formula, info.derivative, names(variant), slope);
  Workspace workspace(program.value_or(Program{{Op::x}}));
  Oracle oracle(info.formula, info.derivative, names(variant));
  for (std::size_t first = 0; first < kInputs; first += kBlockSize) {
    for (std::size_t i = 0; i < kBlockSize; ++i) {
      const double x = number(static_cast<std::uint16_t>(first + i), format);
      workspace.inputs()[i] = std::isfinite(x) ? x : 0;
    }
    workspace.run();
    for (std::size_t i = 0; i < kBlockSize; ++i) {
      const double x = number(static_cast<std::uint16_t>(first + i), format);
      // Infinities and NaN have tests of their own: the oracle has no limits.
      if (!std::isfinite(x)) continue;
      const double got = number(static_cast<std::uint16_t>(bits[first + i]), format);
      const double value = workspace.values()[i], error = workspace.errors()[i] * (1 + 0x1p-40);
      const double expected = nearest(value - error, format);
      if (program && expected == nearest(value + error, format) && got == expected) {
        const double off = std::isinf(got) ? 0 : std::fabs(got - value) / spacing(value, format);
        if (off > row.max_ulp) row.max_ulp = off, row.worst_input = x;
        continue;
      }
      const Judgement judgement = oracle.judge(x, slope, got, format);
      ++row.certified;
      row.not_correctly_rounded += !judgement.correctly_rounded;
      if (judgement.ulp > row.max_ulp) row.max_ulp = judgement.ulp, row.worst_input = x;
    }
  }
}

}  // namespace

void sweep_halves(const Variant& variant, const Plan& plan, Row& row) {
  const bool f16 = row.type == Type::f16;
  const Format format = f16 ? Format{11, -13, 16} : Format{8, -125, 128};
  for (std::size_t i = 0; i < plan.isas.size(); ++i) {
    const simd::ScopedIsa isa(plan.isas[i]);
    std::vector<std::uint32_t> bits = f16 ? results<float16>(variant, row.direction, 0x3c00)
                                          : results<bfloat16>(variant, row.direction, 0x3f80);
    for (std::uint32_t& word : bits) {
      if (std::isnan(number(static_cast<std::uint16_t>(word), format))) word = 0xffffffff;
    }
    row.hashes[i] = hash_words(bits);
    if (plan.judge && i + 1 == plan.isas.size()) judge(variant, format, bits, row);
  }
  row.inputs += kInputs;
}

}  // namespace keratin::accuracy
