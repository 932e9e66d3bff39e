// The rows that docs/accuracy.json commits are those of the kernels as they are now.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "keratin/activations/registry.h"
#include "tools/accuracy/page.h"
#include "tools/accuracy/rows.h"
#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {
namespace {

const std::string kDocs = KERATIN_SOURCE_DIR "/docs/";

TEST(CommittedRows, OfASampleHaveTheHashesOfTheseKernels) {
  if (!Oracle::available()) GTEST_SKIP() << "built without MPFR";
  const RowFile file(kDocs + "accuracy.json", true);
  // Only hashed: all rows take seconds, and with the oracle minutes.
  Plan plan;
  plan.judge = false;
  for (const activations::Function& function : activations::functions()) {
    for (const Variant& variant : variants(function)) {
      for (const Direction direction : {Direction::value, Direction::gradient}) {
        for (const Type type : {Type::f32, Type::f16, Type::bf16}) {
          SCOPED_TRACE(std::string(function.info->name) + " " + variant.text + " " + name(direction) + " " +
                       name(type));
          const Row now = sweep(variant, direction, type, plan);
          for (std::size_t i = 0; i < plan.isas.size(); ++i) {
            const auto* row = file.find(variant, direction, type, plan, plan.isas[i]);
            ASSERT_NE(row, nullptr) << "docs/accuracy.json has no row for " << simd::name(plan.isas[i])
                                    << ": ./dev accuracy --json docs/accuracy.json --resume --stride "
                                    << plan.stride;
            EXPECT_EQ(fmt::format("{:016x}", now.hashes[i]), row->at("hash").get<std::string>())
                << "docs/accuracy.json holds errors of another kernel: take the rows of this function and "
                   "type out and make them again (tools/accuracy/README.md)";
          }
        }
      }
    }
  }
}

TEST(CommittedRows, OfEveryDefaultCoverAllFloatsWithinTheirBound) {
  const RowFile file(kDocs + "accuracy.json", true);
  Plan whole;
  whole.stride = 1;
  for (const activations::Function& function : activations::functions()) {
    const Variant defaults = variants(function).front();
    for (const Direction direction : {Direction::value, Direction::gradient}) {
      SCOPED_TRACE(std::string(function.info->name) + " " + name(direction));
      const auto* row = file.find(defaults, direction, Type::f32, whole, simd::Isa::avx512);
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(row->at("inputs"), std::uint64_t{1} << 32);
      const activations::Bounds& bounds = function.info->bounds;
      const double bound = direction == Direction::value ? bounds.value_f32 : bounds.gradient_f32;
      EXPECT_LE(row->at("max_ulp").get<double>(), bound) << "at " << row->at("worst_input");
    }
  }
}

TEST(CommittedRows, AreWhatThePageShows) {
  std::ifstream page_file(kDocs + "accuracy.md");
  const std::string shown{std::istreambuf_iterator<char>(page_file), {}};
  EXPECT_TRUE(shown == page(RowFile(kDocs + "accuracy.json", true).rows())) << "./dev docs makes the page";
}

}  // namespace
}  // namespace keratin::accuracy
