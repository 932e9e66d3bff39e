// ONNX is protobuf. It is read by protozero, headers alone that hand out views and check every length:
// Debian's libonnx brings 13 MB with libprotobuf, two libraries at run time, and builds all of a file in
// memory before anyone can say that it is too much.
#include "keratin/io/onnx_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/io/onnx_number.h"
#include "keratin/io/onnx_protobuf.h"

namespace keratin::inline v0::io::detail {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  OnnxModel model(Message message) {
    OnnxModel model;
    bool has_graph = false;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(7):
          graph(message.get_message(), model);
          has_graph = true;
          break;
        case bytes(25):
          model.functions.push_back(function(message.get_message()));
          break;
        default:
          message.skip();
      }
    }
    if (!has_graph) {
      throw IoError("onnx", "expects a model with a graph", fmt::format("\"{}\" has none", file_),
                    "Is it another kind of file?");
    }
    return model;
  }

 private:
  void count() {
    if (++parts_ <= kMaxOnnxParts) return;
    throw IoError("onnx", fmt::format("expects at most {} nodes, constants and names", kMaxOnnxParts),
                  fmt::format("\"{}\" has more", file_),
                  "Export the activation alone, without the layers around it.");
  }
  std::string_view counted_text(Message& message) {
    count();
    return text_of(message);
  }

  void graph(Message message, OnnxModel& model) {
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(1):
          model.nodes.push_back(node(message.get_message()));
          break;
        case bytes(5):
          model.constants.push_back(tensor(message.get_message()));
          break;
        case bytes(11):
          model.inputs.push_back(value(message.get_message()));
          break;
        case bytes(12):
          model.outputs.push_back(value(message.get_message()));
          break;
        default:
          message.skip();
      }
    }
  }

  OnnxFunction function(Message message) {
    count();
    OnnxFunction function;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(1):
          function.name = text_of(message);
          break;
        case bytes(4):
          function.inputs.push_back(counted_text(message));
          break;
        case bytes(5):
          function.outputs.push_back(counted_text(message));
          break;
        case bytes(7):
          function.nodes.push_back(node(message.get_message()));
          break;
        case bytes(10):
          function.domain = text_of(message);
          break;
        case bytes(11):
          function.attributes.push_back(attribute(message.get_message()));
          break;
        default:
          message.skip();
      }
    }
    return function;
  }

  OnnxNode node(Message message) {
    count();
    OnnxNode node;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(1):
          node.inputs.push_back(counted_text(message));
          break;
        case bytes(2):
          node.outputs.push_back(counted_text(message));
          break;
        case bytes(3):
          node.name = text_of(message);
          break;
        case bytes(4):
          node.operation = text_of(message);
          break;
        case bytes(5):
          node.attributes.push_back(attribute(message.get_message()));
          break;
        case bytes(7):
          node.domain = text_of(message);
          break;
        default:
          message.skip();
      }
    }
    return node;
  }

  OnnxAttribute attribute(Message message) {
    count();
    OnnxAttribute attribute;
    Typed<double> list;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(1):
          attribute.name = text_of(message);
          break;
        case fixed32(2):
          attribute.number = message.get_float();
          break;
        case varint(3):
          attribute.number = static_cast<double>(message.get_int64());
          break;
        case bytes(4):
          attribute.text = text_of(message);
          break;
        case bytes(5):
          attribute.tensor = tensor(message.get_message());
          break;
        case fixed32(7):
          list.add(message.get_float());
          break;
        case bytes(7):
          list.add_all(message.get_packed_float());
          break;
        case varint(8):
          list.add(static_cast<double>(message.get_int64()));
          break;
        case bytes(8):
          list.add_all(message.get_packed_int64());
          break;
        case bytes(21):
          attribute.refers_to = text_of(message);
          break;
        default:
          message.skip();
      }
    }
    // A list of one is as good as its number.
    if (!attribute.number) attribute.number = list.number();
    return attribute;
  }

  OnnxValue value(Message message) {
    count();
    OnnxValue value;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes(1):
          value.name = text_of(message);
          break;
        case bytes(2):
          value.type = tensor_type(message.get_message());
          break;
        default:
          message.skip();
      }
    }
    return value;
  }

  static OnnxType tensor_type(Message message) {
    OnnxType type = OnnxType::undefined;
    while (message.next(1, Wire::length_delimited)) {
      Message tensor = message.get_message();
      while (tensor.next(1, Wire::varint)) type = static_cast<OnnxType>(tensor.get_int32());
    }
    return type;
  }

  OnnxTensor tensor(Message message) {
    count();
    OnnxTensor tensor;
    OnnxNumber number;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint(1):
          add_axis(tensor, message.get_int64());
          break;
        case bytes(1):
          for (const std::int64_t size : message.get_packed_int64()) add_axis(tensor, size);
          break;
        case varint(2):
          tensor.type = static_cast<OnnxType>(message.get_int32());
          break;
        case bytes(8):
          tensor.name = text_of(message);
          break;
        case varint(14):
          tensor.is_external = message.get_int32() != 0;
          break;
        default:
          if (!number.read(message)) message.skip();
      }
    }
    const bool is_one = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](auto n) { return n == 1; });
    if (is_one && !tensor.is_external) tensor.value = number.value(tensor.type);
    return tensor;
  }
  void add_axis(OnnxTensor& tensor, std::int64_t size) {
    count();
    tensor.shape.push_back(size);
  }

  const std::string& file_;
  std::size_t parts_ = 0;
};

}  // namespace

bool is_floating(OnnxType type) noexcept {
  return type == OnnxType::float32 || type == OnnxType::float64 || type == OnnxType::float16 ||
         type == OnnxType::bfloat16;
}

bool is_integer(OnnxType type) noexcept {
  return (type >= OnnxType::uint8 && type <= OnnxType::int64) || type == OnnxType::uint32 ||
         type == OnnxType::uint64;
}

OnnxModel parse_onnx(std::span<const std::byte> bytes, const std::string& file) {
  try {
    return Reader(file).model(Message(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  } catch (const protozero::exception& error) {
    throw IoError("onnx", "expects whole protobuf messages", fmt::format("\"{}\": {}", file, error.what()),
                  "Is the file cut off, or another kind of file?");
  }
}

}  // namespace keratin::inline v0::io::detail
