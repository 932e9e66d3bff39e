// What an ONNX file says, as plain structs whose text lies in the file's bytes. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keratin::inline v0::io::detail {

/// The format's numbers of the element types that are told apart here.
enum class OnnxType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16,
};
bool is_floating(OnnxType type) noexcept;
bool is_integer(OnnxType type) noexcept;

struct OnnxTensor {
  std::string_view name;
  OnnxType type = OnnxType::undefined;
  std::vector<std::int64_t> shape;
  /// Of one element; nothing where there are others, or the type is none of the above.
  std::optional<double> value;
  bool is_external = false;
};

struct OnnxAttribute {
  std::string_view name;
  /// In a function: the attribute of its caller that stands here.
  std::string_view refers_to;
  std::optional<double> number;
  std::optional<std::string_view> text;
  std::optional<OnnxTensor> tensor;
};

struct OnnxNode {
  std::string_view operation, domain, name;
  std::vector<std::string_view> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
};

struct OnnxValue {
  std::string_view name;
  OnnxType type = OnnxType::undefined;
};

struct OnnxFunction {
  std::string_view name, domain;
  std::vector<std::string_view> inputs, outputs;
  /// Its own values of attributes that a caller leaves out.
  std::vector<OnnxAttribute> attributes;
  std::vector<OnnxNode> nodes;
};

struct OnnxModel {
  std::vector<OnnxValue> inputs, outputs;
  std::vector<OnnxTensor> constants;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxFunction> functions;
};

/// Nodes, constants, attributes, names: all together.
inline constexpr std::size_t kMaxOnnxParts = 100'000;

/// IoError, which names `file`, for damage and for more than kMaxOnnxParts. The bytes must outlive the
/// result.
OnnxModel parse_onnx(std::span<const std::byte> bytes, const std::string& file);

}  // namespace keratin::inline v0::io::detail
