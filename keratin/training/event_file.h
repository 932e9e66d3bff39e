// TensorBoard's event files: TFRecords of protobuf messages. Internal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace keratin::inline v0::detail {

/// CRC-32C (Castagnoli), as RFC 3720 defines it.
std::uint32_t crc32c(std::string_view bytes);
/// A record: length, its masked CRC, the bytes, their masked CRC.
std::string tf_record(std::string_view bytes);
/// A tensorflow.Event that names the version of the file, and one with a scalar of a step.
std::string version_event(double wall_time);
std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, double value);

/// A new file in a folder, which is made. Records are appended, whole and at once: readers follow the file
/// while it grows, and pass over a last record that is cut off.
class EventFile {
 public:
  /// IoError where it cannot be made.
  explicit EventFile(const std::filesystem::path& folder);
  void add_scalar(std::string_view tag, double value, std::int64_t step);

 private:
  void write(std::string_view event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace keratin::inline v0::detail
