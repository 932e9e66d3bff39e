#include "keratin/io/zip.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <unordered_map>

#include "keratin/core/error.h"

namespace keratin::inline v0::io {
namespace {

// What deflate can reach: 258 bytes from two bits.
constexpr std::uint64_t kMostRatio = 1032, kSlack = 1024;

struct ZipDiscard {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, ZipDiscard>;

[[noreturn]] void damaged(const std::string& name, const std::string& what) {
  throw IoError("zip", "expects a whole zip archive", fmt::format("\"{}\": {}", name, what),
                "The file may be cut off or damaged: get it again.");
}

[[noreturn]] void damaged(const std::string& name, zip_error_t* error) {
  const std::string what = zip_error_strerror(error);
  zip_error_fini(error);
  damaged(name, what);
}

[[noreturn]] void refused(const std::string& name, const std::string& expected, const std::string& received) {
  throw IoError("zip", "expects " + expected, fmt::format("\"{}\" {}", name, received));
}

Archive open_source(zip_source_t* source, const std::string& name, zip_error_t* error) {
  if (source == nullptr) damaged(name, error);
  Archive archive(zip_open_from_source(source, ZIP_RDONLY, error));
  if (archive == nullptr) {
    zip_source_free(source);
    damaged(name, error);
  }
  zip_error_fini(error);
  return archive;
}

Archive open_bytes(std::span<const std::byte> bytes, const std::string& name) {
  zip_error_t error;
  zip_error_init(&error);
  return open_source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error), name, &error);
}

Archive open_path(const std::filesystem::path& path, std::uint64_t& file_bytes) {
  file_bytes = FileSource(path).remaining_bytes();  // says what is wrong with the path
  zip_error_t error;
  zip_error_init(&error);
  return open_source(zip_source_file_create(path.c_str(), 0, -1, &error), path.string(), &error);
}

class MemberSource final : public ByteSource {
 public:
  MemberSource(zip_t* archive, std::size_t index, std::string name, std::uint64_t size_bytes)
      : ByteSource(std::move(name), size_bytes),
        file_(zip_fopen_index(archive, index, 0)),
        left_(size_bytes) {
    if (file_ == nullptr) damaged(this->name(), zip_strerror(archive));
  }
  ~MemberSource() override { zip_fclose(file_); }
  MemberSource(const MemberSource&) = delete;
  MemberSource& operator=(const MemberSource&) = delete;

 private:
  std::size_t read_some(std::span<std::byte> out) override {
    const zip_int64_t count = zip_fread(file_, out.data(), out.size());
    if (count < 0) damaged(name(), zip_file_strerror(file_));
    if (static_cast<std::uint64_t>(count) > left_) damaged(name(), "holds more bytes than it says");
    left_ -= static_cast<std::uint64_t>(count);
    if (left_ == 0) check_end();
    return static_cast<std::size_t>(count);
  }

  // The checksum is compared when the end is read.
  void check_end() {
    std::byte beyond{};
    const zip_int64_t count = zip_fread(file_, &beyond, 1);
    if (count < 0) damaged(name(), zip_file_strerror(file_));
    if (count > 0) damaged(name(), "holds more bytes than it says");
  }

  zip_file_t* file_;
  std::uint64_t left_;
};

}  // namespace

struct ZipReader::State {
  Archive archive;
  std::string name;
  std::vector<Member> members;
  std::unordered_map<std::string_view, std::size_t> index_of;

  State(const std::filesystem::path& path, const ZipLimits& limits) : name(path.string()) {
    std::uint64_t file_bytes = 0;
    archive = open_path(path, file_bytes);
    list_members(file_bytes, limits);
  }
  State(std::span<const std::byte> bytes, std::string label, const ZipLimits& limits)
      : archive(open_bytes(bytes, label)), name(std::move(label)) {
    list_members(bytes.size(), limits);
  }

  void list_members(std::uint64_t file_bytes, const ZipLimits& limits) {
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    if (count < 0 || static_cast<std::uint64_t>(count) > limits.most_members)
      refused(name, fmt::format("at most {} members", limits.most_members), fmt::format("has {}", count));
    std::uint64_t total = 0, compressed = 0;
    members.reserve(static_cast<std::size_t>(count));
    for (zip_int64_t i = 0; i < count; ++i) {
      members.push_back(member(static_cast<zip_uint64_t>(i), file_bytes));
      total += members.back().size_bytes;
      compressed += members.back().compressed_bytes;
      if (total > limits.most_bytes)
        refused(name, fmt::format("at most {} bytes when unpacked", limits.most_bytes), "has more");
      // Members that share their bytes give many times what the file holds.
      if (compressed > file_bytes) damaged(name, "its members overlap");
    }
    for (std::size_t i = 0; i < members.size(); ++i)
      if (!index_of.emplace(members[i].name, i).second)
        refused(name, "one member of each name", fmt::format("has two named \"{}\"", members[i].name));
  }

