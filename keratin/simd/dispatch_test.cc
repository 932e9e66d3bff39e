#include "keratin/simd/dispatch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "keratin/core/error.h"

namespace keratin::simd {
namespace {

TEST(Dispatch, SupportedSetsRiseAndBeginWithPlainCode) {
  const auto isas = supported_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::scalar);
  for (std::size_t i = 1; i < isas.size(); ++i) EXPECT_LT(isas[i - 1], isas[i]);
}

TEST(Dispatch, AScopedSetIsInUseUntilItsEnd) {
  const Isa before = active_isa();
  for (const Isa isa : supported_isas()) {
    const ScopedIsa outer(isa);
    EXPECT_EQ(active_isa(), isa);
    {
      const ScopedIsa inner(Isa::scalar);
      EXPECT_EQ(active_isa(), Isa::scalar);
    }
    EXPECT_EQ(active_isa(), isa);
  }
  EXPECT_EQ(active_isa(), before);
}

// The variable is read once a process: a child with it set asks for the active set.
void use_isa_of(const char* value) {
  setenv("KERATIN_ISA", value, 1);
  try {
    const Isa isa = active_isa();
    std::fprintf(stderr, "active: %s\n", std::string(name(isa)).c_str());
  } catch (const ValueError& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::exit(0);
}

// The threadsafe style runs the child as a new process, where nothing has been read yet.
TEST(DispatchDeathTest, TheEnvironmentForcesASet) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const Isa isa : supported_isas()) {
    const std::string expected = "active: " + std::string(name(isa));
    EXPECT_EXIT(use_isa_of(std::string(name(isa)).c_str()), ::testing::ExitedWithCode(0), expected);
  }
}

TEST(DispatchDeathTest, AnUnknownSetIsAValueErrorThatNamesThoseOfTheMachine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(use_isa_of("avx9"), ::testing::ExitedWithCode(0), "KERATIN_ISA.*avx9(.|\n)*have: scalar");
}

}  // namespace
}  // namespace keratin::simd
