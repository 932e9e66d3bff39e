// Formulas typeset: expected by the rules of writing mathematics, brackets where the tree needs them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/parse.h"
#include "keratin/core/error.h"

namespace keratin {
namespace {

TEST(Latex, BracketsOnlyWhatBindsLooser) {
  const std::pair<const char*, const char*> rows[] = {
      {"x * sigmoid(1.702 * x)", R"(x\,\sigma\left(1.702\,x\right))"},
      {"x * x", "x^{2}"},
      {"(1 + x) * (1 + x)", R"(\left(1 + x\right)^{2})"},
      {"(x + 1) / (x - 2)", R"(\frac{1 + x}{x - 2})"},
      {"1 - (x - tanh(x))", R"(1 - \left(x - \tanh\left(x\right)\right))"},
      {"-(x + sin(x))", R"(-\left(x + \sin\left(x\right)\right))"},
      {"x^3", "x^{3}"},
      {"exp(-x)^3", R"(\left(e^{-x}\right)^{3})"},
      {"sqrt(1 + x*x)", R"(\sqrt{1 + x^{2}})"},
      {"log1p(exp(x))", R"(\ln\left(1 + e^{x}\right))"},
      {"abs(x) + floor(x)", R"(\left|x\right| + \left\lfloor x\right\rfloor)"},
      {"where(x > 0 and x < 1, x, 0)",
       R"(\begin{cases} x & \text{if } 0 < x \land x < 1 \\ 0 & \text{otherwise} \end{cases})"},
      {"elu(x, alpha=0.5)", R"(\operatorname{elu}\left(x,\, \operatorname{alpha}=0.5\right))"},
      {"maximum(x, 1e-7)", R"(\max\left(1 \cdot 10^{-7},\, x\right))"},
      {"x * inf", R"(\infty\,x)"},
  };
  for (const auto& [formula, expected] : rows) EXPECT_EQ(activations::parse(formula).to_latex(), expected);
}

TEST(Latex, WritesParametersAsGreekLetters) {
  const std::vector<std::string> names = {"beta", "scale_x", "k"};
  EXPECT_EQ(activations::parse("sigmoid(beta - x) / scale_x - k", names).to_latex(names),
            R"(\frac{\sigma\left(\beta - x\right)}{\operatorname{scale\_x}} - k)");
}

TEST(Latex, RefusesWhatWouldFillABook) {
  Expr y = Expr::input();
  for (int i = 0; i < 20; ++i) y = backend::sin(y) * backend::cos(y);
  EXPECT_THROW(y.to_latex(), ValueError);
}

}  // namespace
}  // namespace keratin
