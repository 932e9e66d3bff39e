// Where bytes are read from: a file, memory, or a member of an archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "keratin/core/export.h"

namespace keratin::inline v0::io {

/// Bytes that are read once, front to back.
class KERATIN_API ByteSource {
 public:
  virtual ~ByteSource();
  /// What errors call it: a path, or "archive.npz: member".
  const std::string& name() const noexcept { return name_; }
  /// How many bytes it says are left. What an archive says need not be so: read may give less.
  std::uint64_t remaining_bytes() const noexcept { return remaining_bytes_; }
  /// Fills `out`, or less at the end; how many. IoError where reading fails.
  std::size_t read(std::span<std::byte> out);

 protected:
  ByteSource(std::string name, std::uint64_t size_bytes)
      : name_(std::move(name)), remaining_bytes_(size_bytes) {}
  virtual std::size_t read_some(std::span<std::byte> out) = 0;

 private:
  std::string name_;
  std::uint64_t remaining_bytes_;
};

/// Bytes in memory, which must outlive it.
class KERATIN_API MemorySource final : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::string name)
      : ByteSource(std::move(name), bytes.size()), bytes_(bytes) {}

 private:
  std::size_t read_some(std::span<std::byte> out) override;
  std::span<const std::byte> bytes_;
};

/// A regular file. IoError says what is wrong with the path: absent, a folder, not readable.
class KERATIN_API FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

 private:
  struct Opened {
    int descriptor;
    std::uint64_t size_bytes;
  };
  FileSource(const std::filesystem::path& path, Opened opened);
  static Opened open(const std::filesystem::path& path);
  std::size_t read_some(std::span<std::byte> out) override;
  int descriptor_;
};

/// The whole of a file. IoError beyond `most_bytes`.
KERATIN_API std::vector<std::byte> read_file(const std::filesystem::path& path,
                                             std::uint64_t most_bytes = std::uint64_t{1} << 32);

}  // namespace keratin::inline v0::io
