// Sweeps an activation against the oracle: the largest error, and a hash of all results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "keratin/activations/registry.h"
#include "keratin/simd/dispatch.h"
#include "tools/accuracy/oracle.h"

namespace keratin::accuracy {

enum class Direction { value, gradient };
enum class Type { f32, f64 };

/// A definition with values for its parameters.
struct Variant {
  const activations::Function* function;
  alignas(16) std::byte parameters[activations::kMaxParametersSize];
  /// "alpha=0.3", empty for the defaults.
  std::string text;
};

/// The defaults, and three other sets of values where there are parameters.
std::vector<Variant> variants(const activations::Function& function);

/// How many inputs. f32: every stride-th bit pattern, certified with MPFR at every certify-th of these and
/// wherever an f64 evaluation leaves a doubt. f64: samples a binade, each with MPFR. Both: the neighbourhoods
/// of kinks, roots and overflow, so many numbers on each side.
struct Plan {
  std::uint64_t stride = 99'991;
  std::uint64_t certify = 64;
  int samples = 2;
  int neighbours = 40;
  /// Those to run on; the results of the last are judged.
  std::vector<simd::Isa> isas{simd::supported_isas().begin(), simd::supported_isas().end()};
};

/// One line of the accuracy table.
struct Row {
  std::string function, parameters;
  Direction direction;
  Type type;
  std::uint64_t inputs = 0, certified = 0, not_correctly_rounded = 0;
  double max_ulp = 0, worst_input = 0;
  /// The results' bits, NaN made one; one for each of the plan's instruction sets.
  std::vector<std::uint64_t> hashes;
  double bound = 0;
};

/// Runs on the plan's instruction sets and judges the results of the last. If hashes differ, so do results.
Row sweep(const Variant& variant, Direction direction, Type type, const Plan& plan);

}  // namespace keratin::accuracy
