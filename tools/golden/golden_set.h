// A set of golden data: its manifest and its arrays, from a folder or packed in archives.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/io/npz.h"
#include "keratin/io/zip.h"

namespace keratin::golden {

/// A set as its README describes it: manifest.json and the files that it names, in a folder; or manifest.zip
/// and one archive a top folder, as pack_golden.py packs them. IoError for what is missing or damaged.
class GoldenSet {
 public:
  explicit GoldenSet(const std::filesystem::path& folder);

  /// The manifest's cases, in its order.
  const std::vector<Config>& cases() const noexcept { return cases_; }
  /// What a file holds.
  std::vector<std::byte> bytes(const std::string& file) const;
  /// The arrays of the case's files.data; that of a .npy is called "data".
  io::NamedTensors arrays(const Config& golden_case) const;

 private:
  const io::ZipReader& archive(const std::string& top) const;

  std::filesystem::path folder_;
  bool is_packed_ = false;
  std::vector<Config> cases_;
  mutable std::map<std::string, io::ZipReader> archives_;  // opened when first needed
};

/// A case's text: "id", "kind", "api". ValueError names what is missing.
std::string text_of(const Config& golden_case, const char* key);
Generation generation_of(const Config& golden_case);

}  // namespace keratin::golden
