// The element-wise operators of ONNX as formulas. Internal.
#pragma once

#include <string_view>

namespace keratin::inline v0::io::detail {

struct OnnxOperator {
  std::string_view name;
  /// In order; p and q are conditions, others numbers.
  std::string_view inputs;
  /// Numbers, each with its default: "alpha=0.2, beta=0.5".
  std::string_view attributes;
  /// Of these, in the language of activations::parse.
  std::string_view formula;
  /// What it gives.
  bool is_condition = false;
};

/// Null if the operator is no formula. The domain is "", "ai.onnx" or "com.microsoft".
const OnnxOperator* find_onnx_operator(std::string_view domain, std::string_view name) noexcept;
/// The same of integers, standard operators alone; its numbers are integers.
const OnnxOperator* find_onnx_integer_operator(std::string_view name) noexcept;
/// a to the power of b as C's pow has it, exceptional cases included.
std::string_view onnx_power_formula() noexcept;
bool is_standard_onnx(std::string_view domain) noexcept;

}  // namespace keratin::inline v0::io::detail
