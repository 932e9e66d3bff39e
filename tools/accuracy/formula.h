// The language of activations::Info::formula: text to tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keratin::accuracy {

/// A node: an operator or function and its operands.
struct Formula {
  /// "number", "name", "neg", "+", "-", "*", "/", "^", "?", "<", "<=", ">", ">=", "==", "!=", "&&", "||", or
  /// a function.
  std::string kind;
  /// The digits or the name of a leaf.
  std::string text;
  std::vector<std::unique_ptr<Formula>> operands;
};

/// ValueError with the place of the mistake.
std::unique_ptr<Formula> parse_formula(std::string_view text);

}  // namespace keratin::accuracy
