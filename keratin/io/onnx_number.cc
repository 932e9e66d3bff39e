#include "keratin/io/onnx_number.h"

#include <bit>
#include <cstring>

#include "keratin/core/dtype.h"

namespace keratin::inline v0::io::detail {
namespace {

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

}  // namespace

bool OnnxNumber::read(Message& tensor) {
  switch (tensor.tag_and_type()) {
    case fixed32(4):
      floats_.add(tensor.get_float());
      return true;
    case bytes(4):
      floats_.add_all(tensor.get_packed_float());
      return true;
    case varint(5):
      ints_.add(tensor.get_int32());
      return true;
    case bytes(5):
      ints_.add_all(tensor.get_packed_int32());
      return true;
    case varint(7):
      longs_.add(tensor.get_int64());
      return true;
    case bytes(7):
      longs_.add_all(tensor.get_packed_int64());
      return true;
    case bytes(9):
      raw_ = text_of(tensor);
      return true;
    case fixed64(10):
      doubles_.add(tensor.get_double());
      return true;
    case bytes(10):
      doubles_.add_all(tensor.get_packed_double());
      return true;
    case varint(11):
      unsigneds_.add(tensor.get_uint64());
      return true;
    case bytes(11):
      unsigneds_.add_all(tensor.get_packed_uint64());
      return true;
    default:
      return false;
  }
}

std::optional<double> OnnxNumber::value(OnnxType type) const {
  if (raw_) return raw_number(type, *raw_);
  if (type == OnnxType::float32) return floats_.number();
  if (type == OnnxType::float64) return doubles_.number();
  if (type == OnnxType::int64) return longs_.number();
  if (type == OnnxType::uint32 || type == OnnxType::uint64) return unsigneds_.number();
  if (ints_.count != 1) return std::nullopt;
  // The smaller types, half floats by their bits.
  const auto bits = static_cast<std::uint16_t>(ints_.last);
  if (type == OnnxType::float16) return to_float(float16{bits});
  if (type == OnnxType::bfloat16) return to_float(bfloat16{bits});
  return static_cast<double>(ints_.last);
}

}  // namespace keratin::inline v0::io::detail
