// ONNX is protobuf. It is read by protozero, headers alone that hand out views and check every length:
// Debian's libonnx brings 13 MB with libprotobuf, two libraries at run time, and builds all of a file in
// memory before anyone can say that it is too much.
#include "keratin/io/onnx_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <protozero/pbf_reader.hpp>

#include "keratin/core/dtype.h"
#include "keratin/core/error.h"

namespace keratin::inline v0::io::detail {
namespace {

using Message = protozero::pbf_reader;
using Wire = protozero::pbf_wire_type;

// A field with the form in which it has to come: in another it is skipped, as protobuf does.
constexpr std::uint32_t varint(std::uint32_t field) { return protozero::tag_and_type(field, Wire::varint); }
constexpr std::uint32_t bytes(std::uint32_t field) {
  return protozero::tag_and_type(field, Wire::length_delimited);
}
constexpr std::uint32_t fixed32(std::uint32_t field) { return protozero::tag_and_type(field, Wire::fixed32); }
constexpr std::uint32_t fixed64(std::uint32_t field) { return protozero::tag_and_type(field, Wire::fixed64); }

std::string_view text_of(Message& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

// The number that lies in a tensor's raw bytes, little endian.
template <class T>
std::optional<double> raw(std::string_view data) {
  if (data.size() != sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data.data(), sizeof(T));
  return static_cast<double>(value);
}

std::optional<double> raw_number(OnnxType type, std::string_view data) {
  static_assert(std::endian::native == std::endian::little);
  switch (type) {
    case OnnxType::float32:
      return raw<float>(data);
    case OnnxType::float64:
      return raw<double>(data);
    case OnnxType::float16:
    case OnnxType::bfloat16: {
      const auto bits = raw<std::uint16_t>(data);
      if (!bits) return std::nullopt;
      const auto whole = static_cast<std::uint16_t>(*bits);
      return type == OnnxType::float16 ? to_float(float16{whole}) : to_float(bfloat16{whole});
    }
    case OnnxType::boolean: {
      const auto byte = raw<std::uint8_t>(data);
      return byte ? std::optional(*byte != 0 ? 1.0 : 0.0) : std::nullopt;
    }
    case OnnxType::uint8:
      return raw<std::uint8_t>(data);
    case OnnxType::int8:
      return raw<std::int8_t>(data);
    case OnnxType::uint16:
      return raw<std::uint16_t>(data);
    case OnnxType::int16:
      return raw<std::int16_t>(data);
    case OnnxType::int32:
      return raw<std::int32_t>(data);
    case OnnxType::int64:
      return raw<std::int64_t>(data);
    case OnnxType::uint32:
      return raw<std::uint32_t>(data);
    case OnnxType::uint64:
      return raw<std::uint64_t>(data);
    case OnnxType::undefined:
      break;
  }
  return std::nullopt;
}

// What stands in the fields for one kind of number, packed or not: the last, and how many there were.
template <class T>
struct Typed {
  std::size_t count = 0;
  T last{};

  void add(T value) {
    last = value;
    ++count;
  }
  template <class Range>
  void add_all(const Range& range) {
    for (const auto value : range) add(static_cast<T>(value));
  }
  std::optional<double> number() const {
    return count == 1 ? std::optional(static_cast<double>(last)) : std::nullopt;
  }
};

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
    Typed<double> floats, doubles;
    Typed<std::int64_t> ints, longs;
    Typed<std::uint64_t> unsigneds;
    std::optional<std::string_view> raw_bytes;
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
        case fixed32(4):
          floats.add(message.get_float());
          break;
        case bytes(4):
          floats.add_all(message.get_packed_float());
          break;
        case varint(5):
          ints.add(message.get_int32());
          break;
        case bytes(5):
          ints.add_all(message.get_packed_int32());
          break;
        case varint(7):
          longs.add(message.get_int64());
          break;
        case bytes(7):
          longs.add_all(message.get_packed_int64());
          break;
        case bytes(8):
          tensor.name = text_of(message);
          break;
        case bytes(9):
          raw_bytes = text_of(message);
          break;
        case fixed64(10):
          doubles.add(message.get_double());
          break;
        case bytes(10):
          doubles.add_all(message.get_packed_double());
          break;
        case varint(11):
          unsigneds.add(message.get_uint64());
          break;
        case bytes(11):
          unsigneds.add_all(message.get_packed_uint64());
          break;
        case varint(14):
          tensor.is_external = message.get_int32() != 0;
          break;
        default:
          message.skip();
      }
    }
    const bool is_one = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](auto n) { return n == 1; });
    if (!is_one || tensor.is_external) return tensor;
    if (raw_bytes) {
      tensor.value = raw_number(tensor.type, *raw_bytes);
    } else if (tensor.type == OnnxType::float32) {
      tensor.value = floats.number();
    } else if (tensor.type == OnnxType::float64) {
      tensor.value = doubles.number();
    } else if (tensor.type == OnnxType::int64) {
      tensor.value = longs.number();
    } else if (tensor.type == OnnxType::uint32 || tensor.type == OnnxType::uint64) {
      tensor.value = unsigneds.number();
    } else if (ints.count == 1) {
      // The smaller types, half floats by their bits.
      const auto bits = static_cast<std::uint16_t>(ints.last);
      tensor.value = tensor.type == OnnxType::float16    ? to_float(float16{bits})
                     : tensor.type == OnnxType::bfloat16 ? to_float(bfloat16{bits})
                                                         : static_cast<double>(ints.last);
    }
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
