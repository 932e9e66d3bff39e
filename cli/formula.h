// Formulas as the registry writes them: read, differentiated by rule, printed. For pages, not for computing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keratin::cli {

/// A formula over x and named parameters: + - * / ^, comparisons, && ||, c ? a : b, abs, sqrt, exp, log,
/// tanh, erf, min, max, pi, inf. A value, cheap to copy.
class Formula {
 public:
  /// ValueError says where `text` stops making sense.
  static Formula parse(std::string_view text);
  static Formula constant(double value);
  static Formula variable(std::string name);
  /// An operator or a function on formulas.
  static Formula apply(std::string op, std::vector<Formula> inputs);

  /// d/dx by the rules of calculus, parameters kept by name; at a kink either side.
  Formula derivative() const;
  std::string to_string() const;
  /// `variable` gives x and the parameters; conditions count as 0 and 1.
  double evaluate(const std::function<double(std::string_view)>& variable) const;

  struct Node;
  explicit Formula(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  const Node& node() const noexcept { return *node_; }

 private:
  std::shared_ptr<const Node> node_;
};

struct Formula::Node {
  /// An operator ("+", "?", "neg"), a function ("exp"), "number" or "name".
  std::string op;
  double number = 0;
  std::string name;
  std::vector<Formula> inputs;
};

}  // namespace keratin::cli
