// The floating-point environment that the library computes in, whatever its caller's.
#pragma once

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// While it lives, this thread rounds to nearest, keeps subnormals (FTZ and DAZ off) and traps nothing;
/// then the caller's settings return. Audio hosts and -ffast-math programs change them.
/// Cost: about 2 ns where nothing has to change.
class KERATIN_API FloatEnvironment {
 public:
  FloatEnvironment() noexcept;
  ~FloatEnvironment();
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  unsigned long long saved_;
};

}  // namespace keratin::inline v0
