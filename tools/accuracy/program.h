// A formula as a list of instructions without cancellation, for one set of parameters: what the fast oracles
// run.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/accuracy/oracle.h"

namespace keratin::accuracy {

enum class Op : std::uint8_t {
  constant,
  x,
  neg,
  abs,
  add,
  sub,
  mul,
  div,
  min,
  max,
  sqrt,
  exp,
  /// e^u - 1
  expm1,
  /// log(1 + e^u)
  softplus,
  /// 1 / (1 + e^-u)
  logistic,
  tanh,
  /// 1 - tanh(u)^2
  sech2,
  /// u - tanh(u), of an exact u
  tanh_rest,
  erfc,
  /// 2/sqrt(pi) e^(-u^2)
  gauss,
  /// 1 or 0
  less,
  less_equal,
  equal,
  both,
  either,
  /// a ? b : c
  select,
};

/// Operands are earlier instructions. The last instruction is the result.
struct Instruction {
  Op op;
  std::uint16_t a = 0, b = 0, c = 0;
  /// Of a constant: the exact one is within error of value.
  long double value = 0, error = 0;
};
using Program = std::vector<Instruction>;

/// The formula, or its derivative (of the text `derivative` where there is one). Nothing where it holds a
/// function that the fast oracle does not know.
std::optional<Program> compile(std::string_view formula, std::string_view derivative, const Names& names,
                               bool slope);

}  // namespace keratin::accuracy
