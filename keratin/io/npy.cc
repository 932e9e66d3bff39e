#include "keratin/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "keratin/core/error.h"
#include "keratin/io/atomic_file.h"
#include "keratin/io/npy_header.h"

namespace keratin::inline v0::io {
namespace {

static_assert(std::endian::native == std::endian::little, "a .npy file's numbers are read as they lie");

using detail::npy_error;
using detail::NpyHeader;

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

void read_exactly(ByteSource& source, std::span<std::byte> out, const char* what) {
  const std::size_t count = source.read(out);
  if (count != out.size())
    throw npy_error(source, fmt::format("ends after {} of {} bytes of its {}", count, out.size(), what));
}

// magic, version, length of the header, header.
NpyHeader read_header(ByteSource& source) {
  std::array<std::byte, 8> start{};
  read_exactly(source, start, "first eight");
  if (std::memcmp(start.data(), "\x93NUMPY", 6) != 0)
    throw npy_error(source, "does not begin as an .npy file does", "Is it another kind of file?");
  const int major = std::to_integer<int>(start[6]), minor = std::to_integer<int>(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    throw npy_error(source, fmt::format("is of format {}.{}, known are 1.0, 2.0 and 3.0", major, minor));
  std::array<std::byte, 4> length{};
  const auto length_bytes = std::span(length).first(major == 1 ? 2 : 4);
  read_exactly(source, length_bytes, "header's length");
  const std::uint64_t header_bytes = little_endian(length_bytes);
  // A header of three short entries; NumPy itself stops at 10,000 characters.
  if (header_bytes > 65'535 || header_bytes > source.remaining_bytes())
    throw npy_error(source, fmt::format("says that its header has {} bytes", header_bytes));
  std::string text(header_bytes, '\0');
  read_exactly(source, std::as_writable_bytes(std::span(text)), "header");
  return detail::parse_npy_header(text, source);
}

void swap_bytes(std::span<std::byte> bytes, std::size_t width) {
  for (std::size_t i = 0; i < bytes.size(); i += width) {
    const auto element = bytes.subspan(i, width);
    std::reverse(element.begin(), element.end());
  }
}

template <class From, class To>
Tensor widened(std::span<const std::byte> bytes, const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, kDType<To>);
  const auto out = tensor.mutable_values<To>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(value);
  }
  return tensor;
}

Tensor read_elements(ByteSource& source, const NpyHeader& header, const Shape& shape) {
  const auto bytes = static_cast<std::size_t>(shape.size()) * header.width;
  if (!header.widen) {
    Tensor tensor = Tensor::empty(shape, header.dtype);
    const std::span<std::byte> out(static_cast<std::byte*>(tensor.mutable_data()), bytes);
    read_exactly(source, out, "elements");
    if (header.swapped) swap_bytes(out, header.width);
    // A bool that is neither 0 nor 1 has no meaning in C++.
    if (header.dtype == DType::boolean)
      for (std::byte& byte : out) byte = static_cast<std::byte>(byte != std::byte{0});
    return tensor;
  }
  std::vector<std::byte> narrow(bytes);
  read_exactly(source, narrow, "elements");
  if (header.swapped) swap_bytes(narrow, header.width);
  if (header.width == 1) return widened<std::int8_t, std::int32_t>(narrow, shape);
  if (header.width == 4) return widened<std::uint32_t, std::int64_t>(narrow, shape);
  if (header.is_signed) return widened<std::int16_t, std::int32_t>(narrow, shape);
  return widened<std::uint16_t, std::int32_t>(narrow, shape);
}

std::string_view descr_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return "<f8";
    case DType::float32:
      return "<f4";
    case DType::float16:
      return "<f2";
    case DType::bfloat16:
      return "<V2";
    case DType::int32:
      return "<i4";
    case DType::int64:
      return "<i8";
    case DType::uint8:
      return "|u1";
    case DType::boolean:
      break;
  }
  return "|b1";
}

}  // namespace

Tensor read_npy(ByteSource& source) {
  const NpyHeader header = read_header(source);
  std::vector<std::int64_t> sizes = header.shape;
  if (header.fortran_order) std::reverse(sizes.begin(), sizes.end());
  const Shape shape(sizes);
  // No memory is taken for what cannot be there.
  const std::uint64_t wanted = static_cast<std::uint64_t>(header.size) * header.width;
  if (wanted != source.remaining_bytes())
    throw npy_error(
        source, fmt::format("has {} bytes of elements where {} of {} bytes each needs {}",
                            source.remaining_bytes(), Shape(header.shape).to_string(), header.width, wanted));
  Tensor tensor = read_elements(source, header, shape);
  std::byte beyond{};
  if (source.read(std::span(&beyond, 1)) != 0) throw npy_error(source, "goes on after its elements");
  return header.fortran_order ? tensor.transpose().contiguous() : tensor;
}

Tensor read_npy(std::span<const std::byte> bytes, std::string name) {
  MemorySource source(bytes, std::move(name));
  return read_npy(source);
}

Tensor load_npy(const std::filesystem::path& path) {
  FileSource source(path);
  return read_npy(source);
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  if (!tensor.is_defined())
    throw TypeError("save_npy", "expects a tensor with elements", "got an undefined one");
  const Tensor dense = tensor.contiguous();
  AtomicFile file(path);
  file.write(detail::npy_header(dense));
  file.write(detail::bytes_of(dense));
  file.commit();
}

namespace detail {

std::string npy_header(const Tensor& tensor) {
  std::string text = "{'descr': '";
  text.append(descr_of(tensor.dtype())).append("', 'fortran_order': False, 'shape': ");
  text.append(tensor.shape().to_string()).append(", }");
  // Elements start at a multiple of 64 bytes, and the header ends with a line's end, as NumPy's does.
  constexpr std::size_t kBefore = 10;
  text.append(63 - (kBefore + text.size()) % 64, ' ').append("\n");
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header.append(text);
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data()),
          static_cast<std::size_t>(tensor.size()) * size_bytes(tensor.dtype())};
}

}  // namespace detail

}  // namespace keratin::inline v0::io
