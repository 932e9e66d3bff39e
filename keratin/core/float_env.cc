#include "keratin/core/float_env.h"

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <cstdint>
#endif

namespace keratin::inline v0 {
#if defined(__x86_64__)
namespace {
// MXCSR: the low six bits are sticky flags, 0x1F80 masks every exception and rounds to nearest.
constexpr unsigned kDefault = 0x1F80, kFlags = 0x3F;
}  // namespace

FloatEnvironment::FloatEnvironment() noexcept : saved_(_mm_getcsr()) {
  if ((saved_ & ~kFlags) != kDefault) _mm_setcsr(kDefault);
}

FloatEnvironment::~FloatEnvironment() {
  if ((saved_ & ~kFlags) != kDefault) _mm_setcsr(static_cast<unsigned>(saved_));
}
#elif defined(__aarch64__)
FloatEnvironment::FloatEnvironment() noexcept {
  std::uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  saved_ = value;
  if (value != 0) asm volatile("msr fpcr, %0" ::"r"(std::uint64_t{0}));
}

FloatEnvironment::~FloatEnvironment() {
  if (saved_ != 0) asm volatile("msr fpcr, %0" ::"r"(std::uint64_t{saved_}));
}
#else
FloatEnvironment::FloatEnvironment() noexcept : saved_(0) {}
FloatEnvironment::~FloatEnvironment() = default;
#endif

}  // namespace keratin::inline v0
