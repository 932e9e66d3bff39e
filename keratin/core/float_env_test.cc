// The floating-point environment: the library's while it computes, the caller's afterwards.
#include "keratin/core/float_env.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace keratin {
namespace {

// Through volatile, or the compiler would compute at compile time.
double divide(double a, double b) {
  volatile double x = a, y = b;
  return x / y;
}

float halve(float a) {
  volatile float x = a;
  return x * 0.5F;
}

TEST(FloatEnv, RoundsToNearestWhateverTheCallerSet) {
  const double nearest = divide(1, 3);
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
    ASSERT_EQ(std::fesetround(mode), 0);
    {
      const FloatEnvironment environment;
      EXPECT_EQ(divide(1, 3), nearest);
      EXPECT_EQ(divide(-1, 3), -nearest);
    }
    EXPECT_EQ(std::fegetround(), mode) << "not given back";
    std::fesetround(FE_TONEAREST);
  }
}

#if defined(__x86_64__)
TEST(FloatEnv, KeepsSubnormalsUnderFtzAndDazAndGivesBothBack) {
  const unsigned before = _mm_getcsr();
  const unsigned ftz_daz = 0x8040;
  _mm_setcsr(before | ftz_daz);
  const float smallest = std::numeric_limits<float>::min();
  const float flushed = halve(smallest);
  float kept = 0;
  {
    const FloatEnvironment environment;
    kept = halve(smallest);
  }
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(flushed, 0) << "the test set nothing";
  EXPECT_EQ(kept, smallest / 2);
  EXPECT_EQ(after & ftz_daz, ftz_daz);
}

TEST(FloatEnv, TrapsNothing) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before & ~0x1F80u);  // every exception would raise SIGFPE
  double quotient = 0;
  {
    const FloatEnvironment environment;
    quotient = divide(1, 0);
  }
  _mm_setcsr(before);
  EXPECT_TRUE(std::isinf(quotient));
}
#endif

}  // namespace
}  // namespace keratin
