// Zip archives: members read within limits, archives written whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/io/byte_source.h"

namespace keratin::inline v0::io {

/// What an archive may ask for, in all members together. Beyond it opening is an IoError.
struct ZipLimits {
  std::uint64_t most_bytes = std::uint64_t{1} << 34;  ///< uncompressed: 16 GiB
  std::size_t most_members = 100'000;
};

/// An archive opened to read. Members are stored or deflated, not encrypted, not two of one name, and no
/// larger than their compressed bytes can give (deflate: 1032 times); anything else, and anything damaged, is
/// an IoError that names the archive and the member. One thread at a time.
class KERATIN_API ZipReader {
 public:
  struct Member {
    std::string name;
    std::uint64_t size_bytes = 0, compressed_bytes = 0;
  };

  explicit ZipReader(const std::filesystem::path& path, const ZipLimits& limits = {});
  /// From memory, which must outlive it; `name` is what errors call it.
  ZipReader(std::span<const std::byte> bytes, std::string name, const ZipLimits& limits = {});
  ZipReader(ZipReader&&) noexcept;
  ZipReader& operator=(ZipReader&&) noexcept;
  ~ZipReader();

  const std::string& name() const noexcept;
  /// In the archive's order.
  const std::vector<Member>& members() const noexcept;
  std::optional<std::size_t> find(std::string_view member) const;
  /// A member's bytes, checked against its checksum at their end; at most one is open at a time.
  std::unique_ptr<ByteSource> open(std::size_t index) const;
  std::vector<std::byte> read(std::size_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// An archive in the making, in memory. The same members give the same bytes: no time is written.
class KERATIN_API ZipWriter {
 public:
  ZipWriter();
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  /// A member whose content is `parts` joined; they must stay until finish. ValueError for a second one of a
  /// name.
  void add(std::string_view name, const std::vector<std::span<const std::byte>>& parts, bool compress);
  /// The archive; nothing can be added any more.
  std::vector<std::byte> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keratin::inline v0::io
