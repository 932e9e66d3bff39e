// Linked with kernels that read spoiled/, where one number of tanh's table is one unit off: a sweep sees it.
#include <gtest/gtest.h>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {
namespace {

// The share of the floats that keratin/activations/bounds_test.cc sweeps.
const Plan kPlan{.stride = 99'991, .samples = 1, .neighbours = 8};

Row tanh_row(Direction direction) {
  return sweep(variants(*activations::find("tanh")).front(), direction, Type::f32, kPlan);
}

TEST(SpoiledTable, FailsTheSweep) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Row row = tanh_row(Direction::value);
  EXPECT_GT(row.max_ulp, row.bound);
}

TEST(SpoiledTable, LeavesTheOtherTablesAlone) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const Row row = tanh_row(Direction::gradient);
  EXPECT_LE(row.max_ulp, row.bound);
}

}  // namespace
}  // namespace keratin::accuracy
