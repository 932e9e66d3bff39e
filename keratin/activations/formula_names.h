// Functions that a formula may call and that are formulas themselves, of other frameworks too. Internal.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/activations/expression_node.h"

namespace keratin::inline v0::activations::detail {

/// One of a table: its parameters, with defaults where they have one, and what it computes from them.
struct FormulaFunction {
  /// Letters of the packages that have it: t TensorFlow, h Theano and PyTensor, c CNTK, k our own language.
  std::string_view packages;
  std::string_view name;
  std::string_view parameters;  // "x, alpha=0.01"
  std::string_view formula;     // of these, in our own language
};

/// A name with the package it stands in: "tf.nn.silu" is silu of 't', "silu" is silu of 'k'.
struct QualifiedName {
  char package;
  std::string_view name;
};

/// Nothing if the name stands in a package that is not known.
std::optional<QualifiedName> qualified(std::string_view name) noexcept;
/// Null if that package's function is no formula: it may still be a built-in or an operation.
const FormulaFunction* find_formula_function(QualifiedName name) noexcept;
/// For the nearest name.
std::vector<std::string_view> formula_function_names(char package);

using FormulaNames = std::map<std::string, keratin::detail::NodePtr, std::less<>>;
/// A formula in our own language with these names in place of x: a number or a condition.
keratin::detail::NodePtr parse_bound(std::string_view formula, FormulaNames names);

}  // namespace keratin::inline v0::activations::detail
