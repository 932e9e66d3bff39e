// The library's grammar as a tree; what its words mean is for the oracles to say.
#include "tools/accuracy/formula.h"

#include <utility>

#include "keratin/activations/formula_syntax.h"

namespace keratin::accuracy {

std::unique_ptr<Formula> parse_formula(std::string_view text) {
  using activations::detail::SyntaxKind;
  std::vector<std::unique_ptr<Formula>> made;
  for (const auto& node : activations::detail::parse_syntax(text)) {
    auto formula = std::make_unique<Formula>();
    for (const std::uint32_t place : node.operands) formula->operands.push_back(std::move(made[place]));
    if (node.kind == SyntaxKind::number || node.kind == SyntaxKind::name) {
      formula->kind = node.kind == SyntaxKind::number ? "number" : "name";
      formula->text = node.text;
    } else if (node.kind == SyntaxKind::unary && node.text == "-") {
      formula->kind = "neg";
    } else if (node.kind == SyntaxKind::call || node.kind == SyntaxKind::binary ||
               node.kind == SyntaxKind::choice) {
      formula->kind = node.text;
    } else {
      activations::detail::fail_formula(text, node.at, "operators, numbers, names and functions alone");
    }
    made.push_back(std::move(formula));
  }
  return std::move(made.back());
}

}  // namespace keratin::accuracy
