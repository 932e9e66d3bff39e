// Random expressions: values and gradients against MPFR, dual numbers and central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/random_expression.h"
#include "keratin/core/float_env.h"
#include "tools/accuracy/oracle.h"

namespace keratin {
namespace {

using random_expression::kUnit;
using random_expression::Random;
using random_expression::Real;
using random_expression::Tracked;
using random_expression::Written;

constexpr double kPoints[] = {-3.7, -1.3, -0.62, -0.11, 0.07, 0.55, 0.93, 1.9, 4.1};

// Where rounding may have decided a branch, or grown beyond first order, there is nothing to compare with.
bool is_comparable(const Tracked& y) {
  return y.is_decided && std::isfinite(y.value) && std::isfinite(y.slope) && std::fabs(y.value) < 1e12L &&
         std::fabs(y.slope) < 1e12L && y.value_error < 1e-7L && y.slope_error < 1e-7L;
}
// The second order, and the digits that long double itself loses.
Real allowed(Real error) { return 2 * error + 1e-300L; }

template <class Check>
void for_each_random_expression(const Check& check) {
  const FloatEnvironment environment;
  int compared = 0;
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    const Written written = Random(seed).number(1 + static_cast<int>(seed % 5));
    for (const double x : kPoints) {
      const Tracked y = written.run(x);
      if (!is_comparable(y)) continue;
      check(written, x, y);
      ++compared;
      if (testing::Test::HasFailure()) {
        FAIL() << "seed " << seed << " at " << x << ": " << written.expr.to_string() << "\n" << written.text;
      }
    }
  }
  // A third of all are NaN, overflow, or lie on a kink.
  EXPECT_GT(compared, 3000);
}

TEST(ExpressionProperties, TheTapeComputesWhatMpfrDoesOfTheFormulaAsWritten) {
  if (!accuracy::Oracle::available()) GTEST_SKIP() << "built without MPFR";
  std::string last;
  std::optional<accuracy::Oracle> oracle;
  int judged = 0;
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    if (last != written.text) oracle.emplace(last = written.text, "", accuracy::Names{});
    ++judged;
    EXPECT_TRUE(oracle->within(x, false, written.expr.evaluate(x), allowed(y.value_error))) << "value";
    EXPECT_TRUE(oracle->within(x, true, written.expr.derivative().evaluate(x), allowed(y.slope_error)))
        << "slope";
    // Rewritten into built-ins where it is one.
    EXPECT_TRUE(oracle->within(x, false, detail::recognised(written.expr).evaluate(x),
                               allowed(y.value_error + 16 * kUnit)))
        << "recognised";
  });
  EXPECT_GT(judged, 1500);
}

TEST(ExpressionProperties, LeaveOutNoOperationButThreeOfOtherVariables) {
  std::set<ExprOp> found{ExprOp::stop_gradient, ExprOp::parameter, ExprOp::upstream};
  for_each_random_expression([&](const Written& written, double, const Tracked&) {
    for (const Expr& expression : {written.expr, written.expr.derivative()}) {
      // As it runs: built-ins taken apart.
      const detail::NodePtr apart = detail::rebuild(expression.shared(), detail::make_input(), true);
      for (const detail::NodePtr& root : {expression.shared(), apart})
        for (const detail::NodePtr& node : detail::topological_order(root)) found.insert(node->op);
    }
  });
  for (std::size_t op = 0; op < kExprOpCount; ++op)
    EXPECT_TRUE(found.contains(static_cast<ExprOp>(op))) << detail::op_info(static_cast<ExprOp>(op)).name;
}

TEST(ExpressionProperties, GradientsAgreeWithDualNumbers) {
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    EXPECT_NEAR(written.expr.evaluate(x), static_cast<double>(y.value),
                static_cast<double>(allowed(y.value_error)));
    EXPECT_NEAR(written.expr.derivative().evaluate(x), static_cast<double>(y.slope),
                static_cast<double>(allowed(y.slope_error)));
  });
}

TEST(ExpressionProperties, GradientsAgreeWithCentralDifferences) {
  int compared = 0;
  for_each_random_expression([&](const Written& written, double x, const Tracked& y) {
    // Halving the step quarters the error of a difference: what they differ by bounds it, where no kink lies
    // between.
    Real difference[3], largest = 0;
    for (int i = 0; i < 3; ++i) {
      const Real step = std::ldexp(1.0L, -12 - i);
      const Tracked after = written.run(x + step), before = written.run(x - step);
      if (!is_comparable(after) || !is_comparable(before) || after.branches != y.branches ||
          before.branches != y.branches)
        return;
      difference[i] = (after.value - before.value) / (2 * step);
      largest = std::fmax(largest, std::fmax(std::fabs(after.value), after.value_error / kUnit));
    }
    const Real unsure = std::fabs(difference[0] - difference[1]) + std::fabs(difference[1] - difference[2]);
    if (unsure > 1e-3L * std::fmax(1, std::fabs(y.slope))) return;
    // 2^-63 of the largest number on the way, over the smallest step.
    const Real rounding = 8 * std::ldexp(largest, -63 + 14);
    EXPECT_NEAR(written.expr.derivative().evaluate(x), static_cast<double>(difference[2]),
                static_cast<double>(unsure + rounding + allowed(y.slope_error)));
    ++compared;
  });
  EXPECT_GT(compared, 2500);
}

}  // namespace
}  // namespace keratin
