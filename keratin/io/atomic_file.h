// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "keratin/core/export.h"

namespace keratin::inline v0::io {

/// A file beside `path` that takes its place on commit: whatever fails, or if the program ends in between,
/// what stood there stays. The new file keeps the permissions of the old; a symbolic link stays and its
/// target is replaced; a device or a pipe (/dev/stdout) is written to directly. IoError names the path and
/// what the system says: no such folder, no permission, no space.
class KERATIN_API AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  /// Without a commit the file goes away.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  /// Onto the disk, then into its place.
  void commit();

 private:
  [[noreturn]] void fail(int error);

  std::filesystem::path path_, target_;  // as the caller named it; where it leads
  std::string temporary_;                // empty where it is written to directly
  int descriptor_ = -1;
};

}  // namespace keratin::inline v0::io
