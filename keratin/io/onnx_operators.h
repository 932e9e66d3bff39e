// Operators of ONNX run on expressions. Internal.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/activations/expression_node.h"
#include "keratin/io/onnx_file.h"

namespace keratin::inline v0::io::detail {

/// What a name of the graph stands for: `node` for the first four; `text` says what an array is. Integers are
/// whole numbers, never -0, of int32 or int64, which are computed with as long as they do not overflow; those
/// of other types, which overflow early, are not.
struct OnnxResult {
  enum class Kind { number, integer, other_integer, condition, shape, array, absent } kind = Kind::absent;
  keratin::detail::NodePtr node = nullptr;
  std::string text = {};

  bool is_constant() const { return node != nullptr && node->is_constant(); }
  /// For errors.
  std::string describe() const;
};
OnnxResult constant_of(const OnnxTensor& tensor);

/// One node with what its names stand for.
struct OnnxCall {
  const OnnxNode& node;
  const std::string& file;
  std::vector<OnnxResult> inputs = {};
  std::map<std::string_view, const OnnxAttribute*> attributes = {};

  /// Null where it is not given.
  const OnnxAttribute* attribute(std::string_view name) const;
  double number(std::string_view name, double otherwise) const;
  bool has(std::size_t input) const;
  /// IoError: expects `expected`, node … of the file `received`.
  [[noreturn]] void refuse(std::string_view expected, std::string_view received,
                           std::string_view advice = {}) const;
};

inline constexpr std::string_view kAlone = "Export the activation alone, without the layers around it.";

/// The first output. IoError for what is not element-wise, ValueError where an expression cannot hold it.
OnnxResult run_operator(const OnnxCall& call);

}  // namespace keratin::inline v0::io::detail
