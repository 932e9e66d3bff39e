// The grammar of formulas: text to what stands where. What its words mean is for each reader to say.
// Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"

namespace keratin::inline v0::activations::detail {

enum class SyntaxKind : std::uint8_t {
  number,      // text: its digits
  name,        // text: dots included, "tf.nn.silu"
  call,        // text: the function; operands: its arguments, keys: theirs or empty
  derivative,  // the same of silu'(x)
  nothing,     // an argument that is true, True, false, False, none, None or null: text
  unary,       // text: "-", "+" or "!"
  binary,      // text: || && <= >= == != < > + - * / ^
  choice,      // condition ? a : b
  assignment,  // text = operand; for what follows
};

struct SyntaxNode {
  SyntaxKind kind = SyntaxKind::number;
  std::string_view text;
  /// The character it begins with; of an argument, after its key.
  std::size_t at = 0;
  /// Places of earlier nodes.
  std::vector<std::uint32_t> operands = {};
  std::vector<std::string_view> keys = {};
};

/// Every node after its operands, the whole formula last: no reader has to recurse. The text must outlive it.
/// ValueError says at which character it stops making sense, and for more than 200 levels of nesting.
KERATIN_API std::vector<SyntaxNode> parse_syntax(std::string_view text);

/// The error of a formula: what was expected at this character.
[[noreturn]] KERATIN_API void fail_formula(std::string_view text, std::size_t at, std::string_view expected,
                                           std::string_view advice = {});

inline bool is_formula_digit(char c) noexcept { return c >= '0' && c <= '9'; }
inline bool is_formula_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace keratin::inline v0::activations::detail
