#include "keratin/io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "keratin/core/error.h"
#include "keratin/io/system_error.h"

namespace keratin::inline v0::io {

ByteSource::~ByteSource() = default;

std::size_t ByteSource::read(std::span<std::byte> out) {
  std::size_t total = 0;
  while (total < out.size()) {
    const std::size_t count = read_some(out.subspan(total));
    if (count == 0) break;
    total += count;
  }
  remaining_bytes_ -= std::min<std::uint64_t>(remaining_bytes_, total);
  return total;
}

std::size_t MemorySource::read_some(std::span<std::byte> out) {
  const std::size_t count = std::min(out.size(), bytes_.size());
  if (count > 0) std::memcpy(out.data(), bytes_.data(), count);
  bytes_ = bytes_.subspan(count);
  return count;
}

FileSource::Opened FileSource::open(const std::filesystem::path& path) {
  // Nonblocking, so that a pipe without a writer is refused below instead of waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw system_error("read", path, errno);
  struct stat status = {};
  const int failed = ::fstat(descriptor, &status) != 0 ? errno : 0;
  if (failed != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    if (failed != 0) throw system_error("read", path, failed);
    throw IoError("read", "expects a regular file",
                  "\"" + path.string() + "\" is " + (S_ISDIR(status.st_mode) ? "a folder" : "none"));
  }
  return {descriptor, static_cast<std::uint64_t>(status.st_size)};
}

FileSource::FileSource(const std::filesystem::path& path) : FileSource(path, open(path)) {}
FileSource::FileSource(const std::filesystem::path& path, Opened opened)
    : ByteSource(path.string(), opened.size_bytes), descriptor_(opened.descriptor) {}
FileSource::~FileSource() { ::close(descriptor_); }

std::size_t FileSource::read_some(std::span<std::byte> out) {
  for (;;) {
    // Linux reads at most 2 GiB at a time.
    const ssize_t count = ::read(descriptor_, out.data(), std::min<std::size_t>(out.size(), 1 << 30));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw system_error("read", name(), errno);
  }
}

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t most_bytes) {
  FileSource source(path);
  if (source.remaining_bytes() > most_bytes)
    throw IoError("read", "expects a file of at most " + std::to_string(most_bytes) + " bytes",
                  "\"" + path.string() + "\" has " + std::to_string(source.remaining_bytes()));
  std::vector<std::byte> bytes(source.remaining_bytes());
  bytes.resize(source.read(bytes));
  return bytes;
}

}  // namespace keratin::inline v0::io
