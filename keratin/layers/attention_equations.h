// The einsum equations of attention over any axes. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keratin::inline v0::detail {

/// A kernel between the last `bound` axes of its input and `output` new ones: "abc,cde->abde".
struct ProjectionEquation {
  ProjectionEquation(std::int64_t free, std::int64_t bound, std::int64_t output);
  std::string equation, bias_axes;
};

/// Products of heads, (batch, steps…, heads, size), where `axes` are those of the steps that see each other;
/// others are as a batch.
struct AttentionEquations {
  AttentionEquations(std::int64_t rank, const std::vector<std::int64_t>& axes);
  /// Query and key to scores, (batch…, heads, steps of queries…, steps of keys…).
  std::string scores;
  /// Scores and value to the result.
  std::string result;
};

}  // namespace keratin::inline v0::detail
