#include "keratin/io/npz.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/io/atomic_file.h"
#include "keratin/io/npy.h"

namespace keratin::inline v0::io {
namespace {

constexpr std::string_view kSuffix = ".npy";

NamedTensors read_members(const ZipReader& archive) {
  NamedTensors tensors;
  for (std::size_t i = 0; i < archive.members().size(); ++i) {
    std::string name = archive.members()[i].name;
    if (!name.ends_with(kSuffix))
      throw IoError("npz", "expects members that are .npy arrays",
                    "\"" + archive.name() + "\" holds \"" + name + "\"");
    name.resize(name.size() - kSuffix.size());
    const auto source = archive.open(i);
    tensors.add(std::move(name), read_npy(*source));
  }
  return tensors;
}

}  // namespace

NamedTensors::NamedTensors(std::initializer_list<Item> items) {
  for (const Item& item : items) add(item.first, item.second);
}

void NamedTensors::add(std::string name, Tensor tensor) {
  if (!index_of_.emplace(name, items_.size()).second)
    throw ValueError("tensors", "expects each name once", "got \"" + name + "\" again");
  items_.emplace_back(std::move(name), std::move(tensor));
}

const Tensor& NamedTensors::operator[](std::string_view name) const {
  if (const auto found = index_of_.find(name); found != index_of_.end()) return items_[found->second].second;
  std::vector<std::string_view> names;
  std::string listed;
  for (const auto& [known, tensor] : items_) {
    names.push_back(known);
    if (names.size() <= 10) listed += (listed.empty() ? "" : ", ") + known;
  }
  throw ValueError("tensors", "expects one of " + (listed.empty() ? "none" : listed),
                   "got \"" + std::string(name) + "\"", did_you_mean(name, names));
}

NamedTensors load_npz(const std::filesystem::path& path, const ZipLimits& limits) {
  return read_members(ZipReader(path, limits));
}

NamedTensors read_npz(std::span<const std::byte> bytes, std::string name, const ZipLimits& limits) {
  return read_members(ZipReader(bytes, std::move(name), limits));
}

void save_npz(const std::filesystem::path& path, const NamedTensors& tensors, const SaveNpzOptions& options) {
  std::vector<Tensor> dense;
  std::vector<std::string> headers;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_defined())
      throw TypeError("save_npz", "expects tensors with elements", "got an undefined one, \"" + name + "\"");
    dense.push_back(tensor.contiguous());
    headers.push_back(detail::npy_header(dense.back()));
  }
  ZipWriter archive;
  std::size_t i = 0;
  for (const auto& [name, tensor] : tensors) {
    archive.add(name + std::string(kSuffix),
                {std::as_bytes(std::span(headers[i])), detail::bytes_of(dense[i])}, options.compress);
    ++i;
  }
  const auto bytes = archive.finish();
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace keratin::inline v0::io
