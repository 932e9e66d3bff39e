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
enum class Type { f32, f64, f16, bf16 };

/// A definition with values for its parameters.
struct Variant {
  const activations::Function* function;
  alignas(16) std::byte parameters[activations::kMaxParametersSize];
  /// "alpha=0.3", empty for the defaults.
  std::string text;
};

/// The defaults, and three other sets of values where there are parameters.
std::vector<Variant> variants(const activations::Function& function);

/// The values of its parameters, by name.
Names names(const Variant& variant);

/// How many inputs. f16, bf16: all. f32: every stride-th bit pattern from `offset` on, judged by the fast
/// oracle (bounded.h), by MPFR wherever that leaves a doubt; every certify-th is a check of the fast oracle
/// itself. f64: samples a binade, 20 times as many near 1, judged by long doubles (extended.h). Both: the
/// neighbourhoods of kinks, roots and overflow, so many numbers on each side (none where f32 is swept whole).
struct Plan {
  std::uint64_t stride = 9'973, offset = 0;
  std::uint64_t certify = 1 << 12;
  int samples = 2;
  int neighbours = 40;
  int threads = 1;
  /// Else the results are hashed only.
  bool judge = true;
  /// Those to run on; the results of the last are judged.
  std::vector<simd::Isa> isas{simd::supported_isas().begin(), simd::supported_isas().end()};
};

/// What of a plan decides the row of a type, such as "stride 1".
std::string describe(const Plan& plan, Type type);

/// One line of the accuracy table.
struct Row {
  std::string function, parameters;
  /// Which inputs; empty: describe().
  std::string plan;
  Direction direction;
  Type type;
  /// undecided: nearer to a tie than the fast oracle sees, not shown to MPFR; not_correctly_rounded leaves
  /// them out. max_ulp does not: it is right to 2^-20.
  std::uint64_t inputs = 0, certified = 0, not_correctly_rounded = 0, undecided = 0;
  double max_ulp = 0, worst_input = 0;
  /// Gradients next to their own zero that are beyond the bound but within 2^-24, and their largest error.
  std::uint64_t near_zero = 0;
  double near_zero_ulp = 0;
  /// The results' bits, NaN made one; one for each of the plan's instruction sets.
  std::vector<std::uint64_t> hashes;
  double bound = 0;
};

/// Runs on the plan's instruction sets and judges the results of the last. If hashes differ, so do results.
Row sweep(const Variant& variant, Direction direction, Type type, const Plan& plan);

/// The row of a single f32 or f64 input, on every instruction set.
Row sweep_one(const Variant& variant, Direction direction, Type type, double input);

}  // namespace keratin::accuracy
