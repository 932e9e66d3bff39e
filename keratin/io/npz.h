// NumPy's .npz files: arrays by name, in a zip archive.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/io/zip.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::io {

/// Tensors by name, in the order they were added.
class KERATIN_API NamedTensors {
 public:
  using Item = std::pair<std::string, Tensor>;

  NamedTensors() = default;
  NamedTensors(std::initializer_list<Item> items);

  /// ValueError for a second one of a name.
  void add(std::string name, Tensor tensor);
  bool contains(std::string_view name) const { return index_of_.contains(name); }
  /// ValueError for an unknown name proposes the nearest.
  const Tensor& operator[](std::string_view name) const;

  std::size_t size() const noexcept { return items_.size(); }
  const Item* begin() const noexcept { return items_.data(); }
  const Item* end() const noexcept { return items_.data() + items_.size(); }

 private:
  std::vector<Item> items_;
  std::map<std::string, std::size_t, std::less<>> index_of_;
};

/// Every array of an .npz file, in the archive's order; a member's name without ".npy" is the array's. See
/// load_npy for the arrays and ZipReader for the archive: what they refuse is an IoError that names the file
/// and the member.
KERATIN_API NamedTensors load_npz(const std::filesystem::path& path, const ZipLimits& limits = {});
KERATIN_API NamedTensors read_npz(std::span<const std::byte> bytes, std::string name,
                                  const ZipLimits& limits = {});

struct SaveNpzOptions {
  /// As numpy.savez_compressed; without, as numpy.savez.
  bool compress = false;
};

/// Writes beside the path and renames. The same tensors give the same bytes.
KERATIN_API void save_npz(const std::filesystem::path& path, const NamedTensors& tensors,
                          const SaveNpzOptions& options = {});

}  // namespace keratin::inline v0::io
