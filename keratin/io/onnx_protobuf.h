// The words in which ONNX files are read: fields of protobuf messages and the numbers in them. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <string_view>

namespace keratin::inline v0::io::detail {

using Message = protozero::pbf_reader;
using Wire = protozero::pbf_wire_type;

// A field with the form in which it has to come: in another it is skipped, as protobuf does.
constexpr std::uint32_t varint(std::uint32_t field) { return protozero::tag_and_type(field, Wire::varint); }
constexpr std::uint32_t bytes(std::uint32_t field) {
  return protozero::tag_and_type(field, Wire::length_delimited);
}
constexpr std::uint32_t fixed32(std::uint32_t field) { return protozero::tag_and_type(field, Wire::fixed32); }
constexpr std::uint32_t fixed64(std::uint32_t field) { return protozero::tag_and_type(field, Wire::fixed64); }

inline std::string_view text_of(Message& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
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

}  // namespace keratin::inline v0::io::detail
