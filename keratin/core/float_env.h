// The floating-point environment that the library computes in, whatever its caller's.
#pragma once

#include "keratin/core/export.h"

namespace keratin::inline v0 {

namespace detail {
/// Sets MXCSR or FPCR: the slow part, kept out of line.
KERATIN_API void set_float_control(unsigned long long value) noexcept;
}  // namespace detail

/// While it lives, this thread rounds to nearest, keeps subnormals (FTZ and DAZ off) and traps nothing;
/// then the caller's settings return. Audio hosts and -ffast-math programs change them.
/// Cost: about 2 ns where nothing has to change.
class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : saved_(control()) {
    if ((saved_ & ~kFlags) != kDefault) detail::set_float_control(kDefault);
  }
  ~FloatEnvironment() {
    if ((saved_ & ~kFlags) != kDefault) detail::set_float_control(saved_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__x86_64__)
  // MXCSR: the low six bits are sticky flags, 0x1F80 masks every exception and rounds to nearest.
  static constexpr unsigned long long kDefault = 0x1F80, kFlags = 0x3F;
  static unsigned long long control() noexcept { return __builtin_ia32_stmxcsr(); }
#elif defined(__aarch64__)
  static constexpr unsigned long long kDefault = 0, kFlags = 0;
  static unsigned long long control() noexcept {
    unsigned long long value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
#else
  static constexpr unsigned long long kDefault = 0, kFlags = 0;
  static unsigned long long control() noexcept { return kDefault; }
#endif

  unsigned long long saved_;
};

}  // namespace keratin::inline v0