  Member member(zip_uint64_t i, std::uint64_t file_bytes) const {
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_stat_index(archive.get(), i, 0, &status) != 0) damaged(name, zip_strerror(archive.get()));
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                     ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((status.valid & kNeeded) != kNeeded) damaged(name, "says too little of a member");
    const std::string label = fmt::format("{}: {}", name, status.name);
    if (status.encryption_method != ZIP_EM_NONE) refused(label, "members that are not encrypted", "is");
    const bool stored = status.comp_method == ZIP_CM_STORE;
    if (!stored && status.comp_method != ZIP_CM_DEFLATE)
      refused(label, "members that are stored or deflated",
              fmt::format("is packed by method {}", status.comp_method));
    if (status.comp_size > file_bytes) damaged(label, "is larger than the archive");
    if (stored ? status.size != status.comp_size : status.size > kMostRatio * status.comp_size + kSlack)
      damaged(label, fmt::format("{} bytes cannot unpack to {}", status.comp_size, status.size));
    return {status.name, status.size, status.comp_size};
  }
};

ZipReader::ZipReader(const std::filesystem::path& path, const ZipLimits& limits)
    : state_(std::make_unique<State>(path, limits)) {}
ZipReader::ZipReader(std::span<const std::byte> bytes, std::string name, const ZipLimits& limits)
    : state_(std::make_unique<State>(bytes, std::move(name), limits)) {}
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

const std::string& ZipReader::name() const noexcept { return state_->name; }
const std::vector<ZipReader::Member>& ZipReader::members() const noexcept { return state_->members; }

std::optional<std::size_t> ZipReader::find(std::string_view member) const {
  const auto found = state_->index_of.find(member);
  if (found == state_->index_of.end()) return std::nullopt;
  return found->second;
}

std::unique_ptr<ByteSource> ZipReader::open(std::size_t index) const {
  const Member& member = state_->members.at(index);
  return std::make_unique<MemberSource>(state_->archive.get(), index, state_->name + ": " + member.name,
                                        member.size_bytes);
}

std::vector<std::byte> ZipReader::read(std::size_t index) const {
  const auto source = open(index);
  std::vector<std::byte> bytes(state_->members[index].size_bytes);
  const std::size_t count = source->read(bytes);
  if (count != bytes.size())
    damaged(source->name(), fmt::format("ends after {} of {} bytes", count, bytes.size()));
  return bytes;
}

struct ZipWriter::State {
  zip_source_t* buffer = nullptr;
  Archive archive;

  [[noreturn]] void fail() const {
    throw IoError("zip", "expects to write an archive", zip_strerror(archive.get()));
  }
  ~State() {
    archive.reset();
    if (buffer != nullptr) zip_source_free(buffer);
  }
};

ZipWriter::ZipWriter() : state_(std::make_unique<State>()) {
  zip_error_t error;
  zip_error_init(&error);
  state_->buffer = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (state_->buffer == nullptr) damaged("new archive", &error);
  zip_source_keep(state_->buffer);  // the archive lets go of it when it is closed
  state_->archive.reset(zip_open_from_source(state_->buffer, ZIP_TRUNCATE, &error));
  if (state_->archive == nullptr) {
    zip_source_free(state_->buffer);
    damaged("new archive", &error);
  }
  zip_error_fini(&error);
}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add(std::string_view name, const std::vector<std::span<const std::byte>>& parts,
                    bool compress) {
  const std::string member(name);
  zip_t* archive = state_->archive.get();
  if (archive == nullptr)
    throw StateError("zip", "expects an archive that is not finished", "got one that is");
  if (zip_name_locate(archive, member.c_str(), ZIP_FL_ENC_UTF_8) >= 0)
    throw ValueError("zip", "expects one member of each name", "got a second \"" + member + "\"");
  std::vector<zip_buffer_fragment_t> fragments;
  for (const auto& part : parts) {
    auto* data = reinterpret_cast<zip_uint8_t*>(const_cast<std::byte*>(part.data()));  // only read
    if (!part.empty()) fragments.push_back({data, part.size()});
  }
  zip_source_t* source = zip_source_buffer_fragment(archive, fragments.data(), fragments.size(), 0);
  if (source == nullptr) state_->fail();
  const zip_int64_t index = zip_file_add(archive, member.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    state_->fail();
  }
  const auto added = static_cast<zip_uint64_t>(index);
  constexpr zip_uint16_t kFirstDay = (1 << 5) | 1;  // 1 January 1980, where the format's time begins
  if (zip_set_file_compression(archive, added, compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, added, 0, kFirstDay, 0) != 0)
    state_->fail();
}

std::vector<std::byte> ZipWriter::finish() {
  if (state_->archive == nullptr)
    throw StateError("zip", "expects an archive that is not finished", "got one that is");
  if (zip_get_num_entries(state_->archive.get(), 0) == 0)
    throw ValueError("zip", "expects at least one member", "got none");
  if (zip_close(state_->archive.get()) != 0) state_->fail();
  static_cast<void>(state_->archive.release());
  zip_source_t* buffer = state_->buffer;
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(buffer, &status) != 0 || zip_source_open(buffer) != 0)
    throw IoError("zip", "expects to write an archive", zip_error_strerror(zip_source_error(buffer)));
  std::vector<std::byte> bytes(status.size);
  const zip_int64_t count = zip_source_read(buffer, bytes.data(), bytes.size());
  zip_source_close(buffer);
  if (count < 0 || static_cast<std::uint64_t>(count) != bytes.size())
    throw IoError("zip", "expects to write an archive", "its buffer cannot be read");
  return bytes;
}

}  // namespace keratin::inline v0::io
