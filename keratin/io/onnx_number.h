// The number of a tensor of one element, which a file may keep in one of many fields. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "keratin/io/onnx_file.h"
#include "keratin/io/onnx_protobuf.h"

namespace keratin::inline v0::io::detail {

class OnnxNumber {
 public:
  /// The field that comes next, if it is one that holds numbers; else nothing is read.
  bool read(Message& tensor);
  /// Of a tensor of this type; nothing where the fields hold none, or several.
  std::optional<double> value(OnnxType type) const;

 private:
  Typed<double> floats_, doubles_;
  Typed<std::int64_t> ints_, longs_;
  Typed<std::uint64_t> unsigneds_;
  std::optional<std::string_view> raw_;
};

}  // namespace keratin::inline v0::io::detail
