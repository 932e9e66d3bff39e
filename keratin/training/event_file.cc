#include "keratin/training/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <system_error>

#include "keratin/core/error.h"

namespace keratin::inline v0::detail {
namespace {

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}();

template <class T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  return bytes;
}

// TensorFlow's mask, so that the CRC of data that holds CRCs is none of them.
std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

// Protobuf's wire format.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  bytes += static_cast<char>(value);
  return bytes;
}
std::string key(int field, Wire wire) {
  return varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}
std::string bytes_field(int field, std::string_view bytes) {
  return key(field, Wire::bytes) + varint(bytes.size()) + std::string(bytes);
}
std::string double_field(int field, double value) {
  return key(field, Wire::fixed64) + little_endian(std::bit_cast<std::uint64_t>(value));
}
std::string float_field(int field, float value) {
  return key(field, Wire::fixed32) + little_endian(std::bit_cast<std::uint32_t>(value));
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return crc ^ 0xFFFFFFFFU;
}

std::string tf_record(std::string_view bytes) {
  const std::string length = little_endian(static_cast<std::uint64_t>(bytes.size()));
  return length + little_endian(masked(crc32c(length))) + std::string(bytes) +
         little_endian(masked(crc32c(bytes)));
}

// tensorflow/core/util/event.proto: wall_time 1, step 2, file_version 3, summary 5; summary.proto: value 1,
// in it tag 1 and simple_value 2. A step of 0 is left out, as protobuf leaves out defaults.
std::string version_event(double wall_time) {
  return double_field(1, wall_time) + bytes_field(3, "brain.Event:2");
}
std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, double value) {
  std::string event = double_field(1, wall_time);
  if (step != 0) event += key(2, Wire::varint) + varint(static_cast<std::uint64_t>(step));
  const std::string entry = bytes_field(1, tag) + float_field(2, static_cast<float>(value));
  return event + bytes_field(5, bytes_field(1, entry));
}

EventFile::EventFile(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw IoError("TensorBoard", "expects to make the folder " + folder.string(), error.message());
  // TensorBoard asks for "tfevents" in the name and reads a folder's files in the order of their names.
  static std::atomic<int> count = 0;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  path_ =
      folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<std::int64_t>(seconds_now()),
                           host[0] == '\0' ? "localhost" : host.data(), getpid(), count++);
  file_.open(path_, std::ios::binary);
  write(version_event(seconds_now()));
}

void EventFile::add_scalar(std::string_view tag, double value, std::int64_t step) {
  write(scalar_event(seconds_now(), step, tag, value));
}

void EventFile::write(std::string_view event) {
  const std::string record = tf_record(event);
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
  if (!file_) throw IoError("TensorBoard", "expects to write " + path_.string(), "the system refused");
}

}  // namespace keratin::inline v0::detail
