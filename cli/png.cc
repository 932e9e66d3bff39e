// PNG (ISO/IEC 15948) with stored blocks: images of a few pixels gain nothing from compression.
#include "cli/png.h"

#include <array>
#include <string_view>

namespace keratin::cli {
namespace {

void append_big_endian(std::string& out, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 0xFFU);
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xEDB8'8320U : 0U);
  }
  return ~crc;
}

std::uint32_t adler32(std::string_view bytes) {
  constexpr std::uint32_t kModulus = 65521;
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % kModulus;
    b = (b + a) % kModulus;
  }
  return b << 16U | a;
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::string covered = std::string(type) + std::string(data);
  out += covered;
  append_big_endian(out, crc32(covered));
}

/// A zlib stream of stored blocks, each of at most 65,535 bytes.
std::string zlib_stored(std::string_view data) {
  constexpr std::size_t kLongest = 65535;
  std::string out = "\x78\x01";
  std::string_view rest = data;
  do {
    const std::string_view block = rest.substr(0, kLongest);
    rest.remove_prefix(block.size());
    const auto size = static_cast<unsigned>(block.size());
    out += rest.empty() ? '\x01' : '\x00';
    for (const unsigned number : {size, ~size}) {
      out += static_cast<char>(number & 0xFFU);
      out += static_cast<char>(number >> 8U & 0xFFU);
    }
    out += block;
  } while (!rest.empty());
  append_big_endian(out, adler32(data));
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view part = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8U | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= part.size() ? kDigits[bits >> (18U - 6U * static_cast<unsigned>(k)) & 0x3FU] : '=';
    }
  }
  return out;
}

}  // namespace

std::string png_data_uri(std::span<const std::uint8_t> grey, int width, int height) {
  std::string rows;
  for (int y = 0; y < height; ++y) {
    rows += '\0';  // no filter
    for (int x = 0; x < width; ++x) rows += static_cast<char>(grey[static_cast<std::size_t>(y * width + x)]);
  }
  std::string header;
  append_big_endian(header, static_cast<std::uint32_t>(width));
  append_big_endian(header, static_cast<std::uint32_t>(height));
  header +=
      std::string("\x08\x00\x00\x00\x00", 5);  // 8 bits, grey, the only compression and filter, no interlace
  std::string png = "\x89PNG\r\n\x1a\n";
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", zlib_stored(rows));
  append_chunk(png, "IEND", "");
  return "data:image/png;base64," + base64(png);
}

}  // namespace keratin::cli
