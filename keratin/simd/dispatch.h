// Which instruction set the kernels run on: the best of the machine, or the one that is asked for.
#pragma once

#include <span>
#include <string_view>

#include "keratin/core/export.h"

namespace keratin::inline v0::simd {

/// In rising order on each kind of machine. Results of activations do not depend on it.
enum class Isa { scalar, sse4, avx2, avx512, neon };
inline constexpr int kIsaCount = 5;

/// "scalar", "sse4", "avx2", "avx512"; "neon" on 64-bit Arm.
KERATIN_API std::string_view name(Isa isa) noexcept;

/// Those that the library was built for and this machine runs, best last.
KERATIN_API std::span<const Isa> supported_isas() noexcept;

/// The instruction set in use: a ScopedIsa's, else that of the environment variable KERATIN_ISA, else the
/// best. ValueError if KERATIN_ISA names one that is unknown, or that this machine or build does not have.
KERATIN_API Isa active_isa();

/// For tests: while it lives, every thread uses this instruction set. ValueError if it is not supported.
class KERATIN_API ScopedIsa {
 public:
  explicit ScopedIsa(Isa isa);
  ~ScopedIsa();
  ScopedIsa(const ScopedIsa&) = delete;
  ScopedIsa& operator=(const ScopedIsa&) = delete;

 private:
  int previous_;
};

}  // namespace keratin::inline v0::simd
